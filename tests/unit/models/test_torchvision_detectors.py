"""RetinaNet as torchvision publishes it, and what stands around it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from model_rows import MODELS, network, pipeline
from torchvision.models import detection

from nnrd import UserError
from nnrd.datasets.index import Item

ITEM = Item("a", "a.png", "", {"width": 40, "height": 20})
TRAINED = MODELS["retinanet_resnet50_fpn_v2_coco"]
FOUND = {
    "boxes": np.float32([[1, 2, 11, 22], [0, 0, 5, 5]]),
    "scores": np.float32([0.9, 0.3]),
    "labels": np.int64([90, 1]),
}


def test_a_file_of_torchvision_s_fills_it(tmp_path):
    torch.manual_seed(1)
    published = detection.retinanet_resnet50_fpn_v2(weights=None, weights_backbone=None)
    torch.save(published.state_dict(), tmp_path / "retinanet_resnet50_fpn_v2_coco-5905b1c5.pth")
    read = network(TRAINED).load(tmp_path)
    expected = published.state_dict()
    assert read.state_dict().keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in read.state_dict().items())


def test_an_untrained_one_is_sure_of_some_of_what_it_finds():
    small = {"num_classes": 5, "min_size": 160}
    row = replace(MODELS["retinanet_resnet50_fpn_v2"], options=small)
    model = network(row).load(None)
    image = torch.rand((3, 60, 90), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        scores = model([image])[0]["scores"]
    assert 0 < (scores > 0.5).sum() < len(scores)


def test_boxes_scores_and_labels():
    found = pipeline(TRAINED).postprocess(FOUND, ITEM)["detections"]
    assert [(f["category_id"], f["bbox"]) for f in found] == [
        (90, [1, 2, 10, 20]),
        (1, [0, 0, 5, 5]),
    ]


@pytest.mark.parametrize("name", ["boxes", "scores"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_left_out(name, bad):
    given = FOUND | {name: FOUND[name].copy()}
    given[name][0] = bad
    (found,) = pipeline(TRAINED).postprocess(given, ITEM)["detections"]
    assert found["category_id"] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"boxes": np.ones((2, 5))}, "output 'boxes' is 2x5; .* takes [?]x4"),
        ({"scores": np.ones(3)}, "output 'scores' is 3; .* takes 2"),
        ({"labels": None}, "the graph has no output 'labels'; it has boxes, scores"),
    ],
)
def test_a_graph_that_does_not_fit_is_refused_in_one_line(change, message):
    given = {k: v for k, v in (FOUND | change).items() if v is not None}
    with pytest.raises(UserError, match=message) as caught:
        pipeline(TRAINED).postprocess(given, ITEM)
    assert "\n" not in str(caught.value)
