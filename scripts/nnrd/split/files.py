"""Reading and writing ONNX files of any size, with little memory."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper

from nnrd.core.errors import UserError
from nnrd.core.files import complete_file
from nnrd.split.shapes import is_external

# Protocol Buffers cannot hold more than 2 GiB; the rest of the model needs some room too.
LIMIT = 2**31 - 2**24
BLOCK = 2**24
# Smaller weights (shapes, axes) stay in the model file, where ONNX Runtime needs them.
LARGE = 1024


def load(path: str | Path) -> onnx.ModelProto:
    """Read an ONNX file; external weights remain references, but have to exist.

    Raises UserError: no such file, not ONNX, external data missing or cut short.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    try:
        model = onnx.load(path, load_external_data=False)
    except DecodeError as error:
        raise UserError(f"{path}: not an ONNX model") from error
    if not model.graph.node or not model.graph.output:
        raise UserError(f"{path}: not an ONNX model, or one without nodes and outputs")
    for tensor in filter(is_external, tensors(model.graph)):
        _locate(tensor, path.parent)
    return model


def load_whole(path: str | Path) -> onnx.ModelProto:
    """Read an ONNX file with its external weights; errors as in `load`."""
    model = load(path)
    onnx.external_data_helper.load_external_data_for_model(model, str(Path(path).parent))
    return model


def tensors(graph: onnx.GraphProto) -> Iterator[TensorProto]:
    """Yield the weights of a graph, the values of its Constant nodes, and those of its bodies."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                yield attribute.t
            elif attribute.type == onnx.AttributeProto.GRAPH:
                yield from tensors(attribute.g)
            elif attribute.type == onnx.AttributeProto.GRAPHS:
                for body in attribute.graphs:
                    yield from tensors(body)


def _locate(tensor: TensorProto, folder: Path) -> tuple[Path, int, int]:
    """Return the file, offset and length of an external tensor, having checked them."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    source = folder / entries.get("location", "")
    if not source.is_file():
        raise UserError(f"{source}: missing; it holds weights of the model ({tensor.name!r})")
    offset, size = int(entries.get("offset", 0)), source.stat().st_size
    length = int(entries.get("length", size - offset))
    if offset + length > size:
        raise UserError(f"{source}: cut short; {tensor.name!r} ends at {offset + length} of {size}")
    return source, offset, length


def save(model: onnx.ModelProto, path: str | Path, folder: str | Path = ".") -> None:
    """Write ``model`` to ``path``, and to ``path``.data what does not fit or was external.

    ``folder`` is where the model's references to external data start from: the folder of the
    file it was loaded from. Beside ``model`` it needs memory for one weight, not for a copy.
    """
    path = Path(path)
    weights = list(tensors(model.graph))
    inside = sum(_size(t) for t in weights if not is_external(t))
    if inside > LIMIT or any(map(is_external, weights)):
        model = _with_data_file(model, path, Path(folder))
    with complete_file(path) as temporary, temporary.open("wb") as file:
        _write(model, file)


def _size(tensor: TensorProto) -> int:
    return math.prod(tensor.dims) * helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize


def _with_data_file(model: onnx.ModelProto, path: Path, folder: Path) -> onnx.ModelProto:
    """Write the weights that are large or external to ``path``.data; return the rest."""
    light = _without_weights(model)
    target = path.with_name(path.name + ".data")
    with complete_file(target) as temporary, temporary.open("wb") as file:
        for tensor in filter(is_external, tensors(light.graph)):
            _refer(tensor, target.name, file.tell(), _copy(tensor, folder, file))
        for tensor in model.graph.initializer:
            new = light.graph.initializer.add()
            if not is_external(tensor) and (
                _size(tensor) < LARGE or not tensor.HasField("raw_data")
            ):
                new.CopyFrom(tensor)
                continue
            new.name, new.data_type = tensor.name, tensor.data_type
            new.dims.extend(tensor.dims)
            _refer(new, target.name, file.tell(), _copy(tensor, folder, file))
    return light


def _refer(tensor: TensorProto, location: str, offset: int, length: int) -> None:
    tensor.ClearField("external_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=str(value))


def _copy(tensor: TensorProto, folder: Path, file: BinaryIO) -> int:
    """Append a tensor's values to ``file``; return their length in bytes."""
    if not is_external(tensor):
        return file.write(tensor.raw_data)
    source, offset, length = _locate(tensor, folder)
    with source.open("rb") as stored:
        stored.seek(offset)
        left = length
        while left:
            left -= file.write(stored.read(min(left, BLOCK)))
    return length


def _without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    shell = onnx.ModelProto()
    for source, target in ((model, shell), (model.graph, shell.graph)):
        for field, value in source.ListFields():
            if field.name in ("graph", "initializer"):
                continue
            if field.is_repeated:
                getattr(target, field.name).extend(value)
            else:
                setattr(target, field.name, value)
    return shell


def _write(model: onnx.ModelProto, file: BinaryIO) -> None:
    """Write a model's bytes, one weight at a time.

    In Protocol Buffers' format a message's fields may come in any order, so the weights
    (field 5 of the graph) can follow the rest of the graph (field 7 of the model).
    """
    shell = _without_weights(model)
    rest = shell.graph.SerializeToString()
    shell.ClearField("graph")
    file.write(shell.SerializeToString())
    weights = [t.ByteSize() for t in model.graph.initializer]
    heads = [b"\x2a" + _varint(size) for size in weights]
    file.write(b"\x3a" + _varint(len(rest) + sum(weights) + sum(map(len, heads))) + rest)
    for head, tensor in zip(heads, model.graph.initializer, strict=True):
        file.write(head)
        file.write(tensor.SerializeToString())


def _varint(value: int) -> bytes:
    groups = []
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])
