"""What a user can get wrong in the configuration is said in one line with the key's path."""

import copy
from pathlib import Path

import pytest
import yaml

from nnrd import UserError
from nnrd.study import inputs
from nnrd.study.config import load
from nnrd.study.points import Split

ROOT = Path(__file__).resolve().parents[3]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())


def changed(path: str, value: object) -> dict:
    """Return the shipped configuration with one key set; "-" as value takes it away."""
    config = copy.deepcopy(CONFIG)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = config
    for part in parents:
        place = place[part]
    asked = parents[1:2] if parents[:1] == ["studies"] else []
    if asked and asked[0] not in config["run"]:
        config["run"].append(asked[0])  # a mistake in a study that nobody asked for is none yet
    if value == "-":
        del place[last]
    else:
        place[last] = value
    return config


MISTAKES = [
    ("studys", {}, "unknown key 'studys'; did you mean studies?"),
    ("studies.demo.modle", "x", "studies.demo: unknown key 'modle'; did you mean model?"),
    ("studies.demo.model", "-", "studies.demo: 'model' is missing"),
    ("studies.demo.model", "ssdlite", "studies.demo.model: unknown model 'ssdlite'"),
    ("studies.demo.dataset", "images", "studies.demo.dataset: unknown dataset 'images'"),
    (
        "studies.demo.kind",
        "feature",
        "studies.demo.kind: unknown kind 'feature'; did you mean features",
    ),
    ("studies.demo.items", 0, "studies.demo.items: 0 is below 1"),
    ("studies.demo.items", 28, "studies.demo.items: 28 of 27 items"),
    ("studies.demo.items", "all", "studies.demo.items: 'all' is not an integer"),
    ("studies.demo.seed", 3, "studies.demo.seed: is ignored without 'items'"),
    (
        "studies.speech",
        CONFIG["studies"]["speech"]
        | {"transforms": ["x"], "calibration": {"dataset": "librispeech_dev_clean", "seed": 3}},
        "studies.speech.calibration.seed: is ignored without 'items'",
    ),
    (
        "studies.speech.calibration",
        {"dataset": "librispeech_dev_clean"},
        "studies.speech.calibration: is ignored: no transform and no codec looks at items",
    ),
    (
        "studies.speech",
        CONFIG["studies"]["speech"]
        | {"transforms": [], "calibration": {"dataset": "librispeech_dev_clean"}},
        "studies.speech.calibration: is ignored: no transform and no codec looks at items",
    ),
    (
        "studies.int8_detection.calibration",
        "-",
        "codecs.int8_ptq: int8_ptq at backend=ort_static looks at items: say which in",
    ),
    (
        "studies.int8_detection.calibration.items",
        "-",
        "studies.int8_detection.calibration: of demo_images, 8 items are not scored; 'items'",
    ),
    (
        "studies.int8_detection.calibration.items",
        9,
        "calibration: of demo_images, 8 items are not scored",
    ),
    (
        "studies.int8_detection.calibration",
        {"dataset": "darknet_images", "items": 2},
        "calibration.dataset: darknet_images is not a part 'valid', nor is it the dataset that is",
    ),
    (
        "studies.int8_detection.codecs",
        [{"int8_ptq": {"backend": "ort_dynamic"}}],
        "studies.int8_detection.calibration: is ignored: no transform and no codec looks at items",
    ),
    (
        "studies.int8_detection.codecs",
        [{"int8_ptq": {"backend": "ort"}}],
        "studies.int8_detection.codecs.int8_ptq: unknown quantiser 'ort'",
    ),
    (
        "studies.int8_detection.codecs",
        ["int8_ptq"],
        "studies.int8_detection.codecs.int8_ptq: codec int8_ptq: 'backend' is missing",
    ),
    (
        "studies.int8_detection.codecs",
        [{"unquantised": {"runtime": "tensorrt"}}],
        "studies.int8_detection.codecs.unquantised: codec unquantised: runtime: 'tensorrt' is",
    ),
    ("studies.int8_detection.max_loss", -1, "studies.int8_detection.max_loss: -1 is below 0"),
    ("studies.demo.max_loss", 1, "studies.demo: unknown key 'max_loss'"),
    ("studies.demo.codecs", [{"int8_ptq": {"backend": "ort_static"}}], "unknown codec 'int8_ptq'"),
    (
        "studies.demo.splits.1",
        {"tensors": ["x"], "where": "after"},
        "studies.demo.splits[1].where: is ignored without 'name'",
    ),
    ("studies.demo.splits", "-", "studies.demo: 'splits' is missing"),
    ("studies.demo.splits", [], "studies.demo.splits: the list is empty"),
    ("studies.demo.splits.1", 0, "studies.demo.splits[1]: 0 is below 1"),
    ("studies.demo.splits.1", 10, "studies.demo.splits[1]: 10 is given twice"),
    ("studies.demo.splits.1", {"name": "x", "where": "at"}, "splits[1].where: 'at' is none of"),
    ("studies.demo.splits.1", {"nam": "x"}, "splits[1]: unknown key 'nam'"),
    ("studies.demo.codecs.1", "flaot16", "codecs[1]: unknown codec 'flaot16'; did you mean"),
    ("studies.demo.codecs.1", {"nnc": 5}, "codecs[1].nnc: 5 is not a mapping"),
    ("studies.demo.codecs.1", {"nnc": {"qp": [3.5]}}, "codecs[1].nnc: qp: 3.5 is not an integer"),
    ("studies.demo.codecs.1", {"nnc": {"qp": [True]}}, "nnc: qp: True is not an integer"),
    ("studies.demo.codecs.1", {"nnc": {"qp": [9999]}}, "codecs[1].nnc: qp: 9999 is above"),
    ("studies.demo.codecs.1", {"nnc": {"pq": 1}}, "codecs[1].nnc: unknown key 'pq'; known: qp,"),
    ("studies.demo.codecs.1", "raw", "codecs[1]: raw is given twice"),
    ("studies.demo.codecs.1", {"nnc": {"qp": []}}, "codecs[1].nnc.qp: the list is empty"),
    ("studies.demo.codecs", [{"nnc": {"qp": []}}], "codecs[0].nnc.qp: the list is empty"),
    (
        "studies.demo.codecs.1",
        {"nnc": {name: list(range(150)) for name in ("qp", "nonweight_qp")}},
        "codecs[1].nnc: 22500 combinations, more than 10000",
    ),
    ("studies.speech.transforms", [{"x": []}], "studies.speech.transforms[0]: unknown transform"),
    ("studies.demo.overlays.0.split", 9, "overlays[0].split: there are 5 splits"),
    ("studies.demo.overlays.0.codec", "zstd", "overlays[0]: zstd at qp=-6 is no point"),
    ("run", ["demos"], "run[0]: unknown study 'demos'; did you mean demo"),
    ("run", "demo", "run: 'demo' is not a list"),
    ("isolated", "yes", "isolated: 'yes' is not a boolean"),
]


@pytest.mark.parametrize(("path", "value", "message"), MISTAKES, ids=[m[2] for m in MISTAKES])
def test_mistake_is_one_line_with_file_and_key(path, value, message):
    with pytest.raises(UserError) as caught:
        load(changed(path, value), "my.yaml", ROOT)
    said = str(caught.value)
    assert said.startswith("my.yaml: ") and message in said and "\n" not in said


def test_shipped_configuration_is_right_and_gets_its_defaults():
    settings = load(CONFIG, "config.yaml", ROOT)
    study = settings.studies["demo"]
    assert settings.config["sheets"]["models"] == "config/models.tsv"
    assert study.data.shard_size == 50
    assert study.data.count == 27 and study.data.shards == ["0-of-1"]
    assert Split(name="node_add_4", where="after") in [point.split for point in study.points]
    assert len(study.points) == 5 * 12
    assert len({point.folder for point in study.points}) == 60


@pytest.mark.parametrize(("word", "value"), [("true", True), ("false", False), (True, True)])
def test_switch_on_the_command_line(word, value):
    config = load(changed("isolated", word), "config.yaml", ROOT).config
    assert config["isolated"] is value


def test_every_combination_of_parameters_is_a_point():
    config = changed("studies.demo.codecs", [{"nnc": {"qp": [-38, -20], "use_dq": [True, False]}}])
    config["studies"]["demo"]["overlays"] = []
    points = load(config, "config.yaml", ROOT).studies["demo"].points
    assert len(points) == 5 * 4
    assert {"qp": -20, "use_dq": False} in [point.codec.parameters for point in points]


@pytest.mark.parametrize(
    ("sheet", "old", "new", "message"),
    [
        (
            "models",
            "\tdetection\t",
            "\tdetecting\t",
            "models.tsv: ssdlite300_mobilenet_v2: unknown task",
        ),
        ("models", "\t4475504", "\tmany", "models.tsv:2: values: 'many' is not an integer"),
        ("models", "\tvalues", "\tvalue", "models.tsv: unknown column 'value'; did you mean"),
        ("datasets", "\tdemo_images\t\tconfig", "\timages\t\tconfig", "demo_images: unknown asset"),
        ("assets", "pypi:", "pypi", "source: 'pypi"),
        ("assets", "https://download", "https://[::1", "not an address (Invalid IPv6 URL)"),
        ("models", '{"resize"', '{"resize', '"crop": 299}: not JSON (Expecting'),
        ("models", '{"interpolation": "bicubic"}', "[]", "efficientnet: options: []: not a JSON"),
        (
            "models",
            '{"interpolation"',
            '{"interpolation": "bilinear", "interpolation"',
            "key 'interpolation' is given twice",
        ),
        ("models", "\twhisper\t", "\twhisker\t", "whisper_tiny_en: unknown family of models"),
        ("models", "asset\tmobilenet_v2", "asset\t", "mobilenet_v2: weights: 'asset', but the"),
        ("models", "asset\tmobilenet_v2", "asset\tmobile", "mobilenet_v2: unknown asset 'mobile'"),
        ("models", "resnet152\tclass", "resnet18\tclass", "model 'resnet18' is given twice"),
        ("datasets", "\tcoco\t", "\tcocoa\t", "demo_images: unknown dataset format 'cocoa'"),
        ("datasets", "\tdemo_images\t\t", "\t\t\t", "give it an asset or a folder"),
        (
            "datasets",
            "\tdemo_images\t\t",
            "\tdemo_images\t/x\t",
            "folder: '/x' is outside the asset",
        ),
    ],
)
def test_mistake_in_a_sheet_is_one_line_with_file_and_row(tmp_path, sheet, old, new, message):
    text = (ROOT / f"config/{sheet}.tsv").read_text()
    assert old in text
    (tmp_path / f"{sheet}.tsv").write_text(text.replace(old, new, 1))
    config = {**CONFIG, "sheets": {sheet: str(tmp_path / f"{sheet}.tsv")}}
    with pytest.raises(UserError) as caught:
        load(config, "config.yaml", ROOT)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_studies_of_the_same_items_share_their_shards():
    config = copy.deepcopy(CONFIG)
    config["studies"]["other"] = {**config["studies"]["demo"], "shard_size": 5}
    config["run"] = ["demo", "other"]
    with pytest.raises(UserError, match=r"studies\.other: shard_size must be that of study demo"):
        load(config, "config.yaml", ROOT)
    # Other items are another selection, with shards of its own.
    config["studies"]["other"]["items"] = 20
    found = load(config, "config.yaml", ROOT).studies
    assert [len(found[name].data.shards) for name in ("demo", "other")] == [1, 4]


OWN = {
    "kind": "weights", "model": "mobilenet_v2", "dataset": "mine", "codecs": ["raw"],
}  # fmt: skip


def own(tmp_path, **row):
    """Return a configuration with a study of a dataset of one's own."""
    rows = {"task": "classification", "items": 2, "folder": str(tmp_path)} | row
    return CONFIG | {"run": ["own"], "studies": {"own": OWN}, "datasets": {"mine": rows}}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"folder": "gone"}, "the folder of dataset mine, 'gone', is not there"),
        ({"folder": "README.md"}, "the folder of dataset mine, 'README.md', is not there"),
        ({"format": "coco"}, "the annotations of dataset mine, 'cats', are not there"),
        ({"format": "transcripts", "annotations": "a b.tsv"}, "dataset mine, 'a b.tsv', are not"),
    ],
)
def test_files_of_ones_own_that_are_missing_are_said_before_any_work(tmp_path, row, said):
    given = {"format": "labelled_images", "annotations": "cats"} | row
    config = own(tmp_path, **given)
    with pytest.raises(UserError) as caught:
        load(config, "mine.yaml", ROOT)
    assert str(caught.value).startswith("mine.yaml: studies.own: ") and said in str(caught.value)
    # A study that nobody asked for may lack them.
    config["studies"]["demo"] = CONFIG["studies"]["demo"]
    assert list(load(config | {"run": ["demo"]}, "mine.yaml", ROOT).studies) == ["demo"]


def test_a_set_of_images_is_a_name_not_a_file(tmp_path):
    config = own(tmp_path, format="labelled_images", annotations="cats")
    settings = load(config, "mine.yaml", ROOT)
    folder = str(tmp_path)
    assert inputs.dataset_files(settings, "mine") == {"folder": folder, "annotations": folder}
    assert inputs.annotations(settings, "mine") == "cats"
