"""Transcripts as they are compared, word error rates, and how sure they are."""

import numpy as np
import pytest

from nnrd.metrics import normaliser
from nnrd.metrics import words as word_errors
from nnrd.metrics.bootstrap import Bootstrap
from nnrd.metrics.words import Errors


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Please press 1, or 42 & 300!", "please press one or forty two and three hundred"),
        ("Dial 8500; it's 28.8", "dial eight five zero zero it's twenty eight eight"),
        ("1,234 callers", "one two three four callers"),
        ("117 and 007", "one hundred seventeen and zero zero seven"),
        ("“Waldo’s” 'quoted' non-administrator", "waldo's quoted non administrator"),
        ("HE SAID 'TIS", "he said tis"),
        ("50%", "fifty percent"),
        (" … ", ""),
    ],
)
def test_normalised(text, expected):
    assert normaliser.normalise(text) == expected
    assert normaliser.normalise(expected) == expected


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("a b c", "a b c", Errors(0, 0, 0, 3)),
        ("a b c", "", Errors(0, 3, 0, 3)),
        ("a b c", "a x c", Errors(1, 0, 0, 3)),
        ("a b c", "a c", Errors(0, 1, 0, 3)),
        ("a b", "a b c d e", Errors(0, 0, 3, 2)),
    ],
)
def test_word_errors(reference, hypothesis, expected):
    assert word_errors.words(reference, hypothesis) == expected


def test_rate_is_over_the_corpus_and_may_exceed_100():
    assert word_errors.rate([Errors(1, 0, 0, 1), Errors(0, 0, 0, 9)]) == pytest.approx(10)
    assert word_errors.rate([Errors(0, 0, 30, 10)]) == pytest.approx(300)


def interval(errors, anchor=None):
    bootstrap = Bootstrap(range(len(errors)))
    held = anchor and bootstrap.draws(word_errors.statistic(anchor))
    return bootstrap.interval(bootstrap.draws(word_errors.statistic(errors)), held)


def test_intervals():
    rng = np.random.default_rng(1)
    errors = [Errors(int(n), 0, 0, 10) for n in rng.integers(0, 4, 200)]
    low, high = interval(errors)
    assert low < word_errors.rate(errors) < high
    assert high - low < 6
    assert interval(errors) == (low, high)  # seeded
    # Paired and equal on all 200: the exact bound for 0 of 200, (1 - p)^200 = 0.025.
    bound = 100 * (1 - 0.025 ** (1 / 200))
    assert interval(errors, errors) == pytest.approx((-bound, bound))
    # Ten points worse on all 200: a share of the bound may say anything.
    worse = [e._replace(insertions=1) for e in errors]
    middle = 10 * (1 - bound / 100)
    assert interval(worse, errors) == pytest.approx((middle - bound, middle + bound))
