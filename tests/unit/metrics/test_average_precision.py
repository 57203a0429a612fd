"""Average precision of draws of images: pycocotools' numbers, without matching again."""

import json
import time

import numpy as np
import pytest
from coco_sets import noisy_detections, pycocotools_numbers, synthetic_set

from nnrd.metrics import average_precision
from nnrd.metrics.detection import agreement, compared, mean_of_classes, tr26847_aps, tr26847_map


def matched(truth, predictions):
    images = [image["id"] for image in truth["images"]]
    return average_precision.matched(images, truth["annotations"], predictions)


def assert_identity_draw_is_pycocotools(truth, predictions):
    expected = pycocotools_numbers(truth, predictions)
    categories = matched(truth, predictions)
    once = np.ones((1, len(truth["images"])))
    for name, thresholds in (("AP", 10), ("AP50", 1)):
        (got,) = average_precision.drawn(categories, once, thresholds)
        assert got == pytest.approx(expected[name], abs=1e-12), name


@pytest.mark.parametrize(("seed", "largest"), [(0, 200), (1, 200), (2, 30), (3, 400), (4, 80)])
def test_every_image_once_is_pycocotools(seed, largest):
    """Crowds, tied scores, boxes of all sizes."""
    truth = synthetic_set(seed=seed, largest=largest)
    assert_identity_draw_is_pycocotools(truth, noisy_detections(truth, seed))


def test_every_image_once_is_pycocotools_on_coco(real_data):
    truth = json.loads((real_data / "coco_val50/instances_val50.json").read_text())
    assert_identity_draw_is_pycocotools(truth, noisy_detections(truth, seed=5))


def repeated(truth, predictions, times):
    """Return a set in which each image is there so many times, each copy with its boxes."""
    copies = [(image["id"], n) for image, k in zip(truth["images"], times, strict=True)
              for n in range(k)]  # fmt: skip
    ids = {copy: number for number, copy in enumerate(copies)}
    rows = [
        [{**row, "image_id": ids[copy]} for copy in copies for row in side
         if row["image_id"] == copy[0]]
        for side in (truth["annotations"], predictions)
    ]  # fmt: skip
    annotations = [{**row, "id": number} for number, row in enumerate(rows[0], 1)]
    images = [{"id": number, "width": 400, "height": 400} for number in ids.values()]
    return {**truth, "images": images, "annotations": annotations}, rows[1]


@pytest.mark.parametrize("seed", range(4))
def test_a_draw_is_pycocotools_on_the_drawn_images(seed):
    truth = synthetic_set(images=6, seed=seed)
    # Scores that are not tied: with ties the order of the copies would decide.
    predictions = [
        {**row, "score": row["score"] + number * 1e-6}
        for number, row in enumerate(noisy_detections(truth, seed))
    ]
    times = np.random.default_rng(seed).multinomial(6, [1 / 6] * 6)
    expected = pycocotools_numbers(*repeated(truth, predictions, times))["AP"]
    categories = matched(truth, predictions)
    (got,) = average_precision.drawn(categories, times[None].astype(float))
    assert got == pytest.approx(expected, abs=1e-12)


def test_agreement_is_the_same_number():
    truth = synthetic_set(seed=3)
    anchor, other = noisy_detections(truth, 1), noisy_detections(truth, 2)
    images = [image["id"] for image in truth["images"]]
    categories = average_precision.matched(images, *compared(anchor, other))
    (got,) = average_precision.drawn(categories, np.ones((1, len(images))))
    assert got == pytest.approx(agreement(anchor, other), abs=1e-11)


def test_the_trs_map_is_the_same_number():
    rng = np.random.default_rng(0)
    images = []
    for _ in range(9):
        boxes = [["ab"[rng.integers(2)], *rng.uniform(0, 5, 2), *rng.uniform(5, 9, 2)]
                 for _ in range(rng.integers(3))]  # fmt: skip
        found = [[*box[:1], *(np.array(box[1:]) + 0.3), rng.uniform(0.4, 1)] for box in boxes]
        images.append({"ground_truth": boxes, "predictions": found})
    scores = [tr26847_aps(image) for image in images]
    (got,) = mean_of_classes(scores, np.ones((1, 9)))
    assert got == pytest.approx(tr26847_map(images)[0], abs=1e-12)


def test_nothing_to_score_is_nan():
    assert np.isnan(average_precision.drawn([], np.ones((3, 2)))).all()
    assert np.isnan(mean_of_classes([{}, {}], np.ones((3, 2)))).all()
    categories = average_precision.matched(
        [1, 2], [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9]}], []
    )
    drawn = average_precision.drawn(categories, np.array([[1.0, 1.0], [0.0, 2.0]]))
    assert drawn[0] == 0 and np.isnan(drawn[1])  # the second draw holds no object


def test_two_thousand_draws_take_a_second_at_most():
    """Evaluating each draw with faster-coco-eval would take minutes."""
    truth = synthetic_set(images=60, seed=1)
    categories = matched(truth, noisy_detections(truth, 1, false_ones=90))
    start = time.process_time()
    average_precision.drawn(categories, np.ones((2000, 60)))
    assert time.process_time() - start < 3


def test_draws_that_are_alike_to_a_category_are_reckoned_once_and_the_same():
    """Of many draws each has bit for bit what it has alone, on few images and on many."""
    random = np.random.default_rng(3)
    for images in (1, 3, 40):
        rows = [
            {"image_id": int(image), "category_id": int(category), "score": float(score)}
            | {"bbox": [*map(float, box), 10.0, 10.0]}
            for image, category, score, box in zip(
                random.integers(images, size=60),
                random.integers(4, size=60),
                random.random(60).round(1),
                random.integers(12, size=(60, 2)),
                strict=True,
            )
        ]
        categories = average_precision.matched(list(range(images)), rows[:20], rows[20:])
        weights = random.integers(4, size=(300, images)).astype(float)
        for thresholds in (1, 10):
            found = average_precision.drawn(categories, weights, thresholds)
            alone = [average_precision.drawn(categories, row[None], thresholds) for row in weights]
            assert np.array_equal(found, np.concatenate(alone), equal_nan=True)
            assert np.nanmax(found) > 0
