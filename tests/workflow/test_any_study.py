"""Any study takes any model: a detector's weights, a classifier split, a recogniser split.

And a model that is nothing but an ONNX file, whose weights are its initialisers.
"""

import hashlib
import os
import shutil

import pandas
import pytest

from .conftest import DATASET, MODEL, Checkout

pytestmark = pytest.mark.slow(minutes=4)
CODECS = ["raw", {"nnc": {"qp": [-38]}}]
IMAGES = {"model": "mobilenet_v2", "dataset": "imagenet_images", "items": 2, "codecs": CODECS}
DETECTED = {"kind": "weights", "dataset": DATASET, "items": 2, "codecs": CODECS}
AFTER = {"name": "/features/features.6/Add", "where": "after"}
BLOCK = {"name": "/encoder/layers.1/Add_1", "where": "after"}
STUDIES = {
    "detector_weights": DETECTED | {"model": MODEL},
    "onnx_weights": DETECTED | {"model": "mine"},
    "classifier_split": IMAGES | {"kind": "features", "splits": [AFTER]},
    "speech_split": {
        "kind": "features",
        "model": "whisper_tiny_en",
        "dataset": "asterisk_prompts",
        "items": 2,
        "splits": [BLOCK],
        "codecs": CODECS,
        "optional": True,  # where there are Debian's packages
    },
}
# The pipeline of the shipped detector around a file of one's own: a family without a network.
PLUG_IN = """
from nnrd.models import Family

FAMILY = Family(pipeline="nnrd.models.ssdlite300_mobilenet_v2.pipeline:SsdLite300Pipeline")
"""


@pytest.fixture(scope="module")
def ran(finished: Checkout, tmp_path_factory) -> Checkout:
    """A checkout in which the studies were run."""
    folder = tmp_path_factory.mktemp("any")
    checkout = finished.copy_to(folder / "checkout")
    _add_plug_in(folder / "plug-in")
    _add_model(checkout)
    checkout.configure({"run": list(STUDIES), "studies": STUDIES})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{folder / 'plug-in'}:{os.environ.get('PYTHONPATH', '')}")
        done = checkout.run()
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout


def _add_plug_in(folder) -> None:
    info = folder / "nnrd_mine-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "nnrd_mine.py").write_text(PLUG_IN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: nnrd-mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[nnrd.models]\nmine = nnrd_mine:FAMILY\n")


def _add_model(checkout: Checkout) -> None:
    """Make the exported detector an ONNX file of one's own, with a row and an asset."""
    file = checkout.folder / "mine.onnx"
    shutil.copy(checkout.folder / f"results/models/{MODEL}.onnx", file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    asset = ["mine", file.name, f"file:{file.name}", digest, str(file.stat().st_size), "mine"]
    row = ["mine", "detection", "mine", "", "asset", "mine", file.name, "", "", ""]
    for sheet, cells in (("assets", asset), ("models", row)):
        with (checkout.folder / f"config/{sheet}.tsv").open("a") as lines:
            lines.write("\t".join(cells) + "\n")


@pytest.mark.parametrize("study", STUDIES)
def test_a_study_of_every_kind_and_task(ran, study):
    table = pandas.read_csv(ran.folder / "results/tables/points.csv")
    rows = table[(table.study == study) & (table.sent != "files")]
    if study == "speech_split" and rows.empty:
        pytest.skip("its recordings are in a Debian package, which this machine cannot get")
    assert list(rows["codec"]) == ["anchor", "raw", "nnc"]
    anchor, raw, nnc = (row for _, row in rows.iterrows())
    assert raw["rec_perf"] == raw["anc_perf"] == anchor["rec_perf"]
    assert nnc["rec_size"] < raw["rec_size"] / 3
    names = {"classification": "top1", "detection": "AP", "asr": "WER"}
    assert set(rows["metric_name"]) == {names[anchor["task"]]}
    runtime = "torch" if study == "detector_weights" else "onnx"
    assert set(rows["runtime"]) == {runtime}


def test_an_onnx_file_sends_its_initialisers(ran):
    table = pandas.read_csv(ran.folder / "results/tables/points.csv")
    sizes = table[table.codec == "raw"].set_index("study")["anc_size"]
    # The exporter adds shapes and axes to the network's own tensors, and folds none away.
    assert sizes["detector_weights"] <= sizes["onnx_weights"] < 1.001 * sizes["detector_weights"]
