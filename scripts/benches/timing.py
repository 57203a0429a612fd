"""Two ways of the same thing timed in turn, and the row that says how they compare."""

import resource
import statistics
import time
from collections.abc import Callable

import numpy as np

ROW = "{:<66} {:>8} {:>8} {:>7} {:>7}  {}"  # what, A, B, A ÷ B, the same of CPU, goal


def paired(what: str, a: Callable, b: Callable, rounds: int, goal: str, unit: float = 1.0) -> str:
    """Time a and b in turn; return a row with both medians, in units, and the median ratios."""
    pairs = []
    for _ in range(rounds):
        (seconds_a, result_a), (seconds_b, result_b) = timed(a), timed(b)
        pairs.append((seconds_a, seconds_b))
        if not same(result_a, result_b):
            raise SystemExit(f"{what}: the results differ")
    first, second = (statistics.median(pair[i][0] for pair in pairs) / unit for i in (0, 1))
    wall, cpu = (statistics.median(x[i] / y[i] for x, y in pairs) for i in (0, 1))
    row = ROW.format(what, f"{first:.4g}", f"{second:.4g}", f"{wall:.2f}", f"{cpu:.2f}", goal)
    print(row, flush=True)
    return row


def timed(function: Callable) -> tuple[tuple[float, float], object]:
    """Return ((wall, CPU) seconds with those of ended child processes, result) of a call."""
    cpu, start = _cpu_seconds(), time.perf_counter()
    result = function()
    return (time.perf_counter() - start, _cpu_seconds() - cpu), result


def _cpu_seconds() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def same(a: object, b: object) -> bool:
    """Compare two bitstreams, two dicts of tensors or two Nones."""
    if not isinstance(a, dict):
        return a == b
    return list(a) == list(b) and all(np.array_equal(a[k], b[k]) for k in a)
