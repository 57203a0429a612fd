"""The demonstration's detector is right: torch equals ONNX Runtime, and it sees what is there."""

import json
from pathlib import Path

import numpy as np
import pytest

from nnrd.datasets.formats import REGISTRY as FORMATS
from nnrd.models import REGISTRY, ModelRow
from nnrd.runtime import sessions

from .conftest import DATASET, MODEL, ROOT

# Image, category, and the least score that a person who sees the object expects of a detector.
SEEN = [
    ("astronaut.png", "person", 0.5),
    ("chelsea.png", "cat", 0.8),
    ("coffee.png", "cup", 0.8),
    ("coffee.png", "dining table", 0.5),
    ("motorcycle_left.png", "motorcycle", 0.8),
    ("imagenet_00_243.jpg", "dog", 0.8),
    ("imagenet_01_559.jpg", "chair", 0.8),
    ("imagenet_07_609.jpg", "car", 0.8),
    ("imagenet_14_129.jpg", "bird", 0.8),
    ("imagenet_17_22.jpg", "bird", 0.8),
    ("voc.jpg", "person", 0.8),
]
TRUTH = json.loads((ROOT / "config/ground_truth/demo_images.json").read_text())


PIPELINE = REGISTRY.get(MODEL).load_pipeline(ModelRow(MODEL, MODEL, "asset"))


@pytest.fixture(scope="module")
def session(finished):
    return sessions.session(finished.folder / f"results/models/{MODEL}.onnx")


@pytest.fixture(scope="module")
def items(finished):
    """Return the items of all images by the names of their files."""
    images = finished.folder / "resources" / DATASET
    found = FORMATS.get("coco")().index(ROOT / f"config/ground_truth/{DATASET}.json", images).items
    return {Path(item.path).name: item for item in found}


def detect(session, item):
    (found,) = PIPELINE.predict(sessions.Run(session), [item])
    return found[0]["detections"]


def overlap(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


@pytest.mark.parametrize(("image", "category", "score"), SEEN)
def test_detector_sees_what_is_there(session, items, image, category, score):
    category_id = next(c["id"] for c in TRUTH["categories"] if c["name"] == category)
    objects = items[image].facts["objects"]
    boxes = [row["bbox"] for row in objects if row["category_id"] == category_id]
    found = [d for d in detect(session, items[image]) if d["category_id"] == category_id]
    near = [(d["score"], overlap(d["bbox"], box)) for d in found for box in boxes]
    assert any(sure >= score and shared > 0.5 for sure, shared in near)


@pytest.mark.parametrize("image", ["flower.jpg", "imagenet_04_949.jpg", "imagenet_12_741.jpg"])
def test_detector_sees_nothing_where_nothing_is(session, items, image):
    assert not [d for d in detect(session, items[image]) if d["score"] >= 0.5]


def test_onnx_runtime_equals_torch_on_every_image(finished, session, items):
    import torch

    torch.set_num_threads(1)
    network = REGISTRY.get(MODEL).load_network(ModelRow(MODEL, MODEL, "asset"))
    model = network.load(finished.folder / "resources" / MODEL)
    theirs, ours, worst = network.run(model), sessions.Run(session), 0.0
    for item in items.values():
        feeds = PIPELINE.preprocess(PIPELINE.load(item), item)
        expected = theirs(feeds)
        for name, found in ours(feeds).items():
            worst = max(worst, float(np.abs(found - expected[name]).max()))
    print(f"largest difference: {worst:.1e}")
    assert worst <= 1e-4


def test_ground_truth_fits_the_images(items):
    assert len(items) >= 25
    for item in items.values():
        for row in item.facts["objects"]:
            x, y, width, height = row["bbox"]
            assert 0 <= x < x + width <= item.facts["width"]
            assert 0 <= y < y + height <= item.facts["height"]
