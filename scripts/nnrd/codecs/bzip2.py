"""Codec ``bzip2``: the integers of ``nnc`` without DQ, through bzip2."""

import bz2
from typing import ClassVar

from nnrd.codecs.quantised import Quantised
from nnrd.core.errors import BitstreamError


class Codec(Quantised):
    """One bzip2 stream."""

    properties: ClassVar = Quantised.properties | {
        "level": {
            "type": "integer",
            "minimum": 1,
            "maximum": 9,
            "description": "block size in 100 kB, 9 if not given",
        }
    }

    def pack(self, data):
        """Return one stream."""
        return bz2.compress(data, self.parameters.get("level", 9))

    def unpack(self, data, size):
        """Return the content of one stream."""
        unpacker = bz2.BZ2Decompressor()
        try:
            out = unpacker.decompress(data, size + 1)
        except (OSError, ValueError) as error:
            raise BitstreamError(f"bzip2: {error}") from error
        if not unpacker.eof or unpacker.unused_data:
            raise BitstreamError("bzip2: the stream has the wrong length")
        return out
