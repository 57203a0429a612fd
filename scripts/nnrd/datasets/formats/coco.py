"""Images with COCO annotations."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.datasets import coco_json
from nnrd.datasets.formats import Format
from nnrd.datasets.images import read_rgb
from nnrd.datasets.index import Index, items_of


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
        dataset = coco_json.read(annotations)
        categories = {row["id"]: row["name"] for row in dataset["categories"]}
        objects = coco_json.objects(dataset, categories, annotations)
        images = sorted(dataset["images"], key=lambda image: image["file_name"])[:limit]
        return Index(items_of(_rows(images, objects, folder, annotations), annotations), categories)


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
