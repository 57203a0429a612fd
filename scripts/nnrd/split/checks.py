"""What an ONNX model must be before anything is reckoned with it."""

import graphlib
import math
from collections.abc import Iterable, Iterator

import onnx
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from onnx import TensorProto, ValueInfoProto, helper

from nnrd.core.errors import UserError
from nnrd.split.graph import bodies
from nnrd.split.shapes import is_external
from nnrd.split.stored import BITS, size, tensors

TYPES = set(TensorProto.DataType.values())
COMPLEX = {TensorProto.COMPLEX64, TensorProto.COMPLEX128}
LARGEST = 2**48  # values of a tensor: more than any machine holds
FIRST_IR_WITH_OPSETS = 3
MOST_NODES = 2**20  # of a graph in which its functions are written out, as whoever runs it does


def check(model: onnx.ModelProto) -> None:
    """Raise UserError for what cannot be right, naming the tensor, input or node.

    Names that are not UTF-8; unknown element types; dimensions below 0, or of more values than a
    machine holds; weights with fewer or more values than their shape; an operator set that is not
    imported; functions that call themselves, or each other to no end that can be waited for.
    """
    _check_text(model)
    for tensor in tensors(model):
        _check_tensor(tensor)
    graph = model.graph
    for word, found in (("input", graph.input), ("output", graph.output), ("", graph.value_info)):
        for value in found:
            _check_value(f"{word or 'tensor'} {value.name!r}", value)
    _check_domains(model)
    _check_functions(model)


def _check_text(message: Message) -> None:
    """Refuse names of other bytes than UTF-8, of which Protocol Buffers yields some as bytes."""
    try:
        if isinstance(message, TensorProto):
            _check_name(message.name)
            return
        for field, value in message.ListFields():
            for part in value if field.is_repeated else [value]:
                if field.message_type is not None:
                    _check_text(part)
                elif field.type == FieldDescriptor.TYPE_STRING:
                    _check_name(part)
    except UnicodeDecodeError:
        raise UserError("a name in the model is not UTF-8") from None


def _check_name(text: str | bytes) -> None:
    if isinstance(text, bytes):
        text.decode()


def _check_tensor(tensor: TensorProto) -> None:
    where = f"tensor {tensor.name!r}"
    if tensor.data_type not in TYPES or tensor.data_type == TensorProto.UNDEFINED:
        raise UserError(f"{where}: unknown element type {tensor.data_type}")
    _check_dims(where, tensor.dims)
    if is_external(tensor):
        return
    if tensor.HasField("raw_data"):
        found, expected = len(tensor.raw_data), size(tensor.data_type, tensor.dims)
        unit = "bytes"
    else:
        found, expected, unit = _listed(tensor), _listed_size(tensor), "values"
    if found != expected:
        raise UserError(f"{where}: {found} {unit}, its shape and type take {expected}")


def _listed(tensor: TensorProto) -> int:
    field = (
        "string_data"
        if tensor.data_type == TensorProto.STRING
        else helper.tensor_dtype_to_field(tensor.data_type)
    )
    return len(getattr(tensor, field))


def _listed_size(tensor: TensorProto) -> int:
    """Return how many values a tensor has that lists them one by one."""
    if tensor.data_type in BITS:
        return size(tensor.data_type, tensor.dims)
    return math.prod(tensor.dims) * (2 if tensor.data_type in COMPLEX else 1)


def _check_value(where: str, value: ValueInfoProto) -> None:
    kind = value.type.tensor_type
    if kind.elem_type not in TYPES:
        raise UserError(f"{where}: unknown element type {kind.elem_type}")
    _check_dims(where, [dim.dim_value for dim in kind.shape.dim if dim.HasField("dim_value")])


def _check_dims(where: str, dims: Iterable[int]) -> None:
    dims = list(dims)
    if min(dims, default=0) < 0:
        raise UserError(f"{where}: dimension {min(dims)}: leave an open one out, or name it")
    if math.prod(dims) > LARGEST:
        raise UserError(f"{where}: {'×'.join(map(str, dims))} values are more than can be")


def _check_domains(model: onnx.ModelProto) -> None:
    if not model.opset_import and model.ir_version < FIRST_IR_WITH_OPSETS:
        return
    known = {entry.domain for entry in model.opset_import}
    for node in _nodes(model.graph.node):
        if _domain(node.domain) not in set(map(_domain, known)):
            name = node.name or ", ".join(node.output)
            raise UserError(
                f"node {name!r} ({node.op_type}): operator set {_domain(node.domain)!r} "
                "is not imported by the model"
            )


def _check_functions(model: onnx.ModelProto) -> None:
    called = {
        (function.domain, function.name): [_called(node) for node in _nodes(function.node)]
        for function in model.functions
    }
    try:
        order = list(graphlib.TopologicalSorter(called).static_order())
    except graphlib.CycleError as error:
        loop = " -> ".join(name for _, name in error.args[1])
        raise UserError(f"a function of the model calls itself: {loop}") from None
    nodes: dict[tuple[str, str], int] = {}
    for function in order:
        nodes[function] = (
            sum(nodes[inner] for inner in called[function]) if function in called else 1
        )
    count = sum(nodes.get(_called(node), 1) for node in _nodes(model.graph.node))
    if count > MOST_NODES:
        raise UserError(f"{count} nodes, once its functions are written out: more than can be run")


def _called(node: onnx.NodeProto) -> tuple[str, str]:
    return node.domain, node.op_type


def _domain(name: str) -> str:
    return name or "ai.onnx"


def _nodes(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    for node in nodes:
        yield node
        for body in bodies(node):
            yield from _nodes(body.node)
