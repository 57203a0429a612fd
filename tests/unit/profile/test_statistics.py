"""Statistics of samples, beside numbers worked out by hand."""

import numpy as np
import pytest

from nnrd.core.errors import UserError
from nnrd.profile.statistics import interval, lost, summary

EIGHT = np.arange(1.0, 9.0).reshape(2, 4)  # two repeats of four samples, 1 to 8 s


def test_a_summary():
    found = summary(EIGHT, EIGHT * 0.75, busy=1, input_seconds=9)
    assert found["mean"] == 4.5 and found["minimum"] == 1
    assert (found["p50"], found["p90"], found["p99"]) == pytest.approx((4.5, 7.3, 7.93))
    assert found["std"] == pytest.approx(6**0.5)  # 42 / 7
    assert found["cpu"] == 3.375 and found["lost"] == 0.25
    assert found["real_time_factor"] == 0.5


def test_a_single_sample_has_no_deviation_and_an_input_of_no_known_length_no_factor():
    found = summary(np.ones((1, 1)), np.ones((1, 1)))
    assert found["std"] is None and found["real_time_factor"] is None
    assert [found[name] for name in ("mean", "mean_low", "mean_high", "p99")] == [1] * 4


# Wall and CPU seconds, threads that work, the share lost.
LOST = [
    (1.0, 1.0, 1, 0.0),
    (1.0, 0.0, 1, 1.0),  # it slept
    (1.0, 0.9, 1, 0.1),
    (1.0, 1.6, 2, 0.2),  # two threads, each of which ran 80 % of the time
    (1.0, 1.0, 2, 0.5),  # two that had one core between them
    (1.0, 1.01, 1, 0.0),  # clocks differ
    (0.0, 0.0, 1, 0.0),
]


@pytest.mark.parametrize(("wall", "cpu", "busy", "share"), LOST)
def test_time_lost(wall, cpu, busy, share):
    assert lost(wall, cpu, busy) == pytest.approx(share)


# Values, and their interval; a draw of n equal repeats has each mean with a known probability.
INTERVALS = {
    "all the same": ([[2.0] * 5] * 3, (2, 2)),
    "two repeats, each all the same: 1 and 3 are drawn twice with 25 % each": (
        [[1.0] * 4, [3.0] * 4],
        (1, 3),
    ),
    "one repeat of two samples": ([[0.0, 1.0]], (0, 1)),
    "one of 100 samples is off: 0 to 3 times in a draw": ([[0.0] * 99 + [100.0]], (0, 3)),
}


@pytest.mark.parametrize(("values", "expected"), INTERVALS.values(), ids=INTERVALS)
def test_intervals(values, expected):
    assert interval(np.array(values)) == expected


def test_an_interval_covers_the_mean_and_is_the_same_each_time():
    """Of 100 sets of 20 repeats, each with a shift of its own, most hold the true mean."""
    random = np.random.default_rng(1)
    hits = 0
    for _ in range(100):
        values = random.normal(0, 1, (20, 1)) + random.normal(0, 1, (20, 10))
        low, high = interval(values)
        hits += low <= 0 <= high
    assert 88 <= hits <= 99
    assert interval(values) == (low, high)


def test_repeats_that_differ_make_it_wide():
    """Samples drawn singly would pretend that there were 200 machines; there were two."""
    values = np.concatenate([np.full((1, 100), 1.0), np.full((1, 100), 2.0)])
    low, high = interval(values)
    assert high - low == 1


@pytest.mark.parametrize("shape", [(0, 0), (5, 0), (0, 100)])
def test_zero_samples_are_refused(shape):
    with pytest.raises(UserError, match="no samples"):
        summary(np.empty(shape), np.empty(shape))


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_input_of_no_length_is_refused(seconds):
    with pytest.raises(UserError, match="real-time factor"):
        summary(EIGHT, EIGHT, input_seconds=seconds)
