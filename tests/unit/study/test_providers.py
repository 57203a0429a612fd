"""What runs each part of a split model: paths, what jobs are told and ask for, what is refused."""

import itertools
import re
from pathlib import Path

import pytest

from nnrd import UserError
from nnrd.study import config, jobs, paths
from nnrd.study.inputs import record_inputs
from nnrd.study.jobs import Jobs
from nnrd.study.split_costs import SplitCosts

ROOT = Path(__file__).parents[3]
STUDY = {
    "kind": "features",
    "model": "ssdlite300_mobilenet_v2",
    "dataset": "demo_images",
    "splits": [10],
    "codecs": ["raw"],
}
PROVIDERS = ("auto", "cpu", "cuda")
SOURCE = "features/ssdlite300_mobilenet_v2/demo_images/rank10"


def settings(**studies):
    given = {name: STUDY | {"providers": providers} for name, providers in studies.items()}
    return config.load({"run": list(given), "studies": given}, "config.yaml", ROOT)


def study(**providers):
    return settings(one=providers).studies["one"]


def test_without_the_key_paths_are_what_they_were():
    (plain,) = config.load({"run": ["one"], "studies": {"one": STUDY}}, "c", ROOT).studies.values()
    for found in (plain, study(), study(part1="auto", part2="auto")):
        (point,) = found.points
        assert (point.source, point.folder) == (SOURCE, f"{SOURCE}/raw/default")
        assert found.files() == plain.files() and not [f for f in found.files() if "@" in f]


def test_what_runs_a_part_stands_in_the_paths_that_depend_on_it():
    found = study(part1="cpu", part2="cuda")
    (point,) = found.points
    assert point.source == f"{SOURCE}@cpu" and point.encoded == f"{SOURCE}@cpu/raw/default"
    assert point.folder == f"{SOURCE}@cpu/raw/default@cuda"
    whole = "ssdlite300_mobilenet_v2/demo_images/onnx@cuda"
    assert found.anchor.folder == f"anchor/{whole}"
    assert [sent.folder for sent in found.sent] == [f"files/{whole}/stored/default"]
    assert f"results/anchor/{whole}/outputs/0-of-1" in found.files()


def test_studies_on_other_providers_share_what_does_not_depend_on_it():
    """Three sources, three anchors, nine records, each held against the anchor of its part II."""
    pairs = list(itertools.product(PROVIDERS, PROVIDERS))
    all_of = [study(part1=first, part2=second) for first, second in pairs]
    assert len({found.points[0].source for found in all_of}) == 3
    assert len({found.points[0].folder for found in all_of}) == 9
    assert len({found.anchor.folder for found in all_of}) == 3
    for found in all_of:
        inputs = record_inputs(found.points[0])
        assert inputs["anchor_record"] == f"results/{found.anchor.folder}/point.json"
        made = {file for other in all_of for file in other.files()}
        assert {file for files in inputs.values() for file in ([files] if isinstance(files, str)
                else files)} <= made  # fmt: skip


PATTERNS = {
    "extract_features": (paths.FEATURES_TENSORS, "cpu"),
    "infer_features": (paths.FEATURES_PREDICTIONS, "cuda"),
    "infer_anchor": (paths.ANCHOR_PREDICTIONS, "cuda"),
    "infer_files": (paths.FILES_PREDICTIONS, "cuda"),
    "extract_outputs": (paths.OUTPUTS, "cuda"),
}


def wildcards(pattern, file):
    """Return a file's wildcards as the rules have them."""
    rules = dict.fromkeys(("part1", "provider"), "(@(cpu|cuda))?") | {"runtime": "onnx|torch"}
    rules |= {"parameters": "[A-Za-z0-9_.,=+-]+", "split": "[A-Za-z0-9_.-]+"}
    rules["shard"] = r"\d+-of-\d+"
    groups = re.sub(r"\{(\w+)\}", lambda m: f"(?P<{m[1]}>{rules.get(m[1], '[^/]+')})", pattern)
    found = re.fullmatch(groups, file)
    return found and found.groupdict()


@pytest.mark.parametrize("rule", PATTERNS)
def test_a_job_is_told_what_its_path_says(rule):
    pattern, expected = PATTERNS[rule]
    loaded = settings(one={"part1": "cpu", "part2": "cuda"}, plain={})
    found = {name: [wildcards(pattern, file) for file in s.files()]
             for name, s in loaded.studies.items()}  # fmt: skip
    told = Jobs(loaded)
    (given,) = filter(None, found["one"])
    assert told.provider(given) == expected
    assert told.run_on(given) == ["--provider", expected]
    assert told.may_take_gpu(given) is (expected != "cpu")
    assert (told.run_by(given)[-1] == expected) if "runtime" in given else True
    (given,) = filter(None, found["plain"])
    assert told.provider(given) == "auto" and told.run_on(given) == []
    assert told.may_take_gpu(given)


def test_the_estimate_counts_what_takes_a_gpu(tmp_path):
    loaded = settings(one={"part1": "cuda", "part2": "cpu"})
    known = SplitCosts(loaded.sheets, tmp_path)
    takes = {job.rule: job.gpu for job in loaded.studies["one"].jobs(loaded.sheets, known)}
    assert takes.pop("extract_features") and not any(takes.values())


def test_cuda_where_there_is_none_is_one_line_before_any_work(monkeypatch):
    told = Jobs(settings(one={"part2": "cuda"}, two={"part2": "cpu"}))
    waiting = [{"provider": "@cuda"}, {"part1": "", "provider": "@cpu"}]
    monkeypatch.setattr(jobs, "has_cuda", lambda: False)
    with pytest.raises(UserError, match=r"^studies.one.providers: cuda: this machine has no NV"):
        told.refuse_missing_gpu(waiting)
    told.refuse_missing_gpu(waiting[1:])  # plots need no GPU
    monkeypatch.setattr(jobs, "has_cuda", lambda: True)
    told.refuse_missing_gpu(waiting)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"part1": "gpu"}, "studies.one.providers.part1: 'gpu' is none of"),
        ({"part3": "cpu"}, "studies.one.providers: unknown key 'part3'"),
        ("cpu", "studies.one.providers: 'cpu' is not a mapping"),
    ],
)
def test_what_no_provider_is(given, said):
    with pytest.raises(UserError) as caught:
        settings(one=given)
    assert said in str(caught.value) and "\n" not in str(caught.value)
