"""LibriSpeech: FLAC files by speaker and chapter, each chapter with a file of transcripts."""

from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.datasets import audio
from nnrd.datasets.formats import Format
from nnrd.datasets.index import Index


class LibriSpeech(Format):
    """A folder a speaker, in it a folder a chapter, as the corpus is published."""

    def index(self, annotations: Path, folder: Path, limit: int | None = None) -> Index:
        """Return the utterances ordered by name; facts as in `audio.utterances`.

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
        rows = [(name, *texts[name]) for name in sorted(texts)][:limit]
        return Index(audio.utterances(rows, folder))
