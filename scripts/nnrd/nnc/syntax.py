"""High-level syntax of an NNC stream (ISO/IEC 15938-17): the units and their headers.

Written here is what NNCodec 2.1.3 writes for a plain dict of tensors: a start unit (NNR_STR,
profile 1), a model parameter set (NNR_MPS), an empty topology (NNR_TPL) and a compressed data
unit (NNR_NDU) for each tensor. NNCodec's own writer takes 0.2 to 0.5 ms a unit, bit by bit in
Python, and its reader believes what it reads; this one is read with bounds on everything.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

from nnrd.core.errors import BitstreamError

NNR_STR, NNR_MPS, NNR_TPL, NNR_NDU = 0, 1, 3, 5
PT_INT, PT_FLOAT = 0, 1
PROFILE = 1
MAX_RANK = 32
MAX_CODEBOOK = 1 << 20
MAX_NAME = 1 << 16
MAX_VALUES = (1 << 31) - 1  # NNCodec counts values in 32 bits


@dataclass(frozen=True)
class Codebook:
    """The quantised values that occur, ascending; indices are relative to ``zero``."""

    values: Sequence[int]
    zero: int
    egk: int  # order of the Exp-Golomb code of the differences


@dataclass(frozen=True)
class TensorUnit:
    """The header of a compressed data unit, and where its CABAC data lie in the stream."""

    name: str
    index: int
    shape: tuple[int, ...]
    is_float: bool
    dq: bool
    unary_minus1: int
    codebook: Codebook | None = None
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    @property
    def size(self) -> int:
        """Number of values."""
        return prod(self.shape)


class Writer:
    """Collects bits, first bit first."""

    def __init__(self) -> None:
        self._bits: list[str] = []

    def __len__(self) -> int:
        return sum(map(len, self._bits))

    def u(self, count: int, value: int) -> None:
        """Append an unsigned integer of ``count`` bits."""
        self._bits.append(f"{int(value):0{count}b}")

    def ue(self, order: int, value: int) -> None:
        """Append an unsigned Exp-Golomb code of an order."""
        value = int(value) + (1 << order)
        width = value.bit_length()
        self._bits.append("0" * (width - 1 - order) + f"{value:b}")

    def ie(self, order: int, value: int) -> None:
        """Append a signed Exp-Golomb code, in the order 0, 1, -1, 2, -2."""
        value = int(value)
        self.ue(order, 2 * value - 1 if value > 0 else -2 * value)

    def st(self, text: str) -> None:
        """Append a zero-terminated UTF-8 string."""
        self._bits += [f"{byte:08b}" for byte in text.encode() + b"\0"]

    def aligned(self, stop: bool) -> bytes:
        """Return the bytes; ``stop`` appends a 1 bit, zeros fill the last byte."""
        bits = "".join(self._bits) + "1" * stop
        bits += "0" * (-len(bits) % 8)
        return int(bits, 2).to_bytes(len(bits) // 8, "big")


class Reader:
    """Takes bits off the front of bytes [start, end); past the end it raises BitstreamError."""

    def __init__(self, data: memoryview, start: int, end: int) -> None:
        self._data, self._bit, self._end = data, 8 * start, 8 * end

    @property
    def byte(self) -> int:
        """Index of the first byte of which nothing was taken."""
        return (self._bit + 7) // 8

    def u(self, count: int) -> int:
        """Take an unsigned integer of ``count`` bits."""
        first, last = self._bit, self._bit + count
        if last > self._end:
            raise BitstreamError(f"NNC stream: ends inside the unit at byte {self._end // 8}")
        self._bit = last
        chunk = int.from_bytes(self._data[first // 8 : (last + 7) // 8], "big")
        return chunk >> (-last % 8) & (1 << count) - 1

    def ue(self, order: int) -> int:
        """Take an unsigned Exp-Golomb code."""
        value = 0
        while not self.u(1):
            value += 1 << order
            order += 1
            if order > 40:
                raise BitstreamError("NNC stream: a number has more than 40 bits")
        return value + (self.u(order) if order else 0)

    def ie(self, order: int) -> int:
        """Take a signed Exp-Golomb code."""
        value = self.ue(order)
        return (value + 1) // 2 if value & 1 else -(value // 2)

    def st(self) -> str:
        """Take a zero-terminated UTF-8 string, at a byte boundary."""
        data = bytes(self._data[self.byte : min(self._end // 8, self.byte + MAX_NAME)])
        text, zero, _ = data.partition(b"\0")
        if not zero:
            raise BitstreamError("NNC stream: a name has no end")
        self._bit += 8 * len(text) + 8
        try:
            return text.decode()
        except UnicodeDecodeError:
            raise BitstreamError("NNC stream: a name is not UTF-8") from None

    def expect(self, count: int, value: int, what: str) -> None:
        """Take ``count`` bits that must have a value: other streams are not for this decoder."""
        found = self.u(count)
        if found != value:
            raise BitstreamError(f"NNC stream: {what} is {found}, this decoder reads {value} only")


def unit_head(body: bytes, size: int) -> bytes:
    """Return a unit without its data: its size in bytes, which counts all of it, and its body.

    ``size``: bytes of the data behind it.
    """
    whole = len(body) + size + 2
    if whole < 1 << 15:
        return whole.to_bytes(2, "big") + body
    return (whole + 2 | 1 << 31).to_bytes(4, "big") + body


def stream_head(qp_density: int) -> bytes:
    """Return the three units that come before the tensors."""
    start, parameters, topology = (_unit_header(kind) for kind in (NNR_STR, NNR_MPS, NNR_TPL))
    start.u(8, PROFILE)
    for width, value in ((1, 1), (4, 0), (3, 1), (8, 0), (3, qp_density), (13, 0)):
        parameters.u(width, value)  # topology carried; no maps; uniform quantisation
    topology.u(16, 0)
    topology.st("")
    bodies = (
        start.aligned(stop=False),
        parameters.aligned(stop=True),
        topology.aligned(stop=False),
    )
    return b"".join(unit_head(body, 0) for body in bodies)


def tensor_header(tensor: TensorUnit) -> bytes:
    """Return the header of a compressed data unit, without its size."""
    w = _unit_header(NNR_NDU)
    w.u(5, PT_FLOAT if tensor.is_float else PT_INT)
    w.u(3, 0b001)  # one element; default format; input parameters present
    w.st(tensor.name)
    w.u(1, 1)
    for order, value in ((1, 0), (5, tensor.index), (4, 0)):  # device, parameter, depth
        w.ue(order, value)
    if tensor.is_float:
        w.u(1, tensor.codebook is not None)
    if tensor.codebook:
        write_codebook(w, tensor.codebook)
    w.u(1, tensor.dq)
    w.u(6, 0b110000)  # dimensions and unary length present; no compressed parameter types
    w.ue(1, len(tensor.shape))
    for dimension in tensor.shape:
        w.ue(7, dimension)
    w.u(8, tensor.unary_minus1)
    if len(tensor.shape) > 1:
        w.ue(1, 0)  # first_tensor_dimension_shift
        w.u(4, 0)  # scan_order
    return w.aligned(stop=True)


def write_codebook(w: Writer, codebook: Codebook) -> None:
    """Append a codebook: its zero value, then the steps down from it, then those up."""
    values, zero = [int(value) for value in codebook.values], codebook.zero
    w.u(4, codebook.egk)
    w.ue(2, len(values))
    w.ie(2, zero - (len(values) >> 1))
    w.ie(7, values[zero])
    for j in range(zero - 1, -1, -1):
        w.ue(codebook.egk, values[j + 1] - values[j] - 1)
    for j in range(zero + 1, len(values)):
        w.ue(codebook.egk, values[j] - values[j - 1] - 1)


def read_stream(data: memoryview) -> tuple[int, list[TensorUnit]]:
    """Return (qp_density, the headers of all tensors); BitstreamError for anything else."""
    units = _units(data)
    kinds = [kind for kind, _, _ in units]
    known = [NNR_STR, NNR_MPS] + [kind for kind in kinds if kind in (NNR_TPL, NNR_NDU)]
    if kinds != known:
        raise BitstreamError(f"NNC stream: units of the types {kinds[:8]} are not for this decoder")
    units[0][1].expect(8, PROFILE, "general_profile_idc")
    qp_density = _read_parameters(units[1][1])
    tensors = [_read_tensor(r, end) for kind, r, end in units if kind == NNR_NDU]
    if len({tensor.name for tensor in tensors}) < len(tensors):
        raise BitstreamError("NNC stream: two tensors have the same name")
    return qp_density, tensors


def _unit_header(kind: int) -> Writer:
    writer = Writer()
    writer.u(6, kind)
    writer.u(2, 0b10)  # independently decodable, no partial data counter
    return writer


def _units(data: memoryview) -> list[tuple[int, Reader, int]]:
    """Return (type, reader behind the unit's header, end of the unit) for each unit."""
    position, units = 0, []
    while position < len(data):
        r = Reader(data, position, len(data))
        size = r.u(15 + 16 * r.u(1))
        end = position + size
        if end > len(data) or end <= r.byte:
            raise BitstreamError(f"NNC stream: the unit at byte {position} has {size} bytes")
        r = Reader(data, r.byte, end)
        units.append((r.u(6), r, end))
        r.expect(2, 0b10, "a flag of a unit's header")
        position = end
    return units


def _read_parameters(r: Reader) -> int:
    r.u(1)  # topology_carriage_flag
    r.expect(4, 0, "a performance map flag")
    r.expect(3, 1, "mps_quantization_method_flags")
    r.expect(8, 0, "a flag of the model parameter set")
    density = r.u(3)
    r.expect(13, 0, "mps_quantization_parameter")
    return density


def _read_tensor(r: Reader, end: int) -> TensorUnit:
    kind = r.u(5)
    if kind not in (PT_INT, PT_FLOAT):
        raise BitstreamError(f"NNC stream: payload type {kind} is not for this decoder")
    r.expect(3, 0b001, "a flag of a compressed data unit")
    name = r.st()
    r.expect(1, 1, "node_id_present_flag")
    _, index, _ = r.ue(1), r.ue(5), r.ue(4)
    codebook = _read_codebook(r) if kind == PT_FLOAT and r.u(1) else None
    dq = bool(r.u(1))
    r.expect(6, 0b110000, "a flag of a tensor's input parameters")
    shape = _read_shape(r)
    unary = r.u(8)
    if len(shape) > 1:
        r.expect(2, 0b10, "first_tensor_dimension_shift")
        r.expect(4, 0, "scan_order")
    r.expect(1, 1, "the alignment bit")
    return TensorUnit(name, index, shape, kind == PT_FLOAT, dq, unary, codebook, r.byte, end)


def _read_shape(r: Reader) -> tuple[int, ...]:
    rank = r.ue(1)
    if not 1 <= rank <= MAX_RANK:
        raise BitstreamError(f"NNC stream: a tensor has {rank} dimensions")
    shape = tuple(r.ue(7) for _ in range(rank))
    if not 1 <= prod(shape) <= MAX_VALUES:
        raise BitstreamError(f"NNC stream: a tensor has the shape {shape}")
    return shape


def _read_codebook(r: Reader) -> Codebook:
    egk, size = r.u(4), r.ue(2)
    zero = (size >> 1) + r.ie(2)
    if not 0 <= zero < size <= MAX_CODEBOOK:
        raise BitstreamError(f"NNC stream: a codebook of {size} has its zero at {zero}")
    values = [r.ie(7)]
    for _ in range(zero):
        values.append(values[-1] - r.ue(egk) - 1)
    values.reverse()
    for _ in range(size - 1 - zero):
        values.append(values[-1] + r.ue(egk) + 1)
    if values[0] < -1 - MAX_VALUES or values[-1] > MAX_VALUES:
        raise BitstreamError("NNC stream: a codebook's value has more than 32 bits")
    return Codebook(values, zero, egk)
