"""The typed container that every codec writes: what the bytes mean, so that they come back whole.

Format versions 1 and 2. Integers are unsigned LEB128 ("varint", little end first, 7 bits a byte) or
fixed-width little-endian; "deflated" is raw RFC 1951.

===========  ======  ========================================================================
field        bytes   meaning
===========  ======  ========================================================================
magic        4       ``NNRD``
version      1       1, or 2 where the identity travels; any other value is refused
flags        1       bit 0: names travel; bit 1 (version 2 only): the identity travels; the
                     other bits are zero, else refused
checksum     4       CRC-32 (IEEE 802.3, as in zlib) of all other bytes: bytes 0-5, then 10-end
identity     8       only with flag bit 1: what the bitstream is of, see `nnrd.codecs.identity`
codec        1 + n   length of the codec's id, then the id in UTF-8
parameters   v + n   varint length, then the deflated compact JSON object of the parameters
                     that the encoder was given, with PARAMETER_DICTIONARY as preset dictionary
count        v       number of tensors
names        v,v+n   only with flag bit 0: varint length when inflated, varint length as stored,
                     then the deflated names, each a varint length and that many bytes of UTF-8
                     (lone surrogates pass)
table        ...     one entry a tensor, in order: byte of dtype (bits 0-4, see DTYPES), mode
                     (bits 5-6: 0 floats coded as float32, 1 integers coded as int32, 2 stored)
                     and exceptions (bit 7, mode 0 only); one byte of rank; a varint for each
                     dimension; with bit 7 the varint number of exceptions, 1 at least, and the
                     varint stored length of theirs; an empty tensor is stored
stored       ...     the tensors of mode 2, little-endian and C-contiguous, back to back
exceptions   ...     for each tensor with bit 7: deflated bitmap of the positions (first value
                     is the high bit of the first byte) followed by the values, in its dtype
payload      rest    what the codec made of the tensors of modes 0 and 1
===========  ======  ========================================================================

A bitstream without an identity is written as version 1, which every nnrd reads. One with it is the
same bytes but for version, flags, checksum and the eight of the identity.

**Guaranteed.** Whatever bytes are given, decode returns tensors or raises BitstreamError, and
nothing behind the checksum is interpreted before the checksum was verified. The checksum finds
any error burst of up to 32 bits, and any other accident but one in 2³². It is no signature: a
hostile writer can recompute it. Against those, sizes are checked before memory is taken:
``max_bytes`` bounds the tensors, inflation stops at the declared length, and stored sections must
fit in what is there.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import ml_dtypes
import numpy as np

from nnrd.codecs.fields import Reader, codec_id, deflate, inflate, little, utf8, varint
from nnrd.core.errors import BitstreamError, UserError

MAGIC = b"NNRD"
PLAIN, IDENTIFIED = 1, 2  # the format's versions
NAMES, IDENTITY = 1, 2  # bits of the flags
FLAGS = {PLAIN: NAMES, IDENTIFIED: NAMES | IDENTITY}  # that a version knows
IDENTITY_BYTES = 8
MAX_BYTES = 1 << 33  # 8 GiB of tensors: above any model of the studies, below a workstation's end
MAX_NAMES = 1 << 24
MAX_RANK = 32  # NumPy 1's own limit
MAX_EXTENT = 1 << 48  # product of a shape's dimensions, zeros left out
CODED_FLOAT, CODED_INT, STORED = range(3)

# Part of the format: order is the code on the wire, so append only.
DTYPES: tuple[np.dtype, ...] = tuple(
    np.dtype(name)
    for name in (
        *("float32", "float16", ml_dtypes.bfloat16, "float64"),
        *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"),
        *("complex64", "complex128"),
        *(ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2),
    )
)
# Part of the format: what the parameters' JSON is likely to hold, the likeliest last.
PARAMETER_DICTIONARY = (
    b'"level":"lambda_scale":"qp_per_tensor":{"nonfinite":"exact""bits":8"per_channel":true'
    b'"cabac_unary_length_minus1":10"codebook_mode":1"nonweight_qp":-75"qp_density":2'
    b'"param_opt":false"row_skipping":true"opt_qp":true"use_dq":true"use_dq":false,{"qp":-38}'
)


@dataclass(frozen=True)
class Entry:
    """One tensor of a container: its dtype, its shape and how its values travel."""

    dtype: np.dtype
    shape: tuple[int, ...]
    mode: int
    exceptions: int = 0  # values that the codec cannot code, kept exactly beside the payload

    @property
    def size(self) -> int:
        """Number of values."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor in memory."""
        return self.size * self.dtype.itemsize


@dataclass
class Container:
    """What a bitstream holds; ``stored`` and ``exceptions`` are keyed by the tensor's index.

    ``identity``: the eight bytes that say what it is of; none where nobody asked for them.
    """

    codec: str
    parameters: dict[str, Any]
    entries: list[Entry]
    payload: bytes | memoryview
    names: list[str] | None = None
    identity: bytes = b""
    stored: dict[int, np.ndarray] = field(default_factory=dict)
    exceptions: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)


def dtype_code(dtype: np.dtype) -> int:
    """Return a dtype's code on the wire; ValueError where the format has none (text, objects)."""
    return DTYPES.index(dtype.newbyteorder("="))


def coded_mode(dtype: np.dtype) -> int:
    """Return how a codec can code a dtype; STORED for complex numbers, which none can."""
    if dtype.kind in "iub":
        return CODED_INT
    return STORED if dtype.kind == "c" else CODED_FLOAT


def write(container: Container) -> bytes:
    """Return the container's bytes.

    ``exceptions`` maps a tensor's index to (flat boolean mask, the values in the tensor's dtype).
    """
    lists = {i: _pack_exceptions(*both) for i, both in container.exceptions.items()}
    parts = [container.identity, codec_id(container.codec), _parameters(container.parameters)]
    parts.append(varint(len(container.entries)))
    if container.names is not None:
        parts.append(_names(container.names))
    for index, entry in enumerate(container.entries):
        parts.append(_entry(entry, lists.get(index)))
    parts += [little(container.stored[i]).tobytes() for i in sorted(container.stored)]
    parts += [lists[i] for i in sorted(lists)]
    parts.append(bytes(container.payload))
    body = b"".join(parts)
    version = IDENTIFIED if container.identity else PLAIN
    head = MAGIC + bytes([version, _flags(container)])
    return head + zlib.crc32(body, zlib.crc32(head)).to_bytes(4, "little") + body


def _flags(container: Container) -> int:
    if len(container.identity) not in (0, IDENTITY_BYTES):
        raise ValueError(f"an identity has {IDENTITY_BYTES} bytes")
    named = NAMES if container.names is not None else 0
    return named | (IDENTITY if container.identity else 0)


def read(blob: bytes | bytearray | memoryview, max_bytes: int = MAX_BYTES) -> Container:
    """Return what the bytes hold, or raise BitstreamError; ``max_bytes`` bounds the tensors."""
    reader, flags = _verified(memoryview(blob).cast("B"))
    identity = bytes(reader.take(IDENTITY_BYTES)) if flags & IDENTITY else b""
    codec = utf8(reader.take(reader.byte()))
    parameters = _read_parameters(reader)
    count = reader.varint()
    if count > reader.left:  # an entry has two bytes at least
        raise BitstreamError(f"bitstream: {count} tensors are announced, the bytes end before")
    names = _read_names(reader, count) if flags & NAMES else None
    table = [_read_entry(reader) for _ in range(count)]
    entries = [entry for entry, _ in table]
    _check_sizes(entries, max_bytes)
    stored = {i: _stored(reader, e) for i, e in enumerate(entries) if e.mode == STORED}
    exceptions = {
        i: _unpack_exceptions(reader.take(length), entry)
        for i, (entry, length) in enumerate(table)
        if entry.exceptions
    }
    payload = reader.rest()
    return Container(codec, parameters, entries, payload, names, identity, stored, exceptions)


def _verified(blob: memoryview) -> tuple[Reader, int]:
    """Check magic, version, flags and checksum; return a reader behind them, and the flags."""
    reader = Reader(blob)
    if len(blob) < 10:
        raise BitstreamError(f"bitstream: {len(blob)} bytes are no nnrd bitstream (10 at least)")
    if reader.take(4) != MAGIC:
        raise BitstreamError("bitstream: not an nnrd bitstream (does not begin with NNRD)")
    version, flags = reader.byte(), reader.byte()
    if version not in FLAGS:
        known = " and ".join(map(str, FLAGS))
        raise BitstreamError(f"bitstream: format version {version}, this nnrd reads {known}")
    checksum = int.from_bytes(reader.take(4), "little")
    if zlib.crc32(blob[10:], zlib.crc32(blob[:6])) != checksum:
        raise BitstreamError("bitstream: checksum does not match (cut short or altered)")
    if flags & ~FLAGS[version]:
        raise BitstreamError(f"bitstream: unknown flags {flags:#04x}")
    return reader, flags


def _stored(reader: Reader, entry: Entry) -> np.ndarray:
    """Return the next stored tensor."""
    data = np.frombuffer(reader.take(entry.nbytes), entry.dtype.newbyteorder("<"))
    if entry.dtype == np.bool_ and (data.view(np.uint8) > 1).any():
        raise BitstreamError("bitstream: a bool is neither 0 nor 1")
    return data.astype(entry.dtype).reshape(entry.shape)


def _check_sizes(entries: Sequence[Entry], max_bytes: int) -> None:
    total = sum(entry.nbytes for entry in entries)
    if total > max_bytes:
        raise BitstreamError(f"bitstream: {total} bytes of tensors, the limit is {max_bytes}")


def _parameters(parameters: Mapping[str, Any]) -> bytes:
    text = json.dumps(parameters, separators=(",", ":"))
    data = deflate(text.encode(), PARAMETER_DICTIONARY)
    return varint(len(data)) + data


def _read_parameters(reader: Reader) -> dict[str, Any]:
    text = inflate(reader.take(reader.varint()), MAX_NAMES, PARAMETER_DICTIONARY)
    try:
        parameters = json.loads(text)
    except (ValueError, RecursionError):
        parameters = None
    if not isinstance(parameters, dict):
        raise BitstreamError("bitstream: its parameters are no JSON object")
    return parameters


def _names(names: Sequence[str]) -> bytes:
    encoded = [name.encode("utf-8", "surrogatepass") for name in names]
    raw = b"".join(varint(len(name)) + name for name in encoded)
    if len(raw) > MAX_NAMES:
        raise UserError(f"tensor names: {len(raw)} bytes, the format holds {MAX_NAMES}")
    data = deflate(raw)
    return varint(len(raw)) + varint(len(data)) + data


def _read_names(reader: Reader, count: int) -> list[str]:
    length = reader.varint()
    if length > MAX_NAMES:
        raise BitstreamError(f"bitstream: {length} bytes of names, the limit is {MAX_NAMES}")
    inner = Reader(memoryview(inflate(reader.take(reader.varint()), length)))
    names = [utf8(inner.take(inner.varint()), "surrogatepass") for _ in range(count)]
    if inner.left or len(set(names)) < count:
        raise BitstreamError("bitstream: the tensors' names are not one a tensor")
    return names


def _entry(entry: Entry, exceptions: bytes | None) -> bytes:
    flag = exceptions is not None
    head = bytes([dtype_code(entry.dtype) | entry.mode << 5 | flag << 7, len(entry.shape)])
    tail = b""
    if exceptions is not None:
        tail = varint(entry.exceptions) + varint(len(exceptions))
    return head + b"".join(map(varint, entry.shape)) + tail


def _read_entry(reader: Reader) -> tuple[Entry, int]:
    """Return one row of the table and the stored length of its exceptions."""
    head, rank = reader.byte(), reader.byte()
    code, mode = head & 31, head >> 5 & 3
    if code >= len(DTYPES) or mode > STORED or rank > MAX_RANK:
        raise BitstreamError(f"bitstream: dtype {code}, mode {mode}, rank {rank} are not defined")
    shape = tuple(reader.varint() for _ in range(rank))
    if prod(n for n in shape if n) > MAX_EXTENT:
        raise BitstreamError(f"bitstream: the shape {shape} is impossible")
    count, length = (reader.varint(), reader.varint()) if head >> 7 else (0, 0)
    entry = Entry(DTYPES[code], shape, mode, count)
    flag = head >> 7
    if count > entry.size or bool(count) != flag or (flag and mode != CODED_FLOAT):
        raise BitstreamError(f"bitstream: {count} exceptions in a tensor of {entry.size} values")
    if mode != STORED and (mode != coded_mode(entry.dtype) or not entry.size):
        raise BitstreamError(f"bitstream: {entry.dtype} of {entry.size} values in mode {mode}")
    return entry, length


def _pack_exceptions(mask: np.ndarray, values: np.ndarray) -> bytes:
    return deflate(np.packbits(mask).tobytes() + little(values).tobytes())


def _unpack_exceptions(data: memoryview, entry: Entry) -> tuple[np.ndarray, np.ndarray]:
    """Return (flat boolean mask, values) of a tensor's exceptions."""
    bitmap = (entry.size + 7) // 8
    length = bitmap + entry.exceptions * entry.dtype.itemsize
    raw = inflate(data, length)
    mask = np.unpackbits(np.frombuffer(raw[:bitmap], np.uint8), count=entry.size).astype(bool)
    if len(raw) != length or mask.sum() != entry.exceptions:
        raise BitstreamError("bitstream: a tensor's exceptions do not match their number")
    values = np.frombuffer(raw[bitmap:], entry.dtype.newbyteorder("<")).astype(entry.dtype)
    return mask, values
