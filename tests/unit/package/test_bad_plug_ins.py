"""Plug-ins that raise, print, end the program or give something else: the message says whose."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas
import pytest
from PIL import Image
from small_detector import detector

from nnrd import tensor_files

ROOT = Path(__file__).parents[3]
GROUPS = {
    "nnrd.codecs": "Bad",
    "nnrd.models": "FAMILY",
    "nnrd.dataset_formats": "Layout",
    "nnrd.plots": "Picture",
}
PLUG_IN = """
import sys, time
from pathlib import Path
from nnrd.codecs import Codec
from nnrd.datasets.formats import Format
from nnrd.datasets.index import Index
from nnrd.models import Family
from nnrd.models.pipeline import Pipeline
from nnrd.report.plots import Plot

{first}

def bad():
    {bad}

class Bad(Codec):
    def compress(self, tensors, names, workers):
        return bad()
    def expand(self, payload, entries, parameters, workers):
        return bad()

class Layout(Format):
    def index(self, annotations, folder, draw=None):
        return bad()

class Whole(Pipeline):
    task = "detection"
    def load(self, item):
        return None
    preprocess = postprocess = lambda self, *given: bad()

class Picture(Plot):
    def draw(self, points, anchors):
        return bad()

FAMILY = Family(pipeline="bad_plug_in:Whole")
{last}
"""


def install(folder, bad="pass", first="", last=""):
    """Publish a codec, a family, a dataset format and a plot, all called bad, below a folder."""
    info = folder / "bad_plug_in-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "bad_plug_in.py").write_text(PLUG_IN.format(bad=bad, first=first, last=last))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bad-plug-in\nVersion: 1.0\n")
    lines = [f"[{group}]\nbad = bad_plug_in:{name}\n" for group, name in GROUPS.items()]
    (info / "entry_points.txt").write_text("".join(lines))


def encoding(folder):
    tensor_files.write(folder / "a.npz", {"a": np.ones(3, np.float32)})
    return ["-m", "nnrd.cli", "encode", "a.npz", "--codec", "bad", "-o", "out"]


def indexing(folder):
    (folder / "gt").touch()
    where = ["--annotations", "gt", "--folder", ".", "--items", "1", "--out", "out"]
    return [str(ROOT / "scripts/index_dataset.py"), "--format", "bad", *where]


def plotting(folder):
    row = {"study": "s", "model": "m", "dataset": "d", "items": 1, "codec": "raw", "rec_size": 4}
    pandas.DataFrame([row | {"anc_size": 4, "parameters": "{}"}]).to_csv(folder / "p.csv")
    return [str(ROOT / "scripts/plot_points.py"), "bad", "--points", "p.csv", "--out", "out.svg"]


def inferring(folder):
    detector(folder / "net.onnx")
    Image.new("RGB", (32, 32)).save(folder / "a.png")
    row = {"task": "detection", "family": "bad", "weights": "asset", "asset": "net"}
    asset = {"file": "net.onnx", "source": f"file:{folder}/net.onnx", "license": "mine"}
    mine = {"models": {"net": row | {"file": "net.onnx"}}, "assets": {"net": asset}}
    (folder / "mine.yaml").write_text(json.dumps(mine))
    model = ["--model", "net", "--configfile", "mine.yaml", "--folder", str(ROOT)]
    return ["-m", "nnrd.cli", "infer", "a.png", *model]


USES = {
    "codec": (encoding, "codec bad"),
    "dataset format": (indexing, "dataset format bad"),
    "plot": (plotting, "plot bad"),
    "family of models": (inferring, "family of models bad"),
}
RAISED = "at line 14 of /"
BAD = {
    "raises": ('raise ValueError("a\\nb")', "ValueError: a b", RAISED),
    "raises an odd error": ("raise type('Odd', (BaseException,), {})()", "Odd", RAISED),
    "ends the program": ("sys.exit(0)", "it ends the program (exit code 0)", RAISED),
    "fails in a library": ("Path('x').relative_to('y')", "ValueError: 'x' is not in", RAISED),
    "gives None": ("return None", "None", ""),
    "gives a text": ('return "text"', "", ""),
}


def run(folder, command, plug_in):
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, timeout=60,
        env=environment(plug_in),
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def environment(plug_in):
    import os

    return os.environ | {"PYTHONPATH": f"{ROOT / 'scripts'}:{plug_in}"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


CASES = [("codec", name) for name in BAD]
CASES += [(use, name) for use in USES if use != "codec" for name in ("raises", "gives None")]


@pytest.mark.fault("hostile: a plug-in")
@pytest.mark.parametrize(("use", "name"), CASES)
def test_the_last_line_names_the_plug_in(folder, use, name):
    bad, *words = BAD[name]
    make, called = USES[use]
    install(folder.parent / "site", bad)
    code, _, said = run(folder, make(folder), folder.parent / "site")
    last = said.splitlines()[-1]
    assert code != 0 and last.startswith("error: ") and called in last, said
    assert all(word in last for word in words), said
    assert not list(folder.glob("out*"))


LOADS = {
    "raises": ({"first": "1 / 0"}, "does not load: ZeroDivisionError: division by zero"),
    "ends the program": ({"first": "sys.exit()"}, "does not load: it ends the program"),
    "does not parse": ({"first": "def"}, "does not load: SyntaxError"),
    "lacks a package": ({"first": "import absent"}, "does not load: No module named 'absent'"),
    "has no such name": ({"last": "del Bad"}, "does not load: AttributeError"),
    "is another class": ({"last": "Bad = Layout"}, "is no nnrd.codecs.base.Codec"),
    "is a number": ({"last": "Bad = 7"}, "is no nnrd.codecs.base.Codec"),
}


@pytest.mark.fault("hostile: a plug-in, loaded,")
@pytest.mark.parametrize("name", LOADS)
def test_one_that_does_not_load_is_one_line(folder, name):
    text, words = LOADS[name]
    install(folder.parent / "site", **text)
    code, _, said = run(folder, encoding(folder), folder.parent / "site")
    assert code == 1 and len(said.splitlines()) == 1, said
    assert said.startswith("error: codec bad: its entry point bad_plug_in:Bad ") and words in said


PLANNED = """
import sys
from nnrd import UserError
from nnrd.study.config import load
on = {"model": "mobilenet_v2", "dataset": "imagenet_images"}
study = on | {"kind": "weights", "codecs": ["bad"]}
try:
    load({"run": ["s"], "studies": {"s": study}}, "config.yaml", sys.argv[1])
except UserError as error:
    sys.exit(f"error: {error}")
"""
CHECKS = {
    "raises": (
        "Bad.validate = classmethod(lambda *given: 1 / 0)",
        "codec bad (plug-in bad-plug-in",
    ),
    "ends the program": (
        "Bad.validate = classmethod(lambda *given: sys.exit(0))",
        "it ends the pr",
    ),
    "has no schema": ("Bad.properties = 7", "what codec bad (plug-in bad-plug-in 1.0"),
}


@pytest.mark.fault("hostile: a plug-in, planned,")
@pytest.mark.parametrize("name", CHECKS)
def test_one_that_fails_while_a_run_is_planned_is_one_line(folder, name):
    """With exit code 0 Snakemake would end without a word, as if all were done."""
    last, words = CHECKS[name]
    install(folder.parent / "site", last=last)
    code, _, said = run(folder, ["-c", PLANNED, str(ROOT)], folder.parent / "site")
    assert code == 1 and len(said.splitlines()) == 1, said
    assert said.startswith("error: ") and words in said


@pytest.mark.fault("hostile: a plug-in prints")
def test_what_is_printed_while_loading_is_no_output(folder):
    install(folder.parent / "site", "return b''", first='print("hello")')
    code, out, said = run(folder, encoding(folder), folder.parent / "site")
    assert code == 0 and "hello" in said and "hello" not in out


@pytest.mark.fault("hostile: a plug-in hangs")
def test_an_interrupt_says_where_it_hung(folder):
    """There is no limit of time: how long a codec may take is not known. Ctrl-C says where."""
    install(folder.parent / "site", "Path('begun').touch(); time.sleep(600)")
    hung = subprocess.Popen(
        [sys.executable, *encoding(folder)], cwd=folder, text=True, stderr=subprocess.PIPE,
        env=environment(folder.parent / "site"),
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (folder / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    hung.send_signal(signal.SIGINT)
    said = hung.communicate(timeout=60)[1].splitlines()[-1]
    assert hung.returncode != 0
    assert said.startswith(
        "error: codec bad (plug-in bad-plug-in 1.0, bad_plug_in:Bad): interrupted"
    )
    assert not (folder / "out").exists()
