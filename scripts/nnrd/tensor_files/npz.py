"""NumPy's ``.npz``: a zip of arrays."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nnrd.core.errors import UserError
from nnrd.core.files import complete_file
from nnrd.tensor_files import TensorFile, Tensors

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Npz(TensorFile):
    """Arrays of NumPy's own dtypes; pickled objects are neither read nor written."""

    def read(self, path: Path) -> Tensors:
        """Return the arrays in the file's order."""
        try:
            _check_methods(path)
            with np.load(path, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except Exception as error:  # zip, zlib, NumPy's headers: each has errors of many kinds
            reason = " ".join(str(error).split())[:120] or type(error).__name__
            raise UserError(f"{path}: not a .npz of plain arrays ({reason})") from None

    def write(self, path: Path, tensors: Mapping[str, np.ndarray]) -> None:
        """Write the arrays, uncompressed."""
        for name, tensor in tensors.items():
            if tensor.dtype.isbuiltin != 1:  # bfloat16 and float8 would come back as raw bytes
                reason = f"cannot hold {tensor.dtype}; write .safetensors"
                raise UserError(f"{path}: tensor {name}: .npz {reason}")
        with complete_file(path) as temporary, zipfile.ZipFile(temporary, "w") as file:
            for name, tensor in tensors.items():
                with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, tensor, allow_pickle=False)


def _check_methods(path: Path) -> None:
    """Raise ValueError for compressions that NumPy does not write: they unpack all at once."""
    with zipfile.ZipFile(path) as file:
        if any(entry.compress_type not in METHODS for entry in file.infolist()):
            raise ValueError("compressed by something else than deflate")
