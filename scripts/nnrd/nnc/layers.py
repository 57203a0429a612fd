"""One tensor through a coder, and back: its levels, its codebook and its unit.

``by`` is a module that codes levels: `by_native` or `by_nncodec`, which give the same bytes.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nnrd.core.errors import BitstreamError, UserError
from nnrd.nnc.coder import Coder
from nnrd.nnc.options import Options, finest_qp, qp_range
from nnrd.nnc.syntax import Codebook, TensorUnit, Writer, tensor_header, unit_head, write_codebook

BLOCK = 1 << 20  # values


def encode_tensor(
    by: Coder, name: str, index: int, tensor: np.ndarray, qp: int, options: Options
) -> tuple[bytes, Any]:
    """Return the compressed data unit of a float32 or int32 tensor of one dimension or more.

    It comes in two pieces, head and data, for ``by.join``.
    """
    levels, dq, codebook = np.ascontiguousarray(tensor), False, None
    if is_float := tensor.dtype == np.float32:
        levels, qp, dq, codebook = _quantised(by, name, levels, qp, options)
    unary = options.cabac_unary_length_minus1
    head = TensorUnit(name, index, tensor.shape, is_float, dq, unary, codebook)
    data = by.encode(levels, head, qp, options)
    return unit_head(tensor_header(head), len(data)), data


def quantise(
    by: Coder, name: str, values: np.ndarray, qp: int, options: Options, dq: bool = False
) -> tuple[np.ndarray, int]:
    """Return (int32 levels, the qp used: higher where levels would not fit 32 bits).

    NNCodec raises qp by itself, sometimes not enough, and then fails; here it goes on rising.
    """
    highest = qp_range(options.qp_density)[1]
    while qp <= highest:
        try:
            levels, used = by.quantise(values, qp, options, dq)
        except RuntimeError:  # the qp was not raised enough
            qp = max(qp + 1, finest_qp(float(np.abs(values).max()), options.qp_density))
            continue
        if used <= highest:
            return levels, used
        break
    largest = f"its values (up to {np.abs(values).max():.3g}) are too large"
    raise UserError(f"tensor {name}: {largest} for a qp up to {highest}")


def decode_tensor(
    by: Coder, stream: np.ndarray, head: TensorUnit, qp_density: int, out: np.ndarray
) -> None:
    """Decode a tensor of a stream into ``out``, float32 or int32 of the unit's shape.

    ``stream`` is what ``by.source`` made of it. Raises BitstreamError where the data do not end
    where the unit does.
    """
    levels = out.view(np.int32)  # the values take the place of their levels
    try:
        qp = by.decode(stream, head, qp_density, levels)
    except (RuntimeError, ValueError):
        message = f"NNC stream: the data of tensor {head.name!r} are damaged"
        raise BitstreamError(message) from None
    if head.codebook:
        _look_up(levels, head, head.codebook)
    if head.is_float:
        by.dequantise(levels, qp, qp_density, out)


def _quantised(
    by: Coder, name: str, values: np.ndarray, qp: int, options: Options
) -> tuple[np.ndarray, int, bool, Codebook | None]:
    """Return (levels or indices, qp used, with DQ, codebook)."""
    if not options.codebook_mode:
        return *quantise(by, name, values, qp, options, options.use_dq), options.use_dq, None
    finer, flags = _finer(name, qp, options), options.cabac_unary_length_minus1
    indices, used = quantise(by, name, values, finer, options)
    codebook = _codebook(by, indices, options)
    if options.codebook_mode == 1:
        return indices, used, False, codebook
    # One less flag than is coded: so does NNCodec where it compares.
    size = by.size(indices, False, flags, options.param_opt) + _codebook_bits(codebook)
    del indices  # one array of levels at a time
    plain, plain_qp = quantise(by, name, values, qp, options, options.use_dq)
    if size >= by.size(plain, options.use_dq, flags, options.param_opt):
        return plain, plain_qp, options.use_dq, None
    del plain
    indices, used = quantise(by, name, values, finer, options)
    _index(indices, np.array(codebook.values, np.int32), codebook.zero)
    return indices, used, False, codebook


def _finer(name: str, qp: int, options: Options) -> int:
    """Return the qp of a codebook, which rules DQ out: a finer step makes up for it."""
    if not options.use_dq:
        return qp
    step, low = 1 << options.qp_density, qp_range(options.qp_density)[0]
    if qp - step < low:
        raise UserError(f"tensor {name}: a codebook with DQ needs a qp of {low + step} at least")
    return qp - step


def _codebook(by: Coder, levels: np.ndarray, options: Options) -> Codebook:
    """Make levels indices relative to the zero of their codebook, and return that.

    Each choice is made as NNCodec makes it.
    """
    values = np.unique(np.concatenate([np.unique(block) for block in _blocks(levels)]))
    _index(levels, values, 0)
    # NNCodec tries each entry as the zero with one flag less and in profile 0.
    flags, lengths = options.cabac_unary_length_minus1, []
    for _ in values:
        lengths.append(by.size(levels, False, flags, True, plain=True))
        levels -= 1
    zero = int(np.argmin(lengths))
    levels += len(values) - zero
    books = [Codebook(values.tolist(), zero, egk) for egk in range(16)]
    return min(books, key=_codebook_bits)


def _index(levels: np.ndarray, values: np.ndarray, zero: int) -> None:
    """Make levels, in place, their indices among ascending values, less ``zero``."""
    for block in _blocks(levels):
        block[:] = np.searchsorted(values, block) - zero


def _blocks(levels: np.ndarray) -> Iterator[np.ndarray]:
    """Yield views of contiguous levels, in order: what is made of one of them is small."""
    flat = levels.reshape(-1)
    yield from (flat[i : i + BLOCK] for i in range(0, flat.size, BLOCK))


def _codebook_bits(codebook: Codebook) -> int:
    writer = Writer()
    write_codebook(writer, codebook)
    return len(writer)


def _look_up(levels: np.ndarray, head: TensorUnit, codebook: Codebook) -> None:
    """Make indices relative to a codebook's zero, in place, the levels that they stand for."""
    values = np.array(codebook.values, np.int32)
    for block in _blocks(levels):
        indices = block + np.int64(codebook.zero)
        if indices.min() < 0 or indices.max() >= len(values):
            raise BitstreamError(f"NNC stream: the data of tensor {head.name!r} leave its codebook")
        block[:] = values[indices]
