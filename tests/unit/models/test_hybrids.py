"""Two recognisers of ESPnet's, trained on made speech: CTC's weight shows in the words."""

import re
import time
from dataclasses import replace

import pytest
import spoken
import torch
from espnet_packages import espnet

import bench_decoding
from benches import hybrids, made_speech
from nnrd import UserError
from nnrd.core import program
from nnrd.datasets.index import Index
from nnrd.models import REGISTRY
from nnrd.tasks.asr import Asr

SLOW = pytest.mark.slow(minutes=4)
FAMILY = REGISTRY.get("espnet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = spoken.folder(tmp_path_factory, "hybrids")
    espnet(found)
    return found


@pytest.fixture(scope="module")
def test_set(folder):
    return hybrids.speech(folder, "test")


@pytest.fixture(scope="module", params=hybrids.RECIPES)
def trained(request, folder):
    """A recipe, the folder of its trained network, and the CPU seconds that it took."""
    recipe = hybrids.RECIPES[request.param]
    hybrids.speech(folder, "train")
    begin = time.process_time()
    assets = hybrids.trained(recipe, folder)
    return recipe, assets, time.process_time() - begin


def wer(recipe, assets, items, **options):
    found = [p for p, _ in bench_decoding.recognised(recipe, assets, items, options)]
    return Asr().score(Index(items), found, found)[0]["WER"]


@pytest.mark.parametrize("name", hybrids.RECIPES)
def test_training_is_the_same_again(name, folder):
    heard = [hybrids.spoken(item) for item in made_speech.items(folder, "few", 4, seed=7)]
    recipe = replace(hybrids.RECIPES[name], epochs=1)
    states = []
    for _ in range(2):
        model = FAMILY.load_network(recipe.row).bare(hybrids.described(recipe, folder / "again"))
        before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
        hybrids.train(model, heard, recipe)
        states.append(model.state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in before)
    assert any(not torch.equal(states[0][key], before[key]) for key in before)


@pytest.mark.parametrize(
    ("name", "parameters"), [("small_conformer", 1_094_822), ("small_blstm", 766_883)]
)
def test_they_are_small(name, parameters, folder):
    recipe = hybrids.RECIPES[name]
    model = FAMILY.load_network(recipe.row).bare(hybrids.described(recipe, folder / "small"))
    assert sum(p.numel() for p in model.parameters()) == parameters


@SLOW
def test_a_network_is_trained_in_three_cpu_minutes(trained):
    assert trained[2] < 180


@SLOW
def test_ctcs_weight_moves_the_word_error_rate(trained, test_set):
    recipe, assets, _ = trained
    found = {w: wer(recipe, assets, test_set, ctc_weight=w) for w in (0, 0.3, 1)}
    assert min(found.values()) < 20, found
    assert max(found.values()) - min(found.values()) > 3, found


@SLOW
def test_random_weights_recognise_nothing(trained, test_set, tmp_path):
    recipe, assets, _ = trained
    random = replace(recipe.row, weights="random")
    model = FAMILY.load_network(random).load(assets)
    torch.save(model.state_dict(), hybrids.described(recipe, tmp_path) / "random.pth")
    assert wer(recipe, tmp_path / recipe.name, test_set[:10], ctc_weight=0.3) > 80


@SLOW
def test_the_table_has_a_row_a_weight(trained, folder, capsys):
    words = ["--folder", str(folder), "--models", trained[0].name, "--ctc-weights", "0", "1"]
    program.run(bench_decoding, [*words, "--beam", "2"])
    printed = capsys.readouterr().out
    rows = re.findall(
        rf"^{trained[0].name} +(\S+) +(\S+) +\S+ to \S+ +(\S+) +(\S+)$", printed, re.M
    )
    assert [row[0] for row in rows] == ["0", "1"]
    assert all(float(number) > 0 for row in rows for number in row[2:])


def test_a_weight_that_is_none_is_refused_in_one_line(folder, tmp_path):
    recipe = hybrids.RECIPES["small_blstm"]
    with pytest.raises(UserError, match=r"^ctc_weight: 2 is above 1$"):
        next(bench_decoding.recognised(recipe, tmp_path, [], {"ctc_weight": 2}))
