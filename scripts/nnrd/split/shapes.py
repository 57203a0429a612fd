"""Types and static shapes of a model's tensors, without touching its weights."""

import math
from collections.abc import Iterator

import onnx
import onnx.shape_inference
from onnx import helper

from nnrd.core.errors import UserError
from nnrd.split.graph import Graph

# Larger constants are never shapes, axes or sizes, so inference need not see their values.
SMALL = 1024
# Bytes of a vector.
LONG = 2**18


def types(graph: Graph) -> dict[str, onnx.TypeProto]:
    """Return the type of each tensor of the main graph that ONNX's inference can tell.

    Raises UserError where a node has inputs or outputs that its operator has not.

    Stored shapes of intermediate tensors are not believed (exporters record those of their
    one example); stored element types are, where inference knows none (custom operators).
    """
    return _infer(graph, propagate=False)


def static_types(graph: Graph) -> dict[str, onnx.TypeProto]:
    """Return ``types``, with the shapes too that follow from computed ones, where affordable.

    Inference then follows the values of vectors, with an object for each element: with a
    vector of 2²⁸ weights it takes 24 GB. So it isn't done where any vector is long.
    """
    found = _infer(graph, propagate=False)
    sizes = (static_bytes(kind) for kind in found.values() if _is_vector(kind))
    return found if max((size or 0 for size in sizes), default=0) > LONG else _infer(graph, True)


def _is_vector(kind: onnx.TypeProto) -> bool:
    return len(kind.tensor_type.shape.dim) == 1


def _infer(graph: Graph, propagate: bool) -> dict[str, onnx.TypeProto]:
    try:
        inferred = onnx.shape_inference.infer_shapes(_skeleton(graph), data_prop=propagate).graph
    except onnx.shape_inference.InferenceError as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"the model's types cannot be inferred: {reason}") from None
    found = {v.name: v.type for v in graph.model.graph.value_info}
    found = {name: shapeless(stored) for name, stored in found.items()}
    for value in [*inferred.output, *inferred.value_info, *inferred.input]:
        if value.type.WhichOneof("value"):
            found[value.name] = value.type
    return found


def _skeleton(graph: Graph) -> onnx.ModelProto:
    source = graph.model
    model = onnx.ModelProto(ir_version=max(source.ir_version, 4))
    model.opset_import.extend(source.opset_import)
    model.functions.extend(source.functions)
    body = model.graph
    body.name = source.graph.name
    body.node.extend(source.graph.node)
    body.input.extend(v for v in source.graph.input if v.name not in graph.weights)
    for value in source.graph.output:
        body.output.add(name=value.name).type.CopyFrom(shapeless(value.type))
    for tensor in source.graph.initializer:
        if math.prod(tensor.dims) <= SMALL and not is_external(tensor):
            body.initializer.append(tensor)
        else:
            kind = helper.make_tensor_type_proto(tensor.data_type, tensor.dims)
            body.input.add(name=tensor.name).type.CopyFrom(kind)
    for sparse in source.graph.sparse_initializer:
        kind = helper.make_tensor_type_proto(sparse.values.data_type, sparse.dims)
        body.input.add(name=sparse.values.name).type.CopyFrom(kind)
    return model


def is_external(tensor: onnx.TensorProto) -> bool:
    """Say whether a tensor's values lie in a file beside the model."""
    return tensor.data_location == onnx.TensorProto.EXTERNAL


def shapeless(kind: onnx.TypeProto) -> onnx.TypeProto:
    """Return a copy of a type that says nothing of shapes."""
    bare = onnx.TypeProto()
    bare.CopyFrom(kind)
    for tensor in _tensor_types(bare):
        tensor.ClearField("shape")
    return bare


def _tensor_types(kind: onnx.TypeProto) -> Iterator[onnx.TypeProto.Tensor]:
    which = kind.WhichOneof("value")
    if which in ("tensor_type", "sparse_tensor_type"):
        yield getattr(kind, which)
    elif which in ("sequence_type", "optional_type"):
        yield from _tensor_types(getattr(kind, which).elem_type)
    elif which == "map_type":
        yield from _tensor_types(kind.map_type.value_type)


def item_size(kind: onnx.TypeProto | None) -> int | None:
    """Return the bytes of one element; None if it isn't a tensor of numbers."""
    if kind is None or kind.WhichOneof("value") != "tensor_type":
        return None
    element = kind.tensor_type.elem_type
    if element in (onnx.TensorProto.UNDEFINED, onnx.TensorProto.STRING):
        return None
    return helper.tensor_dtype_to_np_dtype(element).itemsize


def static_bytes(kind: onnx.TypeProto | None) -> int | None:
    """Return a tensor's size in bytes; None where a dimension is not known without inference."""
    size = item_size(kind)
    if kind is None or size is None or not kind.tensor_type.HasField("shape"):
        return None
    dims = kind.tensor_type.shape.dim
    if not all(dim.HasField("dim_value") for dim in dims):
        return None
    return size * math.prod(dim.dim_value for dim in dims)


def rank_bytes(kind: onnx.TypeProto | None) -> int | None:
    """Return the size in bytes of a tensor's shape (int64s); None if its rank is unknown."""
    if kind is None or item_size(kind) is None or not kind.tensor_type.HasField("shape"):
        return None
    return 8 * len(kind.tensor_type.shape.dim)
