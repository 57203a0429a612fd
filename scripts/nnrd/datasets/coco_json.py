"""COCO's JSON of ground truth and of results, read without the images."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.files import read_json
from nnrd.core.written import json_once
from nnrd.datasets.index import Index, Item

LARGEST = 1e15  # what a number is below: a coordinate in pixels, an area, an id


def read(path: str | Path) -> dict[str, Any]:
    """Return a COCO dataset; UserError where the file is not one, naming the first bad row."""
    dataset = read_json(path, json_once)
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


def index(path: Path) -> Index:
    """Return the ground truth alone: items without files and checksums, named as in `Coco`.

    Raises UserError for annotations that are not COCO's.
    """
    dataset = read(path)
    categories = {row["id"]: row["name"] for row in dataset["categories"]}
    found = objects(dataset, categories, path)
    items = {
        name: Item(name, "", "", facts | {"objects": found.get(facts["image_id"], [])})
        for name, facts in map(_facts, dataset["images"])
    }
    if len(items) < len(dataset["images"]):
        raise UserError(f"{path}: two images have the same file name")
    return Index(list(items.values()), categories)


def _facts(image: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    facts = {"image_id": image["id"], "width": image["width"], "height": image["height"]}
    return Path(image["file_name"]).stem, facts


def predictions(paths: Iterable[Path], truth: Index) -> list[dict[str, Any]]:
    """Return COCO's results as predictions of the task `detection`, one an image of ``truth``.

    Raises UserError, naming the row: not a list of results, an image that is not in ``truth``.
    """
    found: dict[int, list[dict[str, Any]]] = {item.facts["image_id"]: [] for item in truth.items}
    for where, row in (pair for path in paths for pair in results(path)):
        if row["image_id"] not in found:
            raise UserError(f"{where}: image_id {row['image_id']} is not in the ground truth")
        kept = {name: row[name] for name in ("category_id", "bbox", "score")}
        found[row["image_id"]].append(kept)
    return [
        {"item": item.name, "detections": found[item.facts["image_id"]]} for item in truth.items
    ]


def results(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield where each row of COCO's results stands, and the row, checked; UserError as in it."""
    rows = read_json(path)
    if not isinstance(rows, list):
        raise UserError(f"{path}: not COCO results: no list")
    columns = {"image_id": int, "category_id": int, "bbox": list, "score": (int, float)}
    for number, row in enumerate(rows):
        _check_row(row, columns, f"{path}: [{number}]")
        yield f"{path}: [{number}]", row | {"bbox": _box(row["bbox"], f"{path}: [{number}]")}


def _check_row(row: Any, columns: Mapping[str, Any], where: str) -> None:
    if not isinstance(row, dict):
        raise UserError(f"{where}: is not a mapping")
    for column, kind in columns.items():
        if not isinstance(row.get(column), kind) or isinstance(row[column], bool):
            word = getattr(kind, "__name__", "number")
            raise UserError(f"{where}: {column}: {row.get(column)!r:.60} is no {word}")
        if isinstance(row[column], int | float) and not _is_finite(row[column]):
            raise UserError(f"{where}: {column}: {row[column]!r:.60} is beyond {LARGEST:g}")
        if isinstance(row[column], str) and not row[column].isprintable():
            raise UserError(f"{where}: {column}: {row[column]!r:.60} is not text that prints")


def _check_unique(dataset: Mapping[str, Any], path: str | Path) -> None:
    for key in ("images", "categories"):
        seen = set()
        for row in dataset[key]:
            if row["id"] in seen:
                raise UserError(f"{path}: {key}: id {row['id']} is given twice")
            seen.add(row["id"])


def objects(
    dataset: Mapping[str, Any],
    categories: Mapping[int, str],
    path: Path,
    faults: dict[int, list[UserError]] | None = None,
) -> dict[int, list[dict[str, Any]]]:
    """Return the ground truth of each image by its id.

    Raises UserError for a row that is no object; with ``faults`` these are put there instead, by
    the id of the image that they are of.
    """
    known = {image["id"] for image in dataset["images"]}
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for number, row in enumerate(dataset["annotations"]):
        where = f"{path}: annotations[{number}]"
        try:
            if row["image_id"] not in known:
                raise UserError(f"{where}: image_id {row['image_id']} is no image's")
            found[row["image_id"]].append(_object(row, categories, where))
        except UserError as error:
            if faults is None:
                raise
            faults.setdefault(row["image_id"], []).append(error)
    return found


def _object(row: Mapping[str, Any], categories: Mapping[int, str], where: str) -> dict[str, Any]:
    if row["category_id"] not in categories:
        raise UserError(f"{where}: category_id {row['category_id']} is no category's")
    box = _box(row["bbox"], where)
    return {
        "category_id": row["category_id"],
        "bbox": box,
        "area": _area(row.get("area", box[2] * box[3]), where),
        "iscrowd": _crowd(row.get("iscrowd", 0), where),
    }


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
