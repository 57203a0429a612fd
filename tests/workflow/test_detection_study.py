"""TR 26.847's detection study at small size: four detectors, split and coded, in one run.

SSD300 and RetinaNet have random weights and are made to detect, SSDLite and NanoDet trained ones;
the images are three of the demonstration's, a selection, and COCO's where there are any.
"""

import json
import os
from pathlib import Path

import pandas
import pytest
import yaml

from nnrd.core.files import read_record

from .conftest import ROOT, Checkout, copy_of_project

SELECTED = ["voc", "astronaut.png", "chelsea"]
RETINANET = {
    "task": "detection",
    "family": "torchvision_detectors",
    "variant": "retinanet_resnet50_fpn_v2",
    "weights": "random",
    "options": {"num_classes": 5, "min_size": 160},
    "input_shape": "input=3,160,240",
}
SELECTION = {
    "task": "detection",
    "format": "coco",
    "asset": "demo_images",
    "annotations": "config/ground_truth/demo_images.json",
    "items": 3,
    "selection": "three.txt",
}
STUDY = {
    "kind": "features",
    "dataset": "three_images",
    "shard_size": 2,
    "codecs": ["raw", "float16", {"nnc": {"qp": [-38, -10]}}],
}
LEVELS = [f"/pan/Add_{i}_output_0" for i in (1, 2, 3)]
STUDIES = {
    "ssd300": STUDY | {"model": "ssd300_resnet50", "splits": [10, 130]},
    "retinanet": STUDY | {"model": "small_retinanet", "splits": [98, 1898]},
    "ssdlite": STUDY | {"model": "ssdlite300_mobilenet_v2", "splits": [84]},
    "nanodet": STUDY | {"model": "nanodet_g", "splits": [{"tensors": LEVELS}]},
}
SHARDS, CODECS = 2, 4


def real_study() -> dict:
    """Return a study of three of COCO's own images; none where this machine has none."""
    folder = Path(os.environ.get("NNRD_DATA", "/nonexistent")) / "coco_val50"
    if not folder.is_dir():
        return {}
    dataset = SELECTION | {"folder": f"{folder}/images", "items": 50}
    dataset |= {"annotations": f"{folder}/instances_val50.json"}
    del dataset["asset"], dataset["selection"]
    study = STUDY | {"model": "nanodet_g", "dataset": "coco", "items": 3, "splits": [63]}
    return {"datasets": {"coco": dataset}, "studies": {"coco_images": study}}


def configuration() -> dict:
    real = real_study()
    studies = STUDIES | real.get("studies", {})
    return {
        "run": list(studies),
        "studies": studies,
        "models": {"small_retinanet": RETINANET},
        "datasets": {"three_images": SELECTION} | real.get("datasets", {}),
    }


def fresh(folder: Path) -> Checkout:
    checkout = copy_of_project(folder)
    (checkout.folder / "three.txt").write_text("\n".join(SELECTED))
    checkout.configure(configuration())
    return checkout


def test_part_one_is_planned_once_an_image_and_split_whatever_the_codecs(tmp_path):
    checkout = fresh(tmp_path)
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    study = config["studies"]["tr26847_detection_ssd300"]
    study |= {"model": "ssd300_resnet50", "dataset": "three_images", "shard_size": 1}
    operations = {"raw": 1, "float16": 1, "nnc": 8}
    for codecs, count in ((["raw"], 1), (study["codecs"], sum(operations.values()))):
        both = configuration() | {"run": ["tr"], "studies": {"tr": study | {"codecs": codecs}}}
        checkout.configure(both)
        rules = checkout.plan().rules
        assert rules["extract_features"] == 3 * 7  # images, each a shard, and splits
        assert rules["encode_tensors"] == rules["infer_features"] == 3 * 7 * count


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> Checkout:
    """A fresh checkout in which the studies were run."""
    checkout = fresh(tmp_path_factory.mktemp("detection"))
    done = checkout.run()
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout


def table(ran: Checkout, study: str) -> pandas.DataFrame:
    path = ran.folder / f"results/tables/{study}/points.csv"
    if not path.is_file():
        pytest.skip("NNRD_DATA is unset: no real data")
    return pandas.read_csv(path)


@pytest.mark.slow(minutes=3)
@pytest.mark.parametrize("study", [*STUDIES, "coco_images"])
def test_every_detector_goes_through_it(ran, study):
    rows = table(ran, study)
    features = rows[rows["sent"] == "features"]
    splits = {**STUDIES, "coco_images": {"splits": [63]}}[study]["splits"]
    assert len(features) == CODECS * len(splits)
    anchor = rows[rows.codec == "anchor"].iloc[0]
    raw = features[features.codec == "raw"]
    for name in ("AP", "tr26847_map"):
        column = "rec_perf" if name == "AP" else name
        assert (raw[column] == anchor[column]).all() or raw[column].isna().all()
    assert (raw["lost"] == 0).all() and (raw["invented"] == 0).all()
    nnc = features[features.codec == "nnc"]
    assert (nnc["compress_ratio"] < 0.6).all()
    assert anchor["right"] > 0 and (raw["F1"] == 100).all()
    assert nnc["F1"].between(0, 100).all()


@pytest.mark.slow(minutes=3)
@pytest.mark.parametrize("study", STUDIES)
def test_every_detector_detects(ran, study):
    of = ran.folder / f"results/anchor/{STUDIES[study]['model']}/three_images/onnx/predictions"
    rows = [row for file in of.glob("?-of-2.json") for row in read_record(file)["predictions"]]
    assert len(rows) == 3 and all(row["detections"] for row in rows)


@pytest.mark.slow(minutes=3)
def test_the_trained_ones_see_what_is_there(ran):
    for study in ("ssdlite", "nanodet"):
        assert table(ran, study)["rec_perf"][0] > 40


@pytest.mark.slow(minutes=3)
def test_three_tensors_cross_at_once(ran):
    rows = table(ran, "nanodet")
    assert set(rows[rows["sent"] == "features"].branches) == {3}


@pytest.mark.slow(minutes=3)
def test_a_selection_has_its_items_in_the_dataset_s_order(ran):
    index = json.loads((ran.folder / "results/datasets/three_images.json").read_text())
    assert [item["name"] for item in index["items"]] == ["astronaut", "chelsea", "voc"]


@pytest.mark.slow(minutes=3)
def test_part_one_ran_once_an_image_and_split(ran):
    for study in STUDIES.values():
        of = ran.folder / f"results/features/{study['model']}/three_images"
        found = [json.loads(file.read_text()) for file in of.glob("*/tensors/*.times.json")]
        assert len(found) == SHARDS * len(study["splits"])
        items = [row["item"] for step in found for row in step["rows"]]
        assert len(items) == 3 * len(study["splits"])


@pytest.mark.slow(minutes=3)
def test_another_codec_runs_no_part_one_again(ran):
    study = STUDIES["ssd300"] | {"codecs": [*STUDY["codecs"], {"nnc": {"qp": -4}}]}
    config = configuration()
    ran.configure(config | {"studies": config["studies"] | {"ssd300": study}})
    rules = ran.plan().rules
    ran.configure(config)
    assert "extract_features" not in rules and "infer_anchor" not in rules
    assert rules["encode_tensors"] == rules["infer_features"] == SHARDS * 2
