"""A dataset with items that cannot be used: refused, or skipped and counted, in a whole run."""

import json

import pandas
import pytest
import yaml
from small_detector import detector

from .conftest import copy_of_project
from .test_own_study import COUNT, photos, readme


@pytest.mark.slow
def test_a_damaged_photo_is_refused_or_skipped_and_counted(tmp_path):
    checkout = copy_of_project(tmp_path)
    mine = yaml.safe_load(readme())
    detector(tmp_path / "detector.onnx")
    (tmp_path / "photos.json").write_text(json.dumps(photos(tmp_path / "photos")))
    (tmp_path / "photos/2.png").write_text("no picture")
    mine["studies"]["mine"] |= {"splits": [1], "codecs": ["raw"]}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(mine))
    done = checkout.run("--configfile", "mine.yaml")
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "2.png: not an image that can be read" in said
    assert "bad_items: skip in the dataset's row" in said
    mine["datasets"]["my_photos"]["bad_items"] = "skip"
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(mine))
    done = checkout.run("--configfile", "mine.yaml")
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert said.count("my_photos.json: 1 items cannot be used: 2") == 1
    table = pandas.read_csv(tmp_path / "results/tables/mine/points.csv")
    assert set(table["skipped"]) == {1} and set(table["items"]) == {COUNT - 1}
    assert set(table["crowds"]) == {0}
