"""A checkpoint of ESPnet's as one's own row, through the stages that its jobs are."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import yaml
from espnet_packages import espnet

from nnrd.core import program
from nnrd.core.files import read_record
from nnrd.models import REGISTRY, ModelRow
from nnrd.stages import count_parameters, fetch_asset, index_dataset, infer_anchor
from nnrd.study import config, jobs

CONFIG = {
    "token_list": ["<blank>", "<unk>", "<space>", "a", "b", "<sos/eos>"],
    "token_type": "char",
    "encoder": "rnn",
    "encoder_conf": {"num_layers": 2, "hidden_size": 16, "output_size": 12},
    "decoder": "rnn",
    "decoder_conf": {"num_layers": 1, "hidden_size": 10},
}
MINE = {"model": "mine"}
REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def given(tmp_path, monkeypatch):
    """The jobs of a study of a checkpoint of one's own on two recordings, and the network."""
    espnet(tmp_path)
    monkeypatch.chdir(tmp_path)
    exp = tmp_path / "exp"
    exp.mkdir()
    (exp / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    network = REGISTRY.get("espnet").load_network(ModelRow("mine", "espnet", "random"))
    model = network.load(exp)
    torch.save(model.state_dict(), exp / "valid.acc.ave.pth")
    return jobs.Jobs(settings(tmp_path, recordings(tmp_path))), model


def recordings(folder):
    """Return the table of two recordings of noise."""
    for seed, name in enumerate(("one", "two")):
        noise = np.random.default_rng(seed).normal(0, 0.1, 8000 + 3000 * seed)
        soundfile.write(folder / f"{name}.wav", noise, 16_000)
    (folder / "transcripts.tsv").write_text("file\ttext\none.wav\ta b\ntwo.wav\tb a\n")
    return folder / "transcripts.tsv"


def settings(folder, table):
    files = {"config.yaml": "config.yaml", "model.pth": "valid.acc.ave.pth"}
    rows = [
        {"file": name, "source": f"file:exp/{file}", "license": "mine"}
        for name, file in files.items()
    ]
    words = {"task": "asr", "format": "transcripts", "items": 2}
    mine = {"task": "asr", "family": "espnet", "weights": "asset", "asset": "mine"}
    study = {"kind": "weights", "model": "mine", "dataset": "spoken", "codecs": ["raw"]}
    whole = {
        "run": ["mine"],
        "studies": {"mine": study},
        "assets": {"mine": rows},
        "models": {"mine": mine | {"options": {"ctc_weight": 1, "beam": 2}}},
        "datasets": {"spoken": words | {"folder": str(folder), "annotations": str(table)}},
    }
    return config.load(whole, "config.yaml", folder, REPOSITORY)


def test_a_checkpoint_of_ones_own_is_fetched_counted_and_recognises(given):
    found, model = given
    for asset in ("mine", "espnet"):
        words = ["--asset", asset, "--rows", found.asset({"asset": asset})]
        program.run(fetch_asset, [*words, "--out", f"resources/{asset}", "--sums"])
    program.run(count_parameters, [*found.graph_model(MINE), "--out", "counted.json"])
    counted = {row["part"]: row["parameters"] for row in read_record("counted.json")["parts"]}
    assert counted["all"] == sum(p.numel() for p in model.parameters())
    assert {"encoder", "decoder", "ctc"} < set(counted)
    (data,) = found.selections
    program.run(index_dataset, [*found.dataset({"data": data}), "--out", "index.json"])
    ran = ["--runtime", "torch", "--index", "index.json", "--shard", "0-of-1"]
    written = ["--predictions", "predictions.json", "--times", "times.json"]
    program.run(infer_anchor, [*found.model(MINE), *ran, *written])
    predictions = read_record("predictions.json")["predictions"]
    assert [prediction["item"] for prediction in predictions] == ["one", "two"]
    assert all(set(prediction["text"]) <= set("ab ") for prediction in predictions)
    times = read_record("times.json")
    assert all(row["post_time"] > 0 for row in times["rows"] if row["item"] != "weights")
    read = set(times["inputs"])
    assert {"resources/mine.sums.json", "resources/espnet.sums.json"} <= read
    assert json.loads(found.model(MINE)[1])["options"] == {"ctc_weight": 1, "beam": 2}
