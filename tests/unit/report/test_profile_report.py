"""Tables, plots and sentences of a profile study, from records with numbers that are known."""

import io
import itertools
from importlib import import_module

import numpy as np
import pandas
import pytest

from nnrd import UserError
from nnrd.report.plots import style
from nnrd.report.profile import accuracy, findings, series, table

STEPS = {"forward": 0.7, "decoding": 0.3, "total": 1.0}
PARTS = {
    "large": [("all", 116_146_960, 0), ("decoder", 30_350_216, 2_560_000), ("rest", 9, 0)],
    "small": [("all", 8_248_145, 0), ("decoder", 1_459_318, 0)],
}
ERRORS = {0: 54.18, 0.3: 4.33, 1: 3.23}
METRIC = {"task": "asr", "metric_name": "WER", "items": 20}


def record(seconds, joules=None):
    """A measurement whose forward pass takes 70 % of the time, its interval ± 2 %."""
    ends = {"mean": 1.0, "mean_low": 0.98, "mean_high": 1.02, "p50": 1.0, "p90": 1.1, "p99": 1.2}
    ends |= {"minimum": 0.9, "std": 0.05, "cpu": 0.99}
    steps = [
        {"step": name, **{key: share * seconds * value for key, value in ends.items()}}
        | {"lost": 0.01, "real_time_factor": share * seconds}
        for name, share in STEPS.items()
    ]
    energy = {"status": "measured" if joules else "not measured", "reasons": ["no counter"]}
    if joules:
        energy |= {"joules": joules, "lab_joules": 1.1 * joules, "watts": 6.0}
    return {
        "status": "measured", "steps": steps, "macs": 10, "isolated": True, "warnings": [],
        "energy": energy, "protocol": {"warm_up": 1, "samples": 100, "repeats": 5},
        "machine": {"cpu": "A processor", "cores": 4}, "memory": {"bytes": 1 << 28, "exact": True},
    }  # fmt: skip


def label(model, size, batch, weight):
    how = {"runtime": "torch", "precision": "float32", "device": "cpu", "threads": 1}
    what = {"size": size, "batch": batch, "unit": "frames", "seconds": size / 100}
    return {"model": model, "network": model, "options": {"ctc_weight": weight}} | how | what


def frames(energy=True, scored=True):
    """Time is size · batch · (1 or 3) ms, and half as much for the CTC alone."""
    rows = []
    for model, size, batch, weight in itertools.product(PARTS, (100, 400), (1, 2), ERRORS):
        seconds = size * batch * (3 if model == "large" else 1) * (0.5 if weight == 1 else 1) / 1e3
        row = table.profile_row(
            "mine",
            label(model, size, batch, weight),
            record(seconds, 6 * seconds if energy else None),
        )
        scores = {"rec_perf": ERRORS[weight], "WER_low": 1.0, "WER_high": 60.0}
        row |= table.accuracy({"point": METRIC | scores} if scored else None)
        rows.append(row)
    parts = [
        {"part": part, "parameters": count, "shared": shared, "bytes": 4 * count, "model": model}
        for model, all_ in PARTS.items()
        for part, count, shared in all_
    ]
    table.with_published(rows, parts, None)
    return shown(rows), table.frame(parts)


def shown(rows):
    text = io.StringIO()
    table.write(table.frame(rows), text)
    text.seek(0)
    found = pandas.read_csv(text)
    return found.assign(
        shown=[f"{row.model}{table._text(row.options)}" for row in found.itertuples()]
    )


def said(profile, parameters):
    return {f.question: " ".join(f.answers) for f in findings.of(profile, parameters)}


def test_which_model_is_larger_and_by_what_factor():
    text = said(*frames())["Which model is larger?"]
    assert "large has 116,146,960 parameters, 14.08 times the 8,248,145 of small." in text
    assert "30,350,216 parameters in its part decoder, 20.8 times the 1,459,318" in text
    assert "Of large's part decoder, 2,560,000 are another part's too." in text


def test_time_grows_with_the_input_by_a_factor_with_its_ends():
    text = said(*frames())["How does time grow with the input?"]
    assert (
        "small, ctc weight 0; batch 1: from 100 to 400 frames of 10 ms, 4 times as many, "
        "the time is 4 times (3.84 to 4.16) as long: 100 ms (98 to 102), 400 ms (392 to 408)."
        in text
    )


def test_what_an_option_does_to_time_accuracy_and_energy():
    text = said(*frames())["What do the options do?"]
    assert "large, 400 frames of 10 ms, batch 1: ctc weight 0: " in text
    assert "error rate (%) 54.2 (1 to 60), 7.2 J counted, 7.92 J as watts × latency" in text
    assert "The slowest (ctc weight 0) takes 2 times (1.92 to 2.08) as long as the" in text
    assert "The most accurate is ctc weight 1: " in text


def test_forward_pass_against_decoding_and_a_batch():
    told = said(*frames())
    shares = "decoding takes 30.0% at 100 and 30.0% at 400 frames"
    assert shares in told["Forward pass or decoding?"]
    assert "in a batch of 2 an input takes 1 times (0.961 to 1.04)" in told["What does a batch do?"]


def test_models_whose_intervals_meet_are_not_told_apart():
    profile, parameters = frames()
    text = said(profile, parameters)["Which model is faster?"]
    assert text.startswith("small, ctc weight 1, 400 frames of 10 ms, batch 1: 200 ms (196 to 204)")
    assert (
        "large, ctc weight 0, 400 frames of 10 ms, batch 1: 1.2 s (1.18 to 1.22), 6 times" in text
    )
    wide = profile.assign(total_mean_low_s=0.0001, total_mean_high_s=100.0)
    assert "not told apart from it" in said(wide, parameters)["Which model is faster?"]


def test_what_was_not_measured_is_said_with_its_reason():
    told = said(*frames(energy=False, scored=False))
    assert told["What does a run take in energy?"] == "Energy not measured: no counter."
    assert "Accuracy: not measured (the study has no dataset)." in told["What do the options do?"]
    assert "Energy: not measured." in told["What do the options do?"]


def test_a_busy_machine_is_said():
    profile, parameters = frames()
    profile.loc[0, ["busy", "total_lost_share"]] = True, 0.25
    text = said(profile, parameters)["Was the machine free, and was all measured?"]
    assert text.startswith("In 1 of 24 points the machine was busy: up to 25% of the time was lost")


def test_theirs_stand_beside_ours(tmp_path):
    header = "model,part,options,parameters,latency_s,watts,joules,wer\n"
    lines = "large,,,116146960,,,,\nlarge,decoder,,30350217,,,,\n"
    lines += "large,,ctc_weight=0.3,,99.378,5.82,578,4.33\n"
    (tmp_path / "theirs.csv").write_text(header + lines)
    rows = [
        table.profile_row("mine", label("large", 100, 1, weight), record(0.3))
        | table.accuracy(None)
        for weight in ERRORS
    ]
    _, parts = frames()
    parts = parts.to_dict("records")
    table.with_published(rows, parts, tmp_path / "theirs.csv")
    profile = shown(rows)
    assert profile["published_latency_s"].fillna(0).tolist() == [0, 99.378, 0]
    device = {"latency_s": 99.378, "watts": 5.82, "joules": 578.0, "wer": None}
    nobodys = device | {"model": "", "of": "a small device"}
    told = findings.of(profile, table.frame(parts), [nobodys])
    text = next(" ".join(f.answers) for f in told if f.question == "Theirs and ours?")
    assert "which model is not said: 99.378 s, 5.82 W, 578 J (a small device)." in text
    assert "large: 116,146,960 parameters published, ours is equal." in text
    assert "large, decoder: 30,350,217 parameters published, ours has 30,350,216." in text
    assert "large, ctc weight 0.3: published 99.378 s, 578 J; here 100 frames" in text


def test_multiply_accumulates_are_those_of_the_same_network_in_pytorch():
    rows = [{"network": "a", "size": 1, "batch": 1, "macs": macs} for macs in (None, 7, None)] + [
        {"network": "a", "size": 2, "batch": 1, "macs": None}
    ]
    assert [row["macs"] for row in table.with_macs(rows)] == [7, 7, 7, None]


def test_a_part_that_is_not_there_is_named():
    parts = [{"part": name, "parameters": 1, "shared": 0, "bytes": 4} for name in ("all", "ctc")]
    with pytest.raises(UserError, match="model m: unknown part 'decoder'; known: ctc"):
        table.parameter_rows("mine", "m", parts, ["decoder"])


@pytest.mark.parametrize("energy", [True, False])
@pytest.mark.parametrize("name", ["latency", "energy", "parameters", "accuracy"])
def test_a_plot_says_its_units_or_why_there_is_none(tmp_path, name, energy):
    style.apply()
    draw = import_module(f"nnrd.report.profile.{name}").draw
    figure = draw(*frames(energy=energy))
    texts = [axis.get_xlabel() for axis in figure.axes] + [a.get_ylabel() for a in figure.axes]
    said = [text.get_text().replace("\n", " ") for a in figure.axes for text in a.texts]
    if name in ("energy", "accuracy"):
        assert any("(J)" in text for text in texts) == energy
        assert any("not measured: no counter" in text for text in said) != energy
    wanted = {"latency": "time of a run (ms)", "parameters": "parameters (millions)"}
    wanted |= {"accuracy": "time of a run (ms)"}
    assert name not in wanted or wanted[name] in texts
    style.save(figure, [tmp_path / "plot.png", tmp_path / "plot.svg"])


def test_nothing_measured_is_drawn_as_such(tmp_path):
    profile, parameters = frames()
    numbers = [name for name in profile if name.endswith("_s")]
    profile[numbers] = np.nan
    profile = profile.assign(reason="m: does not fit in memory")
    for name in ("latency", "accuracy"):
        figure = import_module(f"nnrd.report.profile.{name}").draw(profile, parameters)
        said = [text.get_text().replace("\n", " ") for a in figure.axes for text in a.texts]
        assert any("does not fit in memory" in text for text in said), name
        style.save(figure, [tmp_path / f"{name}.png"])


def test_accuracy_is_drawn_of_the_largest_input_one_at_a_time():
    profile, _ = frames()
    found = accuracy.of_largest(profile)
    assert len(found) == 6 and (found["size"] == 400).all() and (found["batch"] == 1).all()


def test_lines_are_told_apart_by_what_differs():
    profile, _ = frames()
    found = series.measured(profile, "total_mean_s")
    assert found["line"].nunique() == 12
    looks = [tuple(sorted(look.items())) for _, _, look in series.lines(found)]
    assert len(set(looks)) == 12
    assert isinstance(found, pandas.DataFrame)
