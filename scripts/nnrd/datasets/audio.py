"""Reading recordings of speech."""

import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from nnrd.core.errors import UserError
from nnrd.core.files import read_verified
from nnrd.datasets.index import Item, items_of

RATE = 16000  # Hz: what all recognisers here were trained on


def look(path: str | Path) -> tuple[float, int]:
    """Return a recording's length in seconds and its sample rate in Hz.

    Raises UserError where the file is missing, is no audio file, or has no samples.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such recording")
    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError as error:
        raise UserError(f"{path}: not an audio file that can be read ({error})") from None
    if info.frames == 0:
        raise UserError(f"{path}: the recording is empty")
    return info.frames / info.samplerate, info.samplerate


def utterances(recordings: Iterable[tuple[str, Path, str]], source: str | Path) -> list[Item]:
    """Return items of (name, file, transcript), each recording looked at.

    Their facts: ``text``, ``seconds`` and ``sample_rate`` (Hz). ``source`` is what messages call
    the list. Says once where recordings will be resampled. Raises UserError: no recordings, two
    of one name, an empty transcript, a recording as in `look`.
    """
    items = items_of(_looked_at(recordings, source), source)
    rates = [item.facts["sample_rate"] for item in items]
    others = [rate for rate in rates if rate != RATE]
    if others:
        said = ", ".join(f"{rate} Hz" for rate in sorted(set(others)))
        print(
            f"{source}: {len(others)} of {len(items)} recordings have {said}; "
            f"they are resampled to {RATE} Hz",
            file=sys.stderr,
        )
    return items


def _looked_at(
    recordings: Iterable[tuple[str, Path, str]], source: str | Path
) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    for name, path, text in recordings:
        if not text.strip():
            raise UserError(f"{source}: {name}: the transcript is empty")
        seconds, rate = look(path)
        yield name, path, {"text": text.strip(), "seconds": seconds, "sample_rate": rate}


def read_item(item: Item) -> np.ndarray:
    """Return an item's recording, see `read`; UserError where its file was altered."""
    return _decode(io.BytesIO(read_verified(item.path, item.checksum)), item.path)


def read(path: str | Path) -> np.ndarray:
    """Return a recording as float32 (samples,), one channel, 16 kHz, in [-1, 1].

    Channels are averaged; other rates are resampled (torchaudio's windowed sinc). Raises
    UserError as `look` does, and for samples that are not finite.
    """
    look(path)
    return _decode(path, path)


def _decode(source: Any, path: str | Path) -> np.ndarray:
    try:
        samples, rate = soundfile.read(source, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise UserError(f"{path}: not an audio file that can be read ({error})") from None
    wave = samples.mean(axis=1)
    if not np.isfinite(wave).all():
        raise UserError(f"{path}: has samples that are not finite")
    return wave if rate == RATE else _resample(wave, rate)


def _resample(wave: np.ndarray, rate: int) -> np.ndarray:
    import torch
    from torchaudio.functional import resample

    return resample(torch.from_numpy(wave), rate, RATE).numpy()
