"""A splits study of one's own through Snakemake: a tiny model, an image, published tables."""

import hashlib
import json

import cv2
import numpy as np
import onnx
import pandas as pd
import pytest
from small_models import FLOAT, model, node

from .conftest import Checkout, copy_of_project

STUDY = {
    "kind": "splits",
    "models": ["tiny"],
    "rates": {"slow": 1_000_000, "lan": 1_000_000_000},
    "comparisons": {
        "ranks": {"theirs": {"model": "tiny", "published": "own/ranks.csv"}},
        "branches": {"most": {"published": "own/branches.csv"}},
        "inputs": {
            "sizes": {
                "model": "tiny",
                "dataset": "mine",
                "items": ["it's"],
                "shapes": ["x=1,3,2,2", "x=1,3,8,4"],
                "ranks": [0, 2],
            }
        },
    },
}


def prepare(checkout: Checkout) -> None:
    """Write a model, an image with an odd name, sheets and published tables of one's own."""
    own = checkout.folder / "own"
    own.mkdir()
    nodes = [node("Relu", "x", "a"), node("GlobalAveragePool", "a", "b"), node("Neg", "b", "y")]
    image = {"x": (FLOAT, [1, 3, "height", "width"])}
    onnx.save(model(nodes, image, {"y": (FLOAT, None)}), own / "tiny.onnx")
    total = hashlib.sha256((own / "tiny.onnx").read_bytes()).hexdigest()
    cv2.imwrite(str(own / "it's.png"), np.zeros((5, 7, 3), np.uint8))
    images = [{"id": 1, "file_name": "it's.png", "width": 7, "height": 5}]
    truth = {"images": images, "annotations": [], "categories": []}
    (own / "truth.json").write_text(json.dumps(truth))
    size = (own / "tiny.onnx").stat().st_size
    sheets = {
        "assets": [
            ("asset", "file", "source", "sha256", "bytes", "license"),
            ("tiny", "tiny.onnx", "file:own/tiny.onnx", total, size, "own"),
        ],
        "models": [
            ("model", "task", "family", "weights", "asset", "file", "input_shape"),
            ("tiny", "detection", "onnx_file", "asset", "tiny", "tiny.onnx", "x=1,3,4,4"),
        ],
        "datasets": [
            ("dataset", "task", "format", "folder", "annotations", "items"),
            ("mine", "detection", "coco", "own", "own/truth.json", 1),
        ],
    }
    for name, rows in sheets.items():
        text = "".join("\t".join(map(str, row)) + "\n" for row in rows)
        (own / f"{name}.tsv").write_text(text)
    (own / "ranks.csv").write_text(
        "node,node_name,size_mbytes,branches,latency_ms_lan\n0,anchor,0.00,,\n2,/y,0.00,2,0.01\n"
    )
    (own / "branches.csv").write_text("model,ours,max_branches\nTheirs,tiny,1\n")
    paths = {name: f"own/{name}.tsv" for name in sheets}
    checkout.configure({"run": ["mine"], "sheets": paths, "studies": {"mine": STUDY}})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    checkout = copy_of_project(tmp_path_factory.mktemp("splits"))
    prepare(checkout)
    done = checkout.run()
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout


def test_tables_plots_and_page(made):
    results = made.folder / "results/splits"
    table = pd.read_csv(results / "tiny.csv")
    assert table.bytes.tolist() == [192, 192, 12] and not any("latency" in c for c in table)
    ranks = pd.read_csv(results / "mine/theirs.csv")
    assert ranks.latency_ms_slow_ours.tolist() == [1.54, 0.1]
    assert ranks.difference[1] == "branches: not explained; latency: not explained"
    most = pd.read_csv(results / "mine/most.csv")
    assert most.difference.isna().all() and most.max_branches_ours.tolist() == [1]
    sizes = pd.read_csv(results / "mine/sizes.csv")
    assert sizes["shape"].unique().tolist() == ["1×3×2×2", "1×3×5×7", "1×3×8×4"]
    for name in ("tiny", "mine/theirs", "mine/most", "mine/sizes"):
        for suffix in ("png", "svg", "pdf"):
            assert (results / f"{name}.{suffix}").stat().st_size > 1000


def test_nothing_is_left_to_do(made):
    assert made.plan().rules == {}


def test_a_changed_rate_makes_the_comparison_and_the_page_again(made, tmp_path):
    checkout = made.copy_to(tmp_path / "checkout")
    checkout.edit("config/config.yaml", "slow: 1000000", "slow: 2000000")
    again = {"compare_splits": 1, "draw_split_page": 1, "write_provenance": 1}
    assert checkout.plan().rules == again


def test_a_changed_published_table_makes_its_comparison_again(made, tmp_path):
    checkout = made.copy_to(tmp_path / "checkout")
    checkout.edit("own/branches.csv", "Theirs", "Others")
    assert checkout.plan().rules == {"compare_splits": 1, "write_provenance": 1}
