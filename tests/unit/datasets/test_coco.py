"""A COCO file that is not right is refused by a line that names the file and the row."""

import copy
import json
import math

import cv2
import numpy as np
import pytest

from nnrd import UserError
from nnrd.datasets.formats import REGISTRY

RIGHT = {
    "images": [
        {"id": 1, "file_name": "a.png", "width": 30, "height": 20},
        {"id": 2, "file_name": "b.png", "width": 30, "height": 20},
    ],
    "categories": [{"id": 3, "name": "cat"}, {"id": 4, "name": "dog"}],
    "annotations": [
        {"image_id": 1, "category_id": 3, "bbox": [1, 2, 3.5, 4], "area": 9, "iscrowd": 0},
        {"image_id": 1, "category_id": 4, "bbox": [0, 0, 30, 20]},
    ],
}


@pytest.fixture
def folder(tmp_path):
    for name in "ab":
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.zeros((20, 30, 3), np.uint8))
    return tmp_path


def index(folder, dataset):
    path = folder / "gt.json"
    path.write_text(dataset if isinstance(dataset, str) else json.dumps(dataset))
    return REGISTRY.get("coco")().index(path, folder)


def test_ground_truth_stands_with_its_image(folder):
    first, second = index(folder, RIGHT).items
    assert first.facts["objects"] == [
        {"category_id": 3, "bbox": [1, 2, 3.5, 4], "area": 9, "iscrowd": 0},
        {"category_id": 4, "bbox": [0, 0, 30, 20], "area": 600, "iscrowd": 0},
    ]
    assert second.facts["objects"] == []


def test_keys_that_nnrd_does_not_use_are_left_alone(folder):
    more = copy.deepcopy(RIGHT) | {"info": None, "licenses": [1]}
    more["annotations"][0] |= {"segmentation": [[1, 2]], "id": 0, "caption": {}}
    assert index(folder, more).items == index(folder, RIGHT).items


DROP = object()
NO_LIST = "gt.json: not a COCO dataset: no list"
# Where, what stands there instead, and what the message says.
MISTAKES = [
    ("images", DROP, f"{NO_LIST} 'images'"),
    ("annotations", DROP, f"{NO_LIST} 'annotations'"),
    ("categories", DROP, f"{NO_LIST} 'categories'"),
    ("images", {}, f"{NO_LIST} 'images'"),
    ("annotations", None, f"{NO_LIST} 'annotations'"),
    ("categories", "cat", f"{NO_LIST} 'categories'"),
    ("images.1", 7, "gt.json: images[1]: is not a mapping"),
    ("annotations.0", [], "gt.json: annotations[0]: is not a mapping"),
    ("categories.1", None, "gt.json: categories[1]: is not a mapping"),
    ("images.1.id", DROP, "gt.json: images[1]: id: None is no int"),
    ("images.1.id", "2", "gt.json: images[1]: id: '2' is no int"),
    ("images.1.id", 2.0, "gt.json: images[1]: id: 2.0 is no int"),
    ("images.1.id", True, "gt.json: images[1]: id: True is no int"),
    ("images.1.id", 1, "gt.json: images: id 1 is given twice"),
    ("images.0.file_name", DROP, "gt.json: images[0]: file_name: None is no str"),
    ("images.0.file_name", 5, "gt.json: images[0]: file_name: 5 is no str"),
    ("images.0.file_name", "c.png", "c.png: no such image"),
    ("images.0.file_name", "", ": no such image"),
    ("images.0.file_name", "a\0.png", "gt.json: images[0]: file_name: 'a\\x00.png' is not text"),
    ("images.0.file_name", "\ud800.png", "images[0]: file_name: '\\ud800.png' is not text"),
    ("categories.0.name", "a\nb", "gt.json: categories[0]: name: 'a\\nb' is not text that prints"),
    ("images.1.id", 10**400, "gt.json: images[1]: id: 1000"),
    ("images.1.id", 2**63, "gt.json: images[1]: id: 9223372036854775808 is beyond 1e+15"),
    ("categories.1.id", -(10**30), "gt.json: categories[1]: id: -1000"),
    ("images.1.file_name", "a.png", "gt.json: two items are called a"),
    ("images.0.width", "30", "gt.json: images[0]: width: '30' is no int"),
    ("images.0.width", math.nan, "gt.json: images[0]: width: nan is no int"),
    ("images.0.height", DROP, "gt.json: images[0]: height: None is no int"),
    ("images.0.height", None, "gt.json: images[0]: height: None is no int"),
    ("images.0.width", 31, "a.png: 30x20 pixels, "),
    ("images.1.height", -20, "b.png: 30x20 pixels, "),
    ("categories.0.id", DROP, "gt.json: categories[0]: id: None is no int"),
    ("categories.0.id", "3", "gt.json: categories[0]: id: '3' is no int"),
    ("categories.0.id", 4, "gt.json: categories: id 4 is given twice"),
    ("categories.1.name", DROP, "gt.json: categories[1]: name: None is no str"),
    ("categories.1.name", 4, "gt.json: categories[1]: name: 4 is no str"),
    ("annotations.1.image_id", DROP, "gt.json: annotations[1]: image_id: None is no int"),
    ("annotations.1.image_id", "1", "gt.json: annotations[1]: image_id: '1' is no int"),
    ("annotations.1.image_id", 9, "gt.json: annotations[1]: image_id 9 is no image's"),
    ("annotations.0.category_id", DROP, "gt.json: annotations[0]: category_id: None is no int"),
    ("annotations.0.category_id", False, "gt.json: annotations[0]: category_id: False is no int"),
    ("annotations.0.category_id", 5, "gt.json: annotations[0]: category_id 5 is no category's"),
    ("annotations.0.bbox", DROP, "gt.json: annotations[0]: bbox: None is no list"),
    ("annotations.0.bbox", {"x": 1}, "gt.json: annotations[0]: bbox: {'x': 1} is no list"),
    ("annotations.0.bbox", [1, 2, 3], "gt.json: annotations[0]: bbox: [1, 2, 3] is not four"),
    ("annotations.0.bbox", [1, 2, 3, 4, 5], "annotations[0]: bbox: [1, 2, 3, 4, 5] is not four"),
    ("annotations.0.bbox", [1, 2, 3, "4"], "gt.json: annotations[0]: bbox: [1, 2, 3, '4'] is not"),
    ("annotations.0.bbox", [1, 2, 3, True], "gt.json: annotations[0]: bbox: [1, 2, 3, True] is"),
    ("annotations.0.bbox", [1, 2, 3, None], "gt.json: annotations[0]: bbox: [1, 2, 3, None] is"),
    ("annotations.0.bbox", [[1], 2, 3, 4], "gt.json: annotations[0]: bbox: [[1], 2, 3, 4] is not"),
    ("annotations.0.bbox", [math.nan, 2, 3, 4], "gt.json: annotations[0]: bbox: [nan, 2, 3, 4] is"),
    ("annotations.0.bbox", [1, 2, math.inf, 4], "gt.json: annotations[0]: bbox: [1, 2, inf, 4] is"),
    ("annotations.0.bbox", [1, 2, -3, 4], "annotations[0]: bbox: [1, 2, -3, 4] has a negative"),
    ("annotations.0.bbox", [1, 2, 3, -0.5], "annotations[0]: bbox: [1, 2, 3, -0.5] has a negative"),
    ("annotations.0.bbox", [10**400, 2, 3, 4], "gt.json: annotations[0]: bbox: [1000"),
    ("annotations.0.area", "9", "gt.json: annotations[0]: area: '9' is not"),
    ("annotations.0.area", None, "gt.json: annotations[0]: area: None is not"),
    ("annotations.0.area", True, "gt.json: annotations[0]: area: True is not"),
    ("annotations.0.area", math.nan, "gt.json: annotations[0]: area: nan is not"),
    ("annotations.0.area", -math.inf, "gt.json: annotations[0]: area: -inf is not"),
    ("annotations.0.area", -1, "gt.json: annotations[0]: area: -1 is"),
    ("annotations.0.area", 10**400, "gt.json: annotations[0]: area: 1000"),
    ("annotations.0.iscrowd", "no", "gt.json: annotations[0]: iscrowd: 'no' is"),
    ("annotations.0.iscrowd", None, "gt.json: annotations[0]: iscrowd: None is"),
    ("annotations.0.iscrowd", 2, "gt.json: annotations[0]: iscrowd: 2 is"),
    ("annotations.0.iscrowd", [], "gt.json: annotations[0]: iscrowd: [] is"),
]


def changed(path, value):
    dataset = copy.deepcopy(RIGHT)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = dataset
    for part in parents:
        place = place[part]
    if value is DROP:
        del place[last]
    else:
        place[last] = value
    return dataset


@pytest.mark.parametrize(
    ("path", "value", "said"), MISTAKES, ids=[f"{m[0]}: {m[2][-40:]}" for m in MISTAKES]
)
def test_a_mistake_is_one_line_with_file_and_row(folder, path, value, said):
    with pytest.raises(UserError) as caught:
        index(folder, changed(path, value))
    message = str(caught.value)
    assert said in message and message.startswith(str(folder)) and "\n" not in message
    assert len(message) < 300


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "gt.json: not JSON"),
        ("{", "gt.json: not JSON"),
        ("null", f"{NO_LIST} 'images'"),
        ("[" * 100_000 + "]" * 100_000, "gt.json: not JSON"),
        ('{"images": ' * 10_000, "gt.json: not JSON"),
        ('{"images": [], "annotations": [], "images": []}', "gt.json: key 'images' is given twice"),
        ('{"images": [{"id": 1, "file_name": "a", "id": 2}]}', "gt.json: key 'id' is given twice"),
    ],
)
def test_what_is_no_coco_file(folder, text, said):
    with pytest.raises(UserError) as caught:
        index(folder, text)
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [True, 1, 0, False])
def test_crowds(folder, value):
    """COCO writes 0 and 1; others write false and true."""
    found = index(folder, changed("annotations.0.iscrowd", value)).items[0]
    assert found.facts["objects"][0]["iscrowd"] == int(value)
