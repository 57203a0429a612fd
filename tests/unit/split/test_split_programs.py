"""The programs around splits, on small models."""

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pandas as pd
import pytest
from small_models import FLOAT, MODELS, constant, model, node

from nnrd import UserError
from nnrd.core import program
from nnrd.core.files import checksum, write_record
from nnrd.datasets.index import Index, Item
from nnrd.split import feeding

ROOT = Path(__file__).parents[3]


def run(stage, *arguments):
    """Run a stage within this process: starting one costs seconds of imports."""
    module = importlib.import_module(f"nnrd.stages.{stage}")
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    module.main(parser.parse_args(list(map(str, arguments))))


def refused(stage, *arguments):
    """Return what a stage says that refuses; one line."""
    with pytest.raises(UserError) as error:
        run(stage, *arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def shape_only(tmp_path):
    onnx.save(MODELS["shape_only"](), tmp_path / "m.onnx")
    return tmp_path / "m.onnx"


def test_split_model_prints_and_writes(shape_only, tmp_path):
    command = [sys.executable, ROOT / "scripts" / "split_model.py", shape_only, "--out", tmp_path]
    place = ["--name", "/c", "--where", "after"]
    printed = subprocess.run([*command, *place], capture_output=True, text=True, check=True).stdout
    for line in (
        "split before rank 3 of 10: /s (Shape)",
        "part I   inputs: x",
        "outputs: x:shape, a:shape, c",
        "outputs: y, uv",
        "branches: 3 (3 as TR 26.847 counts)",
        "  x:shape: 32 bytes",
        "  c: 16 bytes",
        "intermediate data: 80 bytes",
    ):
        assert line in printed
    plan = json.loads((tmp_path / "split.json").read_text())
    assert (plan["rank"], plan["where"], plan["branches"]) == (3, "after", 3)
    for name in ("part1.onnx", "part2.onnx"):
        assert onnx.load(tmp_path / name).graph.node


def test_split_model_refuses_in_one_line_and_writes_nothing(shape_only, tmp_path):
    out = tmp_path / "out"
    wrong = {
        ("--rank", 99): "before takes ranks 1 to 9",
        ("--name", "/cc"): "nearest: ",
        ("--rank", 9, "--where", "after"): "after takes ranks 0 to 8",
    }
    for arguments, message in wrong.items():
        assert message in refused("split_model", shape_only, *arguments, "--out", out)
    assert "no such file" in refused("split_model", tmp_path / "n", "--rank", 1, "--out", out)
    command = [sys.executable, ROOT / "scripts" / "split_model.py", shape_only, "--rank", "99"]
    command += ["--out", out]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    with pytest.raises(SystemExit):
        run("split_model", shape_only, "--rank", 1, "--name", "/c")
    assert not out.exists()


@pytest.fixture
def open_sized(tmp_path):
    """A model whose input has an open size, and two inputs for it."""
    nodes = [node("Relu", "x", "a"), node("GlobalAveragePool", "a", "b"), node("Neg", "b", "y")]
    image = {"x": (FLOAT, [1, 3, "height", "width"])}
    onnx.save(model(nodes, image, {"y": (FLOAT, None)}), tmp_path / "m.onnx")
    cv2.imwrite(str(tmp_path / "p.png"), np.zeros((5, 7, 3), np.uint8))
    np.save(tmp_path / "q.npy", np.zeros((1, 3, 4, 4), np.float32))
    return tmp_path / "m.onnx"


def test_tabulate_splits_measures_several_inputs(open_sized, tmp_path):
    csv = tmp_path / "t.csv"
    inputs = ["--input", tmp_path / "p.png", tmp_path / "q.npy"]
    run("tabulate_splits", open_sized, "--csv", csv, *inputs, "--rates", "1gbps=1000000000")
    table = pd.read_csv(csv)
    assert table.input.unique().tolist() == ["p.png (1×3×5×7)", "q.npy (1×3×4×4)"]
    assert table["rank"].tolist() == [0, 1, 2, 0, 1, 2]  # rank 0: the input, sent whole
    assert table.bytes.tolist() == [420, 420, 12, 192, 192, 12]
    assert table.latency_ms_1gbps[0] == pytest.approx(420 * 8 / 1e9 * 1e3)
    run("tabulate_splits", open_sized, "--csv", csv)
    static = pd.read_csv(csv)
    assert static.needs_inference.tolist() == [1, 1, 0]
    assert static.bytes.isna().tolist() == [True, True, False]
    run("tabulate_splits", open_sized, "--csv", csv, "--shape", "x=1,3,2,2", "--shape", "x=1,3,1,1")
    assert pd.read_csv(csv).bytes.tolist() == [48, 48, 12, 12, 12, 12]


def test_tabulate_splits_prints_without_csv(open_sized):
    command = [sys.executable, ROOT / "scripts" / "tabulate_splits.py", open_sized]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    header, *rows = done.stdout.splitlines()
    assert header.split()[:4] == ["input", "rank", "node_name", "op_type"] and len(rows) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shape", "x=1,3"], "give its shape"),
        (["--shape", "x=1,3,a,b"], "write NAME=1,3"),
        (["--shape", "x=1,3,-1,4"], "dimensions from 1"),
        (["--shape", "x=-1,3"], "dimensions from 1"),
        (["--shape", "z=1,3,2,2"], "unknown input of the model 'z'; known: x"),
        (["--shape", "x=1,3,1048576,1048576"], "3298534883328 values; 268435456 at most"),
        (["--shape", f"x=1,3,{'9' * 5000},1"], "write NAME=1,3"),
        (["--input", "absent.png"], "no such file"),
        (["--rates", "fast"], "write NAME=BIT/S"),
        (["--rates", "fast=0"], "write NAME=BIT/S"),
    ],
)
def test_tabulate_splits_refuses_in_one_line(open_sized, tmp_path, arguments, message):
    assert message in refused("tabulate_splits", open_sized, *arguments)


def test_a_model_that_was_altered_is_refused(open_sized, tmp_path):
    write_record(tmp_path / "m.json", {"files": {"m.onnx": "0" * 64}})
    said = refused("tabulate_splits", open_sized, "--facts", tmp_path / "m.json")
    assert "m.onnx: damaged" in said


def test_tabulate_images_takes_items_by_name(open_sized, tmp_path):
    image, csv = tmp_path / "p.png", tmp_path / "t.csv"
    item = {"name": "p", "path": str(image), "checksum": checksum(image), "facts": {}}
    write_record(tmp_path / "index.json", Index([Item(**item)]).as_record())
    known = ["--index", tmp_path / "index.json"]
    given = [*known, "--items", "p", "--shape", "x=1,3,2,2"]
    run("tabulate_images", open_sized, *given, "--csv", csv)
    labels = ["p.png (1×3×5×7)", "random input (1×3×2×2)"]
    assert pd.read_csv(csv).input.unique().tolist() == labels
    out = ["--csv", tmp_path / "not_written.csv"]
    for arguments, message in (
        ([*known, "--items", "q"], "unknown item 'q'"),
        (["--items", "p"], "--items needs --index"),
        ([], "give --items"),
    ):
        assert message in refused("tabulate_images", open_sized, *arguments, *out)
    image.write_bytes(b"noise")
    said = refused("tabulate_images", open_sized, *known, "--items", "p", *out)
    assert "p.png: damaged" in said and not out[1].exists()


def test_inputs_are_read_or_made_to_fit(tmp_path):
    fixed = model([node("Neg", "x", "y")], {"x": (FLOAT, [1, 3, 8, 6])}, {"y": (FLOAT, None)})
    cv2.imwrite(str(tmp_path / "p.png"), np.full((5, 7, 3), (255, 0, 0), np.uint8))
    ((name, pixels),) = feeding.read(fixed, tmp_path / "p.png").items()
    assert name == "x" and pixels.shape == (1, 3, 8, 6) and pixels.dtype == np.float32
    assert pixels[0, :, 0, 0].tolist() == [0, 0, 1]  # RGB of OpenCV's blue
    two = MODELS["two_inputs"]()
    with pytest.raises(UserError, match=r"inputs x, size: give them as .npz"):
        feeding.read(two, tmp_path / "p.png")
    np.savez(tmp_path / "two.npz", x=np.zeros(3), size=np.ones(4))
    assert list(feeding.read(two, tmp_path / "two.npz")) == ["x", "size"]
    (tmp_path / "bad.npz").write_bytes(b"noise")
    with pytest.raises(UserError, match="not a NumPy file"):
        feeding.read(two, tmp_path / "bad.npz")
    with pytest.raises(UserError, match="no image of three channels"):
        feeding.read(MODELS["residual"](), tmp_path / "p.png")
    made = feeding.random(two, {})
    assert made["size"].dtype == np.int64 and made["x"].max() < 1


def test_bench_split_prints_both(tmp_path, capsys):
    nodes = [constant("c", np.ones(3, np.float32)), node("Mul", "x c", "a"), node("Neg", "a", "y")]
    shape = {"x": (FLOAT, [2, 3])}
    onnx.save(model(nodes, shape, {"y": (FLOAT, [2, 3])}), tmp_path / "m.onnx")
    arguments = [str(tmp_path / "m.onnx"), "--ranks", "2", "--shape", "x=2,3"]
    program.run(importlib.import_module("bench_split"), arguments)
    printed = capsys.readouterr().out
    assert "a run that measures" in printed and "rank 2: onnx.utils.extract_model" in printed
