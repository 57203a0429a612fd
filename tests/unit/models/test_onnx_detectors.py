"""A detector of one's own by the options of its row: what goes in, what comes out, is refused."""

import numpy as np
import pytest
from model_rows import pipeline, row

from nnrd import UserError
from nnrd.core.schema import first_mistake
from nnrd.datasets.index import Item
from nnrd.models.boxes import COCO_IDS
from nnrd.models.onnx_detectors.options import OPTIONS

ITEM = Item("a", "a.png", "", {"width": 40, "height": 20})


def detector(**options):
    assert first_mistake(OPTIONS, options) is None
    return pipeline(row("onnx_detectors", options=options))


def image():
    """Red on the left half, blue on the right, 40 pixels wide and 20 high."""
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :20, 0], pixels[:, 20:, 2] = 255, 255
    return pixels


@pytest.mark.parametrize(
    ("options", "shape", "left"),
    [
        ({}, (1, 3, 20, 40), [1, 0, 0]),
        ({"layout": "chw"}, (3, 20, 40), [1, 0, 0]),
        ({"layout": "nhwc", "dtype": "uint8"}, (1, 20, 40, 3), [255, 0, 0]),
        ({"layout": "hwc", "colours": "bgr"}, (20, 40, 3), [0, 0, 1]),
        ({"size": [10, 10]}, (1, 3, 10, 10), [1, 0, 0]),
        ({"divide": 127.5, "mean": [1, 1, 1]}, (1, 3, 20, 40), [1, -1, -1]),
        ({"mean": [0.5, 0, 0], "deviation": [0.25, 1, 1]}, (1, 3, 20, 40), [2, 0, 0]),
        ({"size": [40, 40], "resize": "letterbox"}, (1, 3, 40, 40), [114 / 255] * 3),
    ],
)
def test_the_input(options, shape, left):
    (found,) = detector(input="x", **options).preprocess(image(), ITEM).items()
    name, array = found
    assert name == "x" and array.shape == shape and array.flags.c_contiguous
    assert array.dtype == np.dtype(options.get("dtype", "float32"))
    channels_last = "hwc" in options.get("layout", "nchw")
    squeezed = array.reshape(array.shape[-3:])
    first = squeezed[0, 0] if channels_last else squeezed[:, 0, 0]
    np.testing.assert_allclose(first, left, atol=1e-6)


# One box of the 40x20 image: x 10..20, y 4..12.
BOXES = [
    ({}, [10, 4, 20, 12]),
    ({"form": "yxyx"}, [4, 10, 12, 20]),
    ({"form": "xywh"}, [10, 4, 10, 8]),
    ({"form": "cxcywh"}, [15, 8, 10, 8]),
    ({"unit": "share"}, [0.25, 0.2, 0.5, 0.6]),
    ({"size": [40, 40]}, [10, 8, 20, 24]),
    ({"size": [40, 40], "unit": "share"}, [0.25, 0.2, 0.5, 0.6]),
    ({"size": [80, 80], "resize": "letterbox"}, [20, 28, 40, 44]),
    ({"size": [80, 80], "resize": "letterbox", "form": "xywh", "unit": "share"},
     [0.25, 0.35, 0.25, 0.2]),
]  # fmt: skip


@pytest.mark.parametrize(("options", "box"), BOXES)
@pytest.mark.parametrize("batch", [True, False])
def test_boxes_in_the_image(options, box, batch):
    outputs = {"boxes": np.float32([box]), "scores": np.float32([0.5]), "labels": np.int64([7])}
    if batch:
        outputs = {name: array[None] for name, array in outputs.items()}
    (found,) = detector(**options).postprocess(outputs, ITEM)["detections"]
    assert (found["category_id"], found["score"]) == (7, 0.5)
    np.testing.assert_allclose(found["bbox"], [10, 4, 10, 8], atol=1e-4)


def test_scores_a_label_and_suppression():
    boxes = np.float32([[0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10]])
    scores = np.float32([[0.9, 0.0], [0.8, 0.3], [0.0, 0.7]])
    outputs = {"boxes": boxes[None], "confidence": scores[None]}
    options = {"scores": "confidence", "categories": [3, 5], "threshold": 0.1}
    found = detector(**options).postprocess(outputs, ITEM)["detections"]
    assert [(f["category_id"], round(f["score"], 2)) for f in found] == [
        (3, 0.9), (3, 0.8), (5, 0.7), (5, 0.3),
    ]  # fmt: skip
    found = detector(**options, overlap=0.5).postprocess(outputs, ITEM)["detections"]
    assert [round(f["score"], 2) for f in found] == [0.9, 0.7, 0.3]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_damaged_values_are_left_out(bad):
    boxes = np.float32([[0, 0, bad, 10], [0, 0, 10, 10], [-50, -50, 900, 900]])
    outputs = {"boxes": boxes, "scores": np.float32([0.9, bad, 0.5]), "labels": np.zeros(3)}
    (found,) = detector().postprocess(outputs, ITEM)["detections"]
    assert found["bbox"] == [0, 0, 40, 20]  # and cut to the image


def test_nothing_found():
    empty = {"boxes": np.zeros((0, 4)), "scores": np.zeros(0), "labels": np.zeros(0)}
    assert detector().postprocess(empty, ITEM) == {"detections": []}


def test_coco_s_ids():
    outputs = {"boxes": np.float32([[0, 0, 9, 9]]), "scores": np.ones(1), "labels": np.int64([79])}
    (found,) = detector(categories="coco80").postprocess(outputs, ITEM)["detections"]
    assert found["category_id"] == 90 and len(COCO_IDS) == 80
    assert (COCO_IDS[0], COCO_IDS[11], COCO_IDS[24]) == (1, 13, 27)  # person, stop sign, backpack


@pytest.mark.parametrize(
    ("options", "change", "message"),
    [
        ({"boxes": "box"}, {}, "options: boxes: 'box' is no output; they are boxes, scores"),
        ({}, {"scores": np.ones(2)}, "1 boxes, 2 scores, 1 labels"),
        ({"categories": [1]}, {"labels": np.int64([3])}, "label 3: the options have 1 categories"),
    ],
)
def test_outputs_that_are_others(options, change, message):
    outputs = {"boxes": np.ones((1, 4)), "scores": np.ones(1), "labels": np.zeros(1, int)}
    with pytest.raises(UserError, match=message):
        detector(**options).postprocess(outputs | change, ITEM)


@pytest.mark.parametrize(
    "options",
    [{"siz": 1}, {"size": [1]}, {"size": [0, 1]}, {"form": "x"}, {"categories": "coco"},
     {"mean": 1}, {"divide": 0}],
)  # fmt: skip
def test_options_that_are_refused_before_any_work(options):
    assert first_mistake(OPTIONS, options)
