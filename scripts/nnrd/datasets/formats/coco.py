"""Images with COCO annotations."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.datasets import coco_json
from nnrd.datasets.formats import Format
from nnrd.datasets.images import read_rgb
from nnrd.datasets.index import EVERYTHING, Draw, Index, items_of


class Coco(Format):
    """COCO's JSON: ``images``, ``annotations``, ``categories``.

    An item's facts: ``image_id``, ``width`` and ``height`` in pixels, and ``objects``, its ground
    truth: ``category_id``, ``bbox`` (x, y, width, height in pixels), ``area``, ``iscrowd``.
    """

    def index(self, annotations: Path, folder: Path, draw: Draw = EVERYTHING) -> Index:
        """Return the images ordered by file name, drawn over the category of the largest object.

        Raises UserError: the annotations are not COCO's, an image is missing, is no image or has
        another size than they say, an object of an unknown category or image, or without a box.
        """
        dataset = coco_json.read(annotations)
        categories = {row["id"]: row["name"] for row in dataset["categories"]}
        objects = coco_json.objects(dataset, categories, annotations)
        images = sorted(dataset["images"], key=lambda image: image["file_name"])
        images = draw(images, _stem, lambda image: _largest(objects.get(image["id"], [])))
        return Index(items_of(_rows(images, objects, folder, annotations), annotations), categories)


def _stem(image: Mapping[str, Any]) -> str:
    return Path(image["file_name"]).stem


def _largest(objects: list[dict[str, Any]]) -> int | None:
    """Return the category of the largest object; None where an image has none."""
    return max(objects, key=lambda row: row["area"])["category_id"] if objects else None


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
