"""LibriSpeech: FLAC files by speaker and chapter, each chapter with a file of transcripts."""

from dataclasses import replace
from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.datasets import audio
from nnrd.datasets.formats import Format
from nnrd.datasets.index import EVERYTHING, Draw, Index


class LibriSpeech(Format):
    """A folder a speaker, in it a folder a chapter, as the corpus is published."""

    def index(self, annotations: Path, folder: Path, draw: Draw = EVERYTHING) -> Index:
        """Return the utterances ordered by name, drawn over the speakers.

        Facts are as in `audio.utterances`; the ``group`` is the speaker.

        ``annotations`` is not looked at: the transcripts are the folder's ``*.trans.txt``, lines of
        ``speaker-chapter-number TEXT``. Raises UserError: none there, a recording without a
        transcript, a transcript without a recording or given twice.
        """
        texts = _transcripts(folder)
        for path in sorted(folder.rglob("*.flac")):
            if path.stem not in texts:
                raise UserError(f"{path}: has no transcript")
        recordings = [(name, *texts[name]) for name in sorted(texts)]
        items = audio.utterances(recordings, folder, draw, speaker)
        return Index([replace(i, facts={**i.facts, "group": speaker(i.name)}) for i in items])


def _transcripts(folder: Path) -> dict[str, tuple[Path, str]]:
    """Return file and text of each utterance by its name."""
    texts: dict[str, tuple[Path, str]] = {}
    for file in sorted(folder.rglob("*.trans.txt")):
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            raise UserError(f"{file}: not text in UTF-8") from None
        for name, _, text in (line.partition(" ") for line in lines):
            if name in texts:
                raise UserError(f"{file}: {name} is given twice")
            texts[name] = (file.parent / f"{name}.flac", text)
    if not texts:
        raise UserError(f"{folder}: no *.trans.txt, as LibriSpeech has them")
    return texts


def speaker(name: str) -> str:
    """Return the speaker of an utterance called ``speaker-chapter-number``."""
    return name.partition("-")[0]
