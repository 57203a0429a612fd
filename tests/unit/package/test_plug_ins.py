"""Each example of docs/plug-ins.md, cut out of the page, is a package that installs and works."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pandas
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from nnrd import UserError, codecs, models, tasks, transforms
from nnrd.core.files import checksum
from nnrd.datasets import file_codecs, formats
from nnrd.datasets.index import Index, Item
from nnrd.models.row import ModelRow
from nnrd.report import plots
from nnrd.runtime import sessions

PAGE = Path(__file__).parents[3] / "docs" / "plug-ins.md"
BLOCKS = re.compile(r"```python\n# (\w+)\.py\n(.+?)```\n```toml\n# pyproject\.toml\n(.+?)```", re.S)
BUILD = '[build-system]\nrequires = ["setuptools"]\n[tool.setuptools]\npy-modules = ["{}"]\n'
MODULES = [
    *("sparse_codec", "grid_detector", "depth_task", "depth_format", "webp_files"),
    "time_plot",
    "prune_transform",
]


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The examples as packages, installed as a user would."""
    folder, target = (tmp_path_factory.mktemp(name) for name in ("sources", "installed"))
    found = {name: (code, project) for name, code, project in BLOCKS.findall(PAGE.read_text())}
    assert list(found) == MODULES
    for name, (code, project) in found.items():
        (folder / name).mkdir()
        (folder / name / f"{name}.py").write_text(code)
        (folder / name / "pyproject.toml").write_text(project + BUILD.format(name))
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    sources = [str(folder / name) for name in found]
    done = subprocess.run([*command, "--target", target, *sources], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(autouse=True)
def installed(packages, monkeypatch):
    monkeypatch.syspath_prepend(packages)
    yield
    for name in MODULES:
        sys.modules.pop(name, None)


def test_examples_are_short():
    for name, code, _ in BLOCKS.findall(PAGE.read_text()):
        lines = [line for line in code.splitlines() if line.strip()]
        assert len(lines) <= 26, name


def test_codec():
    assert "sparse" in codecs.available()
    codec = codecs.make("sparse", threshold=0.5)
    tensors = {"a": np.array([[0.25, 1], [-0.75, 0]]), "n": np.arange(3)}
    decoded = codec.decode(codec.encode(tensors))
    np.testing.assert_array_equal(decoded["a"], [[0, 1], [-0.75, 0]])
    np.testing.assert_array_equal(decoded["n"], [0, 1, 2])
    with pytest.raises(UserError, match="codec sparse: threshold: -1 is below 0"):
        codecs.make("sparse", threshold=-1)


def detector(path):
    """An ONNX file with two boxes, one of them certain where the image is bright."""
    weights = {
        "fixed": np.array([[[0.1, 0.2, 0.5, 0.5], [0.6, 0.6, 0.2, 0.2]]], np.float32),
        "share": np.array([[1.0, 0.0]], np.float32),
        "one": np.array([1.0], np.float32),
    }
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "share"], ["scores"]),
        helper.make_node("Mul", ["fixed", "one"], ["boxes"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 64, 64])
    outputs = [
        helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 2, 4]),
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 2]),
    ]
    stored = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "detector", [image], outputs, initializer=stored)
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


def test_family_of_models(tmp_path):
    detector(tmp_path / "model.onnx")
    Image.new("RGB", (100, 50), "white").save(tmp_path / "a.png")
    path = str(tmp_path / "a.png")
    item = Item("a", path, checksum(path), {"width": 100, "height": 50})
    row = ModelRow("mine", "grid_detector", "asset")
    family = models.REGISTRY.get(row.family)
    assert (family.runtime, family.network) == ("onnx", None)
    run = sessions.Run(sessions.session(tmp_path / "model.onnx"))
    (prediction, times), *more = family.load_pipeline(row).predict(run, [item])
    assert not more and set(times) == {"pre_time", "run_time", "post_time", "input_size"}
    (box,) = prediction["detections"]
    np.testing.assert_allclose([*box["bbox"], box["score"]], [10, 10, 50, 25, 1], rtol=1e-5)


def test_task():
    index = Index([Item("a", "", "", {"depth": 2.0}), Item("b", "", "", {"depth": 5.0})])
    anchor = [{"item": "a", "depth": 2.5}, {"item": "b", "depth": 5.0}]
    coded = [{"item": "a", "depth": 3.0}, {"item": "b", "depth": 5.0}]
    task = tasks.REGISTRY.get("depth")()
    numbers, rows = task.score(index, anchor, coded)
    assert numbers == {"MAE": 0.5, "shift": 0.25} and [row["item"] for row in rows] == ["a", "b"]
    assert task.metric.axis == "mean absolute error (m)"
    with pytest.raises(UserError, match="c: has no depth"):
        task.score(index, anchor, [{"item": "c", "depth": 0.0}])


def test_dataset_format(tmp_path):
    for name in ("x.png", "y.png"):
        (tmp_path / name).write_text(name)
    sheet = tmp_path / "depths.csv"
    sheet.write_text("file,depth\nx.png,1.5\ny.png,2\n")
    found = formats.REGISTRY.get("depth_sheet")().index(sheet, tmp_path)
    assert [(item.name, item.facts) for item in found.items] == [
        ("x", {"depth": 1.5}),
        ("y", {"depth": 2.0}),
    ]
    assert found.items[0].checksum == checksum(tmp_path / "x.png")
    sheet.write_text("file,depth\nx.png,far\n")
    with pytest.raises(UserError, match=r"depths.csv:2: not a file and a depth"):
        formats.REGISTRY.get("depth_sheet")().index(sheet, tmp_path)


def test_file_codec(tmp_path):
    Image.new("RGB", (20, 10), "red").save(tmp_path / "a.png")
    item = Item("a", str(tmp_path / "a.png"), checksum(tmp_path / "a.png"))
    file_codecs.check("webp", {"quality": 50}, "image")
    codec = file_codecs.make("webp", quality=50)
    blob = codec.write(codec.read(item))
    assert blob[:4] == b"RIFF" and blob[8:12] == b"WEBP"
    with pytest.raises(UserError, match="quality: 101 is above 100"):
        file_codecs.check("webp", {"quality": 101}, "image")


def test_plot(tmp_path):
    from nnrd.report.plots import style

    columns = {"model": "m", "dataset": "d", "items": 4, "anc_size": 100}
    rows = [
        columns | {"codec": "nnc", "parameters": f'{{"qp":{qp}}}', "rec_size": 40, "enc_time": 1.0}
        for qp in (-38, -20)
    ]
    rows.append(columns | {"codec": "anchor", "parameters": "{}"})
    pandas.DataFrame(rows).to_csv(tmp_path / "points.csv", index=False)
    style.apply()
    figure = plots.REGISTRY.get("time_bytes")().draw(*style.read_points(tmp_path / "points.csv"))
    (axis,) = figure.axes
    np.testing.assert_allclose(axis.lines[0].get_xydata(), [[10, 0.25], [10, 0.25]])
    style.save(figure, [tmp_path / "plot.svg"])
    assert "seconds an item" in (tmp_path / "plot.svg").read_text()


def test_transform():
    torch = pytest.importorskip("torch")
    transform = transforms.REGISTRY.get("prune")(share=0.75)
    model = transform.prepare(torch.nn.Linear(4, 4))
    transform.fit(model, None, None, [])
    assert (model.weight == 0).sum() == 12 and (model.bias != 0).all()
    with pytest.raises(UserError, match="share: 2 is not within"):
        transforms.REGISTRY.get("prune")(share=2).prepare(model)
