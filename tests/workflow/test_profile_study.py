"""A profile study through Snakemake: models measured, some scored, and nothing made twice."""

import copy
import json

import pandas as pd
import pytest

from nnrd.core.files import read_record

from .conftest import Checkout, copy_of_project
from .test_traced import check_hash, commands_of, with_tracer

L = "scripts/nnrd"
OFTEN = {"samples": 2, "repeats": 2, "warm_up": 1, "power_seconds": 1}
STUDY = {
    "kind": "profile",
    "models": [
        {"model": "mobilenet_v2", "runtimes": ["torch", "onnxruntime"]},
        {"model": "mobilenet_v2", "batches": [2]},
    ],
    "dataset": "imagenet_images",
    "items": 2,
    **OFTEN,
}
RECOGNISER = {
    "kind": "profile",
    "models": ["deepspeech"],
    "sizes": [20, 60],
    "options": {"width": [8, 16]},
    **OFTEN,
}
CONFIG = {"run": ["photos", "speech"], "studies": {"photos": STUDY, "speech": RECOGNISER}}
SPEECH_END = {"tabulate_profile": 1, "plot_profile": 3, "write_findings": 1, "write_provenance": 1}
PHOTOS_END = SPEECH_END | {"plot_profile": 4}
BOTH_END = {"tabulate_profile": 2, "plot_profile": 7, "write_findings": 2, "write_provenance": 1}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Checkout:
    checkout = copy_of_project(tmp_path_factory.mktemp("profile"))
    checkout.configure(CONFIG)
    done = checkout.run()
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout


def test_a_row_a_point_with_its_accuracy(made):
    photos = pd.read_csv(made.folder / "results/tables/photos/profile.csv")
    assert photos["runtime"].tolist() == ["torch", "onnxruntime", "torch"]
    assert photos["batch"].tolist() == [1, 1, 2]
    assert (photos["status"] == "measured").all() and photos["accuracy"].between(0, 100).all()
    assert photos["parameters"].eq(3_504_872).all()
    # Counted in PyTorch, for the graph too: 300.8 million multiply-accumulates of an image.
    assert photos["macs"].tolist() == [300_774_272, 300_774_272, 2 * 300_774_272]
    assert (photos["peak_memory_bytes"] > 1e7).all()
    speech = pd.read_csv(made.folder / "results/tables/speech/profile.csv")
    assert [json.loads(text) for text in speech["options"]] == [{"width": 8}] * 2 + [
        {"width": 16}
    ] * 2
    assert speech["size"].tolist() == [20, 60, 20, 60] and speech["accuracy"].isna().all()
    assert speech["real_time_factor"].notna().all()


def test_the_provenance_says_what_made_each_point(made):
    found = read_record(made.folder / "results/provenance.json")
    points = [name for name in found["records"] if name.startswith("results/profile/")]
    assert len(points) == 7
    numbers = {number for name in points for number in found["records"][name]["profiled"]}
    made_by = [found["environments"][number] for number in numbers]
    assert {each["provider"] for each in made_by} == {"cpu", "onnxruntime"}
    assert "results/tables/speech/profile.csv" in found["results"]


def test_plots_and_findings(made):
    for study, plots in (("photos", 4), ("speech", 3)):
        folder = made.folder / f"results/plots/{study}/profile"
        assert len(list(folder.glob("*.png"))) == plots
        assert "<h2>Which model is larger?</h2>" in (folder / "findings.html").read_text()


def test_nothing_is_left_to_do_and_all_is_whole(made):
    assert made.plan().rules == {}
    from nnrd.study import config
    from nnrd.study.check import Check

    settings = config.load(CONFIG, "config.yaml", made.folder)
    wrong = [found for found in Check(settings, made.folder).findings() if found.state != "whole"]
    assert not wrong


def changed(study: str, **keys: object) -> dict:
    config = copy.deepcopy(CONFIG)
    config["studies"][study] |= keys
    return config


CHANGES = {
    "a size": (changed("speech", sizes=[20, 60, 90]), {"profile_model": 2, **SPEECH_END}),
    "a batch": (
        changed("photos", models=[*STUDY["models"], {"model": "mobilenet_v2", "batches": [3]}]),
        {"profile_model": 1, **PHOTOS_END},
    ),
    "an option": (
        changed("speech", options={"width": [8, 16, 4]}),
        {"count_parameters": 1, "profile_model": 2, **SPEECH_END},
    ),
    "fewer samples": (changed("speech", samples=1), {"profile_model": 4, **SPEECH_END}),
    "another order": (changed("speech", sizes=[60, 20]), SPEECH_END),
    "a part that is asked for": (
        changed("speech", parts=["lstm"]),
        {"count_parameters": 2, **SPEECH_END},
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_measures_its_own_points(made, tmp_path, name):
    checkout = made.copy_to(tmp_path / "checkout")
    config, expected = CHANGES[name]
    checkout.configure(config)
    assert checkout.plan().rules == expected


EDITS = {
    "how the samples are taken": (
        f"{L}/profile/sampling.py",
        "for row in repeat:",
        "for row in iter(repeat):",
        {"profile_model": 7, **BOTH_END},
    ),
    "how parameters are counted": (
        f"{L}/profile/counts.py",
        "FLOAT = 4",
        "FLOAT = 2 + 2",
        {"count_parameters": 3, **BOTH_END},
    ),
    "how multiply-accumulates are counted": (
        f"{L}/profile/counts.py",
        "(total - inside) // 2",
        "(total - inside) // (1 + 1)",
        {"profile_model": 6, **BOTH_END},
    ),
    "what a metric is called": (
        f"{L}/tasks/classification.py",
        '"right class first"',
        '"first class right"',
        {"score_point": 2, **PHOTOS_END},
    ),
    "what is made to measure by": (
        f"{L}/models/made.py",
        "LOUDNESS = 0.1",
        "LOUDNESS = 0.2",
        {"profile_model": 4, **SPEECH_END},
    ),
    "a sentence": (
        f"{L}/report/profile/findings.py",
        "COMPARED = (ALL,",
        "COMPARED = (str(ALL),",
        {"write_findings": 2, "write_provenance": 1},
    ),
    "a plot": (
        f"{L}/report/profile/parameters.py",
        "ALIKE = 50",
        "ALIKE = 40",
        {"plot_profile": 2, "write_provenance": 1},
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_makes_again_what_it_can_change(made, tmp_path, name):
    checkout = made.copy_to(tmp_path / "checkout")
    file, old, new, expected = EDITS[name]
    checkout.edit(file, old, new)
    assert checkout.plan().rules == expected


@pytest.mark.parametrize(
    "rule",
    ["write_findings", "plot_profile", "tabulate_profile", "profile_model", "count_parameters"],
)
def test_all_that_ran_is_in_the_hash(made, tmp_path_factory, rule):
    traced = with_tracer(made, tmp_path_factory.mktemp("traced") / "checkout")
    check_hash(traced, commands_of(traced), rule)


def test_a_part_that_a_model_lacks_ends_the_run_in_one_line(made, tmp_path):
    checkout = made.copy_to(tmp_path / "checkout")
    checkout.configure(changed("speech", parts=["decoder"]))
    done = checkout.run()
    said = done.stdout + done.stderr
    assert (
        done.returncode != 0 and "error: model deepspeech+width=8: unknown part 'decoder'" in said
    )
