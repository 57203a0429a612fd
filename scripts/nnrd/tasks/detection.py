"""Object detection: COCO's AP, agreement with the anchor, TR 26.847's mAP; all in percent."""

from collections.abc import Sequence
from pathlib import Path

from nnrd.datasets import coco
from nnrd.detection import agreement, coco_ap, tr26847_map

METRIC = "AP"
HIGHER_IS_BETTER = True
SURE = 0.5  # the score from which on a detection counts as one that a user is shown


def truth(index: Path, annotations: Path) -> dict:
    """Return the ground truth: the annotations, a COCO dataset."""
    return coco(annotations)


def score(
    truth: dict, anchor: Sequence[dict], predictions: Sequence[dict]
) -> tuple[dict[str, float], list[dict]]:
    """Score predictions against ground truth and against the anchor's predictions.

    ``truth``: a COCO dataset. ``anchor`` and ``predictions``: one mapping a photo with ``item``,
    ``image_id`` and ``detections``. Returns metrics in percent — ``AP``, ``AP50``, ``agreement``,
    ``tr26847_map``; nan where there is nothing to score — and a row a photo: ``item``, ``AP``,
    ``agreement``, ``detections`` (those with a score of 0.5 or more).
    """
    anchors = {prediction["item"]: prediction for prediction in anchor}
    rows = [_row(truth, anchors[prediction["item"]], prediction) for prediction in predictions]
    return _metrics(truth, anchor, predictions), rows


def _metrics(truth: dict, anchor: Sequence[dict], predictions: Sequence[dict]) -> dict:
    results = _results(predictions)
    coco = _coco(truth, predictions)
    labels = {row["id"]: row["name"] for row in truth["categories"]}
    images = [_tr26847_image(truth, prediction, labels) for prediction in predictions]
    return {
        "AP": 100 * coco["AP"],
        "AP50": 100 * coco["AP50"],
        "agreement": 100 * agreement(_results(anchor), results, SURE),
        "tr26847_map": 100 * tr26847_map(images, SURE)[0],
    }


def _row(truth: dict, anchor: dict, prediction: dict) -> dict:
    results = _results([prediction])
    return {
        "item": prediction["item"],
        "AP": 100 * _coco(truth, [prediction])["AP"],
        "agreement": 100 * agreement(_results([anchor]), results, SURE),
        "detections": sum(found["score"] >= SURE for found in prediction["detections"]),
    }


def _coco(truth: dict, predictions: Sequence[dict]) -> dict[str, float]:
    """Return COCO's numbers of the predictions' photos.

    Categories without ground truth do not count there; leaving them out saves their time.
    """
    ids = {prediction["image_id"] for prediction in predictions}
    boxes = [row for row in truth["annotations"] if row["image_id"] in ids]
    present = {row["category_id"] for row in boxes}
    part = {
        "images": [image for image in truth["images"] if image["id"] in ids],
        "annotations": boxes,
        "categories": [row for row in truth["categories"] if row["id"] in present],
    }
    return coco_ap(part, [row for row in _results(predictions) if row["category_id"] in present])


def _results(predictions: Sequence[dict]) -> list[dict]:
    """Return predictions as COCO results."""
    return [
        {"image_id": prediction["image_id"], **found}
        for prediction in predictions
        for found in prediction["detections"]
    ]


def _tr26847_image(truth: dict, prediction: dict, labels: dict[int, str]) -> dict:
    """Return a photo as `tr26847_map` takes it; crowd regions are no boxes of the TR's."""
    rows = (row for row in truth["annotations"] if row["image_id"] == prediction["image_id"])
    return {
        "ground_truth": [
            [labels[row["category_id"]], *_corners(row["bbox"])]
            for row in rows
            if not row.get("iscrowd")
        ],
        "predictions": [
            [labels.get(found["category_id"]), *_corners(found["bbox"]), found["score"]]
            for found in prediction["detections"]
        ],
    }


def _corners(bbox: Sequence[float]) -> tuple[float, float, float, float]:
    x, y, width, height = bbox
    return x, y, x + width, y + height
