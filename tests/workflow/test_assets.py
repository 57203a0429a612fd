"""An asset of one's own through Snakemake: a name with a hyphen, and more rows than a command."""

import hashlib
import json

import pytest
from small_run import write_net

from .conftest import Checkout, copy_of_project

FILES = 1500
LOOSE = "loose {b} 'q' $(touch pwned) é.bin"
STUDY = {"kind": "splits", "models": ["my-model"]}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Checkout:
    checkout = copy_of_project(tmp_path_factory.mktemp("assets"))
    own = checkout.folder / "own"
    own.mkdir()
    rows = []
    write_net(own / "0.onnx")
    for number in range(FILES):
        file = own / f"{number}.onnx"
        if number:
            file.write_text(f"{number}\n")
        size, total = file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest()
        rows.append(["my-asset", file.name, f"file:own/{file.name}", total, size])
    (own / LOOSE).write_bytes(b"one")
    rows.append(["loose", "loose.bin", f"file:own/{LOOSE}", "", ""])
    model = ["my-model", "onnx_file", "asset", "my-asset", "0.onnx", "input=1,3,32,32"]
    write(own / "assets.tsv", "asset file source sha256 bytes license", [[*r, "own"] for r in rows])
    write(own / "models.tsv", "model family weights asset file input_shape", [model])
    write(own / "datasets.tsv", "dataset task format annotations items", [])
    sheets = {name: f"own/{name}.tsv" for name in ("assets", "models", "datasets")}
    checkout.configure({"run": ["my-study"], "sheets": sheets, "studies": {"my-study": STUDY}})
    return checkout


def write(path, header, rows):
    lines = [header.split(), *rows]
    path.write_text("".join("\t".join(map(str, line)) + "\n" for line in lines))


def test_names_with_a_hyphen_pass_the_rules(checkout):
    assert {"fetch_asset", "convert_model", "plot_splits"} <= set(checkout.plan().rules)


def test_a_run_with_an_asset_of_1500_rows_comes_to_its_end(checkout):
    """Its provenance has them all, which is more than a command line holds."""
    done = checkout.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assets = json.loads((checkout.folder / "results/provenance.json").read_text())["assets"]
    assert len(assets) == FILES and len(json.dumps(assets)) > 128_000


def test_an_asset_of_1500_rows_is_fetched(checkout):
    assets = ("resources/my-asset", "resources/loose")
    done = checkout.run(*assets)
    assert done.returncode == 0, done.stdout + done.stderr
    found = checkout.folder / "resources/my-asset"
    assert len(list(found.glob("*.onnx"))) == FILES
    assert (found / "1499.onnx").read_text() == "1499\n"
    checkout.edit("own/assets.tsv", "\town\n", "\tours\n")
    assert checkout.plan(*assets).rules == {}  # the licence changes no file
    # Another row; another content of a file of one's own that has no sum.
    checkout.edit("own/assets.tsv", "\t0.onnx\t", "\tzero.onnx\t")
    (checkout.folder / "own" / LOOSE).write_bytes(b"two")
    assert checkout.plan(*assets).rules == {"fetch_asset": 2}
