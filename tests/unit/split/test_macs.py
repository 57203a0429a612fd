"""Multiply-accumulates, counted by hand."""

import numpy as np
import onnx
import pytest
from small_models import FLOAT, floats, model, node

import nnrd.split
from nnrd.split.measuring import Meter

IMAGE = {"x": (FLOAT, [1, 3, 8, 8])}


def convolutions(width=8):
    weights = {"w": floats(6, 3, 3, 3), "v": floats(6, 2, 2, 2), "u": floats(5, 1, 3, 3)}
    nodes = [
        node("Conv", "x w", "a", pads=[1, 1, 1, 1]),  # 6 maps, each value of 3 x 3 x 3
        node("Relu", "a", "b"),
        node("ConvTranspose", "b v", "c", strides=[2, 2]),  # 6 maps read, 2 made by 2 x 2
        node("Relu", "c", "y"),
    ]
    return model(nodes, {"x": (FLOAT, [1, 3, 8, width])}, {"y": (FLOAT, None)}, weights)


def products(turned):
    weights = {"w": floats(7, 4) if turned else floats(4, 7), "b": floats(7), "v": floats(7, 2)}
    nodes = [
        node("Gemm", "x w b", "a", transB=int(turned)),  # 3 x 4 by 4 x 7
        node("MatMul", "a v", "c"),  # 3 x 7 by 7 x 2
        node("Transpose", "c", "d"),
        node("MatMul", "c d", "y"),  # of activations: not counted
        node("Relu", "y", "z"),
    ]
    return model(nodes, {"x": (FLOAT, [3, 4])}, {"z": (FLOAT, None)}, weights)


CONV, SPREAD = 6 * 8 * 8 * 27, 6 * 8 * 8 * 2 * 4
BY_HAND = [
    (convolutions(), [0, CONV, CONV, CONV + SPREAD]),
    *((products(turned), [0, 84, 84 + 42, 126, 126]) for turned in (False, True)),
]


@pytest.mark.parametrize(("small", "expected"), BY_HAND, ids=["conv", "plain", "turned"])
def test_by_hand(small, expected):
    assert nnrd.split.table(small, first=0).macs.tolist() == expected


def test_what_is_not_known_without_a_run_is_not_known_behind_it():
    small = convolutions(width="any")
    table = nnrd.split.table(small, first=0)
    assert table.macs.isna().tolist() == [False, True, True, True]
    sizes = Meter(small)({"x": np.zeros((1, 3, 8, 8), np.float32)})
    assert nnrd.split.table(small, sizes, first=0).macs.tolist() == BY_HAND[0][1]


def test_the_model_is_left_as_it_was():
    small = convolutions()
    before = onnx.ModelProto.FromString(small.SerializeToString())
    nnrd.split.table(small)
    assert small == before
