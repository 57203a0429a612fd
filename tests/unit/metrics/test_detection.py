"""Scores of detections, against worked cases, pycocotools, and what must always hold."""

import contextlib
import copy
import io
import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnrd import UserError
from nnrd.metrics.detection import COCO_METRICS, agreement, coco_ap, tr26847_map

EXAMPLES = json.loads((Path(__file__).parents[2] / "data/tr26847_map_examples.json").read_text())


@pytest.mark.parametrize("case", EXAMPLES["cases"], ids=range(len(EXAMPLES["cases"])))
def test_tr26847_worked_case(case):
    mean, per_class = tr26847_map(case["images"], EXAMPLES["score_threshold"])
    assert mean == pytest.approx(case["expected_map"], abs=1e-9)
    assert per_class == pytest.approx(case["expected_ap_per_class"], abs=1e-9)


@pytest.mark.parametrize(
    ("predictions", "expected"),
    [
        ([], 0),
        ([["a", 0, 0, 1, 1, 0.5]], 0),  # the score must be greater than the threshold
        ([["a", 0, 0, 1, 1, 0.6]], 1),
        ([["a", 0, 0, 1, 1, 0.6], ["b", 0, 0, 1, 1, 0.9]], 1),  # an absent class is free
        ([["a", 0, 0, 0, 0, 0.6]], 0),  # a box without area
    ],
)
def test_tr26847_of_one_box(predictions, expected):
    image = {"ground_truth": [["a", 0, 0, 1, 1]], "predictions": predictions}
    assert tr26847_map([image]) == (expected, {"a": expected})


def test_tr26847_without_ground_truth():
    mean, per_class = tr26847_map([{"ground_truth": [], "predictions": [["a", 0, 0, 1, 1, 0.9]]}])
    assert math.isnan(mean)
    assert per_class == {}


def pycocotools_numbers(ground_truth, predictions):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = copy.deepcopy(ground_truth)
        truth.createIndex()
        found = truth.loadRes(copy.deepcopy(predictions))
        evaluator = COCOeval(truth, found, "bbox")
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    return dict(zip(COCO_METRICS, evaluator.stats.tolist(), strict=True))


def noisy_detections(ground_truth, seed, false_ones=3):
    """Most of the boxes, moved and with scores, and some that are wrong; scores are tied."""
    rng = np.random.default_rng(seed)
    categories = [category["id"] for category in ground_truth["categories"]]
    rows = []
    for box in ground_truth["annotations"]:
        if rng.random() < 0.85:
            moved = np.array(box["bbox"]) + rng.normal(0, 0.06, 4) * np.tile(box["bbox"][2:], 2)
            rows.append([box["image_id"], box["category_id"], moved, rng.beta(4, 2)])
    for image in ground_truth["images"]:
        for _ in range(false_ones):
            wrong = rng.uniform(5, 200, 4)
            rows.append([image["id"], rng.choice(categories), wrong, rng.beta(2, 4)])
    return [
        {
            "image_id": image,
            "category_id": int(category),
            "bbox": [*bbox[:2].tolist(), *np.maximum(bbox[2:], 1).tolist()],
            "score": round(float(score), 2),
        }
        for image, category, bbox, score in rows
    ]


def synthetic_set(images=12, seed=0, largest=200):
    rng = np.random.default_rng(seed)
    annotations = []
    for number in range(1, images * 5 + 1):
        x, y, width, height = rng.uniform(4, largest, 4).round(1).tolist()
        annotations.append(
            {
                "id": number,
                "image_id": int(rng.integers(images)),
                "category_id": int(rng.integers(1, 4)),
                "bbox": [x, y, width, height],
                "area": width * height,
                "iscrowd": int(rng.random() < 0.05),
            }
        )
    return {
        "images": [{"id": n, "width": 400, "height": 400} for n in range(images)],
        "annotations": annotations,
        "categories": [{"id": n, "name": str(n)} for n in range(1, 5)],
    }


def assert_equals_pycocotools(ground_truth, predictions):
    expected = pycocotools_numbers(ground_truth, predictions)
    got = coco_ap(ground_truth, predictions)
    assert list(got) == list(expected)
    for name, value in expected.items():
        if value == -1:
            assert math.isnan(got[name]), name
        else:
            assert got[name] == pytest.approx(value, abs=1e-12), name


@pytest.mark.parametrize(("seed", "largest"), [(0, 200), (1, 200), (2, 30)])
def test_coco_ap_equals_pycocotools(seed, largest):
    truth = synthetic_set(seed=seed, largest=largest)
    assert_equals_pycocotools(truth, noisy_detections(truth, seed))


def test_coco_ap_equals_pycocotools_on_coco():
    if not os.environ.get("NNRD_DATA"):
        pytest.skip("NNRD_DATA is unset: no COCO ground truth")
    path = Path(os.environ["NNRD_DATA"]) / "coco_val50/instances_val50.json"
    truth = json.loads(path.read_text())
    predictions = noisy_detections(truth, seed=5)
    assert_equals_pycocotools(truth, predictions)
    assert 0.1 < coco_ap(truth, predictions)["AP"] < 0.9


def test_coco_ap_without_predictions(capsys):
    truth = synthetic_set()
    assert coco_ap(truth, [])["AP"] == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("predictions", [[], noisy_detections(synthetic_set(), 0)])
def test_coco_ap_without_ground_truth(predictions, capsys):
    truth = {**synthetic_set(), "annotations": []}
    assert all(math.isnan(value) for value in coco_ap(truth, predictions).values())
    assert capsys.readouterr() == ("", "")


def test_coco_ap_leaves_its_arguments():
    truth = synthetic_set()
    predictions = noisy_detections(truth, 0)
    before = copy.deepcopy((truth, predictions))
    coco_ap(truth, predictions)
    agreement(predictions, predictions)
    assert (truth, predictions) == before


def test_coco_ap_counts_an_annotation_of_id_0():
    box = {"image_id": 1, "category_id": 1, "bbox": [3, 4, 50, 60]}
    truth = {"images": [{"id": 1}], "categories": [{"id": 1}], "annotations": [{**box, "id": 0}]}
    assert coco_ap(truth, [{**box, "score": 1.0}])["AP"] == pytest.approx(1)


def test_coco_ap_refuses_an_unknown_image():
    stray = {"image_id": 99, "category_id": 1, "bbox": [0, 0, 9, 9], "score": 1.0}
    with pytest.raises(UserError, match="image 99"):
        coco_ap(synthetic_set(), [stray])


coordinate = st.floats(0, 1000, width=32)
side = st.floats(0, 500, width=32)
detections = st.lists(
    st.fixed_dictionaries(
        {
            "image_id": st.integers(1, 4),
            "category_id": st.integers(1, 3),
            "bbox": st.tuples(coordinate, coordinate, side, side).map(list),
            "score": st.sampled_from([0.05, 0.3, 0.4999, 0.5, 0.5, 0.7, 0.9, 1.0]),
        }
    ),
    max_size=25,
)


def is_truth(row):
    return row["score"] >= 0.5 and min(row["bbox"][2:]) > 1e-6


@given(anchor=detections)
@settings(max_examples=200, deadline=None)
def test_anchor_agrees_with_itself(anchor):
    score = agreement(anchor, anchor)
    assert score == 1.0 if any(map(is_truth, anchor)) else math.isnan(score)


@given(anchor=detections, other=detections)
@settings(max_examples=100, deadline=None)
def test_agreement_is_a_fraction(anchor, other):
    score = agreement(anchor, other)
    assert 0 <= score <= 1 if any(map(is_truth, anchor)) else math.isnan(score)


@given(anchor=detections, weak=detections)
@settings(max_examples=100, deadline=None)
def test_weak_false_detections_cost_nothing_when_all_else_is_right(anchor, weak):
    weak = [{**row, "score": row["score"] / 10} for row in weak]
    if any(map(is_truth, anchor)):
        assert agreement(anchor, anchor + weak) == 1.0


def grid(count, **more):
    """Boxes of one category in one image, side by side."""
    row = {"image_id": 1, "category_id": 1, "score": 0.9}
    return [{**row, "bbox": [30.0 * n, 10.0, 20.0, 20.0], **more} for n in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 99, 100, 101, 350])
def test_agreement_of_any_number_of_boxes(count):
    assert agreement(grid(count), grid(count) + grid(40, score=0.2)) == 1.0


def test_agreement_falls_with_what_is_lost_and_what_is_invented():
    assert agreement(grid(10), grid(5)) == pytest.approx(51 / 101)  # recall 0.00 to 0.50
    assert agreement(grid(10), []) == 0
    invented = grid(10, image_id=2, score=0.95)  # an image where the anchor found nothing
    assert agreement(grid(10), grid(10) + invented) == pytest.approx(0.5)


def test_agreement_does_not_ask_how_sure_the_other_is():
    assert agreement(grid(10), grid(10, score=0.1)) == 1.0
