"""The weights of a TensorFlow.js graph model."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from nnrd.core.errors import UserError


class MissingWeightError(UserError, KeyError):
    """The file does not hold a tensor that the network needs."""

    __str__ = UserError.__str__


class Tensors(dict):
    """Tensors by name; a missing one is a UserError that names the file."""

    def __init__(self, path: Path):
        super().__init__()
        self.path = path

    def __missing__(self, name: str) -> np.ndarray:
        raise MissingWeightError(f"{self.path}: no tensor {name!r}; is it the right model?")


def read(path: str | Path) -> dict[str, np.ndarray]:
    """Return the float32 and integer tensors of ``model.json`` and the shards beside it.

    Layout: TensorFlow.js "weightsManifest", floats as they are or as float16. Raises UserError
    where the file is not such a manifest or a shard is missing or too short, and for integers
    that stand for floats.
    """
    path = Path(path)
    try:
        groups = json.loads(path.read_text(encoding="utf-8"))["weightsManifest"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a TensorFlow.js model ({error})") from None
    tensors = Tensors(path)
    for group in groups:
        data = b"".join(_shard(path.parent / shard) for shard in group["paths"])
        offset = 0
        for entry in group["weights"]:
            dtype, count = _stored(entry, path), int(np.prod(entry["shape"], dtype=int))
            if offset + count * dtype.itemsize > len(data):
                raise UserError(f"{path}: the shards are too short at tensor {entry['name']!r}")
            array = np.frombuffer(data, dtype, count, offset).reshape(entry["shape"])
            tensors[entry["name"]] = array.astype(entry["dtype"], copy=False)
            offset += array.nbytes
    return tensors


def _shard(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None


def _stored(entry: dict[str, Any], path: Path) -> np.dtype:
    """Return the type in which a tensor is stored."""
    stored = entry.get("quantization", entry)["dtype"]
    if stored != entry["dtype"] and stored != "float16":
        raise UserError(f"{path}: tensor {entry['name']!r} is quantised to {stored}")
    return np.dtype(stored)
