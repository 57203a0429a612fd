"""What stands around SSD300 with a ResNet-50 backbone: NVIDIA's DeepLearningExamples, in NumPy."""

from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from nnrd.datasets import images
from nnrd.datasets.index import Item
from nnrd.models.boxes import COCO_IDS, select
from nnrd.models.pipeline import Arrays, Pipeline, output
from nnrd.models.torchvision_classifiers.pipeline import DEVIATION, MEAN, normalised

SIZE = 300
# Of each feature map: its side, the pixels of the image a cell, the priors' side in pixels (and
# that of the next map), and the aspect ratios beside 1.
MAP_SIZES, STEPS = (38, 19, 10, 5, 3, 1), (8, 16, 32, 64, 100, 300)
SCALES = (21, 45, 99, 153, 207, 261, 315)
RATIOS = ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,))
CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2
SCORE_THRESHOLD, IOU_THRESHOLD, CANDIDATES, LIMIT = 0.05, 0.5, 200, 200


@cache
def priors() -> np.ndarray:
    """Return the priors, float64 (8732, 4) as centre x, centre y, width, height in 0..1.

    ``dboxes300_coco`` of NVIDIA's SSD, ``DefaultBoxes``: of each map all cells of one shape, then
    those of the next.
    """
    rows: list[tuple[float, float, float, float]] = []
    for layer, cells in enumerate(MAP_SIZES):
        centres = [(i + 0.5) * STEPS[layer] / SIZE for i in range(cells)]
        shapes = _shapes(SCALES[layer] / SIZE, SCALES[layer + 1] / SIZE, RATIOS[layer])
        rows += [(x, y, *shape) for shape in shapes for y in centres for x in centres]
    return np.clip(np.array(rows), 0, 1)


def _shapes(side: float, following: float, ratios: tuple[int, ...]) -> list[tuple[float, float]]:
    shapes = [(side, side), ((side * following) ** 0.5,) * 2]
    for ratio in ratios:
        wide, high = side * ratio**0.5, side / ratio**0.5
        shapes += [(wide, high), (high, wide)]
    return shapes


def decode(codes: np.ndarray) -> np.ndarray:
    """Return boxes (8732, 4) as x, y, width, height in 0..1 from codes (4, 8732).

    ``Encoder.scale_back_batch`` of NVIDIA's SSD.
    """
    # A damaged code must not overflow: no box is e^10 times its prior, or 10^5 of them away.
    codes = np.clip(np.nan_to_num(codes.astype(np.float64).T), -1e6, 1e6)
    centres, sizes = priors()[:, :2], priors()[:, 2:]
    sides = np.exp(np.clip(SIZE_VARIANCE * codes[:, 2:], -10, 10)) * sizes
    middle = CENTRE_VARIANCE * codes[:, :2] * sizes + centres
    return np.concatenate([middle - sides / 2, sides], axis=1)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return the probabilities of labels, along the first dimension; NaN is the least likely."""
    scores = np.nan_to_num(scores.astype(np.float64), nan=-1e4, posinf=1e4, neginf=-1e4)
    powers = np.exp(scores - scores.max(axis=0))
    return powers / powers.sum(axis=0)


class Ssd300Pipeline(Pipeline):
    """An image to detections with COCO's 91 category ids."""

    task = "detection"

    def load(self, item: Item) -> np.ndarray:
        """Return the image, uint8 (height, width, 3)."""
        return images.read_item(item)

    def preprocess(self, loaded: np.ndarray, item: Item) -> Arrays:
        """Return ``input``: float32 (1, 3, 300, 300), RGB, ImageNet's mean and deviation.

        Resized by Pillow, as the published evaluation does it, not by OpenCV: they differ.
        """
        resized = Image.fromarray(loaded).resize((SIZE, SIZE), Image.Resampling.BILINEAR)
        return {"input": normalised(np.asarray(resized), MEAN, DEVIATION)}

    def postprocess(self, outputs: Arrays, item: Item) -> dict[str, Any]:
        """Return the detections from ``output1``, codes (1, 4, 8732), and ``output2``, scores.

        ``output2`` is (1, 81, 8732); label 0 is the background. Boxes are not cut to the image, as
        published. Raises UserError for other shapes.
        """
        count = len(priors())
        codes = output(outputs, "output1", 1, 4, count)[0]
        scores = softmax(output(outputs, "output2", 1, len(COCO_IDS) + 1, count)[0])[1:]
        labels, rows = np.nonzero(scores > SCORE_THRESHOLD)
        boxes = decode(codes)[rows] * ((item.facts["width"], item.facts["height"]) * 2)
        categories = np.array(COCO_IDS)[labels]
        limits = (SCORE_THRESHOLD, IOU_THRESHOLD, LIMIT, CANDIDATES)
        return {"detections": select(boxes, scores[labels, rows], categories, *limits)}
