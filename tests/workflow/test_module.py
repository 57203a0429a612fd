"""nnrd as a module of another workflow, in a folder of its own with a configuration of its own."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas
import pytest
import yaml

from .conftest import ROOT, Checkout, copy_of_project
from .test_own_study import detector, photos, readme

OUTER = """
configfile: "settings.yaml"

module nnrd:
    snakefile: "{checkout}/Snakefile"
    config: config["nnrd"]

use rule * from nnrd as nnrd_*

rule copy_table:
    input:
        rules.nnrd_all.input,
    output:
        "outer.csv",
    default_target: True
    shell:
        "cp results/tables/points.csv {{output}}"
"""


@pytest.fixture(scope="module")
def outer(tmp_path_factory) -> Checkout:
    """A folder with a workflow that takes nnrd's rules, and one's own model and photos."""
    folder = tmp_path_factory.mktemp("outer")
    checkout = copy_of_project(tmp_path_factory.mktemp("nnrd") / "with a space")
    (folder / "Snakefile").write_text(OUTER.format(checkout=checkout.folder))
    config = yaml.safe_load(readme())
    config["studies"]["mine"] |= {"splits": [1], "codecs": ["raw"]}
    (folder / "settings.yaml").write_text(yaml.safe_dump({"nnrd": config}))
    detector(folder / "detector.onnx")
    (folder / "photos.json").write_text(json.dumps(photos(folder / "photos")))
    return Checkout(folder)


def snakemake(outer: Checkout, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    return subprocess.run(command, cwd=outer.folder, capture_output=True, text=True, timeout=600)


def test_it_runs_in_the_other_workflow_s_folder(outer):
    dry = outer.plan()
    assert dry.rules["nnrd_infer_features"] == 1 and "nnrd_fetch_asset" in dry.rules
    done = snakemake(outer)
    assert done.returncode == 0, done.stdout + done.stderr
    table = pandas.read_csv(outer.folder / "outer.csv")
    assert list(table.codec) == ["anchor", "stored", "raw"] and set(table.study) == {"mine"}
    assert outer.plan().rules == {}


def test_an_edit_of_its_checkout_is_seen(outer):
    """Not of the nnrd that is installed, which Snakemake has loaded before."""
    checkout = Checkout(_checkout(outer))
    checkout.edit("scripts/nnrd/tasks/detection.py", '"AP against ground truth"', '"AP"')
    assert outer.plan().rules["nnrd_score_point"] == 3


def _checkout(outer: Checkout) -> Path:
    text = (outer.folder / "Snakefile").read_text()
    return Path(re.search(r'snakefile: "(.*)/Snakefile"', text)[1])


def test_shipped_rows_and_files_are_found_in_the_checkout(outer):
    changed = {"run": ["shipped"], "studies": {"shipped": {"kind": "weights"}}}
    changed["studies"]["shipped"] |= {
        "model": "mobilenet_v2", "dataset": "demo_images", "items": 2, "codecs": ["raw"],
    }  # fmt: skip
    (outer.folder / "other.yaml").write_text(yaml.safe_dump({"nnrd": changed}))
    done = snakemake(outer, "-n", "--configfile", "other.yaml")
    said = done.stdout + done.stderr
    assert "studies.shipped.dataset: is for detection, the model for classification" in said
    changed["studies"]["shipped"] |= {"model": "ssdlite300_mobilenet_v2"}
    (outer.folder / "other.yaml").write_text(yaml.safe_dump({"nnrd": changed}))
    done = snakemake(outer, "-n", "-p", "--configfile", "other.yaml")
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "config/ground_truth/demo_images.json" in said, said
    # The environment may be in the checkout that the tests are of; nothing else of it is used.
    assert not any(f"{ROOT}/{name}" in said for name in ("config", "scripts", "workflow"))
