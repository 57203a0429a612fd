"""What stands around a detector of one's own: options of its row, not code."""

from typing import Any, NamedTuple

import cv2
import numpy as np

from nnrd.core.errors import UserError
from nnrd.datasets import images, masks
from nnrd.datasets.index import Item
from nnrd.models.boxes import COCO_IDS, best, clip, detections
from nnrd.models.onnx_detectors.options import filled
from nnrd.models.pipeline import Arrays, Pipeline
from nnrd.models.row import ModelRow

GREY = 114  # fills what a letterboxed image leaves
CHANNELS_FIRST = (2, 0, 1)
HALF = 0.5  # above which a soft mask is of the object, as torchvision's own evaluation has it


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
        self.options: dict[str, Any] = filled(dict(row.options))

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
        """Return the detections of the outputs that the options name, perhaps in a batch of one.

        With masks each has its ``segmentation``, as COCO has it. Values that are not finite, as
        damaged tensors make them, are left out. Raises UserError for other outputs.
        """
        options = self.options
        candidates = _one_output if "output" in options else _three_outputs
        boxes, scores, labels, rows = candidates(outputs, options)
        finite = np.isfinite(scores) & np.isfinite(boxes).all(axis=1) & np.isfinite(labels)
        sure = finite & (scores >= options["threshold"])
        width, height = item.facts["width"], item.facts["height"]
        placed = clip(_in_image(boxes[sure], width, height, options), width, height)
        categories = _categories(labels[sure].astype(np.int64), options["categories"])
        found = (placed, scores[sure], categories)
        places = best(*found, options["threshold"], options["overlap"])
        hits = detections(*found, places)
        if "masks" in options:
            soft = _masks(outputs, width, height, options)
            for hit, row in zip(hits, rows[sure][places], strict=True):
                hit["segmentation"] = _segmentation(soft[row], width, height, options)
        return {"detections": hits}


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


# Boxes (N, 4), scores (N,), labels (N,), and the row of the outputs that each is of, (N,).
Candidates = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _three_outputs(outputs: Arrays, options: dict[str, Any]) -> Candidates:
    """Return what boxes (N, 4), scores and labels say; without labels, scores are (N, C)."""
    given, scores = (_named(outputs, options, part) for part in ("boxes", "scores"))
    if given.size % 4:
        raise UserError(f"options: boxes: {_said(given, options['boxes'])}, not four a box")
    boxes = given.reshape(-1, 4)
    labels = outputs.get(options["labels"])
    if labels is None:
        if len(boxes) and scores.size % len(boxes):
            said = _said(scores, options["scores"])
            raise UserError(f"options: scores: {said}, not as many for each of {len(boxes)} boxes")
        return _by_label(boxes, scores.reshape(len(boxes), -1 if len(boxes) else 1), options)
    if not len(boxes) == scores.size == labels.size:
        raise UserError(f"{len(boxes)} boxes, {scores.size} scores, {labels.size} labels")
    return boxes, scores.ravel(), labels.ravel(), np.arange(len(boxes))


def _one_output(outputs: Arrays, options: dict[str, Any]) -> Candidates:
    """Return what an output (N, 4 + …) or (…, N) says of each of its N candidates."""
    given = _named(outputs, options, "output")
    table = given[0] if given.ndim == 3 and len(given) == 1 else given
    if table.ndim != 2:
        raise UserError(f"options: output: {_said(given, options['output'])}, not 1xAxB")
    table = table.T if options["candidates"] == "last" else table
    boxes, behind = table[:, :4], table[:, 4:]
    if options["values"] == "objectness_scores":
        behind = behind[:, :1] * behind[:, 1:]
    decoded = options["values"] == "score_label"
    if behind.shape[1] < 1 or (decoded and behind.shape[1] != 2):
        said = f"{_said(given, options['output'])}: {table.shape[1]} values a candidate"
        raise UserError(f"options: {said} are not a box and {options['values']}; see candidates")
    if not decoded:
        return _by_label(boxes, behind, options)
    return boxes, behind[:, 0], behind[:, 1], np.arange(len(boxes))


def _by_label(boxes: np.ndarray, scores: np.ndarray, options: dict[str, Any]) -> Candidates:
    """Return a candidate for each of the scores (N, C) that count, of which there are C a box."""
    known = _ids(options["categories"])
    if known is not None and len(boxes) and scores.shape[1] != len(known):
        told = f"{scores.shape[1]} scores a box, the options have {len(known)} categories"
        raise UserError(told + ("; see candidates" if "output" in options else ""))
    rows, labels = np.nonzero(scores >= options["threshold"])
    return boxes[rows], scores[rows, labels], labels, rows


def _masks(outputs: Arrays, width: int, height: int, options: dict[str, Any]) -> np.ndarray:
    """Return soft masks (N, rows, columns) of the input, perhaps in a batch of one or with a 1."""
    _, columns, rows = _fit(width, height, options)
    given = _named(outputs, options, "masks")
    if given.shape[-2:] != (rows, columns):
        said = f"{_said(given, options['masks'])}, not one of {rows}x{columns} a box"
        raise UserError(f"options: masks: {said}, the size of the input")
    found = given.reshape(-1, rows, columns)
    boxes = _named(outputs, options, "boxes").size // 4
    if len(found) != boxes:
        raise UserError(f"options: masks: {len(found)} masks of {boxes} boxes")
    return found


def _segmentation(
    soft: np.ndarray, width: int, height: int, options: dict[str, Any]
) -> dict[str, Any]:
    """Return where a soft mask of the input is above a half, in pixels of the image."""
    fit, _, _ = _fit(width, height, options)
    inside = soft[fit.top : fit.top + fit.height, fit.left : fit.left + fit.width]
    if inside.shape != (height, width):
        inside = cv2.resize(inside, (width, height), interpolation=cv2.INTER_LINEAR)
    return masks.encode(inside > HALF)


def _named(outputs: Arrays, options: dict[str, Any], part: str) -> np.ndarray:
    if options[part] not in outputs:
        known = ", ".join(outputs)
        raise UserError(f"options: {part}: {options[part]!r} is no output; they are {known}")
    return outputs[options[part]].astype(np.float64)


def _said(array: np.ndarray, name: str) -> str:
    return f"{name!r} is {'x'.join(map(str, array.shape)) or 'a scalar'}"


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
    ids = _ids(categories)
    if ids is None:
        return labels
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(ids):
        wrong = labels.max() if labels.min() >= 0 else labels.min()
        raise UserError(f"label {wrong}: the options have {len(ids)} categories, from 0")
    return ids[labels]


def _ids(categories: str | list[int]) -> np.ndarray | None:
    """Return the dataset's category id of each label; None where labels are these ids."""
    if categories == "ids":
        return None
    return np.array(COCO_IDS if categories == "coco80" else categories)
