"""Codec ``raw``: all tensors as they are. The anchor of every rate."""

from nnrd.codecs import base


class Codec(base.Codec):
    """Stores every tensor exactly; the bitstream is the tensors and the container around them."""

    codes_floats = False
    lossless = True

    def compress(self, tensors, names, workers):
        """Return nothing: all tensors are stored."""
        return b""

    def expand(self, payload, entries, parameters, workers):
        """Is called for bitstreams that `compress` cannot have made."""
        raise base.BitstreamError("a tensor is not stored exactly")
