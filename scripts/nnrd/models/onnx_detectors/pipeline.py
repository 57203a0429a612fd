"""What stands around a detector of one's own: options of its row, not code."""

from typing import Any, NamedTuple

import cv2
import numpy as np

from nnrd.core.errors import UserError
from nnrd.core.schema import with_defaults
from nnrd.datasets import images
from nnrd.datasets.index import Item
from nnrd.models.boxes import COCO_IDS, clip, select
from nnrd.models.family import ModelRow
from nnrd.models.onnx_detectors.options import OPTIONS
from nnrd.models.pipeline import Arrays, Pipeline

GREY = 114  # fills what a letterboxed image leaves
CHANNELS_FIRST = (2, 0, 1)


class Fit(NamedTuple):
    """How an image lies in the input: its size in it, and the free pixels on the left and above."""

    width: int
    height: int
    left: int
    top: int


class OnnxDetectorPipeline(Pipeline):
    """An image to the boxes, scores and labels that the graph gives."""

    task = "detection"

    def __init__(self, row: ModelRow) -> None:
        super().__init__(row)
        self.options: dict[str, Any] = with_defaults(OPTIONS, dict(row.options))

    def load(self, item: Item) -> np.ndarray:
        """Return the image, uint8 (height, width, 3), RGB."""
        return images.read_item(item)

    def preprocess(self, loaded: np.ndarray, item: Item) -> Arrays:
        """Return the one input, as the options say."""
        pixels = _resized(loaded, self.options)
        if self.options["colours"] == "bgr":
            pixels = pixels[:, :, ::-1]
        if self.options["dtype"] == "float32":
            scaled = pixels.astype(np.float32) / np.float32(self.options["divide"])
            mean, deviation = (np.float32(self.options[name]) for name in ("mean", "deviation"))
            pixels = (scaled - mean) / deviation
        layout = self.options["layout"]
        pixels = pixels.transpose(CHANNELS_FIRST) if "chw" in layout else pixels
        pixels = pixels[None] if "n" in layout else pixels
        return {self.options["input"]: np.ascontiguousarray(pixels)}

    def postprocess(self, outputs: Arrays, item: Item) -> dict[str, Any]:
        """Return the detections: boxes (N, 4), scores and labels (N,), perhaps in a batch of one.

        Without labels, scores are (N, C), one a label. Boxes and scores that are not finite, as
        damaged tensors make them, are left out. Raises UserError for other outputs.
        """
        options = self.options
        boxes, scores, labels = _found(outputs, options)
        finite = np.isfinite(scores) & np.isfinite(boxes).all(axis=1)
        sure = finite & (scores >= options["threshold"])
        width, height = item.facts["width"], item.facts["height"]
        placed = clip(_in_image(boxes[sure], width, height, options), width, height)
        categories = _categories(labels[sure], options["categories"])
        limits = (options["threshold"], options["overlap"])
        return {"detections": select(placed, scores[sure], categories, *limits)}


def _fit(width: int, height: int, options: dict[str, Any]) -> tuple[Fit, int, int]:
    """Return how an image lies in the input, and the input's width and height."""
    if "size" not in options:
        return Fit(width, height, 0, 0), width, height
    rows, columns = options["size"]
    if options["resize"] == "stretch":
        return Fit(columns, rows, 0, 0), columns, rows
    ratio = min(columns / width, rows / height)
    inside = max(1, round(width * ratio)), max(1, round(height * ratio))
    left, top = (columns - inside[0]) // 2, (rows - inside[1]) // 2
    return Fit(*inside, left, top), columns, rows


def _resized(image: np.ndarray, options: dict[str, Any]) -> np.ndarray:
    height, width = image.shape[:2]
    fit, columns, rows = _fit(width, height, options)
    if (fit.width, fit.height) != (width, height):
        image = cv2.resize(image, (fit.width, fit.height), interpolation=cv2.INTER_LINEAR)
    if (fit.width, fit.height) == (columns, rows):
        return image
    found = np.full((rows, columns, 3), GREY, np.uint8)
    found[fit.top : fit.top + fit.height, fit.left : fit.left + fit.width] = image
    return found


def _found(outputs: Arrays, options: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return boxes (N, 4), scores (N,) and labels (N,) of the graph's outputs."""
    for part in ("boxes", "scores"):
        if options[part] not in outputs:
            known = ", ".join(outputs)
            raise UserError(f"options: {part}: {options[part]!r} is no output; they are {known}")
    boxes = outputs[options["boxes"]].astype(np.float64).reshape(-1, 4)
    scores = outputs[options["scores"]].astype(np.float64)
    labels = outputs.get(options["labels"])
    if labels is None:
        table = scores.reshape(len(boxes), -1)
        rows = np.repeat(np.arange(len(boxes)), table.shape[1])
        return boxes[rows], table.ravel(), np.tile(np.arange(table.shape[1]), len(boxes))
    if not len(boxes) == scores.size == labels.size:
        raise UserError(f"{len(boxes)} boxes, {scores.size} scores, {labels.size} labels")
    return boxes, scores.ravel(), labels.ravel().astype(np.int64)


def _in_image(boxes: np.ndarray, width: int, height: int, options: dict[str, Any]) -> np.ndarray:
    """Return boxes of the input as x, y, width, height in pixels of the image."""
    fit, columns, rows = _fit(width, height, options)
    if options["form"] == "yxyx":
        boxes = boxes[:, [1, 0, 3, 2]]
    first, second = boxes[:, :2], boxes[:, 2:]
    if options["form"] == "cxcywh":
        first = first - second / 2
    sizes = second - first if options["form"] in ("xyxy", "yxyx") else second
    if options["unit"] == "share":
        first, sizes = first * (columns, rows), sizes * (columns, rows)
    scale = width / fit.width, height / fit.height
    return np.concatenate([(first - (fit.left, fit.top)) * scale, sizes * scale], axis=1)


def _categories(labels: np.ndarray, categories: str | list[int]) -> np.ndarray:
    """Return the dataset's category ids of labels; UserError for a label that has none."""
    if categories == "ids":
        return labels
    ids = np.array(COCO_IDS if categories == "coco80" else categories)
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(ids):
        raise UserError(f"label {labels.max()}: the options have {len(ids)} categories, from 0")
    return ids[labels]
