"""What stands around torchvision's classifiers is what torchvision's weights say."""

import numpy as np
import pytest
import torch
from model_rows import MODELS, network, pipeline, row
from PIL import Image
from torchvision.models import get_model_weights
from torchvision.transforms.functional import pil_to_tensor

from nnrd import UserError
from nnrd.datasets.images import read_rgb
from nnrd.datasets.index import Item
from nnrd.models.torchvision_classifiers import pipeline as classifiers

NAMES = [name for name, of in MODELS.items() if of.family == "torchvision_classifiers"]
ITEM = Item("a", "a.png", "", {})


def recipe(of):
    """Return torchvision's transform of the weights that a variant was published with."""
    return get_model_weights(of.variant).IMAGENET1K_V1.transforms()


@pytest.mark.parametrize("name", NAMES)
def test_the_recipe_is_torchvisions(name):
    theirs, options = recipe(MODELS[name]), MODELS[name].options
    ours = {"resize": 256, "crop": 224, "interpolation": "bilinear"} | options
    assert [ours["resize"]] == theirs.resize_size
    assert [ours["crop"]] == theirs.crop_size
    assert ours["interpolation"] == theirs.interpolation.value
    assert (list(classifiers.MEAN), list(classifiers.DEVIATION)) == (theirs.mean, theirs.std)


def waves(height, width):
    """Return a smooth image, uint8 (height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    planes = [np.sin(x / 7 + phase) + np.cos(y / 11 * phase) for phase in (1, 2, 3)]
    return (np.stack(planes, axis=2) * 60 + 128).astype(np.uint8)


SHAPES = [(480, 640), (640, 427), (300, 300), (225, 1000), (100, 77)]


def steps(ours, theirs):
    """Return by how many of 255 steps two normalised images differ, pixel by pixel."""
    deviation = np.reshape(classifiers.DEVIATION, (3, 1, 1))
    return np.rint(np.abs(ours - np.asarray(theirs)) * deviation * 255)


def assert_is_torchvisions(name, image):
    """On a uint8 tensor: a step at most. On a Pillow image bicubic differs more at edges.

    Ours resamples in floating point and rounds once; Pillow rounds, and cuts to 0..255, after each
    of its two passes, which shows where bicubic overshoots.
    """
    ours, pillow = pipeline(MODELS[name]).preprocess(image, ITEM)["input"], Image.fromarray(image)
    assert ours.dtype == np.float32
    tensor = steps(ours[0], recipe(MODELS[name])(pil_to_tensor(pillow)))
    assert tensor.max() <= 1 and (tensor == 0).mean() > 0.7
    found = steps(ours[0], recipe(MODELS[name])(pillow))
    assert (found <= 1).mean() > 0.999
    assert found.max() <= (16 if MODELS[name].options.get("interpolation") == "bicubic" else 1)


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet", "inception"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_preprocessing_equals_torchvisions(name, shape):
    assert_is_torchvisions(name, waves(*shape))


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet", "inception"])
def test_preprocessing_of_real_images(name, real_data):
    files = sorted((real_data / "coco_val50/images").glob("*.jpg"))[:3]
    assert files
    for file in files:
        assert_is_torchvisions(name, read_rgb(file))


@pytest.mark.parametrize("name", NAMES)
def test_the_export_takes_what_the_pipeline_makes(name):
    made = pipeline(MODELS[name]).preprocess(waves(333, 500), ITEM)["input"]
    how = network(MODELS[name]).export
    assert (made.shape,) == how.example and how.inputs == ("input",)


def test_the_likeliest_classes_come_first():
    scores = np.zeros((1, 1000), np.float32)
    scores[0, [7, 5, 900]] = [3, 9, np.nan]
    found = pipeline(MODELS["mobilenet_v2"]).postprocess({"output": scores}, ITEM)["classes"]
    assert found == [5, 7, 0, 1, 2]  # NaN is the least likely, equals stay in their order
    assert classifiers.top_classes(np.full(1000, np.nan)) == [0, 1, 2, 3, 4]


def test_an_unknown_variant_says_which_are_known():
    of = row("torchvision_classifiers", variant="resnet17", weights="random")
    with pytest.raises(UserError, match=r"resnet17.*did you mean resnet1") as caught:
        network(of).build()
    assert "\n" not in str(caught.value)


def test_the_network_and_its_graph_give_the_same():
    """Random weights: torch's module, and the `Run` of the pipeline."""
    of = row("torchvision_classifiers", variant="squeezenet1_1", weights="random")
    torch.set_num_threads(1)
    built = network(of)
    model = built.load(None)
    feeds = pipeline(of).preprocess(waves(300, 400), ITEM)
    found = built.run(model)(feeds)
    with torch.inference_mode():
        expected = model(torch.from_numpy(feeds["input"])).numpy()
    assert list(found) == ["output"]
    np.testing.assert_allclose(found["output"], expected, rtol=1e-5, atol=1e-6)
