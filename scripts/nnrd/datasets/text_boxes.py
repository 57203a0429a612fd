"""Boxes as text, a line each, as TR 26.847, clause 5.3.9.8, has predictions.

A prediction is ``label x1 y1 x2 y2 score``, an object of the ground truth ``label x1 y1 x2 y2``.
A label may have spaces, so a line is read from its end. Corners are shares of the image's width
and height, from 0 to 1, as the TR's examples have them, or pixels. Numbers are written so that
reading them gives the same again. One file holds the boxes of one image; it may be empty.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.files import complete_file
from nnrd.datasets.coco_json import LARGEST
from nnrd.datasets.labels import Labels

SUFFIX = ".txt"
UNITS = ("share", "pixels")
SCORED, UNSCORED = "label x1 y1 x2 y2 score", "label x1 y1 x2 y2"
WIDEST = 2.0  # a share that is larger is no rounding at the border: the line is in pixels
Size = tuple[float, float]  # of an image, width and height in pixels


def write(
    path: str | Path, rows: Iterable[Mapping[str, Any]], labels: Labels, size: Size, unit: str
) -> None:
    """Write boxes (``category_id``, ``bbox``: x, y, width, height in pixels, perhaps ``score``)."""
    lines = [_line(row, labels.name(row["category_id"]), _scale(size, unit)) for row in rows]
    with complete_file(path) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")


def _line(row: Mapping[str, Any], label: str, scale: Size) -> str:
    x, y, width, height = row["bbox"]
    corners = (x / scale[0], y / scale[1], (x + width) / scale[0], (y + height) / scale[1])
    numbers = [*corners, *([row["score"]] if "score" in row else [])]
    return " ".join([label, *(repr(float(number)) for number in numbers)]) + "\n"


def read(
    path: str | Path, labels: Labels, size: Size, unit: str, scored: bool = True
) -> list[dict[str, Any]]:
    """Return the boxes of a file as `write` takes them; with a score where they are ``scored``.

    Raises UserError, naming file and line: another form, a number that is not finite, corners in
    the wrong order, an unknown label, pixels where shares were expected.
    """
    rows = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        if line.strip():
            try:
                rows.append(_row(line, labels, _scale(size, unit), unit, scored))
            except UserError as error:
                raise UserError(f"{path}:{number}: {error}") from None
    return rows


def _row(line: str, labels: Labels, scale: Size, unit: str, scored: bool) -> dict[str, Any]:
    form, count = (SCORED, 5) if scored else (UNSCORED, 4)
    label, *words = line.strip().rsplit(maxsplit=count)
    if len(words) != count:
        raise UserError(f"{line.strip()!r:.60} is not {form!r}")
    x1, y1, x2, y2, *score = (_number(word) for word in words)
    if x2 < x1 or y2 < y1:
        raise UserError(f"{line.strip()!r:.60}: x2 is less than x1, or y2 than y1")
    if unit == "share" and max(map(abs, (x1, y1, x2, y2))) > WIDEST:
        raise UserError(f"{line.strip()!r:.60}: corners are no shares of 1; --unit pixels?")
    x, y = x1 * scale[0], y1 * scale[1]
    box = [x, y, x2 * scale[0] - x, y2 * scale[1] - y]
    return {"category_id": labels.id(label), "bbox": box} | ({"score": score[0]} if scored else {})


def _number(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise UserError(f"{word!r:.60} is no number") from None
    if not (math.isfinite(value) and abs(value) < LARGEST):
        raise UserError(f"{word!r:.60} is no finite number")
    return value


def _scale(size: Size, unit: str) -> Size:
    return size if unit == "share" else (1.0, 1.0)


def files(path: str | Path) -> dict[str, Path]:
    """Return the files of a path by the names of their images: one file, or all of a folder.

    Raises UserError where there are none.
    """
    path = Path(path)
    found: Sequence[Path] = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
    if not found:
        raise UserError(f"{path}: no *{SUFFIX} in this folder")
    return {file.name.removesuffix(SUFFIX): file for file in found}


def _text(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not text in UTF-8") from None
