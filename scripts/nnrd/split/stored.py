"""An ONNX model's tensors, and where their values are stored: in its file, or in one beside it."""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import onnx
from onnx import AttributeProto, TensorProto, helper

from nnrd.core.errors import UserError
from nnrd.split.shapes import is_external

# Bits of the types of which several values share a byte.
PACKED = {"UINT4": 4, "INT4": 4, "FLOAT4E2M1": 4, "UINT2": 2, "INT2": 2}
BITS = {TensorProto.DataType.Value(name): bits for name, bits in PACKED.items()}


class Place(NamedTuple):
    """A tensor's values: ``length`` bytes of a file from ``offset``."""

    file: Path
    offset: int
    length: int


def tensors(model: onnx.ModelProto) -> Iterator[TensorProto]:
    """Yield a model's weights and the tensors in its nodes, bodies and functions."""
    yield from _of_graph(model.graph)
    for function in model.functions:
        yield from _of_nodes(function.node)


def _of_graph(graph: onnx.GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _of_nodes(graph.node)


def _of_nodes(nodes: Iterable[onnx.NodeProto]) -> Iterator[TensorProto]:
    for attribute in (attribute for node in nodes for attribute in node.attribute):
        yield from _of_attribute(attribute)


def _of_attribute(attribute: AttributeProto) -> Iterator[TensorProto]:
    if attribute.type == AttributeProto.TENSOR:
        yield attribute.t
    yield from attribute.tensors
    sparse = [attribute.sparse_tensor] if attribute.type == AttributeProto.SPARSE_TENSOR else []
    for one in (*sparse, *attribute.sparse_tensors):
        yield from (one.values, one.indices)
    if attribute.type == AttributeProto.GRAPH:
        yield from _of_graph(attribute.g)
    for body in attribute.graphs:
        yield from _of_graph(body)


def size(data_type: int, dims: Sequence[int]) -> int:
    """Return the bytes of a tensor's values as ONNX stores them raw."""
    count = math.prod(dims)
    bits = BITS.get(data_type)
    if bits:
        return -(-count * bits // 8)
    return count * helper.tensor_dtype_to_np_dtype(data_type).itemsize


def locate(tensor: TensorProto, folder: Path) -> Place:
    """Return where the values of an external tensor are, having checked it.

    ``folder`` is that of the model's file; nothing outside it is read. Raises UserError: a place
    outside the folder, also through a link; a file that is missing or cut short; offsets that
    are no numbers; another length than the tensor's.
    """
    entries = {entry.key: entry.value for entry in tensor.external_data}
    name = f"external data of {tensor.name!r}"
    file = _file(entries.get("location", ""), folder, name)
    there, expected = file.stat().st_size, size(tensor.data_type, tensor.dims)
    offset = _number(entries.get("offset", "0"), f"{file}: {name}: offset")
    length = _number(entries.get("length", str(expected)), f"{file}: {name}: length")
    if length != expected:
        raise UserError(f"{file}: {name}: {length} bytes, its shape and type take {expected}")
    if offset + length > there:
        raise UserError(f"{file}: cut short; {tensor.name!r} ends at {offset + length} of {there}")
    return Place(file, offset, length)


def _file(location: str, folder: Path, name: str) -> Path:
    file = folder / location
    if not location or "\0" in location:
        raise UserError(f"{folder}: {name}: {location!r} is no file's name")
    if not file.resolve().is_relative_to(folder.resolve()):
        raise UserError(
            f"{file}: {name} is outside the model's folder, and not read; copy it there"
        )
    if not file.is_file():
        raise UserError(f"{file}: missing; it holds weights of the model ({name})")
    return file


def _number(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise UserError(f"{where}: {text!r:.60} is no number of bytes")
    return int(text)


def values(tensor: TensorProto, folder: Path) -> bytes:
    """Return the values of an external tensor; UserError as in `locate`."""
    place = locate(tensor, folder)
    with place.file.open("rb") as file:
        file.seek(place.offset)
        return file.read(place.length)


def bare(tensor: TensorProto) -> TensorProto:
    """Return name, type and shape of an external tensor, without its values."""
    return TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)


def take_in(model: onnx.ModelProto, folder: Path) -> None:
    """Put the values of a model's external tensors into it; UserError as in `locate`."""
    for tensor in filter(is_external, tensors(model)):
        data = values(tensor, folder)
        tensor.CopyFrom(bare(tensor))
        tensor.raw_data = data
