"""Images with COCO annotations."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.files import read_json
from nnrd.datasets.formats import Format
from nnrd.datasets.images import read_rgb
from nnrd.datasets.index import Index, items_of

LARGEST = 1e15  # what a coordinate in pixels, or an area, is below


class Coco(Format):
    """COCO's JSON: ``images``, ``annotations``, ``categories``.

    An item's facts: ``image_id``, ``width`` and ``height`` in pixels, and ``objects``, its ground
    truth: ``category_id``, ``bbox`` (x, y, width, height in pixels), ``area``, ``iscrowd``.
    """

    def index(self, annotations: Path, folder: Path, limit: int | None = None) -> Index:
        """Return the images ordered by file name.

        Raises UserError: the annotations are not COCO's, an image is missing, is no image or has
        another size than they say, an object of an unknown category or image, or without a box.
        """
        dataset = read(annotations)
        categories = {row["id"]: row["name"] for row in dataset["categories"]}
        objects = _objects(dataset, categories, annotations)
        images = sorted(dataset["images"], key=lambda image: image["file_name"])[:limit]
        return Index(items_of(_rows(images, objects, folder, annotations), annotations), categories)


def read(path: str | Path) -> dict[str, Any]:
    """Return a COCO dataset; UserError where the file is not one, naming the first bad row."""
    dataset = read_json(path)
    needed = {
        "images": {"id": int, "file_name": str, "width": int, "height": int},
        "annotations": {"image_id": int, "category_id": int, "bbox": list},
        "categories": {"id": int, "name": str},
    }
    for key, columns in needed.items():
        if not isinstance(dataset, dict) or not isinstance(dataset.get(key), list):
            raise UserError(f"{path}: not a COCO dataset: no list {key!r}")
        for number, row in enumerate(dataset[key]):
            _check_row(row, columns, f"{path}: {key}[{number}]")
    _check_unique(dataset, path)
    return dataset


def _check_row(row: Any, columns: Mapping[str, type], where: str) -> None:
    if not isinstance(row, dict):
        raise UserError(f"{where}: is not a mapping")
    for column, kind in columns.items():
        if not isinstance(row.get(column), kind) or isinstance(row[column], bool):
            raise UserError(f"{where}: {column}: {row.get(column)!r:.60} is no {kind.__name__}")


def _check_unique(dataset: Mapping[str, Any], path: str | Path) -> None:
    for key in ("images", "categories"):
        seen = set()
        for row in dataset[key]:
            if row["id"] in seen:
                raise UserError(f"{path}: {key}: id {row['id']} is given twice")
            seen.add(row["id"])


def _objects(
    dataset: Mapping[str, Any], categories: Mapping[int, str], path: Path
) -> dict[int, list[dict[str, Any]]]:
    """Return the ground truth of each image by its id, checked."""
    known = {image["id"] for image in dataset["images"]}
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for number, row in enumerate(dataset["annotations"]):
        where = f"{path}: annotations[{number}]"
        if row["image_id"] not in known:
            raise UserError(f"{where}: image_id {row['image_id']} is no image's")
        if row["category_id"] not in categories:
            raise UserError(f"{where}: category_id {row['category_id']} is no category's")
        box = _box(row["bbox"], where)
        found[row["image_id"]].append(
            {
                "category_id": row["category_id"],
                "bbox": box,
                "area": _area(row.get("area", box[2] * box[3]), where),
                "iscrowd": _crowd(row.get("iscrowd", 0), where),
            }
        )
    return found


def _box(values: list[Any], where: str) -> list[float]:
    if len(values) != 4 or not all(map(_is_finite, values)):
        raise UserError(f"{where}: bbox: {values!r:.60} is not four finite numbers")
    if min(values[2:]) < 0:
        raise UserError(f"{where}: bbox: {values!r:.60} has a negative side")
    return values


def _area(value: Any, where: str) -> float:
    if not _is_finite(value) or value < 0:
        raise UserError(f"{where}: area: {value!r:.60} is not a finite number from 0")
    return value


def _crowd(value: Any, where: str) -> int:
    if value not in (0, 1):
        raise UserError(f"{where}: iscrowd: {value!r:.60} is neither 0 nor 1")
    return int(value)


def _is_finite(value: Any) -> bool:
    # An integer has no limit in JSON, and no float holds 10^400.
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and -LARGEST < value < LARGEST


def _rows(
    images: list[dict[str, Any]], objects: Mapping[int, list[dict]], folder: Path, source: Path
) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    for image in images:
        path = folder / image["file_name"]
        height, width = read_rgb(path).shape[:2]
        if (width, height) != (image["width"], image["height"]):
            expected = f"{image['width']}x{image['height']}"
            raise UserError(f"{path}: {width}x{height} pixels, {source} says {expected}")
        facts = {"image_id": image["id"], "width": width, "height": height}
        yield path.stem, path, facts | {"objects": objects.get(image["id"], [])}
