"""What no other alternative beats in both respects."""

import math

import pytest

from nnrd.analysis import pareto


@pytest.mark.parametrize(
    ("costs", "values", "higher", "expected"),
    [
        ([1, 2, 3], [10, 20, 15], True, [True, True, False]),
        ([1, 2, 3], [10, 20, 5], False, [True, False, True]),
        ([1, 1, 1], [5, 5, 4], True, [True, True, False]),  # alike: none beats the other
        ([1, 1], [5, 6], False, [True, False]),
        ([math.nan, 2], [50, 20], True, [False, True]),
        ([1, 2], [math.nan, 20], True, [False, True]),
        ([], [], True, []),
    ],
)
def test_front(costs, values, higher, expected):
    assert pareto.front(costs, values, higher) == expected
