"""Made speech, a recogniser that is trained on it in minutes, and what a broken LSTM does to it.

Quantisation is only worth measuring where a fault of the recurrence shows in the word error rate.
"""

import re
import time
from dataclasses import replace

import numpy as np
import pytest
import spoken
import torch

import bench_stateful
from benches import made_speech, recogniser, stateful
from nnrd.core import program
from nnrd.datasets.index import Index
from nnrd.models import REGISTRY
from nnrd.models.deepspeech.pipeline import INPUT
from nnrd.tasks.asr import Asr

SLOW = pytest.mark.slow(minutes=2)
NETWORK = REGISTRY.get(recogniser.ROW.family).load_network


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return spoken.folder(tmp_path_factory, "speech")


@pytest.fixture(scope="module")
def trained(folder):
    """The trained network, and the CPU seconds that it took with all of its speech."""
    begin = time.process_time()
    assets = recogniser.trained(folder)
    spent = time.process_time() - begin
    return NETWORK(recogniser.ROW).load(assets), spent


@pytest.fixture(scope="module")
def subject(folder, trained):
    file = recogniser.exported(folder)
    valid, test = (recogniser.speech(folder, name) for name in ("valid", "test"))
    return stateful.Subject(recogniser.ROW, file, valid[:20], test)


def scored(subject, run, anchor=None):
    """Return the scores of a run, beside those of another."""
    found = subject.predictions(run)
    held = found if anchor is None else subject.predictions(anchor)
    return Asr().score(Index(list(subject.test)), held, found)[0]


def test_speech_is_the_same_again(folder, tmp_path):
    ours = made_speech.items(folder, "few", 5, seed=7)
    again, other = (made_speech.items(tmp_path, "few", 5, seed) for seed in (7, 8))
    assert [item.checksum for item in ours] == [item.checksum for item in again]
    assert [item.facts["text"] for item in ours] != [item.facts["text"] for item in other]
    words = [item.facts["text"].split() for item in ours]
    assert all(4 <= len(text) <= 8 and set(text) <= set(made_speech.WORDS) for text in words)
    assert all(0.5 < item.facts["seconds"] < 6 for item in ours)


def test_training_is_the_same_again(folder):
    heard = [recogniser.spoken(item) for item in made_speech.items(folder, "few", 5, seed=7)]
    one, two = (recogniser.train(heard, epochs=1) for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)


@SLOW
def test_a_trained_network_recognises_in_under_three_cpu_minutes(trained, subject):
    model, spent = trained
    assert spent < 180
    ours = scored(subject, NETWORK(recogniser.ROW).run(model))
    random = replace(recogniser.ROW, weights="random")
    theirs = scored(subject, NETWORK(random).run(NETWORK(random).load(None)))
    assert ours["WER"] < 15 and theirs["WER"] > 80


def forgetful(network, model):
    """Begin each package anew."""
    run = network.run(model)
    return lambda feeds: run({n: a if n == INPUT else np.zeros_like(a) for n, a in feeds.items()})


def shuffled(network, model):
    """Give the LSTM's units each other's weights."""
    broken = network.bare()
    broken.load_state_dict(model.state_dict())
    with torch.no_grad():
        weights = broken.lstm.weight_hh_l0
        weights.copy_(weights[:, torch.randperm(weights.shape[1])])
    return network.run(broken)


@SLOW
@pytest.mark.parametrize("fault", [forgetful, shuffled])
def test_a_broken_lstm_shows_in_the_word_error_rate(trained, subject, fault):
    network, model = NETWORK(recogniser.ROW), trained[0]
    found = scored(subject, fault(network, model), network.run(model))
    assert found["WER_difference_low"] > 5


@SLOW
def test_the_table_shows_the_quantiser_that_breaks_the_lstm(trained, folder, capsys):
    pytest.importorskip("openvino")
    pytest.importorskip("nncf")
    program.run(bench_stateful, ["--folder", str(folder), "--narrow", "--packages", "10"])
    printed = capsys.readouterr().out
    rows = {
        way.name: re.search(rf"^{re.escape(way.name)}.*", printed, re.MULTILINE)[0]
        for way in (*stateful.WAYS, stateful.CONTROLLED)
    }
    worse = {name for name, row in rows.items() if "worse by more than" in row}
    assert worse == {"nncf_openvino"}
    assert re.search(r"accuracy control: back to float went .*LSTMSequence", printed)
