"""Reading recordings of speech."""

import io
import math
import re
import sys
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from nnrd.core.errors import UserError
from nnrd.core.files import read_verified
from nnrd.datasets.index import EVERYTHING, Draw, Item, Looked, items_of

RATE = 16000  # Hz: what all recognisers here were trained on
LONGEST = 3600  # seconds; a header may claim any length, and memory is taken before samples come
MAX_SAMPLES = 2**28  # samples of all channels, 1 GiB as float32
FILTER = 2**24  # values of the filter that resamples: rates without a common divisor need many
# libsndfile reads what is there of a file cut short, and says so in its log alone.
CLAIMED = re.compile(r": (\d+|0x[0-9A-F]+) \(should be (\d+)\)")
RECKONED = "*** Calculated frame count"


def look(path: str | Path) -> tuple[float, int]:
    """Return a recording's length in seconds and its sample rate in Hz.

    Raises UserError where the file is missing, is no audio file, is cut short, has no samples or
    more than an hour of them, or a sample rate that cannot be brought to 16 kHz.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such recording")
    return _look(path, path)


def _look(source: Any, path: str | Path) -> tuple[float, int]:
    try:
        with soundfile.SoundFile(source) as file:
            _check_header(file, path)
            _check_end(file, path)
            return file.frames / file.samplerate, file.samplerate
    except soundfile.LibsndfileError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: str | Path, error: soundfile.LibsndfileError) -> UserError:
    reason = error.error_string or "damaged"
    return UserError(f"{path}: not an audio file that can be read ({reason})")


def _check_end(file: soundfile.SoundFile, path: str | Path) -> None:
    """Refuse a compressed file that ends before the last sample its header claims."""
    try:
        file.seek(file.frames - 1)
        found = len(file.read(1))
    except soundfile.LibsndfileError:
        found = 0
    if not found:
        raise UserError(f"{path}: the recording is cut short")


def _check_header(file: soundfile.SoundFile, path: str | Path) -> None:
    """Refuse what a header says that memory would be taken for, or that the file does not hold."""
    if file.frames == 0:
        raise UserError(f"{path}: the recording is empty")
    if _is_short(file.extra_info):
        said = "its header claims more than the file holds"
        raise UserError(f"{path}: the recording is cut short: {said}")
    rate = file.samplerate
    if file.frames > LONGEST * rate or file.frames * file.channels > MAX_SAMPLES:
        said = f"{file.frames / rate:.0f} s of {file.channels} channels at {rate} Hz"
        raise UserError(f"{path}: {said}: longer than the {LONGEST} s that are read at once")
    if rate * RATE > FILTER * math.gcd(rate, RATE) ** 2:
        raise UserError(f"{path}: {rate} Hz: resample it to {RATE} Hz first")


def _is_short(log: str) -> bool:
    claimed = any(int(claim, 0) > int(there) for claim, there in CLAIMED.findall(log))
    return claimed or RECKONED in log


Recording = tuple[str, Path, str]  # name, file, transcript


def utterances(
    recordings: Iterable[Recording],
    source: str | Path,
    draw: Draw = EVERYTHING,
    group: Callable[[str], Hashable] = lambda name: None,
) -> list[Item]:
    """Return items of the recordings that are drawn, each looked at; ``group`` is a name's.

    Their facts: ``text``, ``seconds`` and ``sample_rate`` (Hz). ``source`` is what messages call
    the list. Says once where recordings will be resampled. A recording cannot be used as in `look`,
    or with an empty transcript. Raises UserError: no recordings, two of one name.
    """
    look_at = partial(_look_at, source)
    found = draw.looked_at(recordings, itemgetter(0), look_at, lambda row: group(row[0]))
    items = items_of(found, source)
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


def _look_at(source: str | Path, recording: Recording) -> Looked:
    name, path, text = recording
    if not text.strip():
        raise UserError(f"{source}: {name}: the transcript is empty")
    seconds, rate = look(path)
    return name, path, {"text": text.strip(), "seconds": seconds, "sample_rate": rate}


def read_item(item: Item) -> np.ndarray:
    """Return an item's recording, see `read`; UserError where its file was altered."""
    return _decode(read_verified(item.path, item.checksum), item.path)


def read(path: str | Path) -> np.ndarray:
    """Return a recording as float32 (samples,), one channel, 16 kHz, in [-1, 1].

    Channels are averaged; other rates are resampled (torchaudio's windowed sinc). Raises
    UserError as `look` does, and for samples that are not finite.
    """
    if not Path(path).is_file():
        raise UserError(f"{path}: no such recording")
    return _decode(Path(path).read_bytes(), path)


def _decode(data: bytes, path: str | Path) -> np.ndarray:
    _look(io.BytesIO(data), path)
    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise _unreadable(path, error) from None
    wave = samples.mean(axis=1)
    if not np.isfinite(wave).all():
        raise UserError(f"{path}: has samples that are not finite")
    return wave if rate == RATE else _resample(wave, rate)


def _resample(wave: np.ndarray, rate: int) -> np.ndarray:
    import torch
    from torchaudio.functional import resample

    return resample(torch.from_numpy(wave), rate, RATE).numpy()
