"""What stands around NanoDet-g: letterboxed images, and boxes from distributions of distances."""

from functools import cache
from typing import Any

import cv2
import numpy as np

from nnrd.datasets import images
from nnrd.datasets.index import Item
from nnrd.models.boxes import COCO_IDS, clip, select
from nnrd.models.pipeline import Arrays, Pipeline, output

SIZE, STRIDES = 416, (8, 16, 32)
DISTANCES = np.arange(11)  # of a cell's centre from a side of the box, in strides
# Of the channels blue, green and red, in 0..255.
MEAN = np.array([103.53, 116.28, 123.675], np.float32)
DEVIATION = np.array([57.375, 57.12, 58.395], np.float32)
SCORE_THRESHOLD, IOU_THRESHOLD = 0.05, 0.6


@cache
def cells() -> np.ndarray:
    """Return the cells' centres and strides, float64 (3549, 3) as x, y, stride in pixels."""
    rows = []
    for stride in STRIDES:
        centres = (np.arange(SIZE // stride) + 0.5) * stride
        x, y = np.meshgrid(centres, centres)
        rows.append(np.stack([x.ravel(), y.ravel(), np.full(x.size, stride)], axis=1))
    return np.concatenate(rows)


def decode(logits: np.ndarray) -> np.ndarray:
    """Return boxes (3549, 4) as x, y, width, height in the input from logits (3549, 44).

    The mean of each distribution is the distance of a side: Li et al., "Generalized Focal Loss",
    2020, equation 5.
    """
    # Damaged tensors give what is no number; a softmax of equals is as good as any there.
    given = np.nan_to_num(logits.astype(np.float64), nan=0, posinf=1e4, neginf=-1e4)
    given = given.reshape(len(logits), 4, len(DISTANCES))
    powers = np.exp(given - given.max(axis=2, keepdims=True))
    x, y, stride = cells().T
    means = powers @ DISTANCES / powers.sum(axis=2) * stride[:, None]
    left, top, right, bottom = means.T
    return np.stack([x - left, y - top, left + right, top + bottom], axis=1)


def placement(width: int, height: int) -> np.ndarray:
    """Return the matrix (2, 3) that puts an image into the middle of the input, scaled to fit."""
    scale = min(SIZE / width, SIZE / height)
    shift = SIZE / 2 - scale * np.array([width, height]) / 2
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])


class NanoDetPipeline(Pipeline):
    """An image to detections with COCO's 91 category ids."""

    task = "detection"

    def load(self, item: Item) -> np.ndarray:
        """Return the image, uint8 (height, width, 3)."""
        return images.read_item(item)

    def preprocess(self, loaded: np.ndarray, item: Item) -> Arrays:
        """Return ``image``: float32 (1, 3, 416, 416), BGR, black around the image, normalised."""
        height, width = loaded.shape[:2]
        placed = cv2.warpAffine(loaded[:, :, ::-1], placement(width, height), (SIZE, SIZE))
        scaled = (placed.astype(np.float32) - MEAN) / DEVIATION
        return {"image": np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])}

    def postprocess(self, outputs: Arrays, item: Item) -> dict[str, Any]:
        """Return the detections from ``scores`` (1, 3549, 80) and ``distances`` (1, 3549, 44).

        Raises UserError for other shapes.
        """
        count, width, height = len(cells()), item.facts["width"], item.facts["height"]
        scores = output(outputs, "scores", 1, count, len(COCO_IDS))[0]
        logits = output(outputs, "distances", 1, count, 4 * len(DISTANCES))[0]
        rows, labels = np.nonzero(scores > SCORE_THRESHOLD)
        (scale, _, left), (_, _, top) = placement(width, height)
        boxes = (decode(logits)[rows] - (left, top, 0, 0)) / scale
        categories = np.array(COCO_IDS)[labels]
        limits = (SCORE_THRESHOLD, IOU_THRESHOLD)
        found = select(clip(boxes, width, height), scores[rows, labels], categories, *limits)
        return {"detections": found}
