"""Codec ``huffman``: the integers of ``nnc`` without DQ, through Huffman codes and nothing else."""

import zlib

from nnrd.codecs.quantised import Quantised
from nnrd.core.errors import BitstreamError


class Codec(Quantised):
    """A raw DEFLATE stream (RFC 1951) made with zlib's Z_HUFFMAN_ONLY: no match is ever coded.

    Codes are over bytes, of 15 bits at most, with a table for every block of about 16,000.
    """

    def pack(self, data):
        """Return one DEFLATE stream of literals."""
        packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_HUFFMAN_ONLY)
        return packer.compress(data) + packer.flush()

    def unpack(self, data, size):
        """Return the content of one DEFLATE stream."""
        unpacker = zlib.decompressobj(-15)
        try:
            out = unpacker.decompress(data, size + 1)
        except zlib.error as error:
            raise BitstreamError(f"DEFLATE: {error}") from error
        if not unpacker.eof or unpacker.unused_data:
            raise BitstreamError("DEFLATE: the stream has the wrong length")
        return out
