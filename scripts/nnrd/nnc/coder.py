"""One tensor through NNCodec's C++ coder (``nncodec.extensions.deepCABAC``), and back.

The coder is imported when the first tensor comes: who only asks for a schema does not pay for it.
"""

import mmap
from collections.abc import Iterable
from functools import cache

import numpy as np

from nnrd.core.errors import BitstreamError, UserError
from nnrd.nnc.options import Options, finest_qp, qp_range
from nnrd.nnc.syntax import Codebook, TensorUnit, Writer, tensor_header, unit, write_codebook


@cache
def _deepcabac():
    from nncodec.extensions import deepCABAC

    return deepCABAC


def encode_tensor(name: str, index: int, tensor: np.ndarray, qp: int, options: Options) -> bytes:
    """Return the compressed data unit of a float32 or int32 tensor of one dimension or more."""
    values = np.ascontiguousarray(tensor)
    if tensor.dtype == np.int32:
        return _coded(TensorUnit(name, index, tensor.shape, False, False, 0), values, 0, options)
    levels, qp, dq, codebook = _quantised(name, values, qp, options)
    header = TensorUnit(name, index, tensor.shape, True, dq, 0, codebook)
    return _coded(header, levels, qp, options)


def quantise(
    name: str, values: np.ndarray, qp: int, options: Options, dq: bool = False
) -> tuple[np.ndarray, int]:
    """Return (int32 levels, the qp used: higher where levels would not fit 32 bits).

    NNCodec raises qp by itself, sometimes not enough, and then fails; here it goes on rising.
    """
    highest = qp_range(options.qp_density)[1]
    while qp <= highest:
        try:
            levels, used = _quantised_at(values, qp, options, dq)
        except RuntimeError:  # "Prevention of integer-overflow failed!"
            qp = max(qp + 1, finest_qp(float(np.abs(values).max()), options.qp_density))
            continue
        if used <= highest:
            return levels, used
        break
    largest = f"its values (up to {np.abs(values).max():.3g}) are too large"
    raise UserError(f"tensor {name}: {largest} for a qp up to {highest}")


def _quantised_at(
    values: np.ndarray, qp: int, options: Options, dq: bool
) -> tuple[np.ndarray, int]:
    levels = np.zeros(values.shape, np.int32)
    encoder = _deepcabac().Encoder()
    used = encoder.quantLayer(
        *(values, levels, int(dq), options.qp_density, qp, options.lambda_scale),
        *(options.cabac_unary_length_minus1, 0, 1),  # raster scan, profile 1
    )
    return levels, used


def dequantise(levels: np.ndarray, qp: int, qp_density: int, out: np.ndarray) -> np.ndarray:
    """Write the values of levels into ``out``, float32, and return it."""
    _deepcabac().Decoder().dequantLayer(out, levels, qp_density, qp, 0)
    return out


def decode_tensor(stream: np.ndarray, head: TensorUnit, qp_density: int, out: np.ndarray) -> None:
    """Decode a tensor of a `padded` stream into ``out``, float32 or int32 of the unit's shape.

    Raises BitstreamError where the data do not end where the unit does.
    """
    levels = np.zeros(head.shape, np.int32) if head.is_float else out
    levels.fill(0)  # the coder leaves skipped rows as they are
    try:
        qp, consumed = _decode_levels(stream[head.start :], head, qp_density, levels)
    except RuntimeError:  # the C++ coder met something impossible
        consumed = -1
    if consumed != head.end - head.start:
        raise BitstreamError(f"NNC stream: the data of tensor {head.name!r} are damaged")
    if head.is_float:
        levels = _looked_up(levels, head, head.codebook) if head.codebook else levels
        dequantise(levels, qp, qp_density, out)


def _decode_levels(
    data: np.ndarray, head: TensorUnit, qp_density: int, levels: np.ndarray
) -> tuple[int, int]:
    """Fill ``levels``; return (qp, bytes consumed)."""
    decoder = _deepcabac().Decoder()
    decoder.setStream(data)
    qp = decoder.iae_v(6 + qp_density) if head.is_float else 0
    decoder.initCtxModels(head.unary_minus1 + 1)
    book = (len(head.codebook.values), head.codebook.zero) if head.codebook else (0, 0)
    dq = int(head.dq and head.is_float)
    decoder.decodeLayer(levels, dq, 0, 1, 0, *_no_history(), *book)
    return qp, decoder.finish()


def padded(stream: memoryview, heads: Iterable[TensorUnit]) -> np.ndarray:
    """Return the stream as uint8 with so many zeros behind it that no decoder reads past them.

    The C++ decoder does not know where its input ends. Behind the end it reads zeros, there it
    takes the likelier bin each time, at a cost of two bits at most, and a value has at most
    unary + 34 such bins and 31 bits more. The zeros cost nothing until they are read.
    """
    worst = max((h.size * (2 * h.unary_minus1 + 102) // 8 for h in heads), default=0)
    buffer = mmap.mmap(-1, len(stream) + worst + 4096)
    buffer[: len(stream)] = stream
    return np.frombuffer(buffer, np.uint8)


def _no_history() -> list:
    return [_deepcabac().HdspMode.AlwaysOff, np.zeros(2, np.int8)]


def _coded(head: TensorUnit, levels: np.ndarray, qp: int, options: Options) -> bytes:
    """Return the unit of a tensor's levels (with a codebook: indices relative to its zero)."""
    encoder = _deepcabac().Encoder()
    if head.is_float:
        encoder.iae_v(6 + options.qp_density, qp)
    encoder.initCtxModels(options.cabac_unary_length_minus1 + 1, int(options.param_opt))
    book = (len(head.codebook.values), head.codebook.zero) if head.codebook else (0, 0)
    skip = _rows_of_zeros(levels, options)
    encoder.encodeLayer(
        *(levels, int(head.dq), 0, 1, 0, int(options.row_skipping), skip), *_no_history(), *book
    )
    head = TensorUnit(
        *(head.name, head.index, head.shape, head.is_float, head.dq),
        *(options.cabac_unary_length_minus1, head.codebook),
    )
    return unit(tensor_header(head), encoder.finish().tobytes())


def _rows_of_zeros(levels: np.ndarray, options: Options) -> np.ndarray:
    """Return 1 for each row (first index) that is to be skipped; the coder looks if it may."""
    rows = np.zeros(len(levels), np.int32)
    if options.row_skipping and levels.ndim > 1:
        rows[:] = ~levels.reshape(len(levels), -1).any(axis=1)
    return rows


def _quantised(
    name: str, values: np.ndarray, qp: int, options: Options
) -> tuple[np.ndarray, int, bool, Codebook | None]:
    """Return (levels or indices, qp used, with DQ, codebook)."""
    if not options.codebook_mode:
        return *quantise(name, values, qp, options, options.use_dq), options.use_dq, None
    # A codebook rules DQ out; a finer step makes up for it.
    finer = qp - (1 << options.qp_density) if options.use_dq else qp
    levels, used = quantise(name, values, finer, options)
    indices, codebook = _codebook(levels, options)
    if options.codebook_mode == 1:
        return indices, used, False, codebook
    plain = levels, used
    if options.use_dq:
        plain = quantise(name, values, qp, options, dq=True)
    if _trial(indices, False, options) + _codebook_bits(codebook) < _trial(
        plain[0], options.use_dq, options
    ):
        return indices, used, False, codebook
    return *plain, options.use_dq, None


def _codebook(levels: np.ndarray, options: Options) -> tuple[np.ndarray, Codebook]:
    """Return (indices relative to the zero, codebook), each choice made as NNCodec makes it."""
    values, indices = np.unique(levels, return_inverse=True)
    indices = indices.reshape(levels.shape).astype(np.int32)
    lengths = [_trial_offset(indices - zero, options) for zero in range(len(values))]
    zero = int(np.argmin(lengths))
    books = [Codebook(values.tolist(), zero, egk) for egk in range(16)]
    return indices - np.int32(zero), min(books, key=_codebook_bits)


def _codebook_bits(codebook: Codebook) -> int:
    writer = Writer()
    write_codebook(writer, codebook)
    return len(writer)


def _trial_offset(indices: np.ndarray, options: Options) -> int:
    """Return the bytes of indices as NNCodec tries a codebook's zero: profile 0."""
    encoder = _deepcabac().Encoder()
    encoder.initCtxModels(options.cabac_unary_length_minus1, 1)
    rows = np.zeros(len(indices), np.int32)
    encoder.encodeLayer(indices, 0, 0, 0, 0, 0, rows, *_no_history(), 0, 0)
    return encoder.finish().size


def _trial(levels: np.ndarray, dq: bool, options: Options) -> int:
    """Return the bytes of levels as NNCodec compares them with and without a codebook."""
    encoder = _deepcabac().Encoder()
    encoder.initCtxModels(options.cabac_unary_length_minus1, int(options.param_opt))
    rows = np.zeros(len(levels), np.int32)
    encoder.encodeLayer(levels, int(dq), 0, 1, 0, 0, rows, *_no_history(), 0, 0)
    return encoder.finish().size


def _looked_up(indices: np.ndarray, head: TensorUnit, codebook: Codebook) -> np.ndarray:
    """Return the levels that indices stand for."""
    indices = indices + codebook.zero
    if indices.min() < 0 or indices.max() >= len(codebook.values):
        raise BitstreamError(f"NNC stream: the data of tensor {head.name!r} leave its codebook")
    return np.array(codebook.values, np.int32)[indices]
