"""Codec ``zstd``: the integers of ``nnc`` without DQ, through Zstandard (RFC 8878)."""

from typing import ClassVar

import zstandard

from nnrd.codecs.quantised import Quantised
from nnrd.core.errors import BitstreamError

MAX_WINDOW = 1 << 27  # bytes that a frame may ask for; the format's recommended limit


class Codec(Quantised):
    """One Zstandard frame."""

    properties: ClassVar = Quantised.properties | {
        "level": {
            "type": "integer",
            "minimum": 1,
            "maximum": 22,
            "description": "effort of the compressor, 19 if not given",
        }
    }

    def pack(self, data):
        """Return one frame."""
        return zstandard.ZstdCompressor(level=self.parameters.get("level", 19)).compress(data)

    def unpack(self, data, size):
        """Return the content of one frame."""
        reader = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).stream_reader(data)
        try:
            return reader.read(size + 1)
        except zstandard.ZstdError as error:
            raise BitstreamError(f"Zstandard: {error}") from error
