"""One tensor through a coder, and back: its levels, its codebook and its unit.

``by`` is a module that codes levels: `by_native` or `by_nncodec`, which give the same bytes.
"""

import numpy as np

from nnrd.core.errors import BitstreamError, UserError
from nnrd.nnc.coder import Coder
from nnrd.nnc.options import Options, finest_qp, qp_range
from nnrd.nnc.syntax import Codebook, TensorUnit, Writer, tensor_header, unit, write_codebook


def encode_tensor(
    by: Coder, name: str, index: int, tensor: np.ndarray, qp: int, options: Options
) -> bytes:
    """Return the compressed data unit of a float32 or int32 tensor of one dimension or more."""
    values = np.ascontiguousarray(tensor)
    unary = options.cabac_unary_length_minus1
    if tensor.dtype == np.int32:
        head = TensorUnit(name, index, tensor.shape, False, False, unary)
        return unit(tensor_header(head), by.encode(values, head, 0, options))
    levels, qp, dq, codebook = _quantised(by, name, values, qp, options)
    head = TensorUnit(name, index, tensor.shape, True, dq, unary, codebook)
    return unit(tensor_header(head), by.encode(levels, head, qp, options))


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
    if head.is_float:
        levels = _looked_up(levels, head, head.codebook) if head.codebook else levels
        by.dequantise(levels, qp, qp_density, out)


def _quantised(
    by: Coder, name: str, values: np.ndarray, qp: int, options: Options
) -> tuple[np.ndarray, int, bool, Codebook | None]:
    """Return (levels or indices, qp used, with DQ, codebook)."""
    if not options.codebook_mode:
        return *quantise(by, name, values, qp, options, options.use_dq), options.use_dq, None
    levels, used = quantise(by, name, values, _finer(name, qp, options), options)
    indices, codebook = _codebook(by, levels, options)
    if options.codebook_mode == 1:
        return indices, used, False, codebook
    plain = levels, used
    if options.use_dq:
        plain = quantise(by, name, values, qp, options, dq=True)
    flags = options.cabac_unary_length_minus1  # one less than coded: so does NNCodec here
    size = by.size(indices, False, flags, options.param_opt) + _codebook_bits(codebook)
    if size < by.size(plain[0], options.use_dq, flags, options.param_opt):
        return indices, used, False, codebook
    return *plain, options.use_dq, None


def _finer(name: str, qp: int, options: Options) -> int:
    """Return the qp of a codebook, which rules DQ out: a finer step makes up for it."""
    if not options.use_dq:
        return qp
    step, low = 1 << options.qp_density, qp_range(options.qp_density)[0]
    if qp - step < low:
        raise UserError(f"tensor {name}: a codebook with DQ needs a qp of {low + step} at least")
    return qp - step


def _codebook(by: Coder, levels: np.ndarray, options: Options) -> tuple[np.ndarray, Codebook]:
    """Return (indices relative to the zero, codebook), each choice made as NNCodec makes it."""
    values, indices = np.unique(levels, return_inverse=True)
    indices = indices.reshape(levels.shape).astype(np.int32)
    # NNCodec tries each entry as the zero with one flag less and in profile 0.
    flags = options.cabac_unary_length_minus1
    lengths = [
        by.size(indices - np.int32(zero), False, flags, True, plain=True)
        for zero in range(len(values))
    ]
    zero = int(np.argmin(lengths))
    books = [Codebook(values.tolist(), zero, egk) for egk in range(16)]
    return indices - np.int32(zero), min(books, key=_codebook_bits)


def _codebook_bits(codebook: Codebook) -> int:
    writer = Writer()
    write_codebook(writer, codebook)
    return len(writer)


def _looked_up(indices: np.ndarray, head: TensorUnit, codebook: Codebook) -> np.ndarray:
    """Return the levels that indices stand for."""
    indices = indices + codebook.zero
    if indices.min() < 0 or indices.max() >= len(codebook.values):
        raise BitstreamError(f"NNC stream: the data of tensor {head.name!r} leave its codebook")
    return np.array(codebook.values, np.int32)[indices]
