"""Reading recordings of speech."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from nnrd.errors import UserError

RATE = 16000  # Hz: what all recognisers here were trained on


def look(path: str | Path) -> tuple[float, int]:
    """Return a recording's length in seconds and its sample rate in Hz.

    Raises UserError where the file is missing, is no audio file, or has no samples.
    """
    import soundfile

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


def utterances(recordings: Iterable[tuple[str, Path, str]], source: str | Path) -> list[dict]:
    """Return rows of (name, path, transcript), each recording looked at.

    A row has ``name``, ``path``, ``text``, ``seconds`` and ``sample_rate`` (Hz). ``source`` is
    what messages call the list. Says once where recordings will be resampled. Raises UserError:
    no recordings, two of one name, an empty transcript, a recording as in `look`.
    """
    rows: dict[str, dict] = {}
    for name, path, text in recordings:
        if name in rows:
            raise UserError(f"{source}: two recordings are called {name}")
        if not text.strip():
            raise UserError(f"{source}: {name}: the transcript is empty")
        seconds, rate = look(path)
        rows[name] = {"name": name, "path": str(path), "text": text.strip()}
        rows[name] |= {"seconds": seconds, "sample_rate": rate}
    if not rows:
        raise UserError(f"{source}: the dataset has no recordings")
    _say_resampled(rows, source)
    return list(rows.values())


def _say_resampled(rows: Mapping[str, dict], source: str | Path) -> None:
    others = [row["sample_rate"] for row in rows.values() if row["sample_rate"] != RATE]
    if others:
        rates = ", ".join(f"{rate} Hz" for rate in sorted(set(others)))
        print(
            f"{source}: {len(others)} of {len(rows)} recordings have {rates}; "
            f"they are resampled to {RATE} Hz",
            file=sys.stderr,
        )


def read(path: str | Path) -> np.ndarray:
    """Return a recording as float32 (samples,), one channel, 16 kHz, in [-1, 1].

    Channels are averaged; other rates are resampled (torchaudio's windowed sinc). Raises
    UserError as `look` does, and for samples that are not finite.
    """
    import soundfile

    look(path)
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
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
