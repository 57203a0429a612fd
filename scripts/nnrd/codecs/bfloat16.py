"""Codec ``bfloat16``: float tensors rounded to bfloat16, 2 bytes a value."""

import ml_dtypes
import numpy as np

from nnrd.codecs.half import Half


class Codec(Half):
    """8 significant bits, the range of float32."""

    half = np.dtype(ml_dtypes.bfloat16)
