"""Codec ``entropy``: a bound, not a codec: what an ideal memoryless coder would write.

The integers are those of ``nnc`` without DQ. The bound is their empirical entropy of order zero,
tensor by tensor, each tensor's distribution known to both ends for nothing (Shannon 1948).
Coders that use what lies around a value, as ``nnc`` does, can be below it.
"""

import math
from collections.abc import Mapping

import numpy as np

from nnrd.codecs.quantised import Quantised
from nnrd.core.errors import UserError


class Codec(Quantised):
    """Encodes to a container of the right size, filled with zeros; it cannot be decoded."""

    decodable = False

    def bits(self, tensors: Mapping[str, np.ndarray]) -> float:
        """Return the entropy of float32 and int32 tensors in bits, sum over values."""
        levels = self.levels(list(tensors.values()), list(tensors))
        return sum(_entropy(values) for values, _ in levels)

    def compress(self, tensors, names, workers):
        """Return as many zero bytes as the entropy fills."""
        return bytes(math.ceil(self.bits(dict(zip(names, tensors, strict=True))) / 8))

    def decode(self, blob, **options):
        """Raise UserError: there is nothing to decode."""
        raise self._refusal()

    def pack(self, data):
        """Raise UserError: nothing is packed."""
        raise self._refusal()

    def unpack(self, data, size):
        """Raise UserError: nothing is there."""
        raise self._refusal()

    def _refusal(self) -> UserError:
        return UserError(f"codec {self.name}: is a bound on the rate; it cannot be decoded")


def _entropy(values: np.ndarray) -> float:
    """Return the number of values times their empirical entropy, in bits."""
    counts = np.unique(values, return_counts=True)[1]
    return float(counts @ np.log2(values.size / counts))
