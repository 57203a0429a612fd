"""Codec ``float16``: float tensors rounded to IEEE 754 half precision, 2 bytes a value."""

import numpy as np

from nnrd.codecs.half import Half


class Codec(Half):
    """11 significant bits, to ±65504."""

    half = np.dtype(np.float16)
