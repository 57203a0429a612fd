"""The demonstration's detector is right: torch equals ONNX Runtime, and it sees what is there."""

import json

import numpy as np
import pytest

from nnrd.datasets import index as datasets
from nnrd.datasets.images import read_rgb
from nnrd.detectors import find
from nnrd.runtime import sessions as inference

from .conftest import DATASET, MODEL, ROOT

# Photo, category, and the least score that a person who sees the object expects of a detector.
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
TRUTH = json.loads((ROOT / "config/ground_truth/demo_photos.json").read_text())


@pytest.fixture(scope="module")
def session(finished):
    return inference.session(finished.folder / f"results/models/{MODEL}.onnx")


@pytest.fixture(scope="module")
def photos(finished):
    return finished.folder / "resources" / DATASET


def detect(session, photo):
    image = read_rgb(photo)
    detector = find(MODEL)
    outputs = inference.run(session, detector.preprocess(image))
    return detector.postprocess(outputs, image.shape[1], image.shape[0])


def overlap(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


@pytest.mark.parametrize(("photo", "category", "score"), SEEN)
def test_detector_sees_what_is_there(session, photos, photo, category, score):
    category_id = next(c["id"] for c in TRUTH["categories"] if c["name"] == category)
    image_id = next(i["id"] for i in TRUTH["images"] if i["file_name"] == photo)
    boxes = [
        row["bbox"]
        for row in TRUTH["annotations"]
        if (row["image_id"], row["category_id"]) == (image_id, category_id)
    ]
    found = [d for d in detect(session, photos / photo) if d.category_id == category_id]
    assert any(d.score >= score and overlap(d.bbox, box) > 0.5 for d in found for box in boxes)


@pytest.mark.parametrize("photo", ["flower.jpg", "imagenet_04_949.jpg", "imagenet_12_741.jpg"])
def test_detector_sees_nothing_where_nothing_is(session, photos, photo):
    assert not [d for d in detect(session, photos / photo) if d.score >= 0.5]


def test_onnx_runtime_equals_torch_on_every_photo(finished, session, photos):
    import torch

    from nnrd import architectures
    from nnrd.architectures import base

    torch.set_num_threads(1)
    network = base.load(architectures.get(MODEL), str(finished.folder / "resources" / MODEL))
    worst = 0.0
    for image in TRUTH["images"]:
        feed = find(MODEL).preprocess(read_rgb(photos / image["file_name"]))
        ours = inference.run(session, feed).values()
        with torch.inference_mode():
            theirs = network(torch.from_numpy(feed["image"]))
        pairs = zip(ours, theirs, strict=True)
        worst = max(worst, *(float(np.abs(a - b.numpy()).max()) for a, b in pairs))
    print(f"largest difference: {worst:.1e}")
    assert worst <= 1e-4


def test_ground_truth_fits_the_photos(photos):
    items = datasets.index_coco(ROOT / "config/ground_truth/demo_photos.json", photos)
    sizes = {item.image_id: (item.width, item.height) for item in items}
    assert len(items) >= 25
    for row in TRUTH["annotations"]:
        x, y, width, height = row["bbox"]
        assert 0 <= x < x + width <= sizes[row["image_id"]][0]
        assert 0 <= y < y + height <= sizes[row["image_id"]][1]
