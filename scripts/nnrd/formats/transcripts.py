"""A folder of recordings with a table of transcripts, such as a user's own."""

import csv
from pathlib import Path

from nnrd import speech
from nnrd.errors import UserError

COLUMNS = ["file", "text"]


def index(annotations: Path, folder: Path, most: int | None = None) -> list[dict]:
    """Return the recordings in the table's order; rows as `nnrd.speech.utterances`.

    ``annotations``: tab-separated text with the columns ``file`` (relative to the folder) and
    ``text``. Raises UserError: another form, a recording in the table's folder without a
    transcript, a transcript without a recording.
    """
    rows = _table(annotations)
    known = {row["file"] for row in rows}
    audio = {Path(file).suffix for file in known}
    for path in sorted(path for suffix in audio for path in folder.rglob(f"*{suffix}")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and path != annotations and name not in known:
            raise UserError(f"{path}: has no transcript in {annotations}")
    named = [(_name(row["file"]), folder / row["file"], row["text"]) for row in rows[:most]]
    return speech.utterances(named, annotations)


def _table(path: Path) -> list[dict]:
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            table = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, restval="")
            rows = list(table)
    except FileNotFoundError:
        raise UserError(f"{path}: no such table of transcripts") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: is not a table of tab-separated text ({error})") from None
    if table.fieldnames != COLUMNS or any(None in row for row in rows):
        raise UserError(f"{path}: the columns must be {', '.join(COLUMNS)}, parted by tabs")
    return rows


def _name(file: str) -> str:
    return Path(file).with_suffix("").as_posix().replace("/", "-")
