"""What DeepSpeech 0.8.2 hears: 26 cepstra every 20 ms, with those of 9 frames on either side.

The numbers are those of ``mozilla-deepspeech-0.8.2`` in Open Model Zoo (``accuracy-check.yml``),
the formulas those of TensorFlow's ``AudioSpectrogram`` and ``Mfcc``, with which the network was
trained (``tensorflow/core/kernels/spectrogram.cc``, ``mfcc_mel_filterbank.cc``, ``mfcc_dct.cc``,
``mfcc.cc``). It needs NumPy only.
"""

from functools import cache

import numpy as np

RATE = 16000  # Hz
WINDOW, HOP = 512, 320  # samples: 32 ms every 20 ms
BANDS, LOWEST, HIGHEST = 40, 20.0, 8000.0  # filters, and what they span in Hz
CEPSTRA = 26
CONTEXT = 9  # frames on either side
FRAMES = 2 * CONTEXT + 1  # of a frame's input
PACKAGE = 16  # frames that the network takes at once: 0.32 s
FLOOR = 1e-12  # least energy of a band, before the logarithm


def packages(wave: np.ndarray) -> tuple[np.ndarray, int]:
    """Return what the network takes of a recording, and how many of its frames are real.

    Args:
        wave: float (samples,), 16 kHz, in [-1, 1].

    Returns:
        float32 (packages, 16, 19, 26): packages of frames, each with its context, the last filled
        up with zeros; and the number of frames before those.

    """
    frames = in_context(cepstra(wave))
    count = len(frames)
    filled = np.pad(frames, ((0, -count % PACKAGE), (0, 0), (0, 0)))
    return filled.reshape(-1, PACKAGE, FRAMES, CEPSTRA), count


def cepstra(wave: np.ndarray) -> np.ndarray:
    """Return the mel-frequency cepstra of a recording, float32 (frames, 26).

    ``wave``: float (samples,), 16 kHz, in [-1, 1]; silence is put behind one that is shorter than
    a window, and samples behind the last whole window are left out.
    """
    wave = np.pad(wave, (0, max(0, WINDOW - len(wave))))
    frames = np.lib.stride_tricks.sliding_window_view(wave, WINDOW)[::HOP]
    amplitudes = np.abs(np.fft.rfft(frames * _hann(), axis=1))
    energies = np.maximum(amplitudes @ _filters(), FLOOR)
    return (np.log(energies) @ _cosines()).astype(np.float32)


def in_context(frames: np.ndarray) -> np.ndarray:
    """Return each frame between its 9 neighbours on either side, zeros beyond the ends.

    (frames, 26) → (frames, 19, 26)
    """
    padded = np.pad(frames, ((CONTEXT, CONTEXT), (0, 0)))
    views = np.lib.stride_tricks.sliding_window_view(padded, FRAMES, axis=0)
    return np.ascontiguousarray(views.transpose(0, 2, 1))


@cache
def _hann() -> np.ndarray:
    """Return Hann's window as spectra take it, which is periodic: (512,)."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)


@cache
def _filters() -> np.ndarray:
    """Return triangles of equal width in mel, (257, 40), which weigh amplitudes, not powers.

    ``mfcc_mel_filterbank.cc``: mel(f) = 1127 · ln(1 + f / 700); the first bins are left out, as
    the Hidden Markov Toolkit does.
    """
    width = RATE / WINDOW
    bins = np.arange(WINDOW // 2 + 1)
    edges = np.linspace(_mel(LOWEST), _mel(HIGHEST), BANDS + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    at = _mel(bins * width)[:, None]
    triangles = np.minimum((at - low) / (centre - low), (high - at) / (high - centre))
    heard = bins >= int(1.5 + LOWEST / width)
    return np.maximum(triangles, 0) * heard[:, None]


def _mel(frequency: np.ndarray | float) -> np.ndarray:
    return 1127 * np.log1p(np.asarray(frequency) / 700)


@cache
def _cosines() -> np.ndarray:
    """Return the discrete cosine transform of type II, (40, 26); ``mfcc_dct.cc``.

    √(2 / 40) · cos(π / 40 · (band + ½) · cepstrum), of the cepstrum 0 too.
    """
    angles = np.pi / BANDS * np.outer(np.arange(BANDS) + 0.5, np.arange(CEPSTRA))
    return np.sqrt(2 / BANDS) * np.cos(angles)
