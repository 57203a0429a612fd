"""Studies of both kinds: what they declare, where it is, and what is refused before any work."""

import json
from pathlib import Path

import pytest

from nnrd import UserError
from nnrd.assets import availability
from nnrd.codecs import encoder_file as encoder_config
from nnrd.study import config
from nnrd.study import paths as layout
from nnrd.study.points import KINDS, parse, slug

ROOT = Path(__file__).parents[3]
SPEECH = {
    "kind": "weights",
    "model": "whisper_tiny_en",
    "dataset": "asterisk_prompts",
    "items": 40,
    "codecs": [{"nnc": {"qp": [-38, -30], "use_dq": True}}],
}
FEATURES = {
    "kind": "features",
    "model": "ssdlite300_mobilenet_v2",
    "dataset": "demo_photos",
    "splits": [10],
    "codecs": ["raw"],
}


def settings(*, root=ROOT, **studies):
    given = {"run": list(studies), "studies": studies}
    return config.load(given, "config.yaml", root)


def test_bitstreams_of_weights_know_nothing_of_the_dataset():
    found = settings(
        one=SPEECH, two=SPEECH | {"dataset": "librispeech_test_clean", "items": 100}
    ).studies
    one, two = (study.points[0] for study in found.values())
    assert one.encoded == two.encoded == "weights/whisper_tiny_en/nnc/qp=-38,use_dq=true"
    assert one.folder == f"{one.encoded}/asterisk_prompts"
    assert two.folder == f"{one.encoded}/librispeech_test_clean"


@pytest.mark.parametrize("study", [SPEECH, FEATURES], ids=["weights", "features"])
def test_a_record_is_made_of_the_files_of_its_steps(study):
    loaded = settings(one=study | {"shard_size": 10})
    declared = loaded.studies["one"]
    point = declared.points[0]
    inputs = layout.record_inputs(loaded, declared, point)
    assert ("split" in inputs) == (study is FEATURES)
    assert len(inputs["predictions"]) == len(inputs["inferred"]) == len(declared.shards)
    bundles = 1 if study is SPEECH else len(declared.shards)
    assert len(inputs["source"]) == len(inputs["encoded"]) == bundles
    assert all(file.startswith(f"results/{point.encoded}/") for file in inputs["encoded"])
    anchor = layout.record_inputs(loaded, declared, declared.anchor)
    assert set(anchor) == {"truth", "index", "anchor", "predictions", "inferred"}


def test_kinds_have_plots_of_their_own():
    loaded = settings(one=SPEECH, two=FEATURES)
    pictures = layout.pictures(loaded)
    assert "results/plots/one/accuracy_size.png" in pictures
    assert "results/plots/two/accuracy_size.png" not in pictures
    names = [plot for kind in KINDS.values() for plot in kind.plots]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "weight"}, "studies.one.kind: 'weight' is none of features, weights"),
        ({"splits": [3]}, "studies.one.splits: must not be in a study of kind weights"),
        ({"items": 231}, "studies.one.items: 231 of 230 items"),
        ({"dataset": "demo_photos", "items": 1}, "is for detection, the model for asr"),
        (
            {"model": "ssdlite300_mobilenet_v2", "dataset": "demo_photos", "items": 1},
            "studies.one.model: ssdlite300_mobilenet_v2 has no network in the sheet",
        ),
        ({"model": "whisper"}, "unknown model 'whisper'; did you mean whisper_tiny_en"),
        ({"codecs": [{"nnc": {"qp": 3.5}}]}, "studies.one.codecs[0].nnc: qp: 3.5"),
        (
            {"codecs": [{"nnc": {"enc_cfg_file": "no.json"}}]},
            "studies.one.codecs[0].nnc.enc_cfg_file:",
        ),
        (
            {"overlays": [{"split": 0, "codec": "nnc"}]},
            "studies.one.overlays[0].split: there are 0 splits",
        ),
    ],
)
def test_weights_studies_that_are_wrong(change, message):
    with pytest.raises(UserError) as caught:
        settings(one=SPEECH | change)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_features_study_of_a_model_without_detector():
    study = FEATURES | {"model": "mobilenet_v2", "dataset": "imagenet_photos"}
    with pytest.raises(UserError, match="mobilenet_v2 has no architecture in the sheet"):
        settings(one=study)
    splitless = {key: value for key, value in FEATURES.items() if key != "splits"}
    with pytest.raises(UserError, match="splits: missing: needed in a study of kind features"):
        settings(one=splitless)


def encoder_file(folder, content):
    path = folder / "enc_cfg.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_encoder_configuration(tmp_path):
    path = encoder_file(
        tmp_path, {"qp": [-38, -20], "use_dq": True, "opt_qp": True, "bnf": False, "ioq": False}
    )
    codec = {"nnc": {"enc_cfg_file": str(path), "qp": -12, "param_opt": True}}
    (point,) = settings(one=SPEECH | {"codecs": [codec]}).studies["one"].points
    wanted = {"qp": -12, "use_dq": True, "opt_qp": True, "param_opt": True}
    assert point.parameters == wanted  # the YAML comes before the file
    assert parse(slug(point.parameters)) == wanted
    codec = {"nnc": {"enc_cfg_file": str(path)}}
    points = settings(one=SPEECH | {"codecs": [codec]}).studies["one"].points
    assert [point.parameters["qp"] for point in points] == [-38, -20]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"qpp": -38}, "unknown key 'qpp'; did you mean qp"),
        ({"learning_rate": 1e-4}, "unknown key 'learning_rate'"),
        ({"qp": -38, "lsa": True}, "lsa: local scaling adaptation is not yet supported"),
        ({"ioq": 1}, "ioq: inference-optimised quantisation is not yet supported"),
        ([], "not a JSON object"),
        ("{", "not JSON"),
    ],
)
def test_encoder_configurations_that_are_wrong(tmp_path, content, message):
    with pytest.raises(UserError) as caught:
        encoder_config.read(encoder_file(tmp_path, content))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_encoder_keys_are_those_of_the_codec():
    from nnrd import codecs

    known = codecs.parameter_schema(encoder_config.CODEC)["properties"]
    assert set(encoder_config.CODED) <= set(known)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A checkout that has fetched nothing, on a machine whose cache is empty."""
    for name in ("workflow", "config"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.setenv("NNRD_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_an_optional_study_is_left_out_where_there_is_no_debian(elsewhere, monkeypatch):
    monkeypatch.setattr(availability.shutil, "which", lambda name: None)
    found = settings(root=elsewhere, one=SPEECH | {"optional": True}, two=FEATURES)
    assert list(found.studies) == ["two"]
    assert found.left_out == {"one": "apt-get, of Debian's package clients, is not on this machine"}
    with pytest.raises(UserError, match=r"config.yaml: run: one: apt-get, of Debian's"):
        settings(root=elsewhere, one=SPEECH | {"optional": True})
    # What is not optional is made, and the fetch says what is missing.
    assert settings(root=elsewhere, one=SPEECH).left_out == {}
    (elsewhere / "resources/asterisk_prompts").mkdir(parents=True)
    assert settings(root=elsewhere, one=SPEECH | {"optional": True}).left_out == {}


def test_an_optional_study_is_left_out_where_apt_has_no_lists(elsewhere, monkeypatch):
    monkeypatch.setattr(availability.shutil, "which", lambda name: name)
    monkeypatch.setattr(availability, "_is_listed", lambda package: False)
    found = settings(root=elsewhere, one=SPEECH | {"optional": True}, two=FEATURES)
    assert "apt-get has no asterisk-core-sounds-en-wav=1.6.1-1" in found.left_out["one"]


def test_a_dataset_in_a_folder_of_the_machine(elsewhere):
    (elsewhere / "config").unlink()
    (elsewhere / "config").mkdir()
    for name in ("assets.tsv", "models.tsv"):
        (elsewhere / "config" / name).symlink_to(ROOT / "config" / name)
    (elsewhere / "config/datasets.tsv").write_text(
        "dataset\ttask\tformat\tfolder\tannotations\titems\n"
        "mine\tasr\ttranscripts\t/data/mine\t/data/mine/transcripts.tsv\t40\n"
    )
    loaded = settings(root=elsewhere, one=SPEECH | {"dataset": "mine"})
    assert layout.folder(loaded.datasets, "mine") == "/data/mine"
    assert layout.annotations_input(loaded, "mine") == "/data/mine/transcripts.tsv"
    assert set(layout.asset_sums(loaded)) == {
        f"whisper_tiny_en/{name}" for name in ("model.bin", "tokenizer.json", "config.json")
    }
