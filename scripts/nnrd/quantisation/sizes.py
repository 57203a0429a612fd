"""What a quantised model weighs: as it is, after Zstandard, and after NNC's entropy coder."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import zstandard

from nnrd import nnc
from nnrd.core.errors import BitstreamError, UserError

LEVEL = 19  # of Zstandard, as codec zstd has it
FEW = 64  # values; smaller tensors cost more apart than they save
LENGTHS = struct.Struct("<QQ")  # bytes of the list of tensors, and of the tensors
CENTRES = {"int8": 0, "uint8": 128}  # what a weight of 0 is stored as, about which NNC codes


@dataclass(frozen=True)
class Tensor:
    """A tensor of integers of 8 bits within a file: where it begins, its dtype and shape."""

    offset: int
    dtype: str
    shape: tuple[int, ...]

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.offset + int(np.prod(self.shape, dtype=np.int64))


def sizes(files: Iterable[Path]) -> dict[str, int]:
    """Return the bytes of graphs' files: ``rec_size``, ``zstd_size``, ``nnc_size``.

    They are of the files as they are, each after Zstandard, and of what `pack` makes of them.
    """
    found = [part for file in files for part in parts(file)]
    coder = zstandard.ZstdCompressor(level=LEVEL)
    return {
        "rec_size": sum(part.stat().st_size for part in found),
        "zstd_size": sum(len(coder.compress(part.read_bytes())) for part in found),
        "nnc_size": len(_packed(found)),
    }


def parts(file: Path) -> list[Path]:
    """Return all files of a graph: of OpenVINO's ``.xml`` also the ``.bin`` with its weights."""
    weights = file.with_suffix(".bin")
    return [file, weights] if file.suffix == ".xml" and weights.is_file() else [file]


def integers(file: Path) -> int:
    """Return how many values of a graph are stored as integers of 8 bits, in tensors."""
    return sum(t.end - t.offset for part in parts(file) for t in tensors(part, part.read_bytes()))


def pack(files: Iterable[Path]) -> bytes:
    """Return graphs' files in one, without loss.

    Their tensors of 8 bits go through NNC's entropy coder, which leaves integers as they are; what
    is left of the files goes through Zstandard.
    """
    return _packed([part for file in files for part in parts(file)])


def _packed(files: Iterable[Path]) -> bytes:
    listed: list[dict] = []
    coded: dict[str, np.ndarray] = {}
    rest: list[bytes] = []
    for file in files:
        data = file.read_bytes()
        found = list(tensors(file, data))
        for tensor in found:
            values = np.frombuffer(data[tensor.offset : tensor.end], tensor.dtype)
            levels = values.astype(np.int32) - CENTRES[tensor.dtype]
            coded[str(len(coded))] = levels.reshape(tensor.shape)
        ends = [0, *(place for t in found for place in (t.offset, t.end)), len(data)]
        rest += [data[a:b] for a, b in list(pairwise(ends))[::2]]
        listed.append({"name": file.name, "size": len(data), "tensors": list(map(asdict, found))})
    coder = zstandard.ZstdCompressor(level=LEVEL)
    head = coder.compress(json.dumps(listed, separators=(",", ":")).encode())
    stream = nnc.encode(coded) if coded else b""
    return LENGTHS.pack(len(head), len(stream)) + head + stream + coder.compress(b"".join(rest))


def unpack(packed: bytes) -> dict[str, bytes]:
    """Return the files that were packed, by name; BitstreamError where the bytes are not such."""
    try:
        head, stream = LENGTHS.unpack_from(packed)
        start, middle = LENGTHS.size, LENGTHS.size + head
        listed = json.loads(zstandard.decompress(packed[start:middle]))
        coded = nnc.decode(packed[middle : middle + stream]) if stream else {}
        rest = memoryview(zstandard.decompress(packed[middle + stream :]))
        return dict(_files(listed, iter(coded.values()), rest))
    except (ValueError, TypeError, LookupError, struct.error, zstandard.ZstdError) as error:
        raise BitstreamError(f"packed model: {error}") from error


def _files(
    listed: list[dict], coded: Iterator[np.ndarray], rest: memoryview
) -> Iterator[tuple[str, bytes]]:
    place = 0
    for file in listed:
        data, position = bytearray(), 0
        for tensor in (Tensor(**row) for row in file["tensors"]):
            data += rest[place : place + tensor.offset - position]
            place += tensor.offset - position
            data += (next(coded) + CENTRES[tensor.dtype]).astype(tensor.dtype).tobytes()
            position = tensor.end
        data += rest[place : place + file["size"] - position]
        place += file["size"] - position
        yield file["name"], bytes(data)


def tensors(file: Path, data: bytes) -> Iterator[Tensor]:
    """Yield the tensors of 8 bits in a file, in its order."""
    if file.suffix == ".onnx":
        yield from _of_onnx(data)
    elif file.suffix == ".bin":
        yield from _of_openvino(file)


def _of_onnx(data: bytes) -> Iterator[Tensor]:
    """Yield the initialisers, each found by its bytes: Protocol Buffers hold them in one piece.

    Where others have the same bytes, any of them will do.
    """
    import onnx

    dtypes: dict[int, str] = {onnx.TensorProto.INT8: "int8", onnx.TensorProto.UINT8: "uint8"}
    position = 0
    for tensor in onnx.load_from_string(data).graph.initializer:
        if tensor.data_type not in dtypes or len(tensor.raw_data) < FEW:
            continue
        found = data.find(tensor.raw_data, position)
        if found >= 0:
            yield (one := Tensor(found, dtypes[tensor.data_type], tuple(tensor.dims)))
            position = one.end


def _of_openvino(file: Path) -> Iterator[Tensor]:
    try:
        root = ElementTree.parse(file.with_suffix(".xml")).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise UserError(f"{file.with_suffix('.xml')}: not OpenVINO's: {error}") from None
    dtypes = {"i8": "int8", "u8": "uint8"}
    found = {}
    for data in root.iterfind("layers/layer[@type='Const']/data"):
        if data.get("element_type") in dtypes and int(data.get("size", 0)) >= FEW:
            shape = tuple(int(side) for side in data.get("shape", "").split(",") if side.strip())
            offset = int(data.get("offset", 0))
            found[offset] = Tensor(offset, dtypes[data.get("element_type", "")], shape)
    yield from (found[offset] for offset in sorted(found))  # equal weights are stored once
