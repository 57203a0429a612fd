"""Ground truth and predictions in files: COCO's JSON, or text, a file an image.

Images are known by their names, without the suffix. COCO's results have image ids instead, which
a COCO ground truth explains; without one, images are numbered from 1 in the order of their names.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.datasets import coco_json, text_boxes
from nnrd.datasets import labels as label_files
from nnrd.datasets.index import Index, Item
from nnrd.datasets.labels import Labels

Rows = list[dict[str, Any]]
UNKNOWN = 1  # the width and the height of an image of which only a text is known


def is_text(path: Path) -> bool:
    """Say whether a path is boxes as text: a .txt file, or a folder of such."""
    return path.suffix == text_boxes.SUFFIX or (path.is_dir() and not any(path.glob("*.json")))


def truth(path: Path, labels: Path | None, unit: str) -> tuple[Index, Labels]:
    """Return the ground truth of images, and what labels mean beside it.

    Of text, images have the size 1x1, so shares stay shares. Raises UserError, naming file and
    line, for what is no ground truth.
    """
    if not is_text(path):
        index = coco_json.index(path)
        return index, label_files.read(labels, index.categories)
    known, size = label_files.read(labels), (UNKNOWN, UNKNOWN)
    items = []
    for number, (name, file) in enumerate(text_boxes.files(path).items(), 1):
        rows = text_boxes.read(file, known, size, unit, scored=False)
        objects = [row | {"area": row["bbox"][2] * row["bbox"][3], "iscrowd": 0} for row in rows]
        facts = {"image_id": number, "width": UNKNOWN, "height": UNKNOWN, "objects": objects}
        items.append(Item(name, "", "", facts))
    used = {row["category_id"] for item in items for row in item.facts["objects"]}
    return Index(items, {number: known.name(number) for number in sorted(used)}), known


def text_predictions(path: Path, index: Index, labels: Labels, unit: str) -> Rows:
    """Return predictions out of text as the task `detection` has them, one an image with a file.

    Raises UserError for an image that the ground truth has not.
    """
    items = {item.name: item for item in index.items}
    rows = []
    for name, file in text_boxes.files(path).items():
        if name not in items:
            raise UserError(f"{file}: {name} is not in the ground truth")
        size = (items[name].facts["width"], items[name].facts["height"])
        rows.append({"item": name, "detections": text_boxes.read(file, labels, size, unit)})
    return rows


def relabelled(rows: Rows, labels: Labels) -> Rows:
    """Return predictions whose category ids are labels of a file, with the ids that it gives."""
    return [
        row | {"detections": [relabelled_row(found, labels) for found in row["detections"]]}
        for row in rows
    ]


def relabelled_row(row: Mapping[str, Any], labels: Labels) -> dict[str, Any]:
    """Return one detection so."""
    number = row["category_id"]
    return {**row, "category_id": labels.given.get(str(number), number)}
