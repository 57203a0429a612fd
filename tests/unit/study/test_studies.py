"""Studies of both kinds: what they declare, where it is, and what is refused before any work."""

import itertools
import json
import math
from pathlib import Path

import pytest
from snakemake.io import contains_wildcard

from nnrd import UserError
from nnrd.assets import availability
from nnrd.codecs import encoder_file as encoder_config
from nnrd.study import config, inputs
from nnrd.study.jobs import Jobs
from nnrd.study.kinds import KINDS
from nnrd.study.points import Point
from nnrd.study.split_costs import SplitCosts
from nnrd.study.tables import Tables

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
    "dataset": "demo_images",
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
    assert one.folder == f"{one.encoded}/asterisk_prompts-40"
    assert two.folder == f"{one.encoded}/librispeech_test_clean-100"


@pytest.mark.parametrize("study", [SPEECH, FEATURES], ids=["weights", "features"])
def test_a_record_is_made_of_the_files_of_its_steps(study):
    loaded = settings(one=study | {"shard_size": 10})
    declared = loaded.studies["one"]
    point = declared.points[0]
    files, shards = inputs.record_inputs(point), declared.data.shards
    assert ("split" in files) == (study is FEATURES)
    assert len(files["predictions"]) == len(files["inferred"]) == len(shards) > 1
    bundles = 1 if study is SPEECH else len(shards)
    assert len(files["source"]) == len(files["encoded"]) == bundles
    assert all(file.startswith(f"results/{point.encoded}/") for file in files["encoded"])
    anchor = inputs.record_inputs(declared.anchor)
    assert set(anchor) == {"index", "anchor", "predictions", "inferred"}


def test_kinds_have_plots_of_their_own():
    loaded = settings(one=SPEECH, two=FEATURES)
    pictures = inputs.pictures(loaded)
    assert "results/plots/one/accuracy_size.png" in pictures
    assert "results/plots/two/accuracy_size.png" not in pictures
    names = [plot for kind in KINDS.values() for plot in kind.plots]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "weight"}, "studies.one.kind: unknown kind 'weight'; did you mean weights?"),
        ({"splits": [3]}, "studies.one: unknown key 'splits'; known: kind, optional, model"),
        ({"items": 231}, "studies.one.items: 231 of 230 items"),
        ({"dataset": "demo_images", "items": 1}, "is for detection, the model for asr"),
        (
            {"model": "yolo-v2"},
            "studies.one.dataset: is for asr, the model for no task",
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


def test_every_features_study_has_the_items_own_bytes(tmp_path):
    """Without them nobody can tell whether splitting pays."""
    study = settings(two=FEATURES).studies["two"]
    anchor, stored, *points = study.records
    assert anchor is study.anchor and points == study.points
    assert stored.folder == "files/ssdlite300_mobilenet_v2/demo_images/onnx/stored/default"
    label = {"codec": "stored", "parameters": {}, "runtime": "onnx", "sent": "files"}
    label["lossless"] = True
    assert label.items() <= stored.label.items()
    assert {point.label["sent"] for point in points} == {"features"}
    assert {p.codec.name for p in points if p.label["lossless"]} <= {"raw"}
    wanted = inputs.record_inputs(stored)
    assert set(wanted) == {"index", "anchor", "predictions", "inferred", "anchor_record"}
    sheets = settings(two=FEATURES).sheets
    jobs = [job.rule for job in study.jobs(sheets, SplitCosts(sheets, tmp_path))]
    assert jobs.count("infer_files") == jobs.count("infer_anchor") == 1


def test_file_codecs_take_lists_of_parameters():
    study = settings(two=FEATURES | {"file_codecs": [{"jpeg": {"quality": [90, 10]}}]})
    (two,) = study.studies.values()
    assert [point.codec.id for point in two.sent] == ["jpeg/quality=90", "jpeg/quality=10"]
    predictions = "results/files/ssdlite300_mobilenet_v2/demo_images/onnx/jpeg/quality=10/"
    assert f"{predictions}predictions/0-of-1.json" in two.files()
    assert settings(two=FEATURES | {"file_codecs": []}).studies["two"].sent == []


@pytest.mark.parametrize(
    ("codecs", "message"),
    [
        ([{"jpeg": {"quality": 0}}], "studies.one.file_codecs.jpeg: quality: 0"),
        (["jpg"], "studies.one.file_codecs[0]: unknown file codec 'jpg'; did you mean jpeg"),
        (["flac"], "studies.one.file_codecs.flac: is for audio, and the items are image"),
        (["stored", "stored"], "studies.one.file_codecs[1]: stored is given twice"),
    ],
)
def test_file_codecs_that_are_wrong(codecs, message):
    with pytest.raises(UserError) as caught:
        settings(one=FEATURES | {"file_codecs": codecs})
    assert message in str(caught.value)


def test_a_features_study_may_be_cut_at_tensors():
    study = settings(two=FEATURES | {"splits": [{"tensors": ["a/b", "c"]}]}).studies["two"]
    (point,) = {point.source: point for point in study.points}.values()
    assert point.label["split_name"] == "at a/b, c"
    assert "/at-a_b_c-" in point.source
    jobs = Jobs(settings(two=FEATURES | {"splits": [{"tensors": ["a/b", "c"]}]}))
    wildcards = {"model": point.model, "split": point.split.id}
    assert jobs.split(wildcards) == ["--tensors", "a/b", "c"]


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ({"tensors": ["a"], "name": "b"}, "splits[0]: give name or tensors, one of the two"),
        ({}, "splits[0]: give name or tensors, one of the two"),
        ({"where": "after"}, "splits[0].where: is ignored without 'name'"),
        ({"tensors": []}, "splits[0].tensors"),
    ],
)
def test_splits_that_are_wrong(split, message):
    with pytest.raises(UserError) as caught:
        settings(two=FEATURES | {"splits": [split]})
    assert message in str(caught.value)


def test_a_features_study_needs_splits():
    splitless = {key: value for key, value in FEATURES.items() if key != "splits"}
    with pytest.raises(UserError, match=r"studies\.one: 'splits' is missing"):
        settings(one=splitless)


ANY = [
    (FEATURES, "ssdlite300_mobilenet_v2", "demo_images", "onnx"),
    (FEATURES, "mobilenet_v2", "imagenet_images", "onnx"),
    (FEATURES, "whisper_tiny_en", "asterisk_prompts", "onnx"),
    (SPEECH, "ssdlite300_mobilenet_v2", "demo_images", "torch"),
    (SPEECH, "mobilenet_v2", "imagenet_images", "torch"),
    (SPEECH, "whisper_tiny_en", "asterisk_prompts", "torch"),
    (SPEECH, "deepspeech", "asterisk_prompts", "torch"),
]


@pytest.mark.parametrize(("study", "model", "dataset", "runtime"), ANY)
def test_any_model_in_any_kind_of_study(study, model, dataset, runtime):
    (found,) = settings(
        one=study | {"model": model, "dataset": dataset, "items": 4}
    ).studies.values()
    assert found.anchor.runtime == runtime
    assert found.anchor.folder == f"anchor/{model}/{dataset}-4/{runtime}"
    assert all(point.source.startswith(f"{found.kind.name}/{model}") for point in found.points)


def test_a_model_that_carries_state_is_not_split():
    study = FEATURES | {"model": "deepspeech", "dataset": "asterisk_prompts", "items": 4}
    with pytest.raises(UserError, match=r"one\.model: deepspeech carries state.*not split$"):
        settings(one=study)


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
    assert point.codec.parameters == wanted  # the YAML comes before the file
    codec = {"nnc": {"enc_cfg_file": str(path)}}
    points = settings(one=SPEECH | {"codecs": [codec]}).studies["one"].points
    assert [point.codec.parameters["qp"] for point in points] == [-38, -20]


PER_TENSOR = {"nnc": {"qp": [-38, -30], "qp_per_tensor": {"conv1.weight": -20}}}
SMALL_STEP = {"nnc": {"qp": -38, "lambda_scale": 1e-5}}


def test_the_order_of_the_yaml_is_in_no_bitstream():
    told = []
    for given in ({"qp": -20, "use_dq": True}, {"use_dq": True, "qp": -20}):
        loaded = settings(one=FEATURES | {"codecs": [{"nnc": given}]})
        point = loaded.studies["one"].points[0]
        name, written = point.codec.id.split("/")
        told.append(Jobs(loaded).parameters({"codec": name, "parameters": written}))
    assert told[0] == told[1] == '{"qp": -20, "use_dq": true}'


@pytest.mark.parametrize(("codec", "count"), [(PER_TENSOR, 2), (SMALL_STEP, 1)])
def test_parameters_that_cannot_stand_in_a_path(codec, count):
    """A job is told them by the configuration, whatever its path is."""
    loaded = settings(one=SPEECH | {"codecs": ["raw", codec]})
    points, jobs = loaded.studies["one"].points[1:], Jobs(loaded)
    assert len({point.encoded for point in points}) == count
    for point in points:
        name, written = point.encoded.split("/")[-2:]
        told = json.loads(jobs.parameters({"codec": name, "parameters": written}))
        assert told == point.codec.parameters
        assert all(key in told for key in codec["nnc"])


@pytest.mark.parametrize("study", [SPEECH, FEATURES], ids=["weights", "features"])
def test_a_bound_has_a_rate_and_no_prediction(tmp_path, study):
    loaded = settings(one=study | {"codecs": ["raw", {"entropy": {"qp": -20}}]})
    declared = loaded.studies["one"]
    point = next(point for point in declared.points if point.codec.name == "entropy")
    files = inputs.record_inputs(point)
    assert {"encoded", "source", "anchor_record"} <= set(files)
    assert not {"predictions", "inferred", "decoded"} & set(files)
    made = [file for file in declared.files() if file.startswith(f"results/{point.folder}/")]
    assert not [file for file in made if "predictions" in file or "decoded" in file]
    known = SplitCosts(loaded.sheets, tmp_path)
    outputs = {job.output for job in declared.jobs(loaded.sheets, known)}
    assert not [file for file in outputs if file.startswith(f"{point.folder}/predictions")]
    overlays = [{"codec": "entropy", "parameters": {"qp": -20}}]
    if study is FEATURES:
        overlays[0]["split"] = 0
    with pytest.raises(UserError, match=r"overlays\[0\]: entropy is a bound"):
        settings(one=study | {"codecs": [{"entropy": {"qp": -20}}], "overlays": overlays})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"qpp": -38}, "unknown key 'qpp'; did you mean qp"),
        ({"quality": 3}, "unknown key 'quality'"),
        ({"qp": -38, "lsa": True}, "lsa: local scaling adaptation is not yet supported"),
        ({"ioq": 1}, "ioq: inference-optimised quantisation is not yet supported"),
        ([], "not a JSON object"),
        ("{", "not JSON"),
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"qp": ' + "[" * 900 + "]" * 900 + "}", "qp[0][0]: is nested deeper than 32"),
        ('{"qp": ' + "9" * 400 + "}", "qp: an integer of more than 64 bits"),
        ('{"qp": "\\u0000"}', "qp: a NUL character"),
    ],
)
def test_encoder_configurations_that_are_wrong(tmp_path, content, message):
    with pytest.raises(UserError) as caught:
        encoder_config.read(encoder_file(tmp_path, content))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_encoder_configuration_that_is_no_file(tmp_path):
    for path, said in ((tmp_path, "is a folder"), (tmp_path / "x.json", "no such file")):
        with pytest.raises(UserError, match=said):
            encoder_config.read(path)


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
    (elsewhere / "resources/asterisk_prompts").mkdir(parents=True)
    assert settings(root=elsewhere, one=SPEECH | {"optional": True}).left_out == {}


def test_an_optional_study_is_left_out_where_apt_has_no_lists(elsewhere, monkeypatch):
    monkeypatch.setattr(availability.shutil, "which", lambda name: name)
    monkeypatch.setattr(availability, "_is_listed", lambda package: False)
    found = settings(root=elsewhere, one=SPEECH | {"optional": True}, two=FEATURES)
    assert "apt-get has no asterisk-core-sounds-en-wav=1.6.1-1" in found.left_out["one"]


@pytest.mark.parametrize("study", [SPEECH, SPEECH | {"optional": True}])
def test_what_cannot_be_had_here_is_said_before_any_work(elsewhere, monkeypatch, study):
    monkeypatch.setattr(availability.shutil, "which", lambda name: None)
    with pytest.raises(UserError, match=r"one: .*apt-get, of Debian's package clients") as caught:
        settings(root=elsewhere, one=study)
    assert "\n" not in str(caught.value)
    (elsewhere / "resources/asterisk_prompts").mkdir(parents=True)
    assert list(settings(root=elsewhere, one=study).studies) == ["one"]


@pytest.mark.parametrize("name", ["mine", "my prompts", "it's", "{mine}", "d$(touch pwned)"])
def test_a_dataset_in_a_folder_of_the_machine(elsewhere, monkeypatch, name):
    """Where Snakemake would take its name for a wildcard, a link stands for it."""
    monkeypatch.chdir(elsewhere)
    (elsewhere / "config").unlink()
    (elsewhere / "config").mkdir()
    for sheet in ("assets.tsv", "models.tsv"):
        (elsewhere / "config" / sheet).symlink_to(ROOT / "config" / sheet)
    folder = elsewhere / name
    folder.mkdir()
    (folder / "transcripts.tsv").touch()
    (elsewhere / "config/datasets.tsv").write_text(
        "dataset\ttask\tformat\tfolder\tannotations\titems\n"
        f"mine\tasr\ttranscripts\t{folder}\t{folder}/transcripts.tsv\t40\n"
    )
    loaded = settings(root=elsewhere, one=SPEECH | {"dataset": "mine"})
    found = inputs.dataset_files(loaded, "mine")
    assert inputs.items_folder(loaded, "mine") == found["folder"]
    expected = {"folder": folder, "annotations": folder / "transcripts.tsv"}
    assert {key: Path(path).resolve() for key, path in found.items()} == expected
    assert (found["folder"] == str(folder)) is ("{" not in name)
    assert not any(contains_wildcard(path) for path in found.values())
    assert inputs.annotations(loaded, "mine") == f"{folder}/transcripts.tsv"
    assert set(inputs.asset_sums(loaded)) == {
        f"whisper_tiny_en/{name}" for name in ("model.bin", "tokenizer.json", "config.json")
    }


@pytest.mark.parametrize(
    ("study", "cores", "made", "workers"),
    [
        (SPEECH, 1, 0, 1),
        (SPEECH, 2, 0, 1),  # as many cores as bitstreams: a job each
        (SPEECH, 4, 0, 2),
        (SPEECH, 2, 1, 2),  # one is there, so a core would be idle
        (SPEECH, 64, 2, 4),
        (SPEECH, None, 0, 4),  # a cluster: each job has cores of its own
        (FEATURES, 64, 0, 1),
    ],
)
def test_large_bundles_take_the_cores_that_are_free(
    tmp_path, monkeypatch, study, cores, made, workers
):
    loaded = settings(one=study)
    monkeypatch.chdir(tmp_path)
    points = loaded.studies["one"].points
    for point in points[:made]:
        (tmp_path / "results" / point.encoded / "bitstreams/0-of-1").mkdir(parents=True)
    assert Jobs(loaded).workers({"source": points[0].source}, cores) == workers


def latency_of(**given):
    return settings(two=FEATURES | {"latency": given}).studies["two"].latency


def test_latencies_are_reckoned_for_the_tr_s_rates_unless_a_study_says_others():
    found = settings(two=FEATURES).studies["two"].latency
    assert found.rates == {"500 Mbit/s": 500e6, "1 Gbit/s": 1e9, "5 Gbit/s": 5e9}
    assert (found.round_trip, found.device_slowdown, found.max_loss) == (0.0, 1.0, 1.0)
    assert latency_of(rates=["50Mbit", 1e6]).rates == {"50 Mbit/s": 50e6, "1 Mbit/s": 1e6}
    assert latency_of(rates={"lan": "1 Gbit/s", "old": 9600}).rates == {"lan": 1e9, "old": 9600.0}
    given = latency_of(rates={"lan": "1Gbit"}, round_trip="10ms", device_slowdown=4, metric="AP")
    words = ["--rates", "lan=1000000000.0", "--round-trip", "0.01", "--device-slowdown", "4.0"]
    assert given.options() == [*words, "--max-loss", "1.0", "--metric", "AP"]


def test_a_study_of_weights_has_no_latencies():
    study = settings(one=SPEECH).studies["one"]
    assert study.latency is None
    assert not [name for name in study.files() if "latency" in name]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rates": []}, "rates: the list is empty"),
        ({"rates": {}}, "rates:"),
        ({"rates": ["50MB"]}, "rates[0]: rate '50MB': write bits a second"),
        ({"rates": [0]}, "rates[0]: rate 0: write bits a second"),
        ({"rates": {"lan": "fast"}}, "rates.lan: rate 'fast': write bits a second"),
        ({"rates": {"a b": 1}}, "rates"),
        ({"rates": ["1Gbit", 1e9]}, "rates[1]: 1000000000.0 is given twice"),
        ({"rates": "1Gbit"}, "rates: '1Gbit' is not a list or a mapping"),
        ({"rates": [math.nan]}, "rates[0]: rate nan"),
        ({"round_trip": "-1ms"}, "round_trip: duration '-1ms'"),
        ({"device_slowdown": 0}, "device_slowdown: 0 is below 0.001"),
        ({"device_slowdown": math.nan}, "device_slowdown: nan is no number"),
        ({"max_loss": -1}, "max_loss: -1 is below 0"),
        ({"max_loss": math.inf}, "max_loss: inf is no number"),
        ({"metric": "WER"}, "metric: unknown metric 'WER'; known: AP"),
        ({"rate": 1}, "unknown key 'rate'; did you mean rates?"),
    ],
)
def test_latencies_that_are_wrong(given, message):
    with pytest.raises(UserError) as caught:
        latency_of(**given)
    assert "studies.two.latency" in str(caught.value) and message in str(caught.value)
    assert "\n" not in str(caught.value)


SEVERAL = FEATURES | {"splits": [10, 84, 50], "codecs": ["raw", {"nnc": {"qp": [-10, -20]}}]}


def test_a_part_of_the_records_has_whole_sources(tmp_path, monkeypatch):
    """As inputs they are by source, so that a batch needs few of them; as rows they stay."""
    monkeypatch.chdir(tmp_path)
    found = settings(one=SEVERAL)
    files = {f"results/{r.folder}/point.json": r for r in found.studies["one"].records}
    asked = Tables(found).study_records("one")
    assert sorted(asked) == sorted(files)
    sources = [files[name].source for name in asked if isinstance(files[name], Point)]
    assert len(list(itertools.groupby(sources))) == len(set(sources)) == 3
    listed = Path(Tables(found).record_list({"study": "one"})).read_text().splitlines()
    assert listed == list(files)


def test_parameters_are_written_out_by_operating_point():
    """Not by point, of which a study has as many times more as it has splits."""
    found = {"nnc/qp=-10": '{"qp": -10}', "nnc/qp=-20": '{"qp": -20}', "raw/default": "{}"}
    assert Jobs(settings(one=SEVERAL)).operations == found | {"stored/default": "{}"}
