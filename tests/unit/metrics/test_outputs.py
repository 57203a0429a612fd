"""The normalised mean squared error of a model's outputs, on numbers worked out by hand."""

import numpy as np
import pytest

from nnrd.metrics.outputs import errors, nmse

A = np.array([[3.0, 4.0]], np.float32)


def test_equal_outputs_are_no_distance_apart():
    whole = {"boxes": A, "labels": np.array([1, 2]), "sure": np.array([True, False])}
    assert nmse([errors(whole, whole), errors(whole, whole)]) == dict.fromkeys(whole, 0.0)


def test_sums_over_items_not_means_of_them():
    """(1² + 0) / 25 of the first, (0 + 2²) / (16 + 4) of the second: 5 / 45."""
    first = errors({"x": A}, {"x": np.array([[2.0, 4.0]])})
    second = errors({"x": np.array([4.0, 2.0])}, {"x": np.array([4.0, 4.0])})
    assert first == {"x": (1.0, 25.0)} and second == {"x": (4.0, 20.0)}
    assert nmse([first, second]) == {"x": pytest.approx(5 / 45)}


def test_zeros_only_equal_zeros():
    zero = np.zeros(3)
    assert nmse([errors({"x": zero}, {"x": zero})]) == {"x": 0.0}
    assert nmse([errors({"x": zero}, {"x": zero + 1})]) == {"x": None}


def test_unsigned_integers_and_halves_do_not_wrap():
    whole = {"x": np.array([0, 255], np.uint8), "h": np.array([300.0], np.float16)}
    ours = {"x": np.array([255, 0], np.uint8), "h": np.array([0.0], np.float16)}
    assert nmse([errors(whole, ours)]) == {"x": pytest.approx(2.0), "h": pytest.approx(1.0)}


@pytest.mark.parametrize(
    "ours", [np.zeros((1, 3)), np.zeros((2,)), np.array([[np.nan, 0]]), np.array([[np.inf, 0]])]
)
def test_what_cannot_be_compared_is_not_known_whatever_comes_after(ours):
    found = [errors({"x": A}, {"x": ours}), errors({"x": A}, {"x": A})]
    assert nmse(found) == nmse(reversed(found)) == {"x": None}


def test_an_output_that_is_gone():
    assert nmse([errors({"x": A, "y": A}, {"y": A})]) == {"x": None, "y": 0.0}


def test_nothing():
    assert nmse([]) == {}
