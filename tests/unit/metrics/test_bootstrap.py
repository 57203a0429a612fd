"""Intervals: drawn by a seed, over groups, and honest where all items say the same."""

import numpy as np
import pytest

from nnrd.metrics import bootstrap
from nnrd.metrics.bootstrap import Bootstrap, ratio


def interval(above, below, theirs=None, groups=None):
    sample = Bootstrap(groups or range(len(above)))
    held = theirs and sample.draws(ratio(theirs, below))
    return sample.interval(sample.draws(ratio(above, below)), held)


def test_it_holds_the_number_and_shrinks_with_the_items():
    rng = np.random.default_rng(0)
    widths = []
    for count in (20, 80, 320):
        right = (rng.random(count) < 0.8).astype(float).tolist()
        low, high = interval(right, [1] * count)
        assert low < 100 * np.mean(right) < high
        widths.append(high - low)
    assert widths[0] > 1.5 * widths[1] > 2 * widths[2]


def unseen(units):
    return 100 * (1 - 0.025 ** (1 / units))


@pytest.mark.parametrize("count", [1, 2, 27])
@pytest.mark.parametrize(
    ("share", "ends"),
    [
        (0.0, lambda p: (0, p)),  # no error on n items
        (1.0, lambda p: (100 - p, 100)),
        (0.5, lambda p: (50 * (1 - p / 100), 50 * (1 - p / 100) + p)),
    ],
)
def test_where_all_items_say_the_same_the_bound_is_exact(count, share, ends):
    assert interval([share] * count, [1] * count) == pytest.approx(ends(unseen(count)))


def test_where_nothing_changed_a_difference_has_the_bound_for_0_of_n():
    values = [0.3, 0.9, 0.0, 1.0]
    assert interval(values, [1] * 4, values) == pytest.approx((-unseen(4), unseen(4)))


def test_differences_are_paired():
    """One item of many changed: far less than the two intervals would say."""
    ours = [float(number % 2) for number in range(100)]
    theirs = [1.0, *ours[1:]]
    low, high = interval(ours, [1] * 100, theirs)
    assert -4 < low < 0 and high == 0
    wide = interval(ours, [1] * 100)
    assert wide[1] - wide[0] > 15


def test_groups_are_drawn_whole():
    """Ten utterances of each of four speakers are no forty speakers."""
    rates = np.repeat([0.0, 0.2, 0.4, 0.8], 10).tolist()
    speakers = np.repeat(list("abcd"), 10).tolist()
    alone, together = interval(rates, [1] * 40), interval(rates, [1] * 40, groups=speakers)
    assert together[1] - together[0] > 1.8 * (alone[1] - alone[0])
    same = interval([0.0] * 40, [1] * 40, groups=speakers)
    assert same == pytest.approx((0, unseen(4)))


def test_nothing_to_score_is_nan():
    assert np.isnan(interval([0, 0], [0, 0])).all()


def test_blocks_of_draws_are_the_same_draws(monkeypatch):
    whole = Bootstrap(range(30)).draws(lambda weights: weights[:, 3])
    monkeypatch.setattr(bootstrap, "CELLS", 1000)
    assert (Bootstrap(range(30)).draws(lambda weights: weights[:, 3]) == whole).all()
    assert len(whole) == 2000 and 0 < whole.mean() < 2
