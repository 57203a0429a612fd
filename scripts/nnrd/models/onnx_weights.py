"""The weights of an ONNX model: its initialisers, taken out and put back."""

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import numpy_helper

from nnrd.core.errors import UserError


def tensors(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """Return the initialisers of a model by name, in the file's order, in their own dtypes.

    Raises UserError where it has none, or sparse ones.
    """
    if model.graph.sparse_initializer:
        raise UserError("the model has sparse initialisers, which cannot be compressed")
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    if not found:
        raise UserError("the model has no initialisers: nothing to compress")
    return found


def filled(model: onnx.ModelProto, given: Mapping[str, np.ndarray]) -> onnx.ModelProto:
    """Return a copy of a model with other values in its initialisers.

    Raises UserError where names, shapes or dtypes are not those of the model.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    if [tensor.name for tensor in copy.graph.initializer] != list(given):
        raise UserError("the tensors are not the model's: their names differ")
    for tensor, array in zip(copy.graph.initializer, given.values(), strict=True):
        # ascontiguousarray gives scalars a dimension; take it away again.
        contiguous = np.ascontiguousarray(array).reshape(array.shape)
        new = numpy_helper.from_array(contiguous, tensor.name)
        if (new.data_type, list(new.dims)) != (tensor.data_type, list(tensor.dims)):
            raise UserError(f"tensor {tensor.name}: its shape or dtype is not the model's")
        tensor.CopyFrom(new)
    return copy
