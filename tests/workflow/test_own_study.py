"""The README's "my model, my photos", cut out of it and run: nothing of nnrd is edited."""

import json
import re

import numpy as np
import pandas
import pytest
import yaml
from PIL import Image
from small_detector import detector

from .conftest import ROOT, Checkout, copy_of_project

COUNT = 6
CATEGORIES = [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}]


def readme() -> str:
    text = (ROOT / "README.md").read_text()
    return re.search(r"```yaml\n(# mine\.yaml\n.*?)```", text, re.DOTALL)[1]


def photos(folder) -> dict:
    """Write bright and dark photos of 128x64 pixels; return their ground truth."""
    folder.mkdir()
    images, boxes = [], []
    for number in range(COUNT):
        pixels = np.full((64, 128, 3), 255 - 20 * number, np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "width": 128, "height": 64})
        row = {"id": number, "image_id": number, "category_id": 1, "iscrowd": 0, "area": 2048}
        boxes.append(row | {"bbox": [32, 16, 64, 32]})
    return {"images": images, "annotations": boxes, "categories": CATEGORIES}


@pytest.fixture(scope="module")
def mine(tmp_path_factory) -> Checkout:
    """A fresh checkout with a model, photos and the README's file, as a user has it."""
    checkout = copy_of_project(tmp_path_factory.mktemp("own"))
    (checkout.folder / "mine.yaml").write_text(readme())
    detector(checkout.folder / "detector.onnx")
    truth = photos(checkout.folder / "photos")
    (checkout.folder / "photos.json").write_text(json.dumps(truth))
    done = checkout.run("--configfile", "mine.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout


def test_it_is_about_twenty_lines():
    assert len(readme().splitlines()) <= 24
    assert list(yaml.safe_load(readme())) == ["run", "assets", "models", "datasets", "studies"]


def test_it_gives_a_table(mine):
    table = pandas.read_csv(mine.folder / "results/tables/mine/points.csv")
    assert list(table.codec) == ["anchor", "stored", *["raw"] * 2, *["nnc"] * 4]
    assert list(table.split_name.dropna().unique()) == ["relu", "head"]
    assert (table.rec_perf == 100).all()  # every box is where it should be
    assert (table[table.codec == "raw"].F1 == 100).all()
    nnc = table[table.codec == "nnc"]
    assert (nnc.compress_ratio < 1).any() and nnc.rec_size.notna().all()


def test_nothing_of_the_shipped_studies_is_made(mine):
    tables = {path.name.partition(".")[0] for path in (mine.folder / "results/tables").iterdir()}
    assert tables == {"items", "mine", "points"}
    fetched = {path.name.partition(".")[0] for path in (mine.folder / "resources").iterdir()}
    assert fetched == {"my_detector"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("items: 6", "items: 5", "photos.json"),
        ("splits: [1,", "splits: [450,", "mine.yaml: studies.mine.splits[0]: rank 450 is out of"),
        ("name: head", "name: heads", "splits[1]: no node is called 'heads'; nearest: head"),
        ("model: my_detector", "model: my_detektor", "did you mean my_detector?"),
    ],
)
def test_a_mistake_names_the_file(mine, tmp_path, old, new, said):
    checkout = mine.copy_to(tmp_path / "checkout")
    checkout.edit("mine.yaml", old, new)
    done = checkout.run("--configfile", "mine.yaml")
    lines = (done.stdout + done.stderr).splitlines()
    assert done.returncode != 0 and any(said in line for line in lines), lines


def test_a_rank_too_high_is_refused_in_a_dry_run_before_anything_was_made(mine, tmp_path):
    checkout = mine.copy_to(tmp_path / "checkout")
    for name in ("results/models", "resources"):
        (checkout.folder / name).rename(tmp_path / name.replace("/", "_"))
    checkout.edit("mine.yaml", "splits: [1,", "splits: [450,")
    done = checkout.run("-n", "--configfile", "mine.yaml")
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "rank 450 is out of range 1..5 of detector.onnx" in said
