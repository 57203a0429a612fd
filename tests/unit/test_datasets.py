"""A dataset is looked at, item by item, before anything runs on it."""

import json

import cv2
import numpy as np
import pytest

from nnrd import UserError
from nnrd.datasets import index as datasets


def write(folder, images, sizes=None):
    for name in images:
        if name.endswith((".png", ".jpg")):
            cv2.imwrite(str(folder / name), np.zeros((20, 30, 3), np.uint8))
    rows = [
        {"id": i, "file_name": name, "width": (sizes or {}).get(name, 30), "height": 20}
        for i, name in enumerate(images, 1)
    ]
    (folder / "gt.json").write_text(
        json.dumps({"images": rows, "annotations": [], "categories": []})
    )
    return folder / "gt.json"


def test_items_are_ordered_by_name(tmp_path):
    annotations = write(tmp_path, ["b.png", "a.jpg", "c.png"])
    items = datasets.index_coco(annotations, tmp_path)
    assert [item.name for item in items] == ["a", "b", "c"]
    assert items[0] == ("a", str(tmp_path / "a.jpg"), 2, 30, 20)
    assert [item.name for item in datasets.index_coco(annotations, tmp_path, 2)] == ["a", "b"]


def test_shards_cover_the_items_once(tmp_path):
    items = datasets.index_coco(write(tmp_path, [f"{i}.png" for i in range(7)]), tmp_path)
    (tmp_path / "i.json").write_text(json.dumps([item._asdict() for item in items]))
    found = [datasets.read_index(tmp_path / "i.json", f"{i}-of-3") for i in range(3)]
    assert sorted(item for shard in found for item in shard) == items
    assert datasets.read_index(tmp_path / "i.json") == items


def cut_short(photo):
    noise = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    cv2.imwrite(str(photo), noise)
    photo.write_bytes(photo.read_bytes()[:-200])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: write(f, []), "the dataset has no items"),
        (lambda f: (write(f, ["a.png"]), (f / "a.png").unlink()), r"a\.png: no such photo"),
        (lambda f: (write(f, ["a.png"]), (f / "a.png").write_text("x")), r"a\.png: not an image"),
        (lambda f: (write(f, ["a.png"]), (f / "a.png").write_bytes(b"")), r"a\.png: not an image"),
        (lambda f: cut_short(write(f, ["a.jpg"]).parent / "a.jpg"), r"a\.jpg: not an image.*trunc"),
        (lambda f: write(f, ["a.png"], {"a.png": 31}), "30x20 pixels, the annotations say 31x20"),
        (lambda f: write(f, ["a.png", "a.jpg"]), "two photos are called a"),
        (lambda f: (f / "gt.json").write_text("{"), r"gt\.json: not JSON"),
        (lambda f: (f / "gt.json").write_text("[]"), "not a COCO dataset: no list 'images'"),
        (lambda f: (f / "gt.json").write_text('{"images": 3}'), "not a COCO dataset"),
        (lambda f: None, r"gt\.json: no such file"),
    ],
)
def test_bad_input_is_one_line(tmp_path, spoil, said):
    spoil(tmp_path)
    with pytest.raises(UserError, match=said) as caught:
        datasets.index_coco(tmp_path / "gt.json", tmp_path)
    assert "\n" not in str(caught.value)
