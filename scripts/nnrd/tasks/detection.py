"""Object detection: AP against ground truth, damage and agreement against the anchor; in %."""

import math
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from nnrd.datasets.index import Index, Item
from nnrd.metrics import average_precision
from nnrd.metrics.bootstrap import Statistic, ratio
from nnrd.metrics.detection import (
    Damage,
    agreement,
    coco_ap,
    compared,
    damage,
    mean_of_classes,
    tr26847_aps,
    tr26847_map,
)
from nnrd.tasks import Metric, Prediction, Row, Task
from nnrd.tasks.intervals import intervals

SURE = 0.5  # the score from which on a detection counts as one that a user is shown


class Detection(Task):
    """A prediction has ``detections``: rows of ``category_id``, ``bbox``, ``score``.

    Boxes are x, y, width, height in pixels; an image's facts are those of the format ``coco``.
    ``threshold``: the score from which on a detection counts, where one has to be chosen.
    """

    metrics = (
        Metric("AP", "AP against ground truth", "%", higher_is_better=True, interval=True),
        Metric("tr26847_map", "mAP of TR 26.847", "%", higher_is_better=True, interval=True),
        Metric("agreement", "agreement with the anchor", "%", True, True, to_anchor=True),
        Metric("F1", "F1 against the anchor", "%", True, True, to_anchor=True),
    )
    others = (
        Metric("AP50", "AP at an IoU of 0.5", "%", higher_is_better=True, interval=True),
        Metric("precision", "detections that the anchor has too", "%", True, True, to_anchor=True),
        Metric("recall", "the anchor's detections that are left", "%", True, True, to_anchor=True),
        Metric("right", "detections that the anchor has too", "count", True, to_anchor=True),
        Metric("invented", "detections that it has not", "count", False, to_anchor=True),
        Metric("lost", "its detections that are gone", "count", False, to_anchor=True),
    )
    count_columns = ("detections", "right", "invented", "lost", "crowds")
    threshold: float = SURE

    def score(
        self, index: Index, anchor: Sequence[Prediction], predictions: Sequence[Prediction]
    ) -> tuple[dict[str, Any], list[Row]]:
        """Return the metrics in percent, and rows; nan where there is nothing to score.

        Metrics: ``AP``, ``AP50``, ``agreement``, ``tr26847_map``; the damage ``precision``,
        ``recall``, ``F1``; the 95 % bootstrap intervals of all of these over the images; the
        counts ``right``, ``invented``, ``lost``; ``crowds``, how many of the objects are regions of
        many, in which detections are neither right nor wrong. A row has ``AP``, ``agreement``, the
        counts, and ``detections``, those with a score of the threshold or more.
        """
        items = {item.name: item for item in index.items}
        held = {prediction["item"]: prediction for prediction in anchor}
        anchor = [held[found["item"]] for found in predictions]
        damages = [
            damage(theirs["detections"], ours["detections"], self.threshold)
            for theirs, ours in zip(anchor, predictions, strict=True)
        ]
        rows = [
            _row(items, theirs, ours, self.threshold) | counts._asdict()
            for theirs, ours, counts in zip(anchor, predictions, damages, strict=True)
        ]
        metrics = _metrics(index, items, anchor, predictions, self.threshold) | _damage(damages)
        ours = _against_truth(index, items, predictions, self.threshold)
        theirs = _against_truth(index, items, anchor, self.threshold)
        ours |= _against_anchor(items, anchor, predictions, damages, self.threshold)
        return metrics | intervals(index, predictions, ours, theirs), rows

    def by_class(self, index: Index, predictions: Sequence[Prediction]) -> list[Row]:
        """Return a row a class that the images hold, in the order of their category ids.

        ``label``; ``objects``, how many there are, crowds not counted; ``tr26847_map``, ``AP``
        and ``AP50`` in percent, of the one class.
        """
        items = {item.name: item for item in index.items}
        images, boxes = _truth([items[found["item"]].facts for found in predictions])
        classes = average_precision.matched(images, boxes, _results(items, predictions))
        numbers = sorted({row["category_id"] for row in boxes})
        rows = [tr26847_image(items, found, index.categories) for found in predictions]
        means, once = tr26847_map(rows, self.threshold)[1], np.ones((1, len(images)))
        return [
            {
                "label": index.categories[number],
                "objects": int(found.objects.sum()),
                "tr26847_map": 100 * means.get(index.categories[number], math.nan),
                "AP": 100 * float(average_precision.drawn([found], once)[0]),
                "AP50": 100 * float(average_precision.drawn([found], once, 1)[0]),
            }
            for number, found in zip(numbers, classes, strict=True)
        ]


def _metrics(
    index: Index,
    items: dict[str, Item],
    anchor: Sequence[Prediction],
    predictions: Sequence[Prediction],
    threshold: float,
) -> dict[str, float]:
    coco = _coco(items, predictions)
    images = [tr26847_image(items, found, index.categories) for found in predictions]
    objects = [row for found in predictions for row in items[found["item"]].facts["objects"]]
    theirs, ours = _results(items, anchor), _results(items, predictions)
    return {
        "AP": 100 * coco["AP"],
        "AP50": 100 * coco["AP50"],
        "agreement": 100 * agreement(theirs, ours, threshold),
        "tr26847_map": 100 * tr26847_map(images, threshold)[0],
        "crowds": sum(row["iscrowd"] for row in objects),
    }


def _truth(facts: Sequence[Mapping[str, Any]]) -> tuple[list[int], list[dict[str, Any]]]:
    """Return the ids of images and their objects, as COCO has them."""
    boxes = [{"image_id": fact["image_id"], **row} for fact in facts for row in fact["objects"]]
    return [fact["image_id"] for fact in facts], boxes


def _damage(damages: Sequence[Damage]) -> dict[str, float]:
    total = reduce(add, damages)
    shares = {"precision": total.precision, "recall": total.recall, "F1": total.f1}
    return {name: 100 * share for name, share in shares.items()} | total._asdict()


def _against_truth(
    index: Index, items: dict[str, Item], predictions: Sequence[Prediction], threshold: float
) -> dict[str, Statistic]:
    """Return the numbers that hold predictions against the ground truth, of any draw of images."""
    images, boxes = _truth([items[found["item"]].facts for found in predictions])
    categories = average_precision.matched(images, boxes, _results(items, predictions))
    scores = [
        tr26847_aps(tr26847_image(items, found, index.categories), threshold)
        for found in predictions
    ]
    return {
        "AP": lambda weights: 100 * average_precision.drawn(categories, weights),
        "AP50": lambda weights: 100 * average_precision.drawn(categories, weights, 1),
        "tr26847_map": lambda weights: 100 * mean_of_classes(scores, weights),
    }


def _against_anchor(
    items: dict[str, Item],
    anchor: Sequence[Prediction],
    predictions: Sequence[Prediction],
    damages: Sequence[Damage],
    threshold: float,
) -> dict[str, Statistic]:
    """Return the numbers that hold predictions against the anchor's, of any draw of images."""
    images = [items[found["item"]].facts["image_id"] for found in predictions]
    sure = compared(_results(items, anchor), _results(items, predictions), threshold)
    categories = average_precision.matched(images, *sure)
    right = [counts.right for counts in damages]
    found = [counts.right + counts.invented for counts in damages]
    there = [counts.right + counts.lost for counts in damages]
    halves = [(ours + theirs) / 2 for ours, theirs in zip(found, there, strict=True)]
    return {
        "agreement": lambda weights: 100 * average_precision.drawn(categories, weights),
        "precision": ratio(right, found),
        "recall": ratio(right, there),
        "F1": ratio(right, halves),
    }


def _row(
    items: dict[str, Item], anchor: Prediction, prediction: Prediction, threshold: float
) -> Row:
    theirs, ours = _results(items, [anchor]), _results(items, [prediction])
    return {
        "item": prediction["item"],
        "AP": 100 * _coco(items, [prediction])["AP"],
        "agreement": 100 * agreement(theirs, ours, threshold),
        "detections": sum(found["score"] >= threshold for found in prediction["detections"]),
    }


def _coco(items: dict[str, Item], predictions: Sequence[Prediction]) -> dict[str, float]:
    """Return COCO's numbers of the predictions' images.

    Categories without ground truth do not count there; leaving them out saves their time.
    """
    facts = [items[prediction["item"]].facts for prediction in predictions]
    boxes = [{"image_id": f["image_id"], **row} for f in facts for row in f["objects"]]
    present = {row["category_id"] for row in boxes}
    truth = {
        "images": [
            {"id": f["image_id"], "width": f["width"], "height": f["height"]} for f in facts
        ],
        "annotations": boxes,
        "categories": [{"id": number} for number in sorted(present)],
    }
    results = _results(items, predictions)
    return coco_ap(truth, [row for row in results if row["category_id"] in present])


def _results(items: dict[str, Item], predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
    """Return predictions as COCO results."""
    return [
        {"image_id": items[prediction["item"]].facts["image_id"], **found}
        for prediction in predictions
        for found in prediction["detections"]
    ]


def tr26847_image(
    items: dict[str, Item], prediction: Prediction, labels: dict[int, str]
) -> dict[str, list]:
    """Return an image as `tr26847_map` takes it; crowd regions are no boxes of the TR's."""
    return {
        "ground_truth": [
            [labels[row["category_id"]], *_corners(row["bbox"])]
            for row in items[prediction["item"]].facts["objects"]
            if not row["iscrowd"]
        ],
        "predictions": [
            [labels.get(found["category_id"]), *_corners(found["bbox"]), found["score"]]
            for found in prediction["detections"]
        ],
    }


def _corners(bbox: Sequence[float]) -> tuple[float, float, float, float]:
    x, y, width, height = bbox
    return x, y, x + width, y + height
