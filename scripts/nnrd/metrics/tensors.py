"""How far tensors are from others."""

import math

import numpy as np


def normalised_mse(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the squared error's sum over that of the squares of ``expected``; 0: they are equal.

    nan where the shapes differ, such as those of other numbers of boxes; inf where all that is
    expected is 0.
    """
    if found.shape != expected.shape:
        return math.nan
    ours, theirs = found.astype(np.float64), expected.astype(np.float64)
    if np.array_equal(ours, theirs):
        return 0.0
    power = float(np.square(theirs).sum())
    return float(np.square(ours - theirs).sum()) / power if power else math.inf
