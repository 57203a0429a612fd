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
from nnrd.split import comparison, feeding, plots

ROOT = Path(__file__).parents[2]


def run(program, *arguments):
    """Run a program within this process: starting one costs seconds of imports."""
    module = importlib.import_module(program)
    module.main(module.parser().parse_args(list(map(str, arguments))))


def refused(program, *arguments):
    """Return what a program says that refuses; one line."""
    with pytest.raises(UserError) as error:
        run(program, *arguments)
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
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    with pytest.raises(SystemExit):
        run("split_model", shape_only, "--rank", 1, "--name", "/c")
    assert not out.exists()


def test_tabulate_splits_measures_several_inputs_and_plots(tmp_path):
    nodes = [node("Relu", "x", "a"), node("GlobalAveragePool", "a", "b"), node("Neg", "b", "y")]
    image = {"x": (FLOAT, [1, 3, "height", "width"])}
    onnx.save(model(nodes, image, {"y": (FLOAT, None)}), tmp_path / "m.onnx")
    cv2.imwrite(str(tmp_path / "p.png"), np.zeros((5, 7, 3), np.uint8))
    np.save(tmp_path / "q.npy", np.zeros((1, 3, 4, 4), np.float32))
    csv = tmp_path / "t.csv"
    plots = [tmp_path / f"t.{suffix}" for suffix in ("svg", "pdf", "png", "html")]
    inputs = [tmp_path / "p.png", tmp_path / "q.npy"]
    run("tabulate_splits", tmp_path / "m.onnx", "--csv", csv, "--input", *inputs, "--plot", *plots)
    table = pd.read_csv(csv)
    assert table.input.unique().tolist() == ["p.png (1×3×5×7)", "q.npy (1×3×4×4)"]
    assert table.bytes.tolist() == [420, 12, 192, 12]
    assert table.latency_ms_1gbps[0] == pytest.approx(420 * 8 / 1e9 * 1e3)
    assert all(path.stat().st_size > 1000 for path in plots)
    run("tabulate_splits", tmp_path / "m.onnx", "--csv", csv, "--plot", plots[0])
    static = pd.read_csv(csv)
    assert static.bytes.isna().tolist() == [True, False]
    assert static.needs_inference.tolist() == [1, 0]
    run("tabulate_splits", tmp_path / "m.onnx", "--csv", csv, "--shape", "x=1,3,2,2")
    assert pd.read_csv(csv).bytes.tolist() == [48, 12]
    for arguments, message in (
        (("--shape", "x=1,3"), "give its shape"),
        (("--shape", "x=1,3,a,b"), "write NAME=1,3"),
        (("--input", tmp_path / "absent.png"), "no such file"),
        (("--input", csv), "neither an image"),
        (("--plot", tmp_path / "t.gif"), "plots end in"),
    ):
        line = refused("tabulate_splits", tmp_path / "m.onnx", "--csv", csv, *arguments)
        assert message in line


def test_the_same_table_gives_the_same_plot(tmp_path):
    import nnrd.split

    table = nnrd.split.table(MODELS["residual"]())
    for name in ("a.svg", "b.svg", "a.pdf", "b.pdf", "a.html", "b.html"):
        plots.splits(table, tmp_path / name, "title")
    for suffix in ("svg", "pdf", "html"):
        first, second = (tmp_path / f"{name}.{suffix}" for name in "ab")
        assert first.read_bytes() == second.read_bytes()


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


def tables():
    """A model's table, and a TR's table that it equals but for what a test changes."""
    import nnrd.split

    ours = nnrd.split.table(MODELS["constants"]())
    theirs = pd.DataFrame(
        {
            "node": ours["rank"],
            "node_name": ours.node_name,
            "size_mbytes": (ours.plain_bytes / 1e6).round(2),
            "branches": ours.plain_branches,
            **{f"latency_ms_{rate}": 0.0 for rate in ("500mbps", "1gbps", "5gbps")},
        }
    )
    return ours, theirs


def test_a_difference_is_explained_or_said_not_to_be():
    ours, theirs = tables()
    assert (comparison.ranks(theirs, ours).difference == "").all()
    moved = comparison.ranks(theirs.assign(node=theirs.node + 1), ours).difference
    assert moved.str.startswith("rank: their file has 1 more nodes before").all()
    for column, change in (("branches", 1), ("size_mbytes", 3.0)):
        changed = comparison.ranks(theirs.assign(**{column: theirs[column] + change}), ours)
        assert changed.difference.str.contains("not explained").all()
    with pytest.raises(UserError, match="is it another model"):
        comparison.ranks(theirs.assign(node_name="elsewhere"), ours)
    with pytest.raises(UserError, match="no table of ssd300_resnet50"):
        comparison.splitability(pd.DataFrame({"model": ["ssd_resnet"], "max_branches": [1]}), {})
    reference = pd.DataFrame({"model": ["nothing"], "max_branches": [9]})
    assert comparison.splitability(reference, {"nothing": ours}).difference[0] == "not explained"


def test_compare_splits_writes_tables_and_plots(tmp_path):
    ours, theirs = tables()
    ours.insert(0, "input", "p.png (3×4×8)")
    other = ours.assign(input="q.png (3×4×4)")
    ours.to_csv(tmp_path / "m.csv", index=False)
    pd.concat([ours, other]).to_csv(tmp_path / "two.csv", index=False)
    theirs.to_csv(tmp_path / "tr.csv", index=False)
    pd.DataFrame({"model": ["m"], "max_branches": [3]}).to_csv(tmp_path / "all.csv", index=False)
    out = [tmp_path / "o.csv", tmp_path / "o.md"]
    pictures = [tmp_path / "o.png", tmp_path / "o.svg"]
    for kind, splits, more in (
        ("ranks", "m.csv", ["--reference", tmp_path / "tr.csv"]),
        ("splitability", "m.csv", ["--reference", tmp_path / "all.csv"]),
        ("inputs", "two.csv", ["--ranks", 1, 5]),
    ):
        arguments = ["--splits", tmp_path / splits, *more, "--table", *out, "--plot", *pictures]
        run("compare_splits", kind, *arguments)
        assert all(path.stat().st_size > 100 for path in [*out, *pictures])
        assert len(pd.read_csv(out[0])) == out[1].read_text().count("\n") - 2
        for path in [*out, *pictures]:
            path.unlink()
    found = comparison.inputs(pd.read_csv(tmp_path / "two.csv"), [1, 5])
    assert found["shape"].tolist() == ["3×4×4"] * 2 + ["3×4×8"] * 2  # the squarest first
    with pytest.raises(UserError, match="no rank 99"):
        comparison.inputs(pd.read_csv(tmp_path / "two.csv"), [99])
    absent = ["--splits", tmp_path / "absent.csv", "--table", out[0]]
    line = refused("compare_splits", "inputs", "--ranks", 1, *absent)
    assert "not a table" in line


def test_convert_model_refuses_in_one_line(tmp_path):
    line = refused("convert_model", "resnet19", tmp_path / "m.onnx")
    assert "unknown architecture 'resnet19'; did you mean resnet1" in line
    line = refused("convert_model", "nerf", tmp_path / "m.onnx", "--weights", "absent.pt")
    assert "no such file" in line and not (tmp_path / "m.onnx").exists()
    run("convert_model", "nerf", tmp_path / "m.onnx")
    assert len(onnx.load(tmp_path / "m.onnx").graph.node) == 81


def test_bench_split_prints_both(tmp_path, capsys):
    nodes = [constant("c", np.ones(3, np.float32)), node("Mul", "x c", "a"), node("Neg", "a", "y")]
    shape = {"x": (FLOAT, [2, 3])}
    onnx.save(model(nodes, shape, {"y": (FLOAT, [2, 3])}), tmp_path / "m.onnx")
    run("bench_split", tmp_path / "m.onnx", "--ranks", 2, "--shape", "x=2,3")
    printed = capsys.readouterr().out
    assert "a run that measures" in printed and "rank 2: onnx.utils.extract_model" in printed
