"""No cell and no key reaches a shell unquoted: names of any letters work, and run nothing."""

import csv
import hashlib
import json
import os
from pathlib import Path

import cv2
import numpy as np
import onnx
import pandas
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper

from .conftest import Checkout, copy_of_project

# What a file may be called: whatever runs or breaks where a shell, Python or Snakemake reads it.
NAME = "d $(touch pwned) `touch pwned` 'q' \"p\" {b} ;touch pwned;&|*~\\%sä"
WORD = "$(touch${IFS}pwned)`touch${IFS}pwned`'\"{b};touch${IFS}pwned;"  # without white space
PLUG_IN = """
from nnrd.models import Family

FAMILY = Family(pipeline="nnrd.models.resnet56_cifar100.pipeline:ResNet56Pipeline")
"""
SIDE = 32


def add_plug_in(folder: Path) -> None:
    """Publish the family of an ONNX file around which a pipeline stands."""
    info = folder / "nnrd_own-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "nnrd_own.py").write_text(PLUG_IN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: nnrd-own\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[nnrd.models]\nown = nnrd_own:FAMILY\n")


def classifier(path: Path, given: str = "input") -> None:
    """Write a graph with external data: (1, 3, 32, 32) to 100 scores; its nodes are called NAME."""
    rng = np.random.default_rng(0)
    stored = {
        "w": rng.normal(0, 0.3, (8, 3, 3, 3)).astype(np.float32),
        "v": rng.normal(0, 0.3, (8, 100)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", [given, "w"], ["a"], "conv", pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["a"], ["b"], NAME),
        helper.make_node("GlobalAveragePool", ["b"], ["c"], "pool"),
        helper.make_node("Flatten", ["c"], ["d"], "flat"),
        helper.make_node("MatMul", ["d", "v"], ["output"], "dense"),
    ]
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in ((given, [1, 3, SIDE, SIDE]), ("output", [1, 100]))
    ]
    weights = [numpy_helper.from_array(array, name) for name, array in stored.items()]
    graph = helper.make_graph(nodes, NAME, values[:1], values[1:], initializer=weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(
        made, path, save_as_external_data=True, location=f"{path.name}.data", size_threshold=0
    )


def write_sheet(path: Path, rows: list[dict]) -> None:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", newline="") as file:
        style = {"delimiter": "\t", "quoting": csv.QUOTE_NONE, "quotechar": None}
        sheet = csv.DictWriter(file, columns, restval="", lineterminator="\n", **style)
        sheet.writeheader()
        sheet.writerows(rows)


def asset_rows(folder: Path, asset: str, files: list[Path]) -> list[dict]:
    return [
        {
            "asset": asset,
            "file": file.name,
            "source": f"file:{file.relative_to(folder)}",
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "bytes": file.stat().st_size,
            "license": WORD,
        }
        for file in files
    ]


def write_files(folder: Path) -> None:
    """Write models, photos, ground truth and a published table, all in folders called NAME."""
    photos = folder / NAME / "photos"
    photos.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(2):
        image = cv2.imencode(".png", rng.integers(0, 255, (SIDE, SIDE, 3), np.uint8))[1]
        (photos / f"cats_{number}_{number * 7}.png").write_bytes(image.tobytes())
    classifier(folder / NAME / f"m{NAME}.onnx")
    classifier(folder / NAME / "other.onnx", WORD)
    published = ["node,node_name,size_mbytes,branches,latency_ms_a", "2,pool,1,1,1"]
    (folder / NAME / "published.csv").write_text("\n".join(published) + "\n")


def write_sheets(folder: Path) -> None:
    here = folder / NAME
    assets = asset_rows(folder, "mine", [here / f"m{NAME}.onnx", here / f"m{NAME}.onnx.data"])
    assets += asset_rows(folder, "other", [here / "other.onnx", here / "other.onnx.data"])
    write_sheet(here / "assets.tsv", assets)
    row = {
        "weights": "asset",
        "variant": NAME,
        "options": json.dumps({NAME: WORD}, ensure_ascii=False),
    }
    mine = {"model": "mine", "task": "classification", "family": "own", "asset": "mine"}
    other = {"model": "other", "family": "onnx_file", "asset": "other", "file": "other.onnx"}
    models = [
        mine | row | {"file": f"m{NAME}.onnx", "input_shape": f"input=1,3,{SIDE},{SIDE}"},
        other | row | {"input_shape": f"{WORD}=1,3,{SIDE},{SIDE}"},
    ]
    write_sheet(here / "models.tsv", models)
    photos = {"dataset": "mine", "task": "classification", "format": "labelled_images", "items": 2}
    paths = {"folder": str(here / "photos"), "annotations": f"{NAME}/cats"}
    write_sheet(here / "datasets.tsv", [photos | paths])


def configuration() -> dict:
    published = {"model": "mine", "published": f"{NAME}/published.csv"}
    shapes = {"model": "other", "ranks": [1], "shapes": [f"{WORD}=1,3,{SIDE},{SIDE}"]}
    on = {"model": "mine", "dataset": "mine", "codecs": ["raw"]}
    return {
        "run": ["split", "whole", "tabulated"],
        "sheets": {name: f"{NAME}/{name}.tsv" for name in ("assets", "models", "datasets")},
        "studies": {
            "split": on | {"kind": "features", "splits": [{"name": NAME, "where": "after"}]},
            "whole": on | {"kind": "weights"},
            "tabulated": {
                "kind": "splits",
                "models": ["mine", "other"],
                "rates": {"a": 1000000},
                "comparisons": {"ranks": {"a": published}, "inputs": {"b": shapes}},
            },
        },
    }


@pytest.fixture
def odd(tmp_path, monkeypatch) -> Checkout:
    """A checkout whose every name is odd, its own folder's too."""
    checkout = copy_of_project(tmp_path / "check's out")
    write_files(checkout.folder)
    write_sheets(checkout.folder)
    (checkout.folder / f"{NAME}.yaml").write_text(yaml.safe_dump(configuration()))
    add_plug_in(tmp_path / "plug-in")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'plug-in'}:{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("NNRD_CACHE", str(tmp_path / "cache"))
    return checkout


def pwned(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.startswith("pwned")]


READ = ["index_dataset", "split_model", "tabulate_splits"]


def test_odd_names_run_nothing_where_they_are_read(odd):
    done = odd.run("--configfile", f"{NAME}.yaml", "--until", *READ)
    assert not pwned(odd.folder.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(odd.folder.glob("results/split/mine/*/part*.onnx"))) == 2
    assert not list(odd.folder.glob("results/**/*.data"))
    index = json.loads((odd.folder / "results/datasets/mine.json").read_text())
    assert [item["facts"]["label"] for item in index["items"]] == [0, 7]


@pytest.mark.slow
def test_odd_names_run_nothing_and_work(odd):
    done = odd.run("--configfile", f"{NAME}.yaml")
    assert not pwned(odd.folder.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    table = pandas.read_csv(odd.folder / "results/tables/points.csv")
    # The stored files, which a features study stands beside, are read by odd names too.
    assert set(table["codec"]) == {"anchor", "raw", "stored"}
    raw = table[table["codec"] == "raw"]
    assert raw["study"].tolist() == ["split", "whole"]
    assert (raw["rec_perf"] == raw["anc_perf"]).all()
