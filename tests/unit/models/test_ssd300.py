"""SSD300-ResNet50 as a detector: its steps are the published ones, and untrained it detects."""

import numpy as np
import pytest
import torch
from model_rows import MODELS, network, pipeline
from PIL import Image
from torchvision import transforms
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import box_convert, nms

from nnrd import UserError
from nnrd.datasets.index import Item
from nnrd.models.boxes import COCO_IDS
from nnrd.models.ssd300_resnet50.pipeline import MAP_SIZES, RATIOS, decode, priors

RANDOM, TRAINED = MODELS["ssd300_resnet50"], MODELS["ssd300_resnet50_coco"]
ITEM = Item("a", "a.png", "", {"width": 200, "height": 100})
COUNT, LABELS = 8732, 81


def image(height=100, width=200):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_priors_are_those_of_torchvision_s_ssd300_in_another_order():
    scales = [0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05]
    theirs = DefaultBoxGenerator(
        [list(r) for r in RATIOS], scales=scales, steps=[8, 16, 32, 64, 100, 300]
    )
    maps = [torch.zeros(1, 1, side, side) for side in MAP_SIZES]
    (corners,) = theirs(ImageList(torch.zeros(1, 3, 300, 300), [(300, 300)]), maps)
    expected = box_convert(corners / 300, "xyxy", "cxcywh").numpy().astype(float)
    expected = expected.clip(0, 1)  # NVIDIA's centres, too, do not leave the image
    assert priors().shape == (COUNT, 4)
    np.testing.assert_allclose(rows_in_order(priors()), rows_in_order(expected), atol=1e-6)


def rows_in_order(rows):
    rounded = rows.round(4)
    return rows[np.lexsort(rounded.T)]


def test_priors_go_by_shape_and_then_by_cell_as_the_heads_do():
    first, second, next_shape = priors()[0], priors()[1], priors()[38 * 38]
    np.testing.assert_allclose(first, [4 / 300, 4 / 300, 0.07, 0.07])
    np.testing.assert_allclose(second, [12 / 300, 4 / 300, 0.07, 0.07])
    np.testing.assert_allclose(next_shape[:2], first[:2])
    assert next_shape[2] > first[2]


def test_the_input_is_that_of_the_published_evaluation():
    published = transforms.Compose(
        [
            transforms.Resize((300, 300)),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    expected = published(Image.fromarray(image())).numpy()[None]
    (found,) = pipeline(RANDOM).preprocess(image(), ITEM).values()
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


def outputs(seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.normal(0, 2, (1, 4, COUNT)).astype(np.float32)
    scores = rng.normal(0, 2, (1, LABELS, COUNT)).astype(np.float32)
    scores[0, 0] += 5
    return {"output1": codes, "output2": scores}


def published(given, width, height):
    """Return label, score and box of each detection, by torchvision's coder and suppression."""
    codes, scores = (torch.from_numpy(given[name][0].T.copy()) for name in ("output1", "output2"))
    corners = box_convert(torch.from_numpy(priors()), "cxcywh", "xyxy")
    boxes = BoxCoder((10, 10, 5, 5)).decode_single(codes.double(), corners)
    probabilities = scores.double().softmax(1)
    found = []
    for label in range(1, LABELS):
        (passed,) = torch.where(probabilities[:, label] > 0.05)
        best = passed[probabilities[passed, label].argsort(descending=True)][:200]
        kept = best[nms(boxes[best], probabilities[best, label], 0.5)]
        found += [(float(probabilities[i, label]), label, boxes[i].numpy()) for i in kept]
    found.sort(key=lambda one: -one[0])
    scale = np.array([width, height, width, height])
    return [(COCO_IDS[label - 1], score, box * scale) for score, label, box in found[:200]]


def test_detections_are_those_of_the_published_decoding():
    found = pipeline(RANDOM).postprocess(outputs(), ITEM)["detections"]
    expected = published(outputs(), 200, 100)
    assert len(found) == len(expected) == 200
    for one, (category, score, corners) in zip(found, expected, strict=True):
        assert one["category_id"] == category
        assert one["score"] == pytest.approx(score, abs=1e-9)
        box = [*corners[:2], *(corners[2:] - corners[:2])]
        np.testing.assert_allclose(one["bbox"], box, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e38])
def test_damaged_outputs_are_finite_boxes(bad):
    given = outputs()
    given["output1"][0, :, ::7] = bad
    given["output2"][0, ::3, ::5] = bad
    found = pipeline(RANDOM).postprocess(given, ITEM)["detections"]
    numbers = [n for one in found for n in (*one["bbox"], one["score"])]
    assert np.isfinite(numbers).all()
    assert np.isfinite(decode(given["output1"][0])).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"output2": np.zeros((1, 21, COUNT))},
            "output 'output2' is 1x21x8732; .* takes 1x81x8732",
        ),
        ({"output1": np.zeros(())}, "output 'output1' is a scalar"),
        ({"output1": None}, "the graph has no output 'output1'; it has output2"),
    ],
)
def test_a_graph_that_does_not_fit_is_refused_in_one_line(change, message):
    given = {k: v for k, v in (outputs() | change).items() if v is not None}
    with pytest.raises(UserError, match=message) as caught:
        pipeline(RANDOM).postprocess(given, ITEM)
    assert "\n" not in str(caught.value)


def test_untrained_it_detects():
    torch.set_num_threads(1)
    model = network(RANDOM).load(None)
    feeds = pipeline(RANDOM).preprocess(image(), ITEM)
    with torch.inference_mode():
        codes, scores = model(torch.from_numpy(feeds["input"]))
    given = {"output1": codes.numpy(), "output2": scores.numpy()}
    found = pipeline(RANDOM).postprocess(given, ITEM)["detections"]
    sure = [one for one in found if one["score"] >= 0.5]
    assert 0 < len(sure) < len(found)
    assert len({one["category_id"] for one in found}) > 1


def checkpoint(prefix):
    """Return what NVIDIA's training script saves."""
    model = network(RANDOM).load(None)
    optimiser = torch.optim.SGD(model.conf.parameters(), lr=2.6e-3, momentum=0.9)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, milestones=[43, 54], gamma=0.1)
    state = {prefix + name: value for name, value in model.state_dict().items()}
    return model, {
        "epoch": 65,
        "iteration": 240370,
        "optimizer": optimiser.state_dict(),
        "scheduler": schedule.state_dict(),
        "label_map": {0: "background", 1: "person"},
        "model": state,
    }


@pytest.mark.parametrize("prefix", ["", "module."], ids=["plain", "distributed"])
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_checkpoint_of_nvidia_s_form_fills_it(tmp_path, prefix, zipped):
    model, saved = checkpoint(prefix)
    file = tmp_path / "nvidia_ssdpyt_amp_200703.pt"
    torch.save(saved, file, _use_new_zipfile_serialization=zipped)
    read = network(TRAINED).load(tmp_path)
    for name, value in model.state_dict().items():
        assert torch.equal(read.state_dict()[name], value), name
