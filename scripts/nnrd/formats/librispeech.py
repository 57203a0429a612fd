"""LibriSpeech: FLAC files by speaker and chapter, each chapter with a file of transcripts."""

from pathlib import Path

from nnrd import speech
from nnrd.errors import UserError


def index(annotations: Path, folder: Path, most: int | None = None) -> list[dict]:
    """Return the utterances ordered by name; rows as `nnrd.speech.utterances`.

    ``annotations`` is not looked at: the transcripts are the folder's ``*.trans.txt``, lines of
    ``speaker-chapter-number TEXT``. Raises UserError: none there, a recording without a
    transcript, a transcript without a recording.
    """
    texts: dict[str, tuple[Path, str]] = {}
    for file in sorted(folder.rglob("*.trans.txt")):
        for line in file.read_text(encoding="utf-8").splitlines():
            name, _, text = line.partition(" ")
            texts[name] = (file.parent / f"{name}.flac", text)
    if not texts:
        raise UserError(f"{folder}: no *.trans.txt, as LibriSpeech has them")
    for path in sorted(folder.rglob("*.flac")):
        if path.stem not in texts:
            raise UserError(f"{path}: has no transcript")
    rows = [(name, *texts[name]) for name in sorted(texts)][:most]
    return speech.utterances(rows, folder)
