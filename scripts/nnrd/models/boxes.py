"""Boxes of detectors: the selection of what overlaps least, by the runtime's numpy and OpenCV."""

from typing import Any

import cv2
import numpy as np

from nnrd.datasets.coco_names import NAMES

# COCO's category ids of its 80 classes, in their order: ids 12, 26, 29, … of its 91 are not used.
COCO_IDS = tuple(NAMES)


def clip(boxes: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return boxes (K, 4) as x, y, width, height in pixels, cut to the image."""
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    low, high = (np.clip(corner, 0, (width, height)) for corner in (low, high))
    return np.concatenate([low, high - low], axis=1)


def select(
    boxes: np.ndarray, scores: np.ndarray, categories: np.ndarray, *limits: Any
) -> list[dict[str, Any]]:
    """Return the detections that `best` keeps within its limits, as `detections` has them."""
    return detections(boxes, scores, categories, best(boxes, scores, categories, *limits))


def detections(
    boxes: np.ndarray, scores: np.ndarray, categories: np.ndarray, places: np.ndarray
) -> list[dict[str, Any]]:
    """Return the boxes at some places as detections: ``category_id``, ``bbox`` and ``score``."""
    return [
        {
            "category_id": int(categories[i]),
            "bbox": [float(v) for v in boxes[i]],
            "score": float(scores[i]),
        }
        for i in places
    ]


def best(
    boxes: np.ndarray,
    scores: np.ndarray,
    categories: np.ndarray,
    score_threshold: float,
    iou_threshold: float,
    limit: int = 100,
    candidates: int = 0,
) -> np.ndarray:
    """Suppress the overlapping boxes of each class; return the places of the best, int (N,).

    The highest score stands first. ``boxes``: float (K, 4) as x, y, width, height in pixels;
    ``scores``: float (K,); ``categories``: int (K,), COCO ids; ``limit``: COCO's on detections an
    image; ``candidates``: how many of a class, the best, are looked at; 0: all.
    """
    limits = (score_threshold, iou_threshold, 1.0, candidates)
    boxes = boxes.astype(np.float64)
    kept = [np.zeros(0, dtype=int)]
    for category in np.unique(categories):
        of = np.flatnonzero(categories == category)
        # By class, for NMSBoxesBatched lets boxes of negative coordinates meet another class's.
        # OpenCV's stubs ask for lists; it takes arrays.
        suppress: Any = cv2.dnn.NMSBoxes
        kept.append(of[np.asarray(suppress(boxes[of], scores[of], *limits), dtype=int).ravel()])
    keep = np.concatenate(kept)
    return keep[np.lexsort((keep, -scores[keep]))][:limit]
