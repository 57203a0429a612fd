"""An edit re-runs what it touches, and nothing else: proved by the list of jobs."""

import copy

import pytest

from .conftest import CONFIG

END = {"tabulate_points": 1, "join_tables": 2, "plot_points": 3, "write_provenance": 1}
# What follows when all four points of a codec, two splits, two shards, are made anew.
NNC = {"encode_tensors": 4, "infer_features": 4, "score_point": 2, "draw_overlays": 1, **END}


def test_nothing_changed(finished):
    assert finished.plan().rules == {}


def test_operating_point_added(checkout):
    config = copy.deepcopy(CONFIG)
    config["studies"]["small"]["codecs"][1]["nnc"]["qp"].append(0)
    checkout.configure(config)
    jobs = checkout.plan()
    assert jobs.rules == {"encode_tensors": 4, "infer_features": 4, "score_point": 2, **END}
    made = [output for output in jobs.outputs if "/features/" in output]
    assert made and all("/nnc/qp=0/" in output for output in made)


def test_split_added(checkout):
    config = copy.deepcopy(CONFIG)
    config["studies"]["small"]["splits"].append(21)
    checkout.configure(config)
    jobs = checkout.plan()
    sources = {"split_model": 1, "extract_features": 2}
    points = {"encode_tensors": 4, "infer_features": 4, "score_point": 2}
    assert jobs.rules == {**sources, **points, **END}
    made = [output for output in jobs.outputs if "/features/" in output]
    assert made and all("/rank21/" in output for output in made)


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        pytest.param(
            "scripts/nnrd/codecs/nnc.py",
            "class Codec(",
            "EDITED = True\n\n\nclass Codec(",
            NNC,
            id="a codec's code: that codec's jobs",
        ),
        pytest.param(
            "scripts/nnrd/plots/codec_bars.py",
            "def draw(",
            "EDITED = True\n\n\ndef draw(",
            {"plot_points": 1, "write_provenance": 1},
            id="a plot's code: that plot",
        ),
        pytest.param(
            "scripts/nnrd/plots/style.py",
            "def apply(",
            "EDITED = True\n\n\ndef apply(",
            {"plot_points": 3, "draw_overlays": 1, "write_provenance": 1},
            id="the plots' style: all plots",
        ),
        pytest.param(
            "scripts/nnrd/tasks/detection.py",
            "SURE = 0.5",
            "SURE = 0.6",
            {"score_point": 5, "draw_overlays": 1, **END},
            id="a metric: the scores",
        ),
        pytest.param(
            "scripts/nnrd/codecs/nnc.py",
            "class Codec(",
            "# A comment changes nothing.\nclass Codec(",
            {},
            id="a comment: nothing",
        ),
    ],
)
def test_code_edited(checkout, file, old, new, expected):
    checkout.edit(file, old, new)
    assert checkout.plan().rules == expected


def test_codec_edited_leaves_other_codecs_alone(checkout):
    checkout.edit("scripts/nnrd/codecs/nnc.py", "class Codec(", "EDITED = True\n\n\nclass Codec(")
    made = [output for output in checkout.plan().outputs if "/features/" in output]
    assert made and all("/nnc/" in output for output in made)


def test_timed_steps_alone(checkout):
    checkout.configure({**CONFIG, "isolated": True})
    rules = checkout.plan().rules
    assert rules["infer_anchor"] == 2 and rules["encode_tensors"] == 8
    assert "convert_model" not in rules and "split_model" not in rules
