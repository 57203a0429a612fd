"""A transform of a plug-in, between a model and its codec, through the whole workflow."""

import os

import pandas
import pytest

from .conftest import Checkout

PLUG_IN = '''
"""Scales the last layer; the receiver's network has the same structure."""
import torch
from nnrd.transforms import Transform


class Scale(Transform):
    def prepare(self, model):
        model.register_buffer("seen", torch.zeros(1, dtype=torch.int64))
        return model

    def fit(self, model, network, pipeline, items):
        model.seen += len(items)
        with torch.no_grad():
            model.classifier[1].weight *= self.parameters["by"]
            model.classifier[1].bias *= self.parameters["by"]
'''
ENTRY_POINTS = "[nnrd.transforms]\nscale = nnrd_scale:Scale\n"
METADATA = "Metadata-Version: 2.1\nName: nnrd-scale\nVersion: 1.0\n"
STUDY = {
    "kind": "weights",
    "model": "mobilenet_v2",
    "dataset": "imagenet_images",
    "items": 2,
    "transforms": [{"scale": {"by": [0.5, 2]}}],
    "calibration": {"dataset": "valid_images", "items": 3},
    "codecs": ["raw"],
}
ROW = ["valid_images", "classification", "valid", "labelled_images", "foolbox_images", ""]
ROW += ["foolbox_images/imagenet", "20"]


@pytest.fixture
def with_plug_in(checkout: Checkout, tmp_path, monkeypatch) -> Checkout:
    folder = tmp_path / "plug-in"
    (folder / "nnrd_scale-1.0.dist-info").mkdir(parents=True)
    (folder / "nnrd_scale.py").write_text(PLUG_IN)
    (folder / "nnrd_scale-1.0.dist-info/entry_points.txt").write_text(ENTRY_POINTS)
    (folder / "nnrd_scale-1.0.dist-info/METADATA").write_text(METADATA)
    monkeypatch.setenv("PYTHONPATH", f"{folder}:{os.environ.get('PYTHONPATH', '')}")
    with (checkout.folder / "config/datasets.tsv").open("a") as sheet:
        sheet.write("\t".join(ROW) + "\n")
    checkout.configure({"run": ["scaled"], "studies": {"scaled": STUDY}})
    return checkout


def test_a_transform_runs_and_its_edit_runs_it_again(with_plug_in, tmp_path):
    done = with_plug_in.run()
    assert done.returncode == 0, done.stdout + done.stderr
    table = pandas.read_csv(with_plug_in.folder / "results/tables/points.csv")
    assert list(table["transform"].dropna()) == ["scale at by=0.5", "scale at by=2"]
    # A positive scale of the last layer moves no class: what arrived is what was sent.
    assert (table["agreement"] == 100).all()
    # The anchor sends the model; what is transformed has a count of items too.
    assert list(table["anc_size"]) == [14_156_352, *2 * [14_156_352 + 8]]
    assert "extract_weights" not in with_plug_in.plan().rules
    plug_in = tmp_path / "plug-in/nnrd_scale.py"
    plug_in.write_text(PLUG_IN.replace("model.seen += len(items)", "model.seen += 1"))
    rules = with_plug_in.plan().rules
    assert rules["transform_model"] == 2 and rules["infer_weights"] == 2
    assert "extract_weights" not in rules and "infer_anchor" not in rules
