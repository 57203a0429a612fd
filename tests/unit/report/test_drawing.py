"""Boxes in images: where they are, in which colour; the overlays of a run are drawn alike."""

import numpy as np
import pytest
from PIL import Image, ImageColor

from nnrd import UserError
from nnrd.core.files import checksum
from nnrd.datasets import masks
from nnrd.datasets.index import Item
from nnrd.report import drawing
from nnrd.report.plots import overlays

GREY = np.full((100, 200, 3), 90, np.uint8)
BOX = {"category_id": 3, "bbox": [50, 40, 60, 30], "score": 0.7}


def name(number):
    return f"class {number}"


def colour(text):
    return list(ImageColor.getrgb(text))


def test_a_box_and_its_label():
    image = drawing.boxes(GREY, [BOX], name)
    assert GREY.std() == 0 and image.shape == GREY.shape and image.dtype == np.uint8
    expected = colour(drawing.COLOURS[3])
    for y, x in ((41, 80), (69, 80), (60, 51), (60, 109)):
        assert list(image[y, x]) == expected
    assert list(image[60, 80]) == [90, 90, 90]  # nothing is filled but the label's ground
    assert (image[26:39, 52:70] == expected).all(axis=2).any()


def test_the_ground_truth_is_white():
    truth = {key: BOX[key] for key in ("category_id", "bbox")}
    image = drawing.boxes(GREY, [truth], name)
    assert list(image[60, 51]) == [255, 255, 255] and list(image[60, 53]) == [0, 0, 0]


@pytest.mark.parametrize("bbox", [[0, 0, 200, 100], [190, 95, 10, 5], [-20, -20, 500, 500]])
def test_boxes_at_the_border(bbox):
    assert drawing.boxes(GREY, [BOX | {"bbox": bbox}], name).shape == GREY.shape


def test_scaled_boxes():
    image = drawing.boxes(GREY, [BOX | {"bbox": [500, 400, 600, 300]}], name, scale=0.1)
    assert (image == drawing.boxes(GREY, [BOX], name)).all()


def masked(shape, square):
    mask = np.zeros(shape, bool)
    mask[square] = True
    return BOX | {"segmentation": masks.encode(mask)}


def test_a_mask_is_filled_with_half_of_its_colour():
    row = masked((100, 200), (slice(45, 65), slice(60, 100)))
    image = drawing.boxes(GREY, [row], name)
    half = [(90 + value) // 2 for value in colour(drawing.COLOURS[3])]
    assert (image[45:65, 60:100] == half).all() and list(image[66, 80]) == [90, 90, 90]
    large = masked((1000, 2000), (slice(450, 650), slice(600, 1000)))
    small = drawing.boxes(GREY, [large | {"bbox": [500, 400, 600, 300]}], name, scale=0.1)
    assert (small == image).all()


@pytest.mark.parametrize(
    ("segmentation", "said"),
    [
        ({"size": [3, 4], "counts": "<"}, "a mask of 4x3 pixels, the image 200x100"),
        ({"size": [3, 4]}, "is not COCO's"),
    ],
)
def test_a_mask_that_is_none_of_the_image(segmentation, said):
    with pytest.raises(UserError, match=said):
        drawing.boxes(GREY, [BOX | {"segmentation": segmentation}], name)


def test_overlays_are_drawn_so(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    item = Item("a", str(tmp_path / "a.png"), checksum(tmp_path / "a.png"))
    found = {"a": {"detections": [BOX, BOX | {"score": 0.4}]}}
    figure = overlays.draw([item], found, {"a": {"detections": []}}, {3: "car"}, "nnc")
    left, right = (axis.images[0].get_array() for axis in figure.axes)
    assert left.shape == right.shape == (240, 480, 3)
    assert right.std() == 0 and (left == colour(drawing.COLOURS[3])).all(axis=2).sum() > 400
