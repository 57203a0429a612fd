"""What stands before and behind a detector's graph, one module each.

A module has ``preprocess(image) -> {input: float32 array}`` for a uint8 RGB photo (height,
width, 3), and ``postprocess(outputs, width, height) -> [Detection]`` for the graph's outputs by
name and the photo's size in pixels. They need numpy and OpenCV only, so that inference jobs
start fast.
"""

import sys
from types import ModuleType
from typing import NamedTuple

import cv2
import numpy as np

from nnrd import plugins


class Detection(NamedTuple):
    """A detected object: COCO category id, box (x, y, width, height) in pixels, score in 0..1."""

    category_id: int
    bbox: tuple[float, float, float, float]
    score: float


def find(name: str) -> ModuleType:
    """Return the module of detector ``name``; UserError where there is none."""
    return plugins.find(sys.modules[__name__], "detector", name)


def select(
    boxes: np.ndarray,
    scores: np.ndarray,
    categories: np.ndarray,
    score_threshold: float,
    iou_threshold: float,
    most: int = 100,
) -> list[Detection]:
    """Suppress the overlapping boxes of each class and return the best, highest score first.

    ``boxes``: float (K, 4) as x, y, width, height in pixels; ``scores``: float (K,);
    ``categories``: int (K,), COCO ids. ``most``: COCO's limit on detections per photo.
    """
    keep = cv2.dnn.NMSBoxesBatched(
        boxes.astype(np.float64), scores, categories, score_threshold, iou_threshold
    )
    keep = np.asarray(keep, dtype=int).reshape(-1)
    order = keep[np.argsort(-scores[keep], kind="stable")][:most]
    return [
        Detection(int(categories[i]), tuple(float(v) for v in boxes[i]), float(scores[i]))
        for i in order
    ]
