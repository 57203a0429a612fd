"""Boxes of detectors: the selection of what overlaps least, by the runtime's numpy and OpenCV."""

from typing import Any

import cv2
import numpy as np

# COCO's category ids of its 80 classes, in their order: ids 12, 26, 29, … of its 91 are not used.
UNUSED = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
COCO_IDS = tuple(number for number in range(1, 91) if number not in UNUSED)


def clip(boxes: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return boxes (K, 4) as x, y, width, height in pixels, cut to the image."""
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    low, high = (np.clip(corner, 0, (width, height)) for corner in (low, high))
    return np.concatenate([low, high - low], axis=1)


def select(
    boxes: np.ndarray,
    scores: np.ndarray,
    categories: np.ndarray,
    score_threshold: float,
    iou_threshold: float,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Suppress the overlapping boxes of each class and return the best, highest score first.

    ``boxes``: float (K, 4) as x, y, width, height in pixels; ``scores``: float (K,);
    ``categories``: int (K,), COCO ids; ``limit``: COCO's on detections an image. A detection has
    ``category_id``, ``bbox`` and ``score``.
    """
    # OpenCV's stubs ask for lists; it takes arrays.
    suppress: Any = cv2.dnn.NMSBoxesBatched
    found = suppress(boxes.astype(np.float64), scores, categories, score_threshold, iou_threshold)
    keep = np.asarray(found, dtype=int).reshape(-1)
    order = keep[np.argsort(-scores[keep], kind="stable")][:limit]
    return [
        {
            "category_id": int(categories[i]),
            "bbox": [float(v) for v in boxes[i]],
            "score": float(scores[i]),
        }
        for i in order
    ]
