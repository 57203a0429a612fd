"""Images with the anchor's detections and a point's, side by side."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nnrd.datasets import images
from nnrd.datasets.index import Item
from nnrd.metrics.detection import agreement
from nnrd.report import drawing
from nnrd.report.plots import style
from nnrd.tasks.detection import SURE

WIDTH = 480  # pixels of a image in the picture


def choose(
    items: Sequence[Item], anchor: Mapping[str, dict], point: Mapping[str, dict], limit: int
) -> list[Item]:
    """Return the items on which the point agrees least with the anchor, the worst first."""
    shown = [item for item in items if sure(anchor[item.name])]
    return sorted(shown, key=lambda item: _agreement(anchor[item.name], point[item.name]))[:limit]


def _agreement(*predictions: Mapping) -> float:
    anchor, point = (
        [{"image_id": 0, **found} for found in prediction["detections"]]
        for prediction in predictions
    )
    return agreement(anchor, point, SURE)


def sure(prediction: Mapping) -> list[dict]:
    """Return the detections that a user is shown: score of 0.5 or more."""
    return [found for found in prediction["detections"] if found["score"] >= SURE]


def draw(
    items: Sequence[Item], anchor: Mapping[str, dict], point: Mapping[str, dict],
    labels: Mapping[int, str], title: str,
) -> Figure:  # fmt: skip
    """Draw a row an item: the anchor's boxes on the left, the point's on the right."""
    style.apply()
    figure, axes = pyplot.subplots(
        len(items), 2, figsize=(8, 3.1 * len(items)), squeeze=False, layout="constrained"
    )
    for row, item in zip(axes, items, strict=True):
        image = images.read_item(item)
        for axis, prediction in zip(row, (anchor[item.name], point[item.name]), strict=True):
            _draw(axis, image, sure(prediction), labels)
    axes[0][0].set_title("anchor")
    axes[0][1].set_title(title)
    return figure


def _draw(axis: Axes, image: np.ndarray, found: Sequence[dict], labels: Mapping) -> None:
    scale = WIDTH / image.shape[1]
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    axis.imshow(drawing.boxes(small, found, lambda number: labels.get(number, str(number)), scale))
    axis.axis("off")
