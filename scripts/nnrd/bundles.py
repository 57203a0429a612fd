"""Tensors on disk: one safetensors file a bundle, in a folder a shard."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from nnrd.errors import UserError
from nnrd.program import complete_file

SUFFIX = ".safetensors"


def write(path: str | Path, tensors: Mapping[str, np.ndarray]) -> None:
    """Write tensors of any shape, names in their order (the format itself sorts them).

    Raises UserError where the disk is full or does not take the file.
    """
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    # ascontiguousarray gives scalars a dimension; take it away again.
    contiguous = {name: array.reshape(tensors[name].shape) for name, array in contiguous.items()}
    metadata = {"order": json.dumps(list(tensors))}
    try:
        with complete_file(path) as temporary:
            save_file(contiguous, temporary, metadata=metadata)
    except SafetensorError as error:  # safetensors' own word for a full disk, too
        raise UserError(f"{path}: cannot be written ({error})") from None


def read(path: str | Path) -> dict[str, np.ndarray]:
    """Return the tensors of a bundle, in order; UserError where it is not a whole bundle."""
    try:
        with safe_open(path, framework="numpy") as file:
            order = json.loads(file.metadata()["order"])
            return {name: file.get_tensor(name) for name in order}
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not a bundle of tensors ({error})") from None
    except FileNotFoundError:
        raise UserError(f"{path}: no such bundle of tensors") from None


def size(tensors: Mapping[str, np.ndarray]) -> int:
    """Return the bytes of the tensors' values, which is what sending them raw would take."""
    return sum(tensor.nbytes for tensor in tensors.values())


def names(folder: str | Path) -> Iterator[str]:
    """Yield the items that have a bundle in ``folder``, sorted."""
    for path in sorted(Path(folder).glob(f"*{SUFFIX}")):
        yield path.name.removesuffix(SUFFIX)
