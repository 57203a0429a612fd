"""A folder of recordings with a table of transcripts, such as a user's own."""

import csv
from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.datasets import audio
from nnrd.datasets.formats import Format
from nnrd.datasets.index import EVERYTHING, Draw, Index

COLUMNS = ["file", "text"]


class Transcripts(Format):
    """Recordings and a tab-separated table of their transcripts."""

    def index(self, annotations: Path, folder: Path, draw: Draw = EVERYTHING) -> Index:
        """Return the recordings in the table's order; facts as in `audio.utterances`.

        ``annotations``: tab-separated text with the columns ``file`` (relative to the folder) and
        ``text``. Raises UserError: another form, a recording in the table's folder without a
        transcript, a transcript without a recording.
        """
        rows = _table(annotations)
        known = {row["file"] for row in rows}
        suffixes = {Path(file).suffix for file in known}
        for path in sorted(path for suffix in suffixes for path in folder.rglob(f"*{suffix}")):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and path != annotations and name not in known:
                raise UserError(f"{path}: has no transcript in {annotations}")
        named = [(_name(row["file"]), folder / row["file"], row["text"]) for row in rows]
        return Index(audio.utterances(named, annotations, draw))


def _table(path: Path) -> list[dict]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            table = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, restval="")
            columns, rows = table.fieldnames, list(table)
    except FileNotFoundError:
        raise UserError(f"{path}: no such table of transcripts") from None
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder, not a table of transcripts") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: is not a table of tab-separated text ({error})") from None
    if not columns:
        raise UserError(f"{path}: the table is empty")
    if columns != COLUMNS or any(None in row for row in rows):
        raise UserError(f"{path}: the columns must be {', '.join(COLUMNS)}, parted by tabs")
    return rows


def _name(file: str) -> str:
    return Path(file).with_suffix("").as_posix().replace("/", "-")
