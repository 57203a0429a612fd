"""Photos whose names end with the number of their class: ``imagenet_00_243.jpg``."""

import re
from pathlib import Path

from nnrd.errors import UserError
from nnrd.images import read_rgb

NAME = re.compile(r"(?P<set>[A-Za-z0-9]+)_\d+_(?P<label>\d+)\.(jpg|jpeg|png)")


def index(annotations: Path, folder: Path, most: int | None = None) -> list[dict]:
    """Return the photos ordered by name: ``name``, ``path``, ``label`` (class number, from 0).

    ``annotations`` ends with the set to take, such as ``…/imagenet``, which need not exist: the
    names are the ground truth. Raises UserError: no photo of that set, a file that is no image.
    """
    wanted, rows = Path(annotations).name, []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        match = NAME.fullmatch(path.name)
        if match and match["set"] == wanted:
            rows.append({"name": path.stem, "path": str(path), "label": int(match["label"])})
    if not rows:
        raise UserError(f"{folder}: no photos called {wanted}_NUMBER_LABEL.jpg or .png")
    for row in rows[:most]:
        read_rgb(row["path"])
    return rows[:most]
