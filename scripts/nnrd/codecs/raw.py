"""Codec ``raw``: all tensors as they are. The anchor of every rate."""

from nnrd.codecs import _base


class Codec(_base.Codec):
    """Stores every tensor exactly; the bitstream is the tensors and the container around them."""

    codes_floats = False

    def compress(self, tensors, names, workers):
        """Is never called: nothing is left to code."""
        raise NotImplementedError

    def expand(self, payload, entries, parameters, workers):
        """Is called for bitstreams that `compress` cannot have made."""
        raise _base.BitstreamError("a tensor is not stored exactly")
