"""How far a model's outputs are from another's: the normalised mean squared error of each.

NMSE = Σ (a − b)² / Σ a² over all values of all items, a being the whole model's.
"""

import math
from collections.abc import Iterable, Mapping

import numpy as np

# Of each output: the sum of the squared differences, and of the whole model's squares; None where
# the shapes differ, such as where one found more boxes, or where either is not finite.
Errors = dict[str, tuple[float, float] | None]


def errors(whole: Mapping[str, np.ndarray], ours: Mapping[str, np.ndarray]) -> Errors:
    """Return the two sums of each output of ``whole`` on an item; arrays of numbers or bools."""
    return {name: _sums(array, ours.get(name)) for name, array in whole.items()}


def _sums(whole: np.ndarray, ours: np.ndarray | None) -> tuple[float, float] | None:
    if ours is None or whole.shape != ours.shape:
        return None
    a, b = (np.asarray(array, dtype=np.float64).ravel() for array in (whole, ours))
    found = float(np.sum((a - b) ** 2)), float(np.sum(a**2))
    return found if all(map(math.isfinite, found)) else None


def nmse(items: Iterable[Errors]) -> dict[str, float | None]:
    """Return the NMSE of each output over some items; None where that is not known.

    Where the whole model says 0 throughout, it is 0 if the other does, too, and else not known.
    """
    totals: dict[str, tuple[float, float] | None] = {}
    for item in items:
        for name, sums in item.items():
            before = totals.get(name, (0.0, 0.0))
            if before is None or sums is None:
                totals[name] = None
            else:
                totals[name] = (before[0] + sums[0], before[1] + sums[1])
    return {name: None if sums is None else _ratio(*sums) for name, sums in totals.items()}


def _ratio(error: float, power: float) -> float | None:
    if power > 0:
        return error / power
    return 0.0 if error == 0 else None
