"""Codec ``intn``: float tensors as integers of ``bits`` bits, uniform and symmetric."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from nnrd.codecs import base
from nnrd.core.errors import BitstreamError

CHUNK = 1 << 16  # values packed at once: bounds the memory that bits take as bytes


class Codec(base.Codec):
    """A value is scale · level, level in ±(2^(bits−1) − 1), scale = max |value| ÷ that limit.

    The payload is, tensor by tensor, the float32 scales (one, or with ``per_channel`` one for each
    index of the channels' dimension) and the levels, that dimension first, offset to be positive,
    ``bits`` bits each, first bit first.

    The channels' dimension is ``axis``. Without it that is dimension 0, as of a layer's weights,
    or, where dimension 0 is 1 and there are three at least, dimension 1, as of features
    (1 × C × H × W); the bitstream then says ``"axis": null``. Bitstreams that say nothing of it
    are older: theirs is dimension 0. A tensor that lacks the dimension, or has one only, has one
    scale.
    """

    properties: ClassVar = {
        "bits": {
            "type": "integer",
            "minimum": 2,
            "maximum": 16,
            "description": "bits a value",
        },
        "per_channel": {
            "type": "boolean",
            "description": "one scale a channel, not one a tensor",
        },
        "axis": {
            "type": ["integer", "null"],
            "minimum": 0,
            "maximum": 31,
            "description": "dimension of the channels of per_channel; by default 0, but 1 of "
            "tensors of three dimensions or more whose first is 1, such as features",
        },
    }
    required: ClassVar[tuple[str, ...]] = ("bits",)

    @classmethod
    def validate(cls, parameters):
        """Refuse an axis that nothing uses."""
        unused = "axis" in parameters and not parameters.get("per_channel")
        return "axis: is of no use without per_channel" if unused else None

    def carried(self):
        """Return the parameters, and that the channels' dimension is chosen by shape if it is."""
        chosen = {"axis": None} if self.parameters.get("per_channel") else {}
        return chosen | self.parameters

    def compress(self, tensors, names, workers):
        """Return scales and packed levels."""
        bits = _bits(self.parameters)
        parts = []
        for tensor in tensors:
            axis = _axis(tensor.shape, self.carried())
            rows = tensor[None] if axis is None else np.moveaxis(tensor, axis, 0)
            scales, levels = _quantised(rows.reshape(len(rows), -1), bits)
            parts += [scales.tobytes(), _packed(levels.ravel(), bits)]
        return b"".join(parts)

    def expand(self, payload, entries, parameters, workers):
        """Return scale · level as float32."""
        base.expect_floats(entries)
        bits = _bits(parameters)
        arrays, position = [], 0
        for entry in entries:
            axis = _axis(entry.shape, parameters)
            channels = 1 if axis is None else entry.shape[axis]
            middle = position + 4 * channels
            end = middle + -(-entry.size * bits // 8)
            scales = base.fixed_width(payload[position:middle], "<f4", channels)
            levels = _unpacked(payload[middle:end], bits, entry.size)
            arrays.append(_placed(_scaled(scales, levels.reshape(channels, -1)), entry.shape, axis))
            position = end
        if position != len(payload):
            raise BitstreamError(f"payload of {len(payload)} bytes, {position} expected")
        return arrays


def _bits(parameters: Mapping) -> int:
    bits = parameters.get("bits", 8)
    if not isinstance(bits, int) or not 2 <= bits <= 16:
        raise BitstreamError(f"{bits!r} bits a value are not defined")
    return bits


def _axis(shape: tuple[int, ...], parameters: Mapping) -> int | None:
    """Return the dimension that scales go by, None where there is one for all values."""
    if not parameters.get("per_channel") or len(shape) < 2:
        return None
    axis = parameters.get("axis", 0)
    if axis is None:
        return 1 if shape[0] == 1 and len(shape) > 2 else 0
    if not isinstance(axis, int) or axis < 0:
        raise BitstreamError(f"an axis {axis!r} is not defined")
    return axis if axis < len(shape) else None


def _placed(rows: np.ndarray, shape: tuple[int, ...], axis: int | None) -> np.ndarray:
    """Return rows, one a channel, as a tensor of a shape."""
    if axis is None:
        return rows.reshape(shape)
    others = shape[:axis] + shape[axis + 1 :]
    return np.moveaxis(rows.reshape(shape[axis], *others), 0, axis)


def _quantised(rows: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (float32 scale of each row, levels in 0…2^bits − 2)."""
    limit = (1 << bits - 1) - 1
    scales = (np.abs(rows).max(axis=1).astype(np.float64) / limit).astype("<f4")
    divisors = np.where(scales > 0, scales, 1).astype(np.float64)[:, None]
    levels = np.rint(rows / divisors).clip(-limit, limit)
    return scales, (levels + limit).astype(np.uint16)


def _scaled(scales: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return scale · level as float32, which rounding must not carry beyond float32."""
    if not np.isfinite(scales).all():
        raise BitstreamError("a scale is not finite")
    largest = np.finfo(np.float32).max
    with np.errstate(over="ignore"):
        values = scales[:, None] * levels.astype(np.float32)
    return values.clip(-largest, largest, out=values)


def _packed(levels: np.ndarray, bits: int) -> bytes:
    if bits == 8:
        return levels.astype(np.uint8).tobytes()
    return b"".join(
        np.packbits(_as_bits(levels[i : i + CHUNK].astype(">u2"))[:, 16 - bits :]).tobytes()
        for i in range(0, len(levels), CHUNK)
    )


def _as_bits(words: np.ndarray) -> np.ndarray:
    return np.unpackbits(words.view(np.uint8).reshape(-1, 2), axis=1)


def _unpacked(data: memoryview, bits: int, count: int) -> np.ndarray:
    """Return ``count`` levels in ±limit as int32; BitstreamError where the bytes do not suffice."""
    packed = base.fixed_width(data, np.uint8, -(-count * bits // 8))
    levels = packed.astype(np.int32) if bits == 8 else np.empty(count, np.int32)
    step = CHUNK * bits // 8
    for i in range(0, len(packed) if bits != 8 else 0, step):
        first = i // step * CHUNK
        n = min(CHUNK, count - first)
        wide = np.zeros((n, 16), np.uint8)
        wide[:, 16 - bits :] = np.unpackbits(packed[i : i + step], count=n * bits).reshape(n, bits)
        levels[first : first + n] = np.packbits(wide, axis=1).view(">u2").ravel()
    return levels - ((1 << bits - 1) - 1)
