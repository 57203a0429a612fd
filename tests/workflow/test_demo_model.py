"""The demonstration's detector is right: torch equals ONNX Runtime, and it sees what is there."""

import json

import numpy as np
import pytest

from nnrd.datasets.formats.coco import Coco
from nnrd.datasets.images import read_rgb
from nnrd.datasets.index import Item
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


ROW = ModelRow(MODEL, MODEL, "asset", task="detection")


@pytest.fixture(scope="module")
def session(finished):
    return sessions.session(finished.folder / f"results/models/{MODEL}.onnx")


@pytest.fixture(scope="module")
def images(finished):
    return finished.folder / "resources" / DATASET


@pytest.fixture(scope="module")
def pipeline():
    return REGISTRY.get(MODEL).load_pipeline(ROW)


def detect(session, pipeline, path):
    image = read_rgb(path)
    facts = {"width": image.shape[1], "height": image.shape[0]}
    item = Item(path.stem, str(path), "", facts)
    return pipeline.postprocess(sessions.run(session, pipeline.preprocess(image, item)), item)[
        "detections"
    ]


def overlap(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


@pytest.mark.parametrize(("name", "category", "score"), SEEN)
def test_detector_sees_what_is_there(session, pipeline, images, name, category, score):
    category_id = next(c["id"] for c in TRUTH["categories"] if c["name"] == category)
    image_id = next(i["id"] for i in TRUTH["images"] if i["file_name"] == name)
    boxes = [
        row["bbox"]
        for row in TRUTH["annotations"]
        if (row["image_id"], row["category_id"]) == (image_id, category_id)
    ]
    detections = detect(session, pipeline, images / name)
    found = [row for row in detections if row["category_id"] == category_id]
    assert any(
        d["score"] >= score and overlap(d["bbox"], box) > 0.5 for d in found for box in boxes
    )


@pytest.mark.parametrize("name", ["flower.jpg", "imagenet_04_949.jpg", "imagenet_12_741.jpg"])
def test_detector_sees_nothing_where_nothing_is(session, pipeline, images, name):
    assert not [d for d in detect(session, pipeline, images / name) if d["score"] >= 0.5]


def test_onnx_runtime_equals_torch_on_every_image(finished, session, pipeline, images):
    import torch

    torch.set_num_threads(1)
    how = REGISTRY.get(MODEL).load_network(ROW)
    run = how.run(how.load(finished.folder / "resources" / MODEL))
    worst = 0.0
    for image in TRUTH["images"]:
        pixels = read_rgb(images / image["file_name"])
        feeds = pipeline.preprocess(pixels, Item("", "", "", {}))
        ours, theirs = sessions.run(session, feeds), run(feeds)
        worst = max(worst, *(float(np.abs(ours[name] - theirs[name]).max()) for name in ours))
    print(f"largest difference: {worst:.1e}")
    assert worst <= 1e-4


def test_ground_truth_fits_the_images(images):
    index = Coco().index(ROOT / "config/ground_truth/demo_images.json", images)
    assert len(index.items) >= 25
    for item in index.items:
        for row in item.facts["objects"]:
            x, y, width, height = row["bbox"]
            assert 0 <= x < x + width <= item.facts["width"]
            assert 0 <= y < y + height <= item.facts["height"]
