"""The first images on which a detector is perfect, as a list that a dataset can be cut to."""

import argparse
import json

import pytest

from nnrd import UserError
from nnrd.core import files
from nnrd.datasets.index import Draw
from nnrd.metrics.detection import is_perfect
from nnrd.stages import select_images


def thing(x=0, category=1, crowd=0):
    return {"category_id": category, "bbox": [x, 0, 10, 10], "area": 100, "iscrowd": crowd}


def seen(x=0, category=1, score=0.9):
    return {"category_id": category, "bbox": [x, 0, 10, 10], "score": score}


CASES = {
    "found": ([thing()], [seen()], True),
    "found, and something unlikely": ([thing()], [seen(), seen(50, score=0.49)], True),
    "two of one class": ([thing(), thing(50)], [seen(50), seen()], True),
    "in a place that overlaps by half": ([thing()], [seen(3)], True),
    "elsewhere": ([thing()], [seen(4)], False),
    "unlikely": ([thing()], [seen(score=0.49)], False),
    "another class": ([thing()], [seen(category=2)], False),
    "twice": ([thing()], [seen(), seen(1)], False),
    "one of two": ([thing(), thing(50)], [seen()], False),
    "and one more": ([thing()], [seen(), seen(50)], False),
    "nothing to find": ([], [], False),
    "a crowd beside it": ([thing(), thing(50, crowd=1)], [seen()], True),
    "found in a crowd": ([thing(), thing(50, crowd=1)], [seen(), seen(50)], False),
    "a crowd alone": ([thing(crowd=1)], [], False),
}


@pytest.mark.parametrize("case", CASES)
def test_perfect(case):
    objects, found, perfect = CASES[case]
    assert is_perfect(objects, found) is perfect


def test_the_thresholds_are_to_be_chosen():
    assert is_perfect([thing()], [seen(score=0.3)], score_threshold=0.3)
    assert not is_perfect([thing()], [seen(3)], iou_threshold=0.6)


PERFECT = {"a": False, "b": True, "c": True, "d": False, "e": True}


@pytest.fixture
def folder(tmp_path):
    """An index of five images, and predictions in two shards: every second image each."""
    facts = {"width": 99, "height": 20}
    items = [
        {"name": name, "path": "", "checksum": ""} | {"facts": facts | {"image_id": i}}
        for i, name in enumerate(PERFECT)
    ]
    for item in items:
        item["facts"] = item["facts"] | {"objects": [thing()]}
    given = {"items": items, "categories": {"1": "cat"}, "skipped": {}, "counts": {}}
    files.write_record(tmp_path / "index.json", given)
    rows = [{"item": n, "detections": [seen(0 if ok else 50)]} for n, ok in PERFECT.items()]
    for shard in (0, 1):
        record = {"predictions": rows[shard::2]}
        files.write_record(tmp_path / f"{shard}-of-2.json", record)
    return tmp_path


def select(folder, *more, form=None):
    parser = argparse.ArgumentParser()
    select_images.add_arguments(parser)
    given = form or [
        *("--index", folder / "index.json"),
        *("--predictions", folder / "0-of-2.json", folder / "1-of-2.json"),
    ]
    words = [*given, "--out", folder / "names.txt", *more]
    select_images.main(parser.parse_args(list(map(str, words))))
    return files.read_names(folder / "names.txt")


def test_the_first_in_the_dataset_s_order_whatever_the_shards(folder):
    assert select(folder) == ["b", "c", "e"]
    assert select(folder, "--count", 2) == ["b", "c"]
    first = (folder / "names.txt").read_text().splitlines()[0]
    assert first == "# the first 2: 3 of 5 images are perfect at score 0.5 and IoU 0.5"
    assert Draw.of(folder / "names.txt")(list(PERFECT), str) == ["b", "c"]


def test_coco_s_files_by_hand(folder):
    truth = {
        "images": [{"id": i, "file_name": f"{n}.jpg", "width": 99, "height": 20}
                   for i, n in enumerate(PERFECT)],
        "annotations": [thing() | {"image_id": i} for i in range(5)],
        "categories": [{"id": 1, "name": "cat"}],
    }  # fmt: skip
    results = [seen() | {"image_id": i} for i, ok in enumerate(PERFECT.values()) if ok]
    (folder / "truth.json").write_text(json.dumps(truth))
    (folder / "results.json").write_text(json.dumps(results))
    form = ["--annotations", folder / "truth.json", "--predictions", folder / "results.json"]
    assert select(folder, form=form) == ["b", "c", "e"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--count", 4], "3 of 5 images are perfect at score 0.5 and IoU 0.5, 4 wanted"),
        (["--threshold", 0.95], "0 of 5 images are perfect .*, at least one wanted"),
        (["--count", 0], "--count: 0 is below 1"),
        (["--iou", 1.5], "--iou: 1.5 is not within 0 and 1"),
        (["--threshold", "nan"], "--threshold: nan is not within 0 and 1"),
    ],
)
def test_what_cannot_be_is_one_line_and_writes_nothing(folder, more, message):
    with pytest.raises(UserError, match=message) as caught:
        select(folder, *more)
    assert "\n" not in str(caught.value) and not (folder / "names.txt").exists()


@pytest.mark.parametrize("row", [{"item": "f", "detections": []}, {"item": "a", "text": "x"}])
def test_predictions_of_something_else_are_refused(folder, row):
    files.write_record(folder / "0-of-2.json", {"predictions": [row]})
    with pytest.raises(UserError, match=f"{row['item']}: is no image of the ground truth"):
        select(folder)
