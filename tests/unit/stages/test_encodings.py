"""Names of any letters where Python's own encoding is ASCII, as in a bare environment of old."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nnrd.core import files

SCRIPTS = Path(__file__).parents[3] / "scripts"
NAME = "čaša"
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def join(folder):
    text = f"item,top1\n{NAME},1\n"
    (folder / "a.csv").write_text(text, encoding="utf-8")
    return ["join_tables", "a.csv"], text


def select(folder):
    thing = {"category_id": 1, "bbox": [0, 0, 9, 9], "area": 81, "iscrowd": 0}
    facts = {"image_id": 1, "width": 9, "height": 9, "objects": [thing]}
    item = {"name": NAME, "path": "", "checksum": "", "facts": facts}
    index = {"items": [item], "categories": {"1": "cat"}, "skipped": {}, "counts": {}}
    files.write_record(folder / "i.json", index)
    seen = {"item": NAME, "detections": [thing | {"score": 0.9}]}
    files.write_record(folder / "p.json", {"predictions": [seen]})
    told = "# the first 1: 1 of 1 images are perfect at score 0.5 and IoU 0.5"
    return ["select_images", "--index", "i.json", "--predictions", "p.json"], f"{told}\n{NAME}\n"


@pytest.mark.fault("environment: an encoding of ASCII alone")
@pytest.mark.parametrize("make", [join, select])
def test_what_is_written_is_utf_8(tmp_path, make):
    (name, *options), expected = make(tmp_path)
    command = [sys.executable, str(SCRIPTS / f"{name}.py"), *options, "--out", "out"]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | ASCII, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out").read_text(encoding="utf-8") == expected


@pytest.mark.fault("environment: an encoding of ASCII alone: the configuration")
def test_a_configuration_is_read():
    code = "from nnrd.core import sheets\nprint(len(str(sheets.schema('config'))) > 999)"
    env = os.environ | ASCII | {"PYTHONPATH": str(SCRIPTS)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr
