"""A study of kind profile: its points, where they are, and what is refused before any work."""

from pathlib import Path

import pytest
import yaml

from nnrd import UserError
from nnrd.study import config, estimate, inputs
from nnrd.study.jobs import Jobs
from nnrd.study.kinds.profile import measured
from nnrd.study.points import Anchor, ModelPoint
from nnrd.study.profile_jobs import ProfileJobs

ROOT = Path(__file__).resolve().parents[3]
KEY = "studies.cost"
FIXED = {"kind": "profile", "models": ["mobilenet_v2"]}
OPEN = {"kind": "profile", "models": ["deepspeech"], "sizes": [50, 100]}


def settings(study, root=ROOT):
    return config.load({"run": ["cost"], "studies": {"cost": study}}, "my.yaml", root)


def points(study):
    return settings(study).studies["cost"].points


def test_every_combination_is_a_point():
    given = OPEN | {"options": {"width": [16, 64]}, "threads": [1, 2], "runtimes": ["torch"]}
    found = points(given)
    assert len(found) == 2 * 2 * 2 and len(set(map(measured, found))) == 8
    assert {point.model for point in found} == {"deepspeech+width=16", "deepspeech+width=64"}
    assert {point.base for point in found} == {"deepspeech"}
    assert {point.seconds for point in found} == {0.5, 1.0}


def test_a_path_is_a_pure_function_of_the_point():
    (found,) = points(FIXED | {"samples": 7, "repeats": 2})
    assert measured(found) == (
        "results/profile/mobilenet_v2/device=cpu,precision=float32,runtime=torch,threads=1/"
        "batch=1,power_seconds=60,repeats=2,samples=7,warm_up=10.json"
    )


def test_an_option_that_says_what_the_row_says_is_no_variant():
    default, other = points(OPEN | {"sizes": [50], "options": {"width": [2048, 16]}})
    assert (default.model, other.model) == ("deepspeech", "deepspeech+width=16")
    assert default.options == {"width": 2048}


def test_a_model_may_have_axes_of_its_own():
    own = {"model": "deepspeech", "sizes": [50], "options": {"width": 16}}
    found = points(FIXED | {"models": ["mobilenet_v2", own], "batches": [1]})
    assert [(p.base, p.size) for p in found] == [("mobilenet_v2", None), ("deepspeech", 50)]


def test_a_runtime_without_pytorch_reads_graphs():
    given = settings(FIXED | {"runtimes": ["torch", "onnxruntime"]})
    jobs = ProfileJobs(given)
    torch, graph = given.studies["cost"].points
    wildcards = [{"model": p.model, "runs": p.runs, "measured": p.measured} for p in (torch, graph)]
    assert jobs.graphs(wildcards[0]) == {}
    assert jobs.graphs(wildcards[1])["graphs"] == ["results/models/mobilenet_v2.onnx"]
    assert "results/models/mobilenet_v2.json" in given.studies["cost"].files()
    assert jobs.how(wildcards[1])[:4] == ["--runtime", "onnxruntime", "--precision", "float32"]


def test_what_a_network_depends_on_is_another_graph():
    given = settings(OPEN | {"options": {"width": 16}, "runtimes": ["openvino"]})
    files = given.studies["cost"].files()
    assert "results/models/deepspeech+width=16.onnx" in files
    row = given.sheets.models["deepspeech+width=16"]
    assert row.options == {"width": 16} and "deepspeech+width=16" not in given.sheets.models


def test_accuracy_is_that_of_an_anchor_or_of_the_model_in_its_runtime():
    data = {"dataset": "imagenet_images", "items": 4}
    runs = {"runtimes": ["torch", "onnxruntime"], "threads": [1]}
    given = settings(FIXED | data | runs)
    study = given.studies["cost"]
    torch, graph = study.points
    assert study.accuracies[torch] == Anchor("mobilenet_v2", study.data, "torch")
    assert isinstance(study.accuracies[graph], ModelPoint)
    assert [record.folder for record in study.scored] == [
        "anchor/mobilenet_v2/imagenet_images-4/torch",
        "quantised/mobilenet_v2/nothing/unquantised/runtime=onnxruntime/imagenet_images-4",
    ]
    assert study.records == [] and inputs.tables(given) == []
    assert set(Jobs(given).records) == {record.folder for record in study.scored}
    assert "results/plots/cost/profile/accuracy.png" in inputs.pictures(given)


def test_a_mixed_precision_has_no_accuracy_of_its_own():
    given = FIXED | {"dataset": "imagenet_images", "precisions": ["float32", "mixed"]}
    study = settings(given).studies["cost"]
    assert [point.precision for point in study.accuracies] == ["float32"]


def test_a_measurement_is_in_the_estimate(tmp_path):
    costs = estimate.estimate(settings(FIXED), tmp_path)
    (cost,) = [cost for cost in costs if cost.rule == "profile_model"]
    runs = 5 * 110
    assert cost.seconds == pytest.approx(estimate.EVALUATE * 3_539_036 * runs)


def test_a_gpu_is_taken_only_where_it_is_asked_for():
    given = settings(FIXED | {"devices": ["cpu", "cuda"]})
    jobs = Jobs(given)
    for point in given.studies["cost"].points:
        wildcards = {"model": point.model, "runs": point.runs, "measured": point.measured}
        assert jobs.may_take_gpu(wildcards) == (point.device == "cuda")
    assert given.studies["cost"].keys_for("cuda") == ["devices"]


MISTAKES = {
    "unknown model": (FIXED | {"models": ["mobilnet"]}, "models[0]: unknown model 'mobilnet'"),
    "no inputs": (
        FIXED | {"models": ["caffenet"]},
        "models[0]: caffenet: family caffenet makes no inputs to measure by",
    ),
    "sizes of a fixed input": (
        FIXED | {"sizes": [100]},
        "cost.sizes: mobilenet_v2: its input has one size",
    ),
    "no size of an open input": (
        OPEN | {"sizes": None},
        "cost.sizes: deepspeech: its input has any size: say how many frames",
    ),
    "zero frames": (OPEN | {"sizes": [0]}, "sizes[0]: 0 is below 1"),
    "a batch of none": (FIXED | {"batches": [0]}, "batches[0]: 0 is below 1"),
    "a batch of what takes one": (
        OPEN | {"batches": [2]},
        "cost.batches: deepspeech: a batch of 2: it takes one input at a time",
    ),
    "a batch of a graph": (
        FIXED | {"batches": [2], "runtimes": ["openvino"]},
        "cost.batches: mobilenet_v2: its graph for openvino takes one input at a time",
    ),
    "no such option": (
        FIXED | {"options": {"beam": 5}},
        "cost.options: beam: mobilenet_v2 has no such option",
    ),
    "an option out of range": (
        OPEN | {"options": {"width": [16, 0]}},
        "cost.options: width: 0 is below 1",
    ),
    "an option of the wrong type": (
        OPEN | {"options": {"width": "wide"}},
        "cost.options: width: 'wide' is not an integer",
    ),
    "a precision that its runtime has not": (
        FIXED | {"precisions": ["mixed"], "runtimes": ["onnxruntime"]},
        "cost.precisions: onnxruntime has float32, not mixed",
    ),
    "a GPU where graphs run": (
        FIXED | {"devices": ["cuda"], "runtimes": ["onnxruntime"]},
        "cost.devices: onnxruntime is run on the CPU here",
    ),
    "a weight above 1": (
        FIXED | {"models": ["espnet_blstm"], "sizes": [100], "options": {"ctc_weight": [0, 1.5]}},
        "cost.options: ctc_weight: 1.5 is above 1",
    ),
    "a weight below 0": (
        FIXED | {"models": ["espnet_blstm"], "sizes": [100], "options": {"ctc_weight": -0.1}},
        "cost.options: ctc_weight: -0.1 is below 0",
    ),
    "graphs without the search": (
        FIXED | {"models": ["espnet_blstm"], "sizes": [100], "runtimes": ["onnxruntime"]},
        "cost.runtimes: espnet_blstm has no graphs for onnxruntime",
    ),
    "sizes of its own": (
        FIXED | {"models": [{"model": "mobilenet_v2", "sizes": [1]}]},
        "models[0].sizes: mobilenet_v2: its input has one size",
    ),
    "a value twice": (OPEN | {"sizes": [50, 50]}, "cost.sizes: a value is given twice"),
    "a model twice": (
        FIXED | {"models": ["mobilenet_v2", "mobilenet_v2"]},
        "models: mobilenet_v2 is measured twice in the same way",
    ),
    "a dataset of another task": (
        FIXED | {"dataset": "demo_images"},
        "dataset: is for detection, mobilenet_v2 for classification",
    ),
    "items without a dataset": (FIXED | {"items": 3}, "items: is ignored without 'dataset'"),
    "a key of another kind": (FIXED | {"codecs": ["raw"]}, "unknown key 'codecs'"),
    "no published table": (FIXED | {"published": "no.csv"}, "published: "),
    "an unknown runtime": (FIXED | {"runtimes": ["tvm"]}, "runtimes[0]: 'tvm'"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_with_its_key(name):
    given, message = MISTAKES[name]
    given = {key: value for key, value in given.items() if value is not None}
    with pytest.raises(UserError) as caught:
        settings(given)
    said = str(caught.value)
    assert "\n" not in said and message in said and KEY in said


def test_published_numbers_are_read_and_checked(tmp_path):
    header = "model,part,options,parameters,latency_s,watts,joules,wer\n"
    file = tmp_path / "theirs.csv"
    file.write_text(f"{header}mobilenet_v2,,,3504872,,,,\n")
    study = settings(FIXED | {"published": str(file)}).studies["cost"]
    assert study.published == str(file)
    for line, message in [
        ("other,,,1,,,,\n", ":2: model: unknown model 'other'"),
        ("mobilenet_v2,,,many,,,,\n", ":2: parameters: 'many' is no whole number"),
        ("mobilenet_v2,,,1,-2,,,\n", ":2: latency_s: '-2' is no number"),
    ]:
        file.write_text(header + line)
        with pytest.raises(UserError, match=message.replace("(", r"\(")):
            settings(FIXED | {"published": str(file)})


def test_decoding_weights_share_the_graph_and_the_counts():
    given = {"models": ["espnet_conformer"], "sizes": [100], "options": {"ctc_weight": [0, 0.3, 1]}}
    study = settings(FIXED | given).studies["cost"]
    assert [point.model for point in study.points] == [
        "espnet_conformer+ctc_weight=0", "espnet_conformer", "espnet_conformer+ctc_weight=1",
    ]  # fmt: skip
    assert study.networks == ["espnet_conformer"]


def test_the_published_numbers_of_the_shipped_study_fit():
    given = yaml.safe_load((ROOT / "config/config.yaml").read_text())["studies"]["profile_espnet"]
    study = settings(given).studies["cost"]
    assert study.published == "config/espnet/published.csv" and len(study.points) == 27
