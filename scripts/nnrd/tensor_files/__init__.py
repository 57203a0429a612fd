"""Files of named tensors that people have, by suffix: read and written by the command ``nnrd``.

A format is a module with a `TensorFile`; other packages publish theirs, called by the suffix
without its dot, as entry points of the group ``nnrd.tensor_files``.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nnrd.core.errors import UserError
from nnrd.core.registry import Registry

Tensors = dict[str, np.ndarray]


class TensorFile(ABC):
    """A format of files that hold named tensors. Subclass it to add one."""

    @abstractmethod
    def read(self, path: Path) -> Tensors:
        """Return the tensors in the file's order; UserError where it is no such file."""

    @abstractmethod
    def write(self, path: Path, tensors: Mapping[str, np.ndarray]) -> None:
        """Write the file, complete or not at all; UserError for what the format cannot hold."""


REGISTRY: Registry[type[TensorFile]] = Registry(
    "nnrd.tensor_files",
    "suffix",
    {
        "npz": "nnrd.tensor_files.npz:Npz",
        "safetensors": "nnrd.tensor_files.safetensors:Safetensors",
    },
    of="nnrd.tensor_files:TensorFile",
)


def read(path: str | Path) -> Tensors:
    """Return the tensors of a file, any of the known suffixes.

    Raises UserError: no such file, another suffix, damaged.
    """
    path = Path(path)
    found = _of(path)
    if not path.is_file():
        raise UserError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}")
    return found.read(path)


def write(path: str | Path, tensors: Mapping[str, np.ndarray]) -> None:
    """Write tensors in the format of the path's suffix; UserError for what it cannot hold."""
    _of(Path(path)).write(Path(path), tensors)


def check(path: str | Path) -> None:
    """Raise UserError unless the path's suffix is one of the known ones."""
    _of(Path(path))


def _of(path: Path) -> TensorFile:
    try:
        return REGISTRY.get(path.suffix.removeprefix("."))()
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
