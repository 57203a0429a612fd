"""Safetensors: 8 bytes with the length of a JSON header, the header, the values."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, deserialize

from nnrd.core.bundles import DTYPES, ORDER
from nnrd.core.errors import UserError
from nnrd.core.files import complete_file
from nnrd.tensor_files import TensorFile, Tensors

METADATA = "__metadata__"  # nnrd's own bundles say their order there
NAMES = {dtype: name for name, dtype in DTYPES.items()}


class Safetensors(TensorFile):
    """All dtypes of the format, bfloat16 and float8 too, which its NumPy binding has not."""

    def read(self, path: Path) -> Tensors:
        """Return the tensors in the header's order."""
        data = path.read_bytes()
        try:
            tensors = {name: _array(name, found) for name, found in deserialize(data)}
        except (SafetensorError, ValueError) as error:
            raise UserError(f"{path}: not a safetensors file ({error})") from None
        except UserError as error:
            raise UserError(f"{path}: {error}") from None
        return {name: tensors[name] for name in _order(data)}

    def write(self, path: Path, tensors: Mapping[str, np.ndarray]) -> None:
        """Write the tensors in their order."""
        header, offset = {}, 0
        for name, tensor in tensors.items():
            header[name] = {
                "dtype": _dtype_name(path, name, tensor),
                "shape": list(tensor.shape),
                "data_offsets": [offset, offset + tensor.nbytes],
            }
            offset += tensor.nbytes
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        with complete_file(path) as temporary, temporary.open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for tensor in tensors.values():
                file.write(tensor.astype(tensor.dtype.newbyteorder("<"), copy=False).tobytes())


def _array(name: str, found: dict) -> np.ndarray:
    dtype = DTYPES.get(found["dtype"])
    if dtype is None:
        raise UserError(f"tensor {name}: the dtype {found['dtype']} is not known")
    return np.frombuffer(found["data"], dtype).reshape(found["shape"])


def _dtype_name(path: Path, name: str, tensor: np.ndarray) -> str:
    dtype = tensor.dtype.newbyteorder("=")
    if dtype not in NAMES or name == METADATA:
        what = "the name" if name == METADATA else str(dtype)
        raise UserError(f"{path}: tensor {name}: safetensors cannot hold {what}; write .npz")
    return NAMES[dtype]


def _order(data: bytes) -> list[str]:
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    metadata = header.pop(METADATA, None) or {}
    try:
        order = json.loads(metadata[ORDER])
    except (KeyError, ValueError, RecursionError):
        order = None
    fits = isinstance(order, list) and len(order) == len(header) and set(order) == set(header)
    return order if fits else list(header)
