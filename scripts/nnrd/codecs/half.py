"""Codecs that round float tensors to 2 bytes a value."""

from typing import ClassVar

import numpy as np

from nnrd.codecs import base
from nnrd.core.errors import UserError


class Half(base.Codec):
    """Rounds to the nearest value of ``half``; UserError for values beyond its range."""

    half: ClassVar[np.dtype]

    def compress(self, tensors, names, workers):
        """Return the values of all tensors in ``half``, back to back, little-endian."""
        with np.errstate(over="ignore"):
            halves = [tensor.astype(self.half) for tensor in tensors]
        for name, half in zip(names, halves, strict=True):
            beyond = int(np.isinf(half).sum())
            if beyond:
                raise UserError(f"tensor {name}: {beyond} values are beyond {self.half}'s range")
        return b"".join(half.tobytes() for half in halves)

    def expand(self, payload, entries, parameters, workers):
        """Return the values as float32."""
        base.expect_floats(entries)
        values = base.fixed_width(payload, self.half, sum(entry.size for entry in entries))
        return base.cut(values.astype(np.float32), entries)
