"""Codec ``float16``: float tensors rounded to IEEE 754 half precision, 2 bytes a value."""

import numpy as np

from nnrd.codecs import _base
from nnrd.errors import UserError


class Codec(_base.Codec):
    """Rounds to the nearest float16; UserError for values beyond ±65504. Integers are exact."""

    def compress(self, tensors, names, workers):
        """Return the values of all tensors as float16, back to back."""
        with np.errstate(over="ignore"):
            halves = [tensor.astype("<f2") for tensor in tensors]
        for name, half in zip(names, halves, strict=True):
            beyond = int(np.isinf(half).sum())
            if beyond:
                raise UserError(f"tensor {name}: {beyond} values are beyond float16 (±65504)")
        return b"".join(half.tobytes() for half in halves)

    def expand(self, payload, entries, parameters, workers):
        """Return the values as float32."""
        _base.expect_floats(entries)
        values = _base.fixed_width(payload, "<f2", sum(entry.size for entry in entries))
        return _base.cut(values.astype(np.float32), entries)
