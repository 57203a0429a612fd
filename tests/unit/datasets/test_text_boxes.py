"""Boxes as text, ``label x1 y1 x2 y2 score``, and which category a label stands for."""

import pytest

from nnrd import UserError
from nnrd.datasets import labels, text_boxes
from nnrd.datasets.coco_names import NAMES
from nnrd.datasets.labels import Labels
from nnrd.models.boxes import COCO_IDS

SIZE = (200, 100)
ROWS = [
    {"category_id": 10, "bbox": [20.0, 10.0, 60.0, 30.0], "score": 0.1 + 0.2},
    {"category_id": 90, "bbox": [0.0, 0.0, 200.0, 100.0], "score": 1.0},
    {"category_id": 555, "bbox": [1.0, 2.0, 3.0, 4.0], "score": 0.5},
]


def test_coco_has_80_names():
    assert len(NAMES) == len(set(NAMES.values())) == 80 and tuple(NAMES) == COCO_IDS
    assert (NAMES[1], NAMES[12 + 1], NAMES[90]) == ("person", "stop sign", "toothbrush")


@pytest.mark.parametrize("unit", text_boxes.UNITS)
def test_there_and_back(tmp_path, unit):
    file = tmp_path / "a.txt"
    text_boxes.write(file, ROWS, Labels(), SIZE, unit)
    first = {"share": "0.1 0.1 0.4 0.4", "pixels": "20.0 10.0 80.0 40.0"}[unit]
    assert file.read_text().splitlines()[0] == f"traffic light {first} 0.30000000000000004"
    found = text_boxes.read(file, Labels(), SIZE, unit)
    for row, expected in zip(found, ROWS, strict=True):
        assert row["category_id"] == expected["category_id"] and row["score"] == expected["score"]
        assert row["bbox"] == pytest.approx(expected["bbox"], abs=1e-9)


def test_a_ground_truth_has_no_scores(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("dog 0 0 0.5 0.5\n\n  sports ball 0.1 0.1 0.2 0.2  \n")
    found = text_boxes.read(file, Labels(), SIZE, "share", scored=False)
    assert [row["category_id"] for row in found] == [18, 37] and "score" not in found[0]
    text_boxes.write(file, found, Labels(), SIZE, "pixels")
    assert file.read_text().startswith("dog 0.0 0.0 100.0 50.0\n")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("dog 1 2 3", "is not 'label x1 y1 x2 y2 score'"),
        ("dog 0 0 x 1 0.5", "'x' is no number"),
        ("dog 0 0 1 1 nan", "'nan' is no finite number"),
        ("dog 0 0 inf 1 0.5", "'inf' is no finite number"),
        ("dog 0.5 0 0.1 1 0.5", "x2 is less than x1"),
        ("dog 0 0 100 50 0.5", "no shares of 1; --unit pixels"),
        ("dgo 0 0 1 1 0.5", "label 'dgo' is not known; nearest: dog.*--labels FILE"),
    ],
)
def test_what_is_refused(tmp_path, line, why):
    file = tmp_path / "a.txt"
    file.write_text(f"dog 0 0 1 1 0.5\n{line}\n")
    with pytest.raises(UserError, match=why) as caught:
        text_boxes.read(file, Labels(), SIZE, "share")
    assert str(caught.value).startswith(f"{file}:2: ")


def test_labels_of_a_file(tmp_path):
    file = tmp_path / "labels.tsv"
    file.write_text("label\tid\n# ImageNet's, as COCO's\ntabby\t17\nEgyptian cat\t17\n281\t17\n")
    found = labels.read(file, {3: "automobile"})
    ids = {"tabby": 17, "Egyptian cat": 17, "281": 17, "automobile": 3, "dog": 18, "282": 282}
    assert {label: found.id(label) for label in ids} == ids
    assert [found.name(number) for number in (17, 3, 18, 282)] == [
        *("tabby", "automobile", "dog", "282")
    ]
    with pytest.raises(UserError, match="label 'car' is not known"):
        found.id("car")  # COCO's 3 is called otherwise here
    file.write_text("label\tid\ncat\t17\ncat\t18\n")
    with pytest.raises(UserError, match=r"labels\.tsv:3: label 'cat' is given twice"):
        labels.read(file)
    file.write_text("label\tid\ncat\tx\n")
    with pytest.raises(UserError, match=r"labels\.tsv:2: id"):
        labels.read(file)


def test_files_of_a_path(tmp_path):
    with pytest.raises(UserError, match=r"no \*\.txt in this folder"):
        text_boxes.files(tmp_path)
    for name in ("b", "a"):
        (tmp_path / f"{name}.txt").write_text("")
    assert list(text_boxes.files(tmp_path)) == ["a", "b"]
    assert list(text_boxes.files(tmp_path / "b.txt")) == ["b"]
