"""Noise in the form of recordings and photos: inputs to measure by, the same for a seed."""

import numpy as np

from nnrd.datasets import audio

LOUDNESS = 0.1  # standard deviation of noise, of samples in [-1, 1]
HEIGHT, WIDTH = 480, 640  # of a photo


def recording(seconds: float, seed: int) -> np.ndarray:
    """Return white noise, float32 (samples,), 16 kHz, in [-1, 1]."""
    random = np.random.default_rng(seed)
    noise = LOUDNESS * random.standard_normal(round(seconds * audio.RATE), dtype=np.float32)
    return noise.clip(-1, 1)


def photo(seed: int) -> np.ndarray:
    """Return noise, uint8 (480, 640, 3)."""
    return np.random.default_rng(seed).integers(256, size=(HEIGHT, WIDTH, 3), dtype=np.uint8)
