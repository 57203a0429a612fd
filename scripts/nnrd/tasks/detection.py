"""Object detection: COCO's AP, agreement with the anchor, TR 26.847's mAP; all in percent."""

from collections.abc import Sequence
from typing import Any

from nnrd.datasets.index import Index, Item
from nnrd.metrics.detection import agreement, coco_ap, tr26847_map
from nnrd.tasks import Metric, Prediction, Row, Task

SURE = 0.5  # the score from which on a detection counts as one that a user is shown


class Detection(Task):
    """A prediction has ``detections``: rows of ``category_id``, ``bbox``, ``score``.

    Boxes are x, y, width, height in pixels; an image's facts are those of the format ``coco``.
    """

    metrics = (
        Metric("AP", "AP against ground truth", "%", higher_is_better=True),
        Metric("agreement", "agreement with the anchor", "%", True, to_anchor=True),
    )
    others = (
        Metric("AP50", "AP at an IoU of 0.5", "%", higher_is_better=True),
        Metric("tr26847_map", "mAP of TR 26.847", "%", higher_is_better=True),
    )
    count_columns = ("detections",)

    def score(
        self, index: Index, anchor: Sequence[Prediction], predictions: Sequence[Prediction]
    ) -> tuple[dict[str, Any], list[Row]]:
        """Return ``AP``, ``AP50``, ``agreement``, ``tr26847_map`` in percent, and rows.

        A row has ``AP``, ``agreement`` and ``detections``, those with a score of 0.5 or more;
        a number is nan where there is nothing to score.
        """
        items = {item.name: item for item in index.items}
        anchors = {prediction["item"]: prediction for prediction in anchor}
        rows = [_row(items, anchors[found["item"]], found) for found in predictions]
        return _metrics(index, items, anchor, predictions), rows


def _metrics(
    index: Index,
    items: dict[str, Item],
    anchor: Sequence[Prediction],
    predictions: Sequence[Prediction],
) -> dict[str, float]:
    coco = _coco(items, predictions)
    images = [_tr26847_image(items, found, index.categories) for found in predictions]
    theirs, ours = _results(items, anchor), _results(items, predictions)
    return {
        "AP": 100 * coco["AP"],
        "AP50": 100 * coco["AP50"],
        "agreement": 100 * agreement(theirs, ours, SURE),
        "tr26847_map": 100 * tr26847_map(images, SURE)[0],
    }


def _row(items: dict[str, Item], anchor: Prediction, prediction: Prediction) -> Row:
    theirs, ours = _results(items, [anchor]), _results(items, [prediction])
    return {
        "item": prediction["item"],
        "AP": 100 * _coco(items, [prediction])["AP"],
        "agreement": 100 * agreement(theirs, ours, SURE),
        "detections": sum(found["score"] >= SURE for found in prediction["detections"]),
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


def _tr26847_image(
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
