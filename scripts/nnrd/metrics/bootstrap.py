"""How sure a number is: bootstrap intervals of ratios over items."""

from collections.abc import Sequence

import numpy as np

RESAMPLES, SEED = 2000, 0
LEVEL = 95.0  # percent


def ratio_interval(
    above: Sequence[float], below: Sequence[float], held: Sequence[float] | None = None
) -> tuple[float, float]:
    """Return the 95 % interval of 100 · sum(above) / sum(below) over items, in percent.

    Items are drawn with replacement, 2,000 times, seeded; the percentiles 2.5 and 97.5 are
    returned (Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance
    evaluation", ICASSP 2004). ``held``: another system's ``above`` on the same items; then the
    interval is that of the difference, ours minus theirs, on the same draws. A draw in which
    ``below`` is 0 does not count; (nan, nan) where none does.

    Where all items say the same (no error at all, nothing changed), drawing them again says
    nothing of the items that were not seen. Then the end is the exact bound for 0 of n items:
    the share p of which 0 of n would be seen with a probability of 2.5 %, (1 − p)ⁿ = 0.025
    (Clopper and Pearson, Biometrika 26, 1934).
    """
    values = np.array(above, dtype=float)
    if held is not None:
        values -= np.array(held, dtype=float)
    sizes = np.array(below, dtype=float)
    bound = 100 * (1 - ((100 - LEVEL) / 200) ** (1 / len(values)))
    if sizes.any() and not values.any():
        return (0.0 if held is None else -bound), bound
    if sizes.any() and held is None and (values == sizes).all():
        return 100 - bound, 100.0
    draws = np.random.default_rng(SEED).integers(len(values), size=(RESAMPLES, len(values)))
    total = sizes[draws].sum(axis=1)
    rates = 100 * values[draws].sum(axis=1)[total > 0] / total[total > 0]
    if not len(rates):
        return float("nan"), float("nan")
    low, high = np.percentile(rates, [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return float(low), float(high)
