"""Images with COCO annotations."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.datasets import coco_json
from nnrd.datasets.formats import Format
from nnrd.datasets.images import read_rgb
from nnrd.datasets.index import EVERYTHING, Draw, Index, Looked, items_of


class Coco(Format):
    """COCO's JSON: ``images``, ``annotations``, ``categories``.

    An item's facts: ``image_id``, ``width`` and ``height`` in pixels, and ``objects``, its ground
    truth: ``category_id``, ``bbox`` (x, y, width, height in pixels), ``area``, ``iscrowd``.
    """

    def index(self, annotations: Path, folder: Path, draw: Draw = EVERYTHING) -> Index:
        """Return the images ordered by file name, drawn over the category of the largest object.

        An image cannot be used that is missing, is no image or has another size than the
        annotations say, or of which an object has an unknown category or a box without an area:
        with one object less it would be scored against something else. Raises UserError: the
        annotations are not COCO's, an object of an unknown image, unless bad items are skipped.
        """
        dataset = coco_json.read(annotations)
        categories = {row["id"]: row["name"] for row in dataset["categories"]}
        faults: dict[int, list[UserError]] = {}
        given = (dataset, categories, annotations)
        objects = coco_json.objects(*given, faults if draw.bad.skip else None)
        look = _Look(objects, faults, folder, annotations)
        images = sorted(dataset["images"], key=lambda image: image["file_name"])
        rows: list[Looked] = draw.looked_at(images, _stem, look, look.largest)
        known = {image["id"] for image in images}
        strange = sum(len(found) for number, found in faults.items() if number not in known)
        counts = {"annotations are of no image": strange} if strange else {}
        return Index(items_of(rows, annotations), categories, counts=counts)


def _stem(image: Mapping[str, Any]) -> str:
    return Path(image["file_name"]).stem


@dataclass(frozen=True)
class _Look:
    """Looks at an image and at its ground truth, ``objects`` or ``faults`` by the image's id."""

    objects: Mapping[int, list[dict[str, Any]]]
    faults: Mapping[int, list[UserError]]
    folder: Path
    source: Path

    def __call__(self, image: Mapping[str, Any]) -> Looked:
        """Return name, file and facts; UserError where it cannot be used."""
        path, objects = self.folder / image["file_name"], self.objects.get(image["id"], [])
        if image["id"] in self.faults:
            raise self.faults[image["id"]][0]
        if any(min(row["bbox"][2:]) == 0 for row in objects):
            raise UserError(f"{self.source}: {path.stem}: has an object whose box has no area")
        height, width = read_rgb(path).shape[:2]
        if (width, height) != (image["width"], image["height"]):
            expected = f"{image['width']}x{image['height']}"
            raise UserError(f"{path}: {width}x{height} pixels, {self.source} says {expected}")
        facts = {"image_id": image["id"], "width": width, "height": height}
        return path.stem, path, facts | {"objects": objects}

    def largest(self, image: Mapping[str, Any]) -> int | None:
        """Return the category of the largest object; None where an image has none."""
        objects = self.objects.get(image["id"], [])
        return max(objects, key=lambda row: row["area"])["category_id"] if objects else None
