"""What many samples say together."""

import numpy as np

from nnrd.core.errors import UserError
from nnrd.metrics.bootstrap import LEVEL, RESAMPLES, SEED

CELLS = 1 << 20  # values drawn at a time, so that many samples need no more memory


def summary(
    wall: np.ndarray, cpu: np.ndarray, busy: float = 1, input_seconds: float | None = None
) -> dict[str, float | None]:
    """Return what the samples of a step say, in seconds where nothing else is named.

    ``wall``, ``cpu``: float64 (repeats, samples), seconds. ``mean`` with ``mean_low`` and
    ``mean_high`` (`interval`), ``p50``, ``p90``, ``p99`` (linear between the two nearest),
    ``minimum`` and ``std`` (of a sample: n − 1; None of a single one) over all samples; ``cpu``,
    the mean of the CPU time; ``lost`` (`lost`), a share from 0 to 1; ``real_time_factor``,
    mean / ``input_seconds``, None where the seconds of the input are not known.
    Raises UserError without a sample, or with input of no length.
    """
    if not wall.size or wall.shape != cpu.shape:
        raise UserError("no samples: there is nothing to reckon with")
    if input_seconds is not None and not input_seconds > 0:
        raise UserError(f"input of {input_seconds} s: no real-time factor; give a longer input")
    mean, (low, high) = float(wall.mean()), interval(wall)
    p50, p90, p99 = (float(value) for value in np.percentile(wall, [50, 90, 99]))
    return {
        "mean": mean,
        "mean_low": low,
        "mean_high": high,
        "p50": p50,
        "p90": p90,
        "p99": p99,
        "minimum": float(wall.min()),
        "std": float(wall.std(ddof=1)) if wall.size > 1 else None,
        "cpu": float(cpu.mean()),
        "lost": lost(float(wall.sum()), float(cpu.sum()), busy),
        "real_time_factor": mean / input_seconds if input_seconds else None,
    }


def lost(wall: float, cpu: float, busy: float = 1) -> float:
    """Return the share of the time in which the process did not run: 1 − cpu / (wall · busy).

    ``wall``, ``cpu`` in seconds; ``busy``, how many threads work at a time, on average. With one
    thread it is the share of the wall time in which that one stood still, be it that others had its
    core, that it slept, or that it waited for a disk or for a GPU. With several each is expected to
    run all the time, so that a part of the work which one does alone counts as lost by the others.
    At least 0: clocks of wall and of CPU time differ by their resolution.
    """
    return min(1.0, max(0.0, 1 - cpu / (wall * max(1, busy)))) if wall > 0 else 0.0


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean of values, float (repeats, samples).

    Samples of one repeat are alike (the same warm-up, the same neighbours on the machine), so
    repeats are drawn with replacement and of each drawn one its samples (Davison and Hinkley,
    "Bootstrap Methods and their Application", 1997, section 3.8); seeded, 2,000 times, between the
    percentiles 2.5 and 97.5. With few repeats it is narrower than it should be, with a single one
    it speaks of that repeat alone.
    """
    repeats, samples = values.shape
    random = np.random.default_rng(SEED)
    drawn = np.empty(RESAMPLES)
    height = max(1, CELLS // values.size)
    for first in range(0, RESAMPLES, height):
        count = min(height, RESAMPLES - first)
        rows = random.integers(repeats, size=(count, repeats, 1))
        columns = random.integers(samples, size=(count, repeats, samples))
        drawn[first : first + count] = values[rows, columns].mean(axis=(1, 2))
    low, high = np.percentile(drawn, [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return float(low), float(high)
