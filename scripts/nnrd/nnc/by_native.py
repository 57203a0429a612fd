"""Levels through nnrd's own coder (``native/``, C++), and back: same bytes, several times as fast.

It gives the interpreter's lock back while it runs, so several workers are threads.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from nnrd.nnc import _native, threads  # type: ignore[attr-defined]
from nnrd.nnc.options import Options
from nnrd.nnc.syntax import TensorUnit

UNCHOSEN = np.empty(0, np.uint8)  # each context begins as the first candidate
run = threads.run
join = _native.join  # gives up each piece while it is copied: the list is empty afterwards


def outputs(shapes: Sequence[tuple[int, ...]], dtypes: Sequence[type]) -> list[np.ndarray]:
    """Return arrays for what is decoded; all of it is written."""
    return list(map(np.empty, shapes, dtypes))


def quantise(values: np.ndarray, qp: int, options: Options, dq: bool) -> tuple[np.ndarray, int]:
    """Return (int32 levels, qp used); RuntimeError where they do not fit 32 bits."""
    levels = np.empty(values.shape, np.int32)
    used = _native.quantise(
        *(np.ascontiguousarray(values), levels, dq, options.qp_density, qp),
        *(options.lambda_scale, options.cabac_unary_length_minus1),
    )
    return levels, used


def dequantise(levels: np.ndarray, qp: int, qp_density: int, out: np.ndarray) -> np.ndarray:
    """Write the values of levels into ``out``, float32, and return it."""
    _native.dequantise(levels, out, qp_density, qp)
    return out


def encode(levels: np.ndarray, head: TensorUnit, qp: int, options: Options) -> _native.Data:
    """Return the data of a unit; with a codebook, levels are indices relative to its zero.

    The levels of floats are lost: their memory is given back while they are coded.
    """
    bits = 6 + options.qp_density if head.is_float else 0
    layer = (head.dq, head.unary_minus1 + 1)
    rest = (options.row_skipping, _book(head))
    initial = UNCHOSEN
    if options.param_opt:
        found = threads.shared(
            lambda *share: _native.choose(levels, *layer, *rest, *share), levels.size
        )
        initial = np.bitwise_or.reduce(found)
    return _native.encode(levels, *layer, bits, qp, *rest, head.is_float, initial)


def size(levels: np.ndarray, dq: bool, flags: int, param_opt: bool, *, plain: bool = False) -> int:
    """Return the bytes that levels would take; ``plain``: as profile 0 codes them."""
    return _native.encoded_size(levels, dq, flags, param_opt, plain)


def source(stream: memoryview, heads: Iterable[TensorUnit]) -> np.ndarray:
    """Return the stream as uint8: the decoder knows where its input ends."""
    return np.frombuffer(stream, np.uint8)


def decode(stream: np.ndarray, head: TensorUnit, qp_density: int, levels: np.ndarray) -> int:
    """Fill ``levels`` and return the qp; RuntimeError or ValueError for damaged data."""
    data = stream[head.start : head.end]
    bits = 6 + qp_density if head.is_float else 0
    dq = head.dq and head.is_float
    return _native.decode(data, levels, dq, head.unary_minus1 + 1, bits, _book(head))


def _book(head: TensorUnit) -> tuple[int, int]:
    return (len(head.codebook.values), head.codebook.zero) if head.codebook else (0, 0)
