"""CTranslate2's ``model.bin`` read into NumPy arrays."""

import struct
from pathlib import Path

import numpy as np

from nnrd.core.errors import UserError

DTYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
VERSIONS = range(4, 7)


def read(path: str | Path) -> dict[str, np.ndarray]:
    """Return the variables of a model by name, as float32, int8, int16, int32 or float16.

    The layout is that of ``CTranslate2/src/models/model.cc``, binary versions 4 to 6. Raises
    UserError for a file that is missing, cut short or of another format.
    """
    try:
        return _Reader(Path(path).read_bytes()).variables()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (struct.error, ValueError, KeyError) as error:
        raise UserError(f"{path}: not a CTranslate2 model that can be read ({error})") from None


class _Reader:
    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def number(self, form: str) -> int:
        (value,) = struct.unpack_from(f"<{form}", self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def text(self) -> str:
        length = self.number("H")
        raw = self.data[self.at : self.at + length]
        self.at += length
        return raw.rstrip(b"\0").decode()

    def array(self) -> np.ndarray:
        shape = [self.number("I") for _ in range(self.number("B"))]
        dtype = np.dtype(DTYPES[self.number("B")])
        size = self.number("I")
        values = np.frombuffer(self.data, dtype, size // dtype.itemsize, self.at)
        self.at += size
        return values.reshape(shape)

    def variables(self) -> dict[str, np.ndarray]:
        version = self.number("I")
        if version not in VERSIONS:
            raise ValueError(f"binary version {version}")
        self.text()  # the model's kind
        self.number("I")  # and its revision
        return {self.text(): self.array() for _ in range(self.number("I"))}
