"""Reading and writing ONNX files of any size, with little memory."""

from pathlib import Path
from typing import BinaryIO

import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto

from nnrd.core.errors import UserError
from nnrd.core.files import complete_file
from nnrd.split.checks import check
from nnrd.split.shapes import is_external
from nnrd.split.stored import bare, locate, size, take_in, tensors

# Protocol Buffers cannot hold more than 2 GiB; the rest of the model needs some room too.
LIMIT = 2**31 - 2**24
BLOCK = 2**24
# Smaller weights (shapes, axes) stay in the model file, where ONNX Runtime needs them.
LARGE = 1024


def external(path: Path) -> Path:
    """Return the file beside an ONNX file that holds what does not fit into it."""
    return path.with_name(f"{path.name}.data")


def load(path: str | Path) -> onnx.ModelProto:
    """Read an ONNX file; external weights remain references, which have been checked.

    Raises UserError as `read` does, and for external data that `nnrd.split.stored.locate` refuses.
    """
    model = read(path)
    for tensor in filter(is_external, tensors(model)):
        locate(tensor, Path(path).parent)
    return model


def read(path: str | Path) -> onnx.ModelProto:
    """Read an ONNX file for its graph; external data need not be there.

    Raises UserError: no such file, not ONNX, what `nnrd.split.checks` refuses.
    """
    path = Path(path)
    if not path.is_file():
        what = "is a folder, not an ONNX file" if path.is_dir() else "no such file"
        raise UserError(f"{path}: {what}")
    try:
        model = onnx.load(path, load_external_data=False)
    except DecodeError as error:
        raise UserError(f"{path}: not an ONNX model") from error
    if not model.graph.node or not model.graph.output:
        raise UserError(f"{path}: not an ONNX model, or one without nodes and outputs")
    try:
        check(model)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return model


def load_whole(path: str | Path) -> onnx.ModelProto:
    """Read an ONNX file with its external weights; errors as in `load`."""
    model = load(path)
    take_in(model, Path(path).parent)
    return model


def fits_one_file(model: onnx.ModelProto) -> bool:
    """Say whether Protocol Buffers can hold a model with all its weights."""
    return sum(_size(tensor) for tensor in tensors(model)) <= LIMIT


def save(model: onnx.ModelProto, path: str | Path, folder: str | Path = ".") -> None:
    """Write ``model`` to ``path``, weights included; to ``path``.data those of one that is larger.

    ``folder`` is where the model's references to external data start from: the folder of the
    file it was loaded from. Beside ``model`` it needs memory for one weight, not for a copy.
    """
    path, source = Path(path), Path(folder)
    inside = fits_one_file(model)
    if not inside:
        model = _with_data_file(model, path, source)
    with complete_file(path) as temporary, temporary.open("wb") as file:
        _write(model, file, source if inside else None)


def _size(tensor: TensorProto) -> int:
    """Return the bytes of a tensor's values; strings are never many."""
    return 0 if tensor.data_type == TensorProto.STRING else size(tensor.data_type, tensor.dims)


def _with_data_file(model: onnx.ModelProto, path: Path, folder: Path) -> onnx.ModelProto:
    """Write the weights that are large or external to ``path``.data; return the rest."""
    light = _without_weights(model)
    target = external(path)
    with complete_file(target) as temporary, temporary.open("wb") as file:
        for tensor in filter(is_external, tensors(light)):
            _refer(tensor, target.name, file.tell(), _copy(tensor, folder, file))
        for tensor in model.graph.initializer:
            new = light.graph.initializer.add()
            if not is_external(tensor) and (
                _size(tensor) < LARGE or not tensor.HasField("raw_data")
            ):
                new.CopyFrom(tensor)
                continue
            new.CopyFrom(bare(tensor))
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
    place = locate(tensor, folder)
    with place.file.open("rb") as stored:
        stored.seek(place.offset)
        left = place.length
        while left:
            left -= file.write(stored.read(min(left, BLOCK)))
    return place.length


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


def _write(model: onnx.ModelProto, file: BinaryIO, folder: Path | None) -> None:
    """Write a model's bytes, one weight at a time.

    External weights are taken in from ``folder``; None: they stay references. In Protocol
    Buffers' format a message's fields may come in any order, so the weights (field 5 of the
    graph) can follow the rest of the graph (field 7 of the model), and an external weight's
    values (field 9) its name and shape.
    """
    shell = _without_weights(model)
    if folder is not None:
        take_in(shell, folder)
    rest = shell.graph.SerializeToString()
    shell.ClearField("graph")
    file.write(shell.SerializeToString())
    heads = [_head(tensor, folder) for tensor in model.graph.initializer]
    size = sum(len(head) + body for head, body in heads)
    file.write(b"\x3a" + _varint(len(rest) + size) + rest)
    for (head, _), tensor in zip(heads, model.graph.initializer, strict=True):
        file.write(head)
        if folder is not None and is_external(tensor):
            _copy(tensor, folder, file)
        else:
            file.write(tensor.SerializeToString())


def _head(tensor: TensorProto, folder: Path | None) -> tuple[bytes, int]:
    """Return what stands before a weight's bytes in the graph, and how many bytes follow."""
    if folder is None or not is_external(tensor):
        return b"\x2a" + _varint(tensor.ByteSize()), tensor.ByteSize()
    length = _size(tensor)
    start = bare(tensor).SerializeToString() + b"\x4a" + _varint(length)
    return b"\x2a" + _varint(len(start) + length) + start, length


def _varint(value: int) -> bytes:
    groups = []
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])
