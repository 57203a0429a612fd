"""What every task says of itself, and detection's numbers on a case that a person can reckon."""

import math

import pytest

from nnrd.datasets.index import Index, Item
from nnrd.tasks import REGISTRY


@pytest.mark.parametrize("name", REGISTRY.names())
def test_metrics_are_declared(name):
    task = REGISTRY.get(name)()
    assert task.metric is task.metrics[0]
    assert len({metric.name for metric in task.metrics}) == len(task.metrics)
    for metric in task.metrics:
        assert metric.axis == f"{metric.label} ({metric.unit})"


def image(name, number, boxes):
    rows = [
        {"category_id": 1, "bbox": box, "area": box[2] * box[3], "iscrowd": crowd}
        for *box, crowd in boxes
    ]
    return Item(name, "", "", {"image_id": number, "width": 99, "height": 99, "objects": rows})


def found(item, *boxes):
    rows = [{"category_id": 1, "bbox": box, "score": score} for *box, score in boxes]
    return {"item": item, "detections": rows}


def test_detection_score():
    truth = Index(
        [image("a", 1, [(0, 0, 9, 9, 0)]), image("b", 2, [(0, 0, 9, 9, 0), (50, 50, 40, 40, 1)])],
        {1: "cat"},
    )
    anchor = [found("a", (0, 0, 9, 9, 0.9)), found("b", (0, 0, 9, 9, 0.9))]
    ours = [found("a", (0, 0, 9, 9, 0.9)), found("b", (60, 0, 9, 9, 0.4))]
    task = REGISTRY.get("detection")()
    metrics, rows = task.score(truth, anchor, anchor)
    shares = ("AP", "AP50", "agreement", "tr26847_map", "precision", "recall", "F1", "F1_high")
    assert {name: metrics[name] for name in shares} == dict.fromkeys(shares, pytest.approx(100))
    assert [metrics[name] for name in task.count_columns[1:]] == [2, 0, 0, 1]
    assert metrics["F1_low"] == pytest.approx(100 * 0.025 ** (1 / 2))  # two images of two
    metrics, rows = task.score(truth, anchor, ours)
    # Of two objects the first is found, at full precision: COCO's 101 recalls up to 0.5 are 51.
    assert metrics["AP"] == metrics["AP50"] == pytest.approx(100 * 51 / 101)
    assert metrics["tr26847_map"] == pytest.approx(50)
    assert [row["detections"] for row in rows] == [1, 0]
    # A score of 0.4 is not shown: one detection of the anchor's is lost, and none is invented.
    assert [metrics[name] for name in ("right", "invented", "lost")] == [1, 0, 1]
    assert [metrics["precision"], metrics["recall"]] == [100, 50]
    assert metrics["F1"] == pytest.approx(200 / 3)
    assert metrics["F1_low"] <= metrics["F1"] <= metrics["F1_high"]
    assert rows[0]["AP"] == pytest.approx(100) and rows[1]["AP"] == pytest.approx(0)


def test_detection_without_ground_truth_is_nan():
    truth, ours = Index([image("a", 1, [])], {1: "cat"}), [found("a", (0, 0, 9, 9, 0.9))]
    metrics, rows = REGISTRY.get("detection")().score(truth, ours, ours)
    assert math.isnan(metrics["AP"]) and math.isnan(rows[0]["AP"])
