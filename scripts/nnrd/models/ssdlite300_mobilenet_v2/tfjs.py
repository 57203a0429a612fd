"""The weights of a TensorFlow.js graph model."""

import json
from pathlib import Path

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

    Layout: TensorFlow.js "weightsManifest", unquantised groups only. Raises UserError where the
    file is not such a manifest or a shard is missing or too short.
    """
    path = Path(path)
    try:
        groups = json.loads(path.read_text())["weightsManifest"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a TensorFlow.js model ({error})") from None
    tensors = Tensors(path)
    for group in groups:
        data = b"".join((path.parent / shard).read_bytes() for shard in group["paths"])
        offset = 0
        for entry in group["weights"]:
            dtype, count = np.dtype(entry["dtype"]), int(np.prod(entry["shape"], dtype=int))
            if offset + count * dtype.itemsize > len(data):
                raise UserError(f"{path}: the shards are too short at tensor {entry['name']!r}")
            array = np.frombuffer(data, dtype, count, offset).reshape(entry["shape"])
            tensors[entry["name"]] = array
            offset += array.nbytes
    return tensors
