"""How sure a number is: bootstrap intervals over items, or over groups of them.

Items are drawn with replacement, 2,000 times, seeded; an interval goes from the percentile 2.5 to
97.5 of the statistic (Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR
performance evaluation", ICASSP 2004). Two systems are compared on the same draws.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence

import numpy as np

RESAMPLES, SEED = 2000, 0
LEVEL = 95.0  # percent
CELLS = 1 << 22  # of a block of draws, so that many items need no more memory
SAME = 1e-9  # below it, numbers that should be equal are

# How often each item is in each draw, (draws, items) → the number in percent of each draw; nan
# where a draw holds nothing to score.
Statistic = Callable[[np.ndarray], np.ndarray]


def ratio(above: Sequence[float], below: Sequence[float]) -> Statistic:
    """Return 100 · sum(above) / sum(below) over the drawn items."""
    numerators, sizes = np.array(above, dtype=float), np.array(below, dtype=float)

    def statistic(weights: np.ndarray) -> np.ndarray:
        totals = weights @ sizes
        rates = np.full(len(weights), np.nan)
        return np.divide(100 * (weights @ numerators), totals, out=rates, where=totals > 0)

    return statistic


class Bootstrap:
    """Draws of items.

    ``groups``: of each item what it is drawn with, such as its speaker: utterances of one are
    alike, and drawing them singly would pretend that there are more speakers than there are.
    """

    def __init__(self, groups: Sequence[Hashable]) -> None:
        places = {group: place for place, group in enumerate(dict.fromkeys(groups))}
        self.member = np.array([places[group] for group in groups])
        self.units = len(places)

    def draws(self, statistic: Statistic) -> np.ndarray:
        """Return a statistic of each draw, float64 (2000,)."""
        return np.concatenate([statistic(weights) for weights in self._blocks()])

    def _blocks(self) -> Iterator[np.ndarray]:
        """Yield blocks of draws: how often each item is in each."""
        random = np.random.default_rng(SEED)
        height = max(1, CELLS // len(self.member))
        for first in range(0, RESAMPLES, height):
            rows = min(height, RESAMPLES - first)
            drawn = random.integers(self.units, size=(rows, self.units))
            drawn += self.units * np.arange(rows)[:, None]
            counts = np.bincount(drawn.ravel(), minlength=rows * self.units)
            yield counts.reshape(rows, self.units)[:, self.member].astype(float)

    @property
    def unseen(self) -> float:
        """The share p of units of which 0 of n would be seen with a probability of 2.5 %.

        (1 − p)ⁿ = 0.025 (Clopper and Pearson, Biometrika 26, 1934).
        """
        return 1 - ((100 - LEVEL) / 200) ** (1 / self.units)

    def interval(self, ours: np.ndarray, theirs: np.ndarray | None = None) -> tuple[float, float]:
        """Return the 95 % interval of a statistic of the draws, in percent.

        With ``theirs``, another system's on the same draws, that of the difference, ours minus
        theirs. Where all units say the same (no error at all, nothing changed), drawing them again
        says nothing of those that were not seen: then a share `unseen` of them may say 0 or 100,
        or differ by 100 in either direction. (nan, nan) where there is nothing to score.
        """
        values = ours if theirs is None else ours - theirs
        values = values[~np.isnan(values)]
        if not len(values):
            return float("nan"), float("nan")
        low, high = np.percentile(values, [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
        if np.ptp(values) > SAME:
            return float(low), float(high)
        least, most = (0.0, max(100.0, high)) if theirs is None else (-100.0, 100.0)
        seen = (1 - self.unseen) * float(values[0])
        return seen + self.unseen * least, seen + self.unseen * most
