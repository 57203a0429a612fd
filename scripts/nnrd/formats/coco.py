"""Photos with COCO annotations; the ground truth stays in the annotations."""

from pathlib import Path

from nnrd import datasets


def index(annotations: Path, folder: Path, most: int | None = None) -> list[dict]:
    """Return the photos: ``name``, ``path``, ``image_id``, ``width``, ``height``."""
    return [item._asdict() for item in datasets.index_coco(annotations, folder, most)]
