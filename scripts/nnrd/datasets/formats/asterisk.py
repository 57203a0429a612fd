"""Debian's Asterisk prompts: recordings of one speaker, and a list of what she says."""

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.datasets import audio
from nnrd.datasets.formats import Format
from nnrd.datasets.index import EVERYTHING, Draw, Index
from nnrd.metrics.normaliser import normalise

FEWEST_WORDS = 4
SHORTEST, LONGEST = 1.0, 15.0  # seconds
LONGEST_LIST = 2**24  # bytes; a small file may unpack to any number
SOUNDS = "sounds"  # the folder of the recordings


class Asterisk(Format):
    """Recorded prompts with a list of what they say."""

    def index(self, annotations: Path, folder: Path, draw: Draw = EVERYTHING) -> Index:
        """Return the prompts that are sentences, ordered by name; facts as in `audio.utterances`.

        ``annotations``: ``core-sounds-en.txt.gz``, lines of ``name: transcript``. A prompt counts
        if it has four words or more, lasts 1 to 15 seconds, and its transcript has no sounds in
        brackets and no ``*`` or ``#``, which the speaker reads in other words.
        """
        spoken = sorted(_sentences(_lines(annotations)))
        kept = []
        for name, text in spoken:
            path = folder / SOUNDS / f"{name}.wav"
            # A transcript of what another package holds has no recording here.
            if path.is_file() and SHORTEST <= audio.look(path)[0] <= LONGEST:
                kept.append((name.replace("/", "-"), path, text))
        return Index(audio.utterances(kept, annotations, draw))


def _lines(annotations: Path) -> list[str]:
    try:
        with gzip.open(annotations) as file:
            text = file.read(LONGEST_LIST + 1)
    except FileNotFoundError:
        raise UserError(f"{annotations}: no such list of transcripts") from None
    except IsADirectoryError:
        raise UserError(f"{annotations}: is a folder, not a list of transcripts") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{annotations}: not a gzip file ({error})") from None
    if len(text) > LONGEST_LIST:
        raise UserError(f"{annotations}: more than {LONGEST_LIST} bytes, unpacked")
    return text.decode(errors="replace").splitlines()


def _sentences(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, colon, text = line.partition(":")
        if not colon or line.startswith(";") or re.search(r"[\[(*#]", text):
            continue
        if len(normalise(text).split()) >= FEWEST_WORDS:
            yield name.strip(), text.strip()
