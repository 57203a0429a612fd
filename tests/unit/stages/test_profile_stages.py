"""A model counted, measured, tabulated, drawn and spoken of, by the programs of a profile study."""

import argparse
import json
from pathlib import Path

import pandas
import pytest

from nnrd import UserError
from nnrd.core.files import read_record
from nnrd.profile import memory
from nnrd.stages import (
    convert_graph,
    count_parameters,
    plot_profile,
    profile_model,
    tabulate_profile,
    write_findings,
)

WIDTH = {"width": 8}
ROW = {"model": "small", "family": "deepspeech", "weights": "random", "options": WIDTH}
PHOTOS = {"model": "photos", "family": "torchvision_classifiers", "weights": "built"}
PHOTOS |= {"variant": "squeezenet1_1"}
OFTEN = ["--warm-up", "1", "--samples", "2", "--repeats", "2", "--power-seconds", "1"]


def call(stage, *words):
    parser = argparse.ArgumentParser()
    stage.add_arguments(parser)
    stage.main(parser.parse_args([str(word) for word in words]))


def measure(out: Path, row, *words):
    call(profile_model, "--model", json.dumps(row), *OFTEN, *words, "--out", out)
    return read_record(out)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two sizes of a recogniser, the larger of which did not fit, in the tables and pictures."""
    folder = tmp_path_factory.mktemp("profile")
    call(count_parameters, "--model", json.dumps(ROW), "--out", folder / "parts.json")
    runs = {"runtime": "torch", "precision": "float32", "device": "cpu", "threads": 1}
    points = []
    for size in (32, 64, 128):
        file = folder / f"{size}.json"
        with pytest.MonkeyPatch.context() as patch:
            if size == 128:
                patch.setattr(profile_model.Protocol, "__post_init__", _out_of_memory)
            measure(file, ROW, "--runtime", "torch", "--size", size, "--seconds", size / 100)
        label = {"model": "small", "network": "small", "options": WIDTH, **runs}
        label |= {"size": size, "unit": "frames", "batch": 1, "seconds": size / 100}
        files = {"measured": str(file), "counted": str(folder / "parts.json")}
        points.append({"label": label, **files})
    published = folder / "theirs.csv"
    published.write_text(
        "model,part,options,parameters,latency_s,watts,joules,wer\n"
        "small,,,6000,,,,\nsmall,lstm,,576,,,,\nsmall,,width=8.0,,0.5,,2,\nsmall,,width=9,,9,,,\n"
    )
    given = {"study": "mine", "parts": ["lstm", "dense1"], "published": str(published)}
    (folder / "points.json").write_text(json.dumps(given | {"points": points}))
    tables = ["--profile", folder / "profile.csv", "--parameters", folder / "parameters.csv"]
    call(tabulate_profile, "--points", folder / "points.json", *tables, "--sums")
    for plot in ("latency", "energy", "parameters"):
        call(plot_profile, plot, *tables, "--out", folder / f"{plot}.png")
    call(write_findings, *tables, "--title", "mine", "--out", folder / "findings.html")
    return folder


def _out_of_memory(self):
    with memory.fits("small"):
        raise MemoryError("Unable to allocate 9 TiB")


# A package of 16 frames: dense layers 494·8 + 3·8·8 + 8·29, and an LSTM of 4·8·(8 + 8).
MACS = 16 * (494 * 8 + 3 * 8 * 8 + 8 * 29 + 4 * 8 * 16)


def test_a_record_has_the_steps_apart_and_together(made):
    record = read_record(made / "32.json")
    assert record["status"] == "measured" and record["isolated"] is False
    steps = {step["step"]: step for step in record["steps"]}
    assert list(steps) == ["forward", "decoding", "total"]
    together = steps["forward"]["mean"] + steps["decoding"]["mean"]
    assert steps["total"]["mean"] == pytest.approx(together)
    assert steps["total"]["real_time_factor"] == pytest.approx(steps["total"]["mean"] / 0.32)
    assert record["macs"] == MACS
    assert record["made"]["profiled"][0]["packages"]["torch"] and record["provider"] == "cpu"


def test_the_table_says_what_was_not_measured_and_goes_on(made):
    found = pandas.read_csv(made / "profile.csv")
    assert found["status"].tolist() == ["measured", "measured", "not measured"]
    assert "does not fit in memory" in found["reason"][2]
    assert found["total_mean_s"].isna().tolist() == [False, False, True]
    assert (found["total_mean_low_s"] <= found["total_mean_s"])[:2].all()
    assert found["parameters"].eq(5013).all() and found["weight_bytes"].eq(4 * 5013).all()
    assert found["published_latency_s"].eq(0.5).all() and found["published_joules"].eq(2).all()
    assert found["energy_status"].isin(["measured", "not measured"]).all()
    assert found["estimated_joules"].isna().all()


def test_parts_stand_beside_published_ones(made):
    found = pandas.read_csv(made / "parameters.csv").set_index("part")
    assert found.index.tolist() == ["all", "lstm", "dense1"]
    assert found["parameters"].tolist() == [5013, 576, 3960]
    assert found["published_parameters"].fillna(0).tolist() == [6000, 576, 0]


def test_pictures_and_sentences(made):
    for name in ("latency", "energy", "parameters"):
        assert (made / f"{name}.png").stat().st_size > 3000
    said = (made / "findings.html").read_text()
    assert "small has 5,013 parameters." in said
    assert "from 32 to 64 frames of 10 ms, 2 times as many, the time is" in said
    assert "decoding takes" in said
    assert "128 frames of 10 ms, batch 1: not measured: small: does not fit in memory" in said


def test_a_table_that_was_altered_is_refused(made, tmp_path):
    for name in ("profile.csv", "profile.csv.sums.json", "parameters.csv"):
        (tmp_path / name).write_bytes((made / name).read_bytes())
    (tmp_path / "profile.csv").write_text((made / "profile.csv").read_text().replace("32", "33"))
    tables = ["--profile", tmp_path / "profile.csv", "--parameters", tmp_path / "parameters.csv"]
    with pytest.raises(UserError, match=r"profile\.csv: damaged"):
        call(write_findings, *tables, "--title", "x", "--out", tmp_path / "findings.html")


@pytest.mark.parametrize(
    ("row", "words", "message"),
    [
        (ROW, ["--size", "0"], "0 frames: at least 1"),
        (ROW, [], "say how many frames"),
        (ROW, ["--size", "16", "--batch", "2"], "a batch of 2"),
        (PHOTOS, ["--size", "16"], "its input has one size"),
        (ROW, ["--size", "16", "--samples", "0"], "samples: 0 is too few"),
    ],
)
def test_a_mistake_by_hand_is_no_point_that_was_not_measured(tmp_path, row, words, message):
    with pytest.raises(UserError, match=message):
        measure(tmp_path / "x.json", row, "--runtime", "torch", *words)
    assert not (tmp_path / "x.json").exists()


def test_a_part_that_a_model_lacks(tmp_path):
    words = ["--parts", "lstm", "decoder", "--out", tmp_path / "parts.json"]
    with pytest.raises(UserError, match="model small: unknown part 'decoder'") as caught:
        call(count_parameters, "--model", json.dumps(ROW), *words)
    assert "\n" not in str(caught.value) and not (tmp_path / "parts.json").exists()


def test_a_batch_that_will_not_fit_is_not_begun(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda root=None: 1 << 20)
    monkeypatch.setattr(profile_model, "_memory_of_one", lambda *_: 1 << 20)
    found = measure(tmp_path / "x.json", PHOTOS, "--runtime", "torch", "--batch", 4)
    assert found["status"] == "not measured" and "a batch of 4 needs about" in found["reason"]
    assert "steps" not in found


def test_a_batch_is_one_run(tmp_path):
    one = measure(tmp_path / "one.json", PHOTOS, "--runtime", "torch")
    four = measure(tmp_path / "four.json", PHOTOS, "--runtime", "torch", "--batch", 4)
    assert four["macs"] == 4 * one["macs"]


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_graph_is_measured_without_pytorch(tmp_path, runtime):
    graph, facts = tmp_path / "model.onnx", tmp_path / "model.json"
    files = ["--out", graph, "--facts", facts]
    call(convert_graph, "--model", json.dumps(ROW), "--graph", "model", *files)
    words = ["--runtime", runtime, "--size", "32", "--graphs", graph, "--facts", facts]
    found = measure(tmp_path / "x.json", ROW, *words)
    assert found["provider"] == runtime and found["macs"] == MACS
    assert list(found["inputs"]) == [str(facts)]
    graph.write_bytes(graph.read_bytes() + b"x")
    with pytest.raises(UserError, match=r"model\.onnx: damaged"):
        measure(tmp_path / "y.json", ROW, *words)


def test_energy_is_estimated_only_where_it_is_asked_for(tmp_path):
    words = ["--runtime", "torch", "--size", "16", "--tdp-watts", "100"]
    found = measure(tmp_path / "x.json", ROW, *words)["energy"]
    assert found["estimated_joules"] > 0
    assert found["status"] == "measured" or found["joules"] is None
