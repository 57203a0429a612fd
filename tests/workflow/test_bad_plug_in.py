"""A plug-in that fails or hangs within a run: the run says whose it is, and the rest is made."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pandas
import pytest
import yaml
from small_detector import detector

from .conftest import Checkout, copy_of_project
from .test_kills import of_run, wait_for
from .test_own_study import photos, readme

CODEC = """
import time
from pathlib import Path
from nnrd.codecs.float16 import Codec

class Bad(Codec):
    def compress(self, tensors, names, workers):
        {bad}
        return super().compress(tensors, names, workers)
"""
CALLED = "error: codec bad (plug-in bad-codec 1.0, bad_codec:Bad): "
TABLE = "results/tables/mine/points.csv"


def publish(folder: Path, bad: str) -> None:
    """Publish a codec that is `float16` but for what it does first."""
    info = folder / "bad_codec-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (folder / "bad_codec.py").write_text(CODEC.format(bad=bad))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bad-codec\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[nnrd.codecs]\nbad = bad_codec:Bad\n")


@pytest.fixture
def mine(tmp_path, monkeypatch) -> Checkout:
    """A study of the README's, with `raw` and the plug-in's codec at one split."""
    checkout = copy_of_project(tmp_path / "checkout")
    config = yaml.safe_load(readme())
    config["studies"]["mine"] |= {"splits": [1], "codecs": ["raw", "bad"]}
    checkout.configure(config | {"sheets": {}})
    detector(checkout.folder / "detector.onnx")
    (checkout.folder / "photos.json").write_text(json.dumps(photos(checkout.folder / "photos")))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    return checkout


@pytest.mark.slow(minutes=2)
def test_a_run_goes_on_around_a_plug_in_that_raises_or_hangs(mine, tmp_path, fault):
    fault("hostile: a plug-in raises in a run")
    publish(tmp_path, 'raise ValueError("boom")')
    done = mine.run(TABLE)
    assert done.returncode != 0 and f"{CALLED}ValueError: boom, at line 8" in done.stderr
    assert len(list(mine.folder.glob("results/**/raw/*/point.json"))) == 1
    assert not list(mine.folder.glob("results/**/bad/*/bitstreams/*"))

    fault("hostile: a plug-in hangs in a run")
    publish(tmp_path, "Path('begun').touch(); time.sleep(3600)")
    hung = subprocess.Popen(
        mine.command(TABLE), cwd=mine.folder, stderr=subprocess.DEVNULL, start_new_session=True
    )
    assert wait_for((mine.folder / "begun").exists)
    os.killpg(hung.pid, signal.SIGINT)  # as a terminal does at Ctrl-C
    assert hung.wait(60) != 0 and not of_run(hung.pid)
    (log,) = mine.folder.glob("logs/encode_tensors/**/bad/**/*.log")
    assert f"{CALLED}interrupted, at line 8" in log.read_text()
    assert not list(mine.folder.glob("results/**/bad/*/bitstreams/*"))

    publish(tmp_path, "print('a word')")
    done = mine.run(TABLE)
    assert done.returncode == 0, done.stderr
    table = pandas.read_csv(mine.folder / TABLE)
    assert {"raw", "bad"} < set(table.codec)
    assert "a word" in log.read_text()
