"""Datasets: the list of items that a study goes through."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from nnrd.errors import UserError
from nnrd.images import read_rgb
from nnrd.program import read_json


class Item(NamedTuple):
    """One item: its name, the photo's path, its COCO image id and its size in pixels."""

    name: str
    path: str
    image_id: int
    width: int
    height: int


def index_coco(annotations: str | Path, folder: str | Path, most: int | None = None) -> list[Item]:
    """Return the photos of a COCO dataset in ``folder``, ordered by name, each looked at.

    Raises UserError: the annotations are not COCO's, there is no photo, a photo is missing, is
    no image or has another size than the annotations say, two photos have the same stem.
    """
    images = coco(annotations)["images"]
    if not images:
        raise UserError(f"{annotations}: the dataset has no items")
    items: dict[str, Item] = {}
    for image in sorted(images, key=lambda image: image["file_name"])[:most]:
        item = _item(image, Path(folder))
        if item.name in items:
            raise UserError(f"{annotations}: two photos are called {item.name}")
        items[item.name] = item
    return list(items.values())


def _item(image: Mapping, folder: Path) -> Item:
    path = folder / image["file_name"]
    height, width = read_rgb(path).shape[:2]
    if (width, height) != (image["width"], image["height"]):
        expected = f"{image['width']}x{image['height']}"
        raise UserError(f"{path}: {width}x{height} pixels, the annotations say {expected}")
    return Item(path.stem, str(path), image["id"], width, height)


def coco(path: str | Path) -> dict:
    """Return a COCO dataset; UserError where the file is not one."""
    dataset = read_json(path)
    for key in ("images", "annotations", "categories"):
        if not isinstance(dataset, dict) or not isinstance(dataset.get(key), list):
            raise UserError(f"{path}: not a COCO dataset: no list {key!r}")
    return dataset


def read_index(path: str | Path, shard: str | None = None) -> list[Item]:
    """Return the photos of an index, or those of one shard."""
    return [Item(**row) for row in read_rows(path, shard)]


def read_rows(path: str | Path, shard: str | None = None) -> list[dict]:
    """Return the rows of any index, or those of one shard, ``0-of-2``: every second one."""
    rows = read_json(path)
    if shard is None:
        return rows
    number, count = map(int, shard.split("-of-"))
    return rows[number::count]
