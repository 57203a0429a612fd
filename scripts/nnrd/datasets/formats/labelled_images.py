"""Images whose names end with the number of their class: ``imagenet_00_243.jpg``."""

import re
from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.datasets.formats import Format
from nnrd.datasets.images import read_rgb
from nnrd.datasets.index import EVERYTHING, Draw, Index, Looked, items_of

NAME = re.compile(r"(?P<set>[A-Za-z0-9]+)_\d+_(?P<label>\d+)\.(jpg|jpeg|png)")


class LabelledImages(Format):
    """``SET_NUMBER_LABEL.jpg``; an item's facts: ``label``, the number of its class, from 0."""

    has_annotations = False

    def index(self, annotations: Path, folder: Path, draw: Draw = EVERYTHING) -> Index:
        """Return the images of a set, ordered by name, drawn over the classes.

        ``annotations`` ends with the set to take, such as ``…/imagenet``, which need not exist:
        the names are the ground truth. Raises UserError: no image of it, a file that is none.
        """
        wanted = annotations.name
        found = sorted(path for path in folder.rglob("*") if _set(path) == wanted)
        if not found:
            raise UserError(f"{folder}: no images called {wanted}_NUMBER_LABEL.jpg or .png")
        return Index(items_of(draw.looked_at(found, _stem, _look, _label), folder))


def _set(path: Path) -> str | None:
    match = NAME.fullmatch(path.name)
    return match["set"] if match and path.is_file() else None


def _stem(path: Path) -> str:
    return path.stem


def _label(path: Path) -> int:
    return int(path.stem.rpartition("_")[2])


def _look(path: Path) -> Looked:
    read_rgb(path)
    return path.stem, path, {"label": _label(path)}
