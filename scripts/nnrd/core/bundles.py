"""Tensors on disk: one safetensors file a bundle."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save_file

from nnrd.core.errors import UserError
from nnrd.core.files import checksum, complete_file, read_verified

SUFFIX = ".safetensors"
ORDER = "order"  # the format sorts names; the order of the tensors stands in its metadata

# By the format's own names; its NumPy binding lacks bfloat16 and float8.
DTYPES: dict[str, np.dtype] = {
    name: np.dtype(kind)
    for name, kind in {
        **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
        **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
        **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
        **{"BOOL": np.bool_, "C64": np.complex64, "BF16": ml_dtypes.bfloat16},
        **{"F8_E4M3": ml_dtypes.float8_e4m3fn, "F8_E5M2": ml_dtypes.float8_e5m2},
    }.items()
}

Tensors = dict[str, np.ndarray]


def write(path: str | Path, tensors: Mapping[str, np.ndarray]) -> str:
    """Write tensors of any shape in their order; return the file's checksum.

    Raises UserError where the disk is full or does not take the file.
    """
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    # ascontiguousarray gives scalars a dimension; take it away again.
    contiguous = {name: array.reshape(tensors[name].shape) for name, array in contiguous.items()}
    try:
        with complete_file(path) as temporary:
            save_file(contiguous, temporary, metadata={ORDER: json.dumps(list(tensors))})
            return checksum(temporary)
    except SafetensorError as error:  # safetensors' own word for a full disk, too
        raise UserError(f"{path}: cannot be written ({error})") from None


def read(path: str | Path, expected: str) -> Tensors:
    """Return the tensors of a bundle in order; UserError where it is not what was written.

    ``expected`` is the checksum that `write` returned.
    """
    data = read_verified(path, expected)
    try:
        tensors = {name: _array(view) for name, view in deserialize(data)}
        return {name: tensors[name] for name in _order(data)}
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not a bundle of tensors ({error})") from None


def _array(view: Mapping[str, Any]) -> np.ndarray:
    return np.frombuffer(view["data"], DTYPES[view["dtype"]]).reshape(view["shape"])


def _order(data: bytes) -> list[str]:
    """Return the names in the header's metadata: 8 bytes of its length, then JSON."""
    length = int.from_bytes(data[:8], "little")
    return json.loads(json.loads(data[8 : 8 + length])["__metadata__"][ORDER])


def size(tensors: Mapping[str, np.ndarray]) -> int:
    """Return the bytes of the tensors' values, which is what sending them raw would take."""
    return sum(tensor.nbytes for tensor in tensors.values())
