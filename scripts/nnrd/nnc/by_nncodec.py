"""Levels through NNCodec's C++ coder (``nncodec.extensions.deepCABAC``), and back.

It is imported when the first tensor comes: who only asks for a schema does not pay for it. It
holds the interpreter's lock, so several workers are processes.
"""

import mmap
from collections.abc import Iterable
from functools import cache

import numpy as np

from nnrd.nnc import processes
from nnrd.nnc.options import Options
from nnrd.nnc.syntax import TensorUnit

run = processes.run
join = b"".join
outputs = processes.shared_arrays


@cache
def deepcabac():
    """Return the module."""
    from nncodec.extensions import deepCABAC

    return deepCABAC


def quantise(values: np.ndarray, qp: int, options: Options, dq: bool) -> tuple[np.ndarray, int]:
    """Return (int32 levels, qp used); RuntimeError where they do not fit 32 bits."""
    levels = np.zeros(values.shape, np.int32)
    encoder = deepcabac().Encoder()
    used = encoder.quantLayer(
        *(values, levels, int(dq), options.qp_density, qp, options.lambda_scale),
        *(options.cabac_unary_length_minus1, 0, 1),  # raster scan, profile 1
    )
    return levels, used


def dequantise(levels: np.ndarray, qp: int, qp_density: int, out: np.ndarray) -> np.ndarray:
    """Write the values of levels into ``out``, float32, and return it."""
    deepcabac().Decoder().dequantLayer(out, levels, qp_density, qp, 0)
    return out


def encode(levels: np.ndarray, head: TensorUnit, qp: int, options: Options) -> bytes:
    """Return the data of a unit; with a codebook, levels are indices relative to its zero."""
    encoder = deepcabac().Encoder()
    if head.is_float:
        encoder.iae_v(6 + options.qp_density, qp)
    encoder.initCtxModels(head.unary_minus1 + 1, int(options.param_opt))
    skip = _rows_of_zeros(levels, options)
    encoder.encodeLayer(
        *(levels, int(head.dq), 0, 1, 0, int(options.row_skipping), skip),
        *(*_no_history(), *_book(head)),
    )
    return encoder.finish().tobytes()


def size(levels: np.ndarray, dq: bool, flags: int, param_opt: bool, *, plain: bool = False) -> int:
    """Return the bytes that levels would take; ``plain``: as profile 0 codes them."""
    encoder = deepcabac().Encoder()
    encoder.initCtxModels(flags, int(param_opt))
    rows = np.zeros(len(levels), np.int32)
    encoder.encodeLayer(levels, int(dq), 0, int(not plain), 0, 0, rows, *_no_history(), 0, 0)
    return encoder.finish().size


def source(stream: memoryview, heads: Iterable[TensorUnit]) -> np.ndarray:
    """Return the stream as uint8 with so many zeros behind it that no decoder reads past them.

    The C++ decoder does not know where its input ends. Behind the end it reads zeros, there it
    takes the likelier bin each time, at a cost of two bits at most, and a value has at most
    unary + 34 such bins and 31 bits more. The zeros cost nothing until they are read.
    """
    worst = max((h.size * (2 * h.unary_minus1 + 102) // 8 for h in heads), default=0)
    buffer = mmap.mmap(-1, len(stream) + worst + 4096)
    buffer[: len(stream)] = stream
    return np.frombuffer(buffer, np.uint8)


def decode(stream: np.ndarray, head: TensorUnit, qp_density: int, levels: np.ndarray) -> int:
    """Fill ``levels`` and return the qp; RuntimeError or ValueError for damaged data."""
    levels.fill(0)  # the coder leaves skipped rows as they are
    decoder = deepcabac().Decoder()
    decoder.setStream(stream[head.start :])
    qp = decoder.iae_v(6 + qp_density) if head.is_float else 0
    decoder.initCtxModels(head.unary_minus1 + 1)
    dq = int(head.dq and head.is_float)
    decoder.decodeLayer(levels, dq, 0, 1, 0, *_no_history(), *_book(head))
    if decoder.finish() != head.end - head.start:
        raise ValueError("the data do not end where the unit does")
    return qp


def _book(head: TensorUnit) -> tuple[int, int]:
    return (len(head.codebook.values), head.codebook.zero) if head.codebook else (0, 0)


def _no_history() -> list:
    return [deepcabac().HdspMode.AlwaysOff, np.zeros(2, np.int8)]


def _rows_of_zeros(levels: np.ndarray, options: Options) -> np.ndarray:
    """Return 1 for each row (first index) that is to be skipped; the coder looks if it may."""
    rows = np.zeros(len(levels), np.int32)
    if options.row_skipping and levels.ndim > 1:
        rows[:] = ~levels.reshape(len(levels), -1).any(axis=1)
    return rows
