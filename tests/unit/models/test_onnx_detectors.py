"""A detector of one's own by the options of its row: what goes in, what comes out, is refused."""

import numpy as np
import onnx
import pytest
from model_rows import pipeline, row
from onnx import TensorProto, helper, numpy_helper

from nnrd import UserError
from nnrd.core.schema import first_mistake
from nnrd.datasets import masks
from nnrd.datasets.index import Index, Item
from nnrd.models.boxes import COCO_IDS
from nnrd.models.onnx_detectors.options import OPTIONS
from nnrd.runtime import sessions
from nnrd.tasks import REGISTRY as TASKS

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


@pytest.mark.parametrize("options", [{}, {"labels": "none"}])
@pytest.mark.parametrize("scores", [(0,), (0, 80)])
def test_nothing_found(options, scores):
    empty = {"boxes": np.zeros((0, 4)), "scores": np.zeros(scores), "labels": np.zeros(0)}
    assert detector(**options).postprocess(empty, ITEM) == {"detections": []}


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
        ({}, {"boxes": np.ones((2, 5))}, "boxes: 'boxes' is 2x5, not four a box"),
        (
            {"labels": "none"},
            {"boxes": np.ones((2, 4)), "scores": np.ones(3)},
            "scores: 'scores' is 3, not as many for each of 2 boxes",
        ),
        (
            {"labels": "none", "categories": "coco80"},
            {"scores": np.ones((1, 81))},
            "81 scores a box, the options have 80 categories",
        ),
    ],
)
def test_outputs_that_are_others(options, change, message):
    outputs = {"boxes": np.ones((1, 4)), "scores": np.ones(1), "labels": np.zeros(1, int)}
    with pytest.raises(UserError, match=message):
        detector(**options).postprocess(outputs | change, ITEM)


@pytest.mark.parametrize(
    "options",
    [{"siz": 1}, {"size": [1]}, {"size": [0, 1]}, {"form": "x"}, {"categories": "coco"},
     {"mean": 1}, {"divide": 0}, {"values": "scores"}, {"candidates": "last"},
     {"output": "x", "boxes": "y"}, {"output": "x", "values": "y"}],
)  # fmt: skip
def test_options_that_are_refused_before_any_work(options):
    assert first_mistake(OPTIONS, options)


def test_options_that_would_be_ignored_are_named():
    assert first_mistake(OPTIONS, {"output": "x", "labels": "y"}) == (
        "labels", "is ignored beside the other keys: leave it out",
    )  # fmt: skip
    assert first_mistake(OPTIONS, {"values": "scores"}) == (
        "values", "is ignored without 'output': leave it out",
    )  # fmt: skip


# Candidates of three labels in the 40x20 image: box as centre and sides, objectness, scores. The
# second overlaps the first (IoU 0.8) and has its label; the last is unlikely.
CENTRED = np.float32([[15, 8, 10, 8], [15, 8, 10, 10], [30, 10, 4, 4], [5, 5, 2, 2]])
OBJECTNESS = np.float32([[1.0], [0.5], [0.8], [0.001]])
SCORES = np.float32([[0, 0.9, 0], [0, 0.8, 0], [0.5, 0, 0.25], [0.9, 0.9, 0.9]])
CORNERS = np.concatenate(
    [CENTRED[:, :2] - CENTRED[:, 2:] / 2, CENTRED[:, :2] + CENTRED[:, 2:] / 2], 1
)
LABELS = SCORES.argmax(1).astype(np.float32)[:, None]
BEST = SCORES.max(1, keepdims=True)
V8, V5 = [CENTRED, SCORES * OBJECTNESS], [CENTRED, OBJECTNESS, SCORES]
DECODED = [CORNERS, BEST * OBJECTNESS, LABELS]
SHAPES = {
    "v8": (V8, True, {}),
    "v8 in rows": (V8, False, {"candidates": "first"}),
    "v5": (V5, False, {"values": "objectness_scores"}),
    "v5 transposed": (V5, True, {"values": "objectness_scores", "candidates": "last"}),
}


def one_output(parts, transposed, path):
    """Write a graph that reads an image and gives one tensor, as YOLO's exports do."""
    table = np.concatenate(parts, axis=1)
    table = (table.T if transposed else table)[None]
    inputs = [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 20, 40])]
    outputs = [helper.make_tensor_value_info("output0", TensorProto.FLOAT, table.shape)]
    # What is constant here depends on the image in name only: the smallest pixel times nothing.
    nodes = [
        helper.make_node("ReduceMin", ["images"], ["least"], keepdims=0),
        helper.make_node("Mul", ["least", "nothing"], ["zero"]),
        helper.make_node("Add", ["table", "zero"], ["output0"]),
    ]
    values = {"table": table, "nothing": np.float32(0)}
    weights = [numpy_helper.from_array(value, name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "yolo", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=10)
    onnx.save(model, path)
    return sessions.Run(sessions.session(path))


@pytest.mark.parametrize("shape", SHAPES)
def test_one_output_as_yolo_has_it(tmp_path, shape):
    parts, transposed, options = SHAPES[shape]
    run = one_output(parts, transposed, tmp_path / "yolo.onnx")
    given = {"input": "images", "output": "output0", "categories": [11, 12, 13], **options}
    found = detect(detector(**given), run)
    assert [(f["category_id"], round(f["score"], 3)) for f in found] == [
        (12, 0.9), (11, 0.4), (13, 0.2),
    ]  # fmt: skip
    np.testing.assert_allclose(found[0]["bbox"], [10, 4, 10, 8], atol=1e-4)
    kept = detect(detector(**given, overlap=0.9), run)
    assert [round(f["score"], 3) for f in kept] == [0.9, 0.4, 0.4, 0.2]


def test_one_output_that_is_decoded(tmp_path):
    run = one_output(DECODED, False, tmp_path / "decoded.onnx")
    options = {"input": "images", "output": "output0", "values": "score_label"}
    found = detect(detector(**options, categories=[11, 12, 13]), run)
    assert [(f["category_id"], round(f["score"], 3)) for f in found] == [
        (12, 0.9), (12, 0.4), (11, 0.4),
    ]  # fmt: skip
    np.testing.assert_allclose(found[0]["bbox"], [10, 4, 10, 8], atol=1e-4)


def detect(of, run):
    return of.postprocess(run(of.preprocess(image(), ITEM)), ITEM)["detections"]


@pytest.mark.parametrize(
    ("options", "shape", "message"),
    [
        ({}, (1, 84), "'x' is 1x84: 1 values a candidate are not a box and scores"),
        ({}, (2, 84, 9), "options: output: 'x' is 2x84x9, not 1xAxB"),
        ({"categories": "coco80"}, (1, 9, 84), "5 scores a box, the options have 80 .*candidates"),
        ({"values": "score_label"}, (1, 9, 84), "84 values a candidate are not a box and score"),
        ({"values": "objectness_scores"}, (1, 9, 5), "5 values a candidate are not a box and obj"),
        ({"output": "y"}, (1, 84, 9), "options: output: 'y' is no output; they are x"),
    ],
)
def test_one_output_of_another_shape(options, shape, message):
    with pytest.raises(UserError, match=message) as caught:
        detector(**{"output": "x", **options}).postprocess({"x": np.ones(shape)}, ITEM)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", SHAPES)
def test_damaged_candidates_are_left_out(shape, bad):
    parts, transposed, options = SHAPES[shape]
    table = np.concatenate(parts, axis=1)
    table[0] = bad
    outputs = {"x": (table.T if transposed else table)[None]}
    found = detector(output="x", **options).postprocess(outputs, ITEM)["detections"]
    assert [round(f["score"], 3) for f in found] == [0.4, 0.4, 0.2]


# Two boxes of the 40x20 image, the second more likely, and their masks, as Mask R-CNN has them.
SQUARES = [(slice(4, 12), slice(10, 20)), (slice(8, 20), slice(24, 40))]
MASKED = {
    "boxes": np.float32([[10, 4, 20, 12], [24, 8, 40, 20]]),
    "scores": np.float32([0.5, 0.9]),
    "labels": np.int64([1, 2]),
}


def soft_masks(height=20, width=40):
    found = np.full((2, 1, height, width), 0.1, np.float32)
    for mask, square in zip(found[:, 0], SQUARES, strict=True):
        mask[square] = 0.8
    return found


@pytest.mark.parametrize("shape", [(2, 1, 20, 40), (2, 20, 40), (1, 2, 20, 40)])
def test_masks_of_the_image(shape):
    outputs = MASKED | {"soft": soft_masks().reshape(shape)}
    found = detector(masks="soft").postprocess(outputs, ITEM)["detections"]
    assert [hit["category_id"] for hit in found] == [2, 1]  # the more likely first, with its mask
    for hit, square in zip(found, reversed(SQUARES), strict=True):
        expected = np.zeros((20, 40), bool)
        expected[square] = True
        assert hit["segmentation"]["size"] == [20, 40]
        assert (masks.decode(hit["segmentation"]) == expected).all()


def test_masks_follow_the_box_in_a_letterboxed_image():
    """The 40x20 image fills rows 20 to 60 of 80x80."""
    soft = np.zeros((1, 1, 80, 80), np.float32)
    soft[0, 0, 28:44, 20:40] = 1
    outputs = {"boxes": np.float32([[20, 28, 40, 44]]), "scores": np.ones(1), "masks": soft}
    of = detector(size=[80, 80], resize="letterbox", masks="masks")
    (found,) = of.postprocess(outputs | {"labels": np.int64([1])}, ITEM)["detections"]
    np.testing.assert_allclose(found["bbox"], [10, 4, 10, 8], atol=1e-4)
    rows, columns = np.nonzero(masks.decode(found["segmentation"]))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 11, 10, 19)


def test_no_box_has_no_mask():
    empty = {name: array[:0] for name, array in MASKED.items()} | {"soft": soft_masks()[:0]}
    assert detector(masks="soft").postprocess(empty, ITEM) == {"detections": []}


def test_scores_are_those_of_the_boxes():
    facts = {"image_id": 1, "width": 40, "height": 20}
    sides = enumerate([[10, 4, 10, 8], [24, 8, 16, 12]], 1)
    truth = [{"category_id": n, "bbox": box, "area": 80, "iscrowd": 0} for n, box in sides]
    index = Index([Item("a", "", "", facts | {"objects": truth})], {1: "one", 2: "two"})
    outputs = MASKED | {"soft": soft_masks()}
    found = [{"item": "a"} | of.postprocess(outputs, ITEM)
             for of in (detector(masks="soft"), detector())]  # fmt: skip
    scored = [TASKS.get("detection")().score(index, [one], [one]) for one in found]
    assert scored[0] == scored[1] and scored[0][0]["AP"] == pytest.approx(100)


@pytest.mark.parametrize(
    ("soft", "said"),
    [
        (soft_masks(28, 28), "masks: 'soft' is 2x1x28x28, not one of 20x40 a box, the size of"),
        (soft_masks()[:1], "masks: 1 masks of 2 boxes"),
        (None, "masks: 'soft' is no output; they are boxes, scores, labels"),
    ],
)
def test_masks_that_do_not_fit(soft, said):
    outputs = MASKED | ({} if soft is None else {"soft": soft})
    with pytest.raises(UserError, match=said):
        detector(masks="soft").postprocess(outputs, ITEM)


def test_masks_are_of_three_outputs():
    assert first_mistake(OPTIONS, {"output": "x", "masks": "y"})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # notes of the exporter's
def test_torchvision_s_mask_r_cnn(tmp_path):
    """Shrunk, with random weights, as its exporter writes it: against torchvision's own masks."""
    import torch
    from torchvision.models.detection import maskrcnn_resnet50_fpn

    torch.manual_seed(0)
    network = maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=3, min_size=64, max_size=128,
        box_score_thresh=0.0, box_detections_per_img=5, rpn_post_nms_top_n_test=20,
    ).eval()  # fmt: skip
    pixels = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    given = torch.from_numpy(pixels.astype(np.float32).transpose(2, 0, 1) / 255)
    file = str(tmp_path / "m.onnx")
    names = ["boxes", "labels", "scores", "masks"]
    torch.onnx.export(
        network, ([given],), file, opset_version=13, dynamo=False, input_names=["image"],
        output_names=names,
    )  # fmt: skip
    item = Item("a", "a.png", "", {"width": 96, "height": 64})
    of = detector(layout="chw", masks="masks", threshold=0)
    run = sessions.Run(sessions.session(file))
    found = of.postprocess(run(of.preprocess(pixels, item)), item)["detections"]
    with torch.no_grad():
        (expected,) = network([given])
    assert len(found) == len(expected["boxes"]) > 0
    for hit, mask, score in zip(found, expected["masks"], expected["scores"], strict=True):
        assert hit["score"] == pytest.approx(float(score), abs=1e-4)
        ours = masks.decode(hit["segmentation"])
        assert (ours != (mask[0] > 0.5).numpy()).mean() < 1e-3
