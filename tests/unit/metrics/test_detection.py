"""Scores of detections, against worked cases, pycocotools, and what must always hold."""

import copy
import json
import math
import os
from pathlib import Path

import pytest
from coco_sets import noisy_detections, pycocotools_numbers, synthetic_set
from hypothesis import given, settings
from hypothesis import strategies as st

from nnrd import UserError
from nnrd.metrics.detection import agreement, coco_ap, tr26847_map

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
