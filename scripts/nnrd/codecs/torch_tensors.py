"""PyTorch's tensors to NumPy and back, for callers that have PyTorch; nnrd does not import it."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np

from nnrd.core.errors import UserError

if TYPE_CHECKING:
    import torch

# NumPy has none of these: the bits travel as integers of the same width.
BITS = {
    "bfloat16": (ml_dtypes.bfloat16, "int16"),
    "float8_e4m3fn": (ml_dtypes.float8_e4m3fn, "uint8"),
    "float8_e5m2": (ml_dtypes.float8_e5m2, "uint8"),
}


def is_torch(value: Any) -> bool:
    """Say whether a value is PyTorch's tensor or parameter."""
    return type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "detach")


def as_array(name: str, tensor: Any) -> np.ndarray:
    """Return a PyTorch tensor, wherever it is, as a NumPy array of its dtype and shape.

    Raises UserError, naming it: sparse or quantised, or a dtype that NumPy lacks.
    """
    torch = sys.modules["torch"]  # whoever made the tensor imported it
    plain = tensor.detach().cpu()
    dtype = str(plain.dtype).removeprefix("torch.")
    try:
        if dtype not in BITS:
            return plain.numpy()
        numpy_dtype, bits = BITS[dtype]
        return plain.contiguous().view(getattr(torch, bits)).numpy().view(numpy_dtype)
    except (TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"tensor {name}: {dtype} cannot be coded ({reason})") from None


def to_torch(tensors: Mapping[str, np.ndarray]) -> "dict[str, torch.Tensor]":
    """Return decoded tensors as PyTorch's, a state dict for ``load_state_dict``.

    Same names, order, shapes and dtypes. Raises UserError where PyTorch is not installed or lacks
    a dtype.
    """
    from nnrd.core.extras import needed

    with needed("torch"):
        import torch
    found = {}
    for name, array in tensors.items():
        _, bits = BITS.get(str(array.dtype), (None, None))
        try:
            plain = torch.from_numpy(np.array(array if bits is None else array.view(bits)))
        except TypeError as error:
            raise UserError(f"tensor {name}: {error}") from None
        found[name] = plain if bits is None else plain.view(getattr(torch, str(array.dtype)))
    return found
