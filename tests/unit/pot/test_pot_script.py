"""The described script, written for POT, runs by ``nnrd.pot`` with its imports changed."""

import json
import sys

import numpy as np
import pytest
import speech_script

from nnrd.core.errors import UserError
from nnrd.models import ctc
from nnrd.models.deepspeech import features
from nnrd.models.deepspeech.pipeline import BLANK, LABELS

CONTROL = {"maximal_drop": 0.02, "ranking_subset_size": 6, "max_iter_num": 5}


@pytest.fixture
def run(speech, tmp_path, monkeypatch, capsys):
    """Return what the script prints, run with more options."""

    def run(*options):
        given = {"--model": speech / "deepspeech.xml", "--data": speech / "valid"}
        words = [str(w) for pair in (given | {"--out": tmp_path / "out"}).items() for w in pair]
        monkeypatch.setattr(sys, "argv", ["script", *words, *options])
        speech_script.main()
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    return run


def test_default_quantization_runs_as_the_script_says(run, tmp_path, speech):
    found = run("--test", str(speech / "test"))
    names = {"word_error_rate", "WER"}
    assert found["before"].keys() == found["after"].keys() == names
    assert found["before"]["word_error_rate"] > 0.5  # the float network understands
    files = {path.suffix: path.stat().st_size for path in (tmp_path / "out").iterdir()}
    assert found["bytes"] == sum(files.values())
    assert files[".bin"] < (speech / "deepspeech.bin").stat().st_size / 2


def test_the_lstm_that_nncf_quantises_is_put_back_by_accuracy_control(run):
    by_default = run()
    controlled = run("--algorithm", "AccuracyAwareQuantization", "--params", json.dumps(CONTROL))
    share = [found["after"]["word_error_rate"] for found in (by_default, controlled)]
    assert share[0] < by_default["before"]["word_error_rate"] - 0.2
    assert share[1] >= controlled["before"]["word_error_rate"] - CONTROL["maximal_drop"]
    assert controlled["bytes"] > by_default["bytes"]


def test_the_lstm_can_be_left_float(run):
    ignored = {"ignored": {"operations": [{"type": "LSTMSequence"}]}}
    found = run("--params", json.dumps(ignored))
    assert found["after"]["word_error_rate"] >= found["before"]["word_error_rate"] - 0.1


def test_data_may_come_before_or_behind_its_annotation(run):
    assert run()["after"] == run("--data-first")["after"]


def test_the_metric_is_the_share_of_utterances_with_few_wrong_words():
    metric = speech_script.WordErrorRate(threshold=20.0)
    for heard in ("a b c d e", "a b c d x", "a b c x y"):  # 0, 20 and 40 % wrong
        metric.update([heard], ["a b c d e"])
    assert metric.value == {"word_error_rate": [0.0]}
    assert metric.avg_value == {"word_error_rate": pytest.approx(2 / 3), "WER": pytest.approx(20)}


def test_the_scripts_features_and_decoding_are_those_of_the_deepspeech_family():
    rng = np.random.default_rng(3)
    wave = rng.normal(0, 0.1, 20_000).astype(np.float32)
    ours, _ = features.packages(wave)
    np.testing.assert_allclose(speech_script.packages(wave), ours, atol=1e-4)
    scores = rng.random((40, BLANK + 1))
    (text,) = speech_script.SpeechEngine.postprocess_output(scores[:, None], None)
    assert text == ctc.best_path(scores, LABELS, BLANK)


def test_a_share_that_is_nan_ends_in_one_line(run, monkeypatch):
    monkeypatch.setattr(speech_script.WordErrorRate, "avg_value", {"word_error_rate": float("nan")})
    with pytest.raises(UserError, match="word_error_rate: is nan over 12 items"):
        run("--algorithm", "AccuracyAwareQuantization")
