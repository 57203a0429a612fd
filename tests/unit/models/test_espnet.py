"""ESPnet's recognisers: the lab's two, what is around their encoders, and what is refused."""

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from espnet_packages import assets, espnet
from model_rows import MODELS, ROOT, family, network, pipeline

from nnrd import UserError
from nnrd.core.schema import first_mistake
from nnrd.datasets.index import Item
from nnrd.models import export
from nnrd.models.espnet import packages
from nnrd.models.espnet.network import made_tokens
from nnrd.models.espnet.pipeline import FEATURES, LENGTHS, STATES
from nnrd.models.network import tensors
from nnrd.runtime import sessions

BLSTM = MODELS["espnet_blstm"]
ITEM = Item("a", "a.wav", "")
SMALL = {
    "token_list": ["<blank>", "<unk>", "<space>", "a", "b", "c", "<sos/eos>"],
    "token_type": "char",
    "encoder": "rnn",
    "decoder": "rnn",
    "encoder_conf": {"num_layers": 2, "hidden_size": 16, "output_size": 12},
    "decoder_conf": {"num_layers": 1, "hidden_size": 10},
}


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    """A folder of assets, with ESPnet laid beside what is installed."""
    folder = tmp_path_factory.mktemp("assets")
    espnet(folder)
    return folder


def files(folder: Path, config: dict) -> Path:
    """Return a folder of files of a model with a YAML."""
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


@pytest.fixture(scope="module")
def small(beside, tmp_path_factory):
    """The files of a small recogniser, and the network with random weights."""
    folder = files(tmp_path_factory.mktemp("small"), SMALL)
    return network(BLSTM).load(folder)


def around(model, **options):
    """Return the pipeline of a model with options of decoding, and what runs its graph."""
    found = pipeline(replace(BLSTM, options=options))
    run = network(BLSTM).run(model)
    found.network = run.model
    return found, run


# Of the lab's models, as it published them: all parameters, the decoder's, CTC's.
PUBLISHED = {
    "espnet_conformer": (116_146_960, 30_350_216, 2_565_000),
    "espnet_blstm": (8_248_145, 1_459_318, 8_667),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_six_counts_are_the_labs(beside, name):
    of = network(MODELS[name])
    model = of.bare(assets(MODELS[name].asset, beside))
    parts = {"model": model, **of.parts(model)}
    found = {n: sum(p.numel() for p in part.parameters()) for n, part in parts.items()}
    assert (found["model"], found["decoder"], found["ctc"]) == PUBLISHED[name]
    assert sum(found[part] for part in ("encoder", "decoder", "ctc")) == found["model"]
    assert MODELS[name].values == sum(tensor.numel() for tensor in model.state_dict().values())


def test_options_of_the_program_are_not_espnets(small, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["count_parameters.py", "--model", "{}", "--encoder", "vgg"])
    assert tensors(network(BLSTM).bare(files(tmp_path, SMALL))).keys() == tensors(small).keys()
    assert len(sys.argv) == 5


def test_random_weights_are_the_same_again(small, tmp_path):
    again = network(BLSTM).load(files(tmp_path, SMALL))
    ours, theirs = tensors(small), tensors(again)
    assert list(ours) == list(theirs)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_the_front_end_makes_80_features_every_10_ms(small, tmp_path):
    recipe = yaml.safe_load((ROOT / "config/espnet/blstm.yaml").read_text())
    model = network(BLSTM).load(files(tmp_path, SMALL | {"frontend_conf": recipe["frontend_conf"]}))
    wave = np.sin(2 * np.pi * 1000 / 16_000 * np.arange(16_000)).astype(np.float32)
    feeds = around(model)[0].preprocess(wave, ITEM)
    assert feeds[FEATURES].shape == (1, 101, 80) and feeds[FEATURES].dtype == np.float32
    edges = np.linspace(0, slaney(8000), 82)
    assert abs(edges[feeds[FEATURES][0, 50].argmax() + 1] - slaney(1000)) < edges[1]


def slaney(frequency):
    """The mel scale of Slaney's Auditory Toolbox: linear up to 1 kHz, logarithmic above."""
    return (
        3 * frequency / 200
        if frequency < 1000
        else 15 + 27 * np.log(frequency / 1000) / np.log(6.4)
    )


def test_the_filters_are_librosas():
    """Triangles between the edges, each of the area that makes its sum per Hz one."""
    found = packages.mel(sr=16_000, n_fft=512, n_mels=80, fmin=0, fmax=8000, htk=False)
    assert found.shape == (80, 257) and found.dtype == np.float32
    hertz = lambda mel: mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)  # noqa: E731
    edges = np.array([hertz(mel) for mel in np.linspace(0, slaney(8000), 82)])
    bins = np.linspace(0, 8000, 257)
    for row, low, peak, high in zip(found, edges, edges[1:], edges[2:], strict=False):
        rising, falling = (bins - low) / (peak - low), (high - bins) / (high - peak)
        expected = np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)
        np.testing.assert_allclose(row, expected, atol=1e-6)


@pytest.mark.parametrize(("frames", "batch"), [(16, 1), (50, 1), (50, 3)])
def test_made_features_go_through(small, frames, batch):
    around_it, run = around(small, beam=2, output_length=4)
    feeds = around_it.example(frames, batch)
    assert feeds[FEATURES].shape == (batch, frames, 80)
    kept = feeds[FEATURES].copy()
    outputs = around_it.infer(run, feeds)
    assert np.array_equal(feeds[FEATURES], kept)  # ESPnet normalises in place
    assert outputs[STATES].shape == (batch, ((frames + 1) // 2 + 1) // 2, 12)
    found = around_it.postprocess_batch(outputs, ITEM, batch)
    assert [prediction["tokens"] for prediction in found] == [4] * batch


def test_each_recording_of_a_batch_is_encoded_as_if_alone(small):
    around_it, run = around(small)
    feeds = around_it.example(40, 2)
    outputs = around_it.infer(run, feeds)
    assert outputs[LENGTHS].tolist() == [10, 10]
    for n in range(2):
        alone = run({FEATURES: feeds[FEATURES][n : n + 1]})
        np.testing.assert_allclose(outputs[STATES][n], alone[STATES][0], atol=1e-5)


@pytest.mark.parametrize(
    ("weight", "scorers"), [(0, ["decoder"]), (0.3, ["decoder", "ctc"]), (1, ["ctc"])]
)
def test_the_search_is_that_of_espnets_speech2text(small, weight, scorers, monkeypatch):
    """The same prefix and the same score, from the class that users of ESPnet call."""
    from nnrd.models.espnet import search

    made, original = [], search._search
    monkeypatch.setattr(search, "_search", lambda *of: made.append(original(*of)) or made[-1])
    around_it, run = around(small, ctc_weight=weight, beam=3)
    outputs = around_it.infer(run, around_it.example(60))
    prediction = around_it.postprocess(outputs, ITEM)
    assert list(made[0].scorers) == scorers
    theirs = speech2text(small, weight, 3, monkeypatch)
    with packages.quiet():
        best = theirs(torch.from_numpy(outputs[STATES][0]))[0]
    tokens = [small.token_list[n] for n in best.yseq[1:-1].tolist() if n]
    assert prediction == {"text": around_it.text(tokens), "tokens": len(tokens)}


def speech2text(model, weight, beam, monkeypatch):
    """Return the search that ESPnet's own inference builds, of a model that is there."""
    apart = ModuleType("espnet2.tasks.enh_s2t")  # which asks for packages of its own
    monkeypatch.setitem(sys.modules, apart.__name__, apart)
    apart.EnhS2TTask = None
    inference = packages.module("espnet2.bin.asr_inference")
    task = SimpleNamespace(
        build_model_from_file=lambda *given: (model, SimpleNamespace(token_type="char"))
    )
    monkeypatch.setattr(inference, "ASRTask", task)
    with packages.quiet():
        found = inference.Speech2Text(
            token_type="char", bpemodel="", ctc_weight=weight, lm_weight=0.0, beam_size=beam
        )
    return found.beam_search


@pytest.mark.parametrize("length", [1, 7])
@pytest.mark.parametrize("weight", [0, 0.5, 1])
def test_a_fixed_length_is_that_many_tokens(small, length, weight):
    around_it, run = around(small, ctc_weight=weight, beam=2, output_length=length)
    outputs = around_it.infer(run, around_it.example(80))
    assert around_it.postprocess(outputs, ITEM)["tokens"] == length


def test_more_tokens_than_ctc_has_places_are_refused(small):
    around_it, run = around(small, ctc_weight=0.3, output_length=5)
    outputs = around_it.infer(run, around_it.example(16))
    with pytest.raises(UserError, match=r"5 tokens .* of 4 places"):
        around_it.postprocess(outputs, ITEM)
    around_it, _ = around(small, ctc_weight=0, output_length=5)
    assert around_it.postprocess(outputs, ITEM)["tokens"] == 5


@pytest.mark.parametrize(
    ("kind", "tokens", "text"),
    [
        ("char", ["t", "e", "n", "<space>", "o"], "ten o"),
        ("bpe", ["▁te", "n", "▁o"], "ten o"),
        ("word", ["ten", "o"], "ten o"),
    ],
)
def test_text(kind, tokens, text):
    found = pipeline(BLSTM)
    found.network = SimpleNamespace(token_type=kind)
    assert found.text(tokens) == text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ctc_weight": -0.1}, ("ctc_weight", "-0.1 is below 0")),
        ({"ctc_weight": 1.5}, ("ctc_weight", "1.5 is above 1")),
        ({"beam": 0}, ("beam", "0 is below 1")),
        ({"output_length": 0}, ("output_length", "0 is below 1")),
        ({"size": 1}, ("", "unknown key 'size'; known: ctc_weight, beam, output_length")),
    ],
)
def test_options_are_checked(options, said):
    assert first_mistake(family(BLSTM).options, options) == said


def test_options_of_the_decoding_are_not_the_graphs():
    of = replace(BLSTM, options={"ctc_weight": 1, "beam": 2, "output_length": 3})
    assert family(of).input_row(of).options == {}


def test_a_graph_alone_has_no_front_end():
    with pytest.raises(UserError, match="is neither split nor run as a graph"):
        pipeline(BLSTM).preprocess(np.zeros(800, np.float32), ITEM)


@pytest.mark.parametrize(("frames", "batch"), [(0, 1), (None, 1), (10, 0)])
def test_nothing_to_hear_is_refused(frames, batch):
    with pytest.raises(UserError, match=r"at least 1|say how many|a batch of 0"):
        pipeline(BLSTM).example(frames, batch)


def test_too_few_frames_for_convolutions_are_refused_in_one_line(beside, tmp_path):
    model = network(BLSTM).load(files(tmp_path, SMALL | CONFORMER))
    around_it, run = around(model)
    with pytest.raises(UserError, match="6 frames are too few for the encoder's convolutions"):
        around_it.infer(run, around_it.example(6))
    assert around_it.infer(run, around_it.example(7))[STATES].shape == (1, 1, 8)


CONFORMER = {
    "encoder": "conformer",
    "encoder_conf": {"output_size": 8, "attention_heads": 2, "linear_units": 8, "num_blocks": 1},
}


def test_a_conformer_is_written_as_onnx_of_any_length(beside, tmp_path):
    of = network(BLSTM)
    model = of.load(files(tmp_path, SMALL | CONFORMER))
    export.write(of.graph(model), of.export, tmp_path / "m.onnx")
    assert export.check(of.graph(model), of.export, tmp_path / "m.onnx") < 1e-4
    run = sessions.Run(sessions.session(tmp_path / "m.onnx"))
    for frames in (7, 57, 400):
        feeds = pipeline(BLSTM).example(frames)
        ours, theirs = run(feeds), of.run(model)(feeds)
        np.testing.assert_allclose(ours[STATES], theirs[STATES], atol=1e-4)
        assert ours[LENGTHS].tolist() == theirs[LENGTHS].tolist()


def test_a_recurrent_encoder_is_not(small, tmp_path):
    """Its graph would hold the one length that it is traced with."""
    of = network(BLSTM)
    with pytest.raises(UserError, match="recurrent encoders of ESPnet are run by PyTorch"):
        export.write(of.graph(small), of.export, tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


@pytest.mark.parametrize(
    ("weight", "trained_with", "lacks"), [(0.5, 1.0, "attention decoder"), (1, 0.0, "CTC")]
)
def test_a_weight_of_a_part_that_is_not_there_is_refused(
    beside, tmp_path, weight, trained_with, lacks
):
    config = SMALL | {"model_conf": {"ctc_weight": trained_with}}
    model = network(BLSTM).load(files(tmp_path, config))
    around_it, run = around(model, ctc_weight=weight)
    outputs = around_it.infer(run, around_it.example(50))
    with pytest.raises(UserError, match=f"model espnet_blstm: has no {lacks}, whose weight is"):
        around_it.postprocess(outputs, ITEM)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("a: [", "config.yaml: while parsing"),
        ("[1, 2]", "config.yaml: not the YAML of a recogniser"),
        ("encoder: rnn", "it has no token_list"),
        ("{token_list: 5, encoder: lstm}", "config.yaml: ESPnet: ValueError: --encoder must be"),
        ("{token_list: 5, encoder_conf: {layers: 2}}", "config.yaml: ESPnet: TypeError"),
        (
            "{token_list: 5, normalize: global_mvn, normalize_conf: {stats_file: exp/f.npz}}",
            "stats_file: exp/f.npz is not among the model's files",
        ),
    ],
)
def test_a_yaml_that_describes_no_recogniser_is_refused_in_one_line(beside, tmp_path, config, said):
    (tmp_path / "config.yaml").write_text(config)
    with pytest.raises(UserError) as refused:
        network(BLSTM).bare(tmp_path)
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_statistics_are_found_among_the_models_files(beside, tmp_path):
    sums = {"count": np.array(2), "sum": np.full(80, 4.0), "sum_square": np.full(80, 10.0)}
    np.savez(tmp_path / "feats_stats.npz", **sums)
    where = {"stats_file": "exp/asr_stats/train/feats_stats.npz"}
    config = SMALL | {"normalize": "global_mvn", "normalize_conf": where}
    model = network(BLSTM).bare(files(tmp_path, config))
    assert model.normalize.mean.tolist() == [2] * 80 and model.normalize.std.tolist() == [1] * 80


def test_a_checkpoint_fills_the_network(small, tmp_path):
    torch.save(small.state_dict(), files(tmp_path, SMALL) / "valid.acc.ave.pth")
    found = network(replace(BLSTM, weights="asset")).load(tmp_path)
    assert all(
        torch.equal(a, b) for a, b in zip(found.parameters(), small.parameters(), strict=True)
    )


def test_without_its_packages_one_line_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "find_spec", lambda name: None)
    packages.module.cache_clear()
    with pytest.raises(UserError, match=r"ESPnet is not there: python scripts/fetch_asset\.py"):
        network(BLSTM).bare(files(tmp_path, SMALL))


def test_made_tokens_begin_with_the_blank_and_end_with_the_end():
    assert made_tokens(5) == ["<blank>", "<unk>", "<0>", "<1>", "<sos/eos>"]
