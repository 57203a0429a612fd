"""Recordings with transcripts as CMU Sphinx has them, such as those of AN4."""

import re
from collections.abc import Iterator
from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.datasets import audio
from nnrd.datasets.formats import Format
from nnrd.datasets.index import EVERYTHING, Draw, Index

LINE = re.compile(r"(?P<text>.*?)\s*\((?P<name>[^()]+)\)")
MARKS = re.compile(r"</?(s|sil)>|\+\+\w+\+\+")  # where a sentence begins and ends, silence, noise


class Sphinx(Format):
    """Recordings and a file of transcripts, ``<s> WORDS </s> (NAME)`` a line."""

    def index(self, annotations: Path, folder: Path, draw: Draw = EVERYTHING) -> Index:
        """Return the recordings in the order of their lines; facts as in `audio.utterances`.

        ``annotations``: the transcripts, each with the name of its recording, which is found in
        the folder or in one below it, whatever its suffix is. Raises UserError: another form, a
        transcript without a recording or with several, a name that is given twice.
        """
        texts: dict[str, str] = {}
        for name, text in _lines(annotations):
            if name in texts:
                raise UserError(f"{annotations}: {name} is given twice")
            texts[name] = text
        found = _recordings(folder, annotations)
        named = [(name, _one(annotations, folder, name, found), texts[name]) for name in texts]
        return Index(audio.utterances(named, annotations, draw))


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield name and transcript of each line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file of transcripts") from None
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder, not a file of transcripts") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not text in UTF-8") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        found = LINE.fullmatch(line.strip())
        if found is None:
            raise UserError(f"{path}: line {number}: is not <s> WORDS </s> (NAME)")
        yield found["name"], " ".join(MARKS.sub(" ", found["text"]).split())


def _recordings(folder: Path, annotations: Path) -> dict[str, list[Path]]:
    """Return the files of a folder and those below it by their names without suffix."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path != annotations:
            found.setdefault(path.stem, []).append(path)
    return found


def _one(annotations: Path, folder: Path, name: str, found: dict[str, list[Path]]) -> Path:
    files = found.get(name, [])
    if len(files) != 1:
        said = ", ".join(str(path.relative_to(folder)) for path in files) or "no recording"
        raise UserError(f"{annotations}: {name}: {said} in {folder}; one is needed")
    return files[0]
