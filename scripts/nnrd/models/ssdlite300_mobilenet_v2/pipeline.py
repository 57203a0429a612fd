"""Pre- and post-processing of SSDLite300-MobileNetV2 as trained with TensorFlow."""

from functools import cache
from typing import Any

import cv2
import numpy as np

from nnrd.datasets import images
from nnrd.datasets.index import Item
from nnrd.models import made
from nnrd.models.boxes import select
from nnrd.models.pipeline import Arrays, Pipeline, output

SIZE, LABELS = 300, 91
MAP_SIZES = (19, 10, 5, 3, 2, 1)
SMALLEST_SCALE, LARGEST_SCALE = 0.2, 0.95
CENTRE_VARIANCE, SIZE_VARIANCE = 10.0, 5.0  # the box coder's scale factors
SCORE_THRESHOLD, IOU_THRESHOLD = 0.01, 0.6


@cache
def priors() -> np.ndarray:
    """Return the priors, float64 (1917, 4) as centre y, centre x, height, width in 0..1.

    TensorFlow Object Detection API, ``ssd_anchor_generator`` with six layers and
    ``reduce_boxes_in_lowest_layer``.
    """
    step = (LARGEST_SCALE - SMALLEST_SCALE) / (len(MAP_SIZES) - 1)
    scales = [SMALLEST_SCALE + step * i for i in range(len(MAP_SIZES))] + [1.0]
    rows = []
    for layer, size in enumerate(MAP_SIZES):
        scale = scales[layer]
        shapes = [(scale, ratio) for ratio in (1.0, 2.0, 0.5, 3.0, 1 / 3)]
        shapes.append(((scale * scales[layer + 1]) ** 0.5, 1.0))
        if layer == 0:
            shapes = [(0.1, 1.0), (scale, 2.0), (scale, 0.5)]
        rows += [
            ((y + 0.5) / size, (x + 0.5) / size, s / ratio**0.5, s * ratio**0.5)
            for y in range(size)
            for x in range(size)
            for s, ratio in shapes
        ]
    return np.array(rows)


def decode(codes: np.ndarray) -> np.ndarray:
    """Return boxes (K, 4) as x, y, width, height in 0..1 from codes (K, 4) as ty, tx, th, tw."""
    centre_y, centre_x, height, width = priors().T
    ty, tx, th, tw = codes.astype(np.float64).T
    # A damaged code must not overflow: no box is e^10 times its prior.
    heights = np.exp(np.clip(th / SIZE_VARIANCE, -10, 10)) * height
    widths = np.exp(np.clip(tw / SIZE_VARIANCE, -10, 10)) * width
    y = ty / CENTRE_VARIANCE * height + centre_y - heights / 2
    x = tx / CENTRE_VARIANCE * width + centre_x - widths / 2
    return np.stack([x, y, widths, heights], axis=1)


def clip(boxes: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return boxes of 0..1 in pixels, cut to the image."""
    x0, y0 = boxes[:, 0], boxes[:, 1]
    x1, y1 = x0 + boxes[:, 2], y0 + boxes[:, 3]
    x0, x1 = (np.clip(x, 0, 1) * width for x in (x0, x1))
    y0, y1 = (np.clip(y, 0, 1) * height for y in (y0, y1))
    return np.stack([x0, y0, x1 - x0, y1 - y0], axis=1)


class SsdLite300Pipeline(Pipeline):
    """An image to detections with COCO's 91 category ids."""

    task = "detection"

    def load(self, item: Item) -> np.ndarray:
        """Return the image, uint8 (height, width, 3)."""
        return images.read_item(item)

    def preprocess(self, loaded: np.ndarray, item: Item) -> Arrays:
        """Return ``image``: float32 (1, 3, 300, 300), RGB scaled to [-1, 1]."""
        resized = cv2.resize(loaded, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
        scaled = resized.astype(np.float32) / np.float32(127.5) - np.float32(1)
        return {"image": np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])}

    def made(self, size: int | None, seed: int) -> np.ndarray:
        """Return a photo of noise."""
        return made.photo(seed)

    def postprocess(self, outputs: Arrays, item: Item) -> dict[str, Any]:
        """Return the detections from ``boxes`` (1, 1917, 4) and ``logits`` (1, 1917, 91).

        Raises UserError for other shapes.
        """
        codes = output(outputs, "boxes", 1, len(priors()), 4)[0]
        found = output(outputs, "logits", 1, len(priors()), LABELS)[0]
        logits = found[:, 1:].astype(np.float64)  # label 0 is the background
        scores = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
        rows, labels = np.nonzero(scores > SCORE_THRESHOLD)
        boxes = clip(decode(codes), item.facts["width"], item.facts["height"])[rows]
        limits = (SCORE_THRESHOLD, IOU_THRESHOLD)
        return {"detections": select(boxes, scores[rows, labels], labels + 1, *limits)}
