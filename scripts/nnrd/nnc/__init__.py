"""NNCodec (ISO/IEC 15938-17, "NNC") made safe and fast; the stream stays the standard's.

`encode` returns byte for byte what ``nncodec.nnc.compress(tensors, bitstream_path=None,
return_bitstream=True, **options)`` of NNCodec 2.1.3 returns, and `decode` reads such streams.
Two coders give these bytes: nnrd's own (``native``), several times as fast, and NNCodec's C++
(``nncodec``) without NNCodec's Python, which copies all tensors once for each tensor, decodes
each again after encoding and imports torch. The first is taken where it was built. Streams
without a container carry no checksum; ``nnrd.codecs.make("nnc")`` puts them into one.
"""

import math
from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np

from nnrd.core.errors import BitstreamError, UserError
from nnrd.nnc import coders, layers
from nnrd.nnc.coder import Coder
from nnrd.nnc.options import Options, qp_of_each, qp_range
from nnrd.nnc.syntax import MAX_NAME, MAX_RANK, MAX_VALUES, TensorUnit, read_stream, stream_head

__all__ = ["Options", "coder_in_use", "decode", "dequantise", "encode", "qp_range", "quantise"]
MAX_BYTES = 1 << 33
MIN_SHARED_VALUES = 100_000  # below, a process takes longer to start than to help


def encode(
    tensors: Mapping[str, np.ndarray],
    *,
    workers: int = 1,
    options: Options | None = None,
    coder: str | None = None,
    **given,
) -> bytes:
    """Return the NNC stream of float32 and int32 tensors of 1 to 32 dimensions.

    Options are given as keywords, see `Options`. ``workers`` threads (``native``) or processes
    (``nncodec``) share the tensors, largest first, and threads what one large tensor tries; none
    of it changes a byte. Beside the tensors and the stream, ``native`` takes no more memory than
    4 bytes a value of those in work, and less the longer the stream is; arrays that are not
    C-contiguous are copied. Raises UserError, naming the tensor, for what NNCodec ends the
    process on, crashes on or loses without a word: other dtypes, no dimension, no value, NaN,
    Inf, names that it cannot carry, a qp that the stream cannot hold, ``opt_qp`` without a
    deviation.
    """
    options, by = options or Options(**given), coders.find(coder)
    for name in tensors:
        _check_name(name)
    _check_tensors(tensors)
    qps = qp_of_each(tensors, options)
    names, arrays = list(tensors), list(tensors.values())
    sizes = [array.size for array in arrays]

    def task(index: int) -> tuple[bytes, Any]:
        name = names[index]
        return layers.encode_tensor(by, name, index, arrays[index], qps[name], options)

    units = by.run(task, sizes, _useful(workers, sizes))
    pieces = [stream_head(options.qp_density), *chain.from_iterable(units)]
    del units  # each piece is given up while it is copied
    return by.join(pieces)


def decode(
    stream: bytes | bytearray | memoryview,
    *,
    workers: int = 1,
    max_bytes: int = MAX_BYTES,
    coder: str | None = None,
) -> dict[str, np.ndarray]:
    """Return the tensors of a stream: float32 and int32, in the stream's order.

    Values equal those of ``nncodec.nnc.decompress`` (which returns float64 for tensors with a
    codebook). Whatever the bytes are, the coder reads and writes only memory that is there,
    no more than ``max_bytes`` of tensors are made, and a stream that does not fit together
    raises BitstreamError. But a stream alone has no checksum: an altered one may decode to
    altered values.
    """
    by = coders.find(coder)
    data = memoryview(stream).cast("B")
    qp_density, heads = read_stream(data)
    total = sum(4 * head.size for head in heads)
    if total > max_bytes:
        raise BitstreamError(f"NNC stream: {total} bytes of tensors, the limit is {max_bytes}")
    sizes = [head.size for head in heads]
    workers = _useful(workers, sizes)
    try:
        arrays, source = _outputs(by, heads, workers), by.source(data, heads)
    except (MemoryError, OSError) as error:
        raise BitstreamError(f"NNC stream: no memory for its tensors: {error}") from error

    def task(index: int) -> None:
        layers.decode_tensor(by, source, heads[index], qp_density, arrays[index])

    by.run(task, sizes, workers)
    return {head.name: array for head, array in zip(heads, arrays, strict=True)}


def quantise(
    tensors: Mapping[str, np.ndarray], options: Options, *, coder: str | None = None
) -> dict[str, tuple[np.ndarray, int]]:
    """Return (int32 levels, qp used) of each tensor: what `encode` codes without DQ.

    A float32 value is its level times the step size of its qp, see `Options`; int32 tensors are
    their own levels, with a qp of 0. Give all tensors of a stream: with ``opt_qp`` one's qp
    depends on the others, integers too. Errors as in `encode`.
    """
    _check_tensors(tensors)
    qps = qp_of_each(tensors, options)
    by = coders.find(coder)
    return {
        name: layers.quantise(by, name, tensor, qps[name], options)
        if tensor.dtype == np.float32
        else (tensor, 0)
        for name, tensor in tensors.items()
    }


def dequantise(levels: np.ndarray, qp: int, qp_density: int) -> np.ndarray:
    """Return the float32 values of int32 levels, as `decode` makes them."""
    return coders.find().dequantise(levels, qp, qp_density, np.zeros(levels.shape, np.float32))


def coder_in_use(coder: str | None = None) -> str:
    """Return what `encode` works with, for a table's row: ``native`` or ``nncodec 2.1.3``."""
    return coders.in_use(coder)


def _outputs(by: Coder, heads: list[TensorUnit], workers: int) -> list[np.ndarray]:
    shapes = [head.shape for head in heads]
    dtypes = [np.float32 if head.is_float else np.int32 for head in heads]
    return by.outputs(shapes, dtypes) if workers > 1 else list(map(np.empty, shapes, dtypes))


def _useful(workers: int, sizes: list[int]) -> int:
    return workers if sum(sizes) >= MIN_SHARED_VALUES else 1


def _check_tensors(tensors: Mapping[str, np.ndarray]) -> None:
    """Raise UserError for what an NNC stream or NNCodec cannot carry."""
    with np.errstate(over="ignore", invalid="ignore"):
        for name, tensor in tensors.items():
            _check_tensor(name, tensor)


def _check_tensor(name: str, tensor: np.ndarray) -> None:
    if not isinstance(tensor, np.ndarray) or tensor.dtype not in (np.float32, np.int32):
        kind = getattr(tensor, "dtype", type(tensor).__name__)
        raise UserError(f"tensor {name}: {kind} is not a NumPy array of float32 or int32")
    if not 1 <= tensor.ndim <= MAX_RANK or not 1 <= tensor.size <= MAX_VALUES:
        raise UserError(f"tensor {name}: the shape {tensor.shape} cannot be coded")
    if tensor.dtype == np.float32:
        _check_finite(name, tensor)


def _check_name(name: str) -> None:
    """Raise UserError for names that NNCodec crashes on, or that do not come back."""
    utf8 = name.encode("utf-8", "replace")
    if any(part in name for part in ("_G", "_H", "\0")) or utf8.decode() != name:
        raise UserError(f"tensor {name!r}: NNCodec cannot code a name with _G, _H, \\0 or no UTF-8")
    if len(utf8) >= MAX_NAME:
        raise UserError(f"tensor {name[:20]}…: its name has {len(utf8)} bytes, {MAX_NAME} at most")


def _check_finite(name: str, tensor: np.ndarray) -> None:
    # A sum is finite only if all values are, and needs no array of flags.
    if math.isfinite(tensor.sum()):
        return
    nans, infs = int(np.isnan(tensor).sum()), int(np.isinf(tensor).sum())
    if nans or infs:
        raise UserError(f"tensor {name}: {nans} NaN and {infs} Inf of {tensor.size} values")
