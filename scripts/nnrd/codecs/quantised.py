"""Codecs of the integers that ``nnc`` codes without dependent quantisation.

Same integers, another entropy coder: what their rates differ by is the coder alone.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from nnrd import nnc
from nnrd.codecs import base
from nnrd.codecs.container import CODED_FLOAT, Entry
from nnrd.codecs.qp import OPT_QP, QP_PROPERTIES, mistake_in_qp
from nnrd.core.errors import BitstreamError

WIDTHS = (1, 2, 4)


class Quantised(base.Codec):
    """Turns tensors into bytes of integers; a subclass compresses those bytes.

    The payload begins with 3 bytes a tensor: qp, int16 little-endian (0 for integer tensors), and
    the width of its integers, 1, 2 or 4 bytes, the least that holds them all. Then come the
    compressed bytes of all integers, tensor by tensor, each as its byte planes: the low bytes of
    all values, then the next, so that equal bytes stand together.
    """

    codes_integers = True
    properties: ClassVar = QP_PROPERTIES | OPT_QP

    @classmethod
    def validate(cls, parameters):
        """Check each qp against the range that its density leaves."""
        return mistake_in_qp(parameters)

    @abstractmethod
    def pack(self, data: bytes) -> bytes:
        """Compress bytes without loss."""

    @abstractmethod
    def unpack(self, data: memoryview, size: int) -> bytes:
        """Return the ``size`` bytes compressed, taking no more memory than their multiple.

        Return less or more than ``size``, or raise BitstreamError, where that is impossible.
        """

    def compress(self, tensors, names, workers):
        """Return the payload."""
        levels = self.levels(tensors, names)
        widths = [_width(values) for values, _ in levels]
        head = b"".join(
            qp.to_bytes(2, "little", signed=True) + bytes([width])
            for (_, qp), width in zip(levels, widths, strict=True)
        )
        data = b"".join(_planes(v, w) for (v, _), w in zip(levels, widths, strict=True))
        return head + self.pack(data)

    def levels(
        self, tensors: Sequence[np.ndarray], names: Sequence[str]
    ) -> list[tuple[np.ndarray, int]]:
        """Return (int32 array, qp) of each tensor; integer tensors are their own, qp 0."""
        given = {k: v for k, v in self.parameters.items() if k in Quantised.properties}
        coded = nnc.quantise(dict(zip(names, tensors, strict=True)), nnc.Options(**given))
        return list(coded.values())

    def expand(self, payload, entries, parameters, workers):
        """Return the tensors of a payload."""
        density = parameters.get("qp_density", nnc.Options.qp_density)
        if not isinstance(density, int) or not 0 <= density <= 7:
            raise BitstreamError(f"qp_density {density!r} is not defined")
        table = [bytes(payload[i : i + 3]) for i in range(0, 3 * len(entries), 3)]
        qps = [int.from_bytes(row[:2], "little", signed=True) for row in table]
        low, high = nnc.qp_range(density)
        if any(row[2:] not in (b"\1", b"\2", b"\4") for row in table) or not all(
            low <= qp <= high for qp in qps
        ):
            raise BitstreamError("its table of widths is damaged")
        sizes = [row[2] * entry.size for row, entry in zip(table, entries, strict=True)]
        data = self.unpack(payload[3 * len(entries) :], sum(sizes))
        if len(data) != sum(sizes):
            raise BitstreamError(f"{len(data)} bytes of integers, {sum(sizes)} expected")
        ends = np.cumsum(sizes)
        rows = zip(entries, qps, ends - sizes, ends, strict=True)
        return [_values(data[start:end], entry, qp, density) for entry, qp, start, end in rows]


def _width(values: np.ndarray) -> int:
    """Return the bytes that hold every value."""
    low, high = int(values.min()), int(values.max())
    return next(w for w in WIDTHS if -(1 << 8 * w - 1) <= low and high < 1 << 8 * w - 1)


def _planes(values: np.ndarray, width: int) -> bytes:
    narrow = values.astype(f"<i{width}").view(np.uint8).reshape(-1, width)
    return narrow.T.tobytes()


def _values(data: bytes, entry: Entry, qp: int, density: int) -> np.ndarray:
    width = len(data) // entry.size
    planes = np.frombuffer(data, np.uint8).reshape(width, -1)
    levels = np.ascontiguousarray(planes.T).view(f"<i{width}").astype(np.int32)
    levels = levels.reshape(entry.size)
    return nnc.dequantise(levels, qp, density) if entry.mode == CODED_FLOAT else levels
