"""wav2vec 2.0 and HuBERT are torchaudio's: labels, normalisation, checkpoints, emissions."""

import re

import numpy as np
import pytest
import torch
from model_rows import MODELS, network, pipeline, row
from torchaudio import pipelines

from nnrd import UserError
from nnrd.datasets import audio
from nnrd.datasets.index import Item
from nnrd.models import export
from nnrd.models.network import tensors
from nnrd.models.torchaudio_recognisers import pipeline as recognisers
from nnrd.models.torchaudio_recognisers.network import RecogniserNetwork

SMALL = {
    "encoder_embed_dim": 48, "encoder_num_layers": 2, "encoder_num_heads": 4,
    "encoder_ff_interm_features": 64, "encoder_pos_conv_groups": 4,
}  # fmt: skip
BASE, LARGE = "WAV2VEC2_ASR_BASE_960H", "HUBERT_ASR_LARGE"
ITEM = Item("a", "a.wav", "", {})


def of(variant):
    return row("torchaudio_recognisers", variant=variant)


class SmallNetwork(RecogniserNetwork):
    """A bundle's network with a small transformer."""

    def build(self):
        return recogniser(self.bundle()._params | SMALL)


def recogniser(params):
    from torchaudio.models import wav2vec2_model

    return wav2vec2_model(**params)


@pytest.fixture(params=[BASE, LARGE])
def small(request):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    return SmallNetwork(of(request.param))


def feeds(variant, waves):
    return [pipeline(of(variant)).preprocess(wave, ITEM) for wave in waves]


def noise(*lengths):
    rng = np.random.default_rng(0)
    return [rng.normal(0, 0.1, length).astype(np.float32) for length in lengths]


def test_export_is_as_exact_as_its_tolerance(small, tmp_path):
    """The network also returns lengths, None without any: no output of the graph."""
    model = small.bare()
    graph, file = small.graph(model), tmp_path / "model.onnx"
    export.write(graph, small.export, file)
    assert 0 <= export.check(graph, small.export, file) < 1e-3


@pytest.mark.parametrize("variant", recognisers.VARIANTS)
def test_labels_rate_and_normalisation_are_the_bundles(variant):
    bundle = getattr(pipelines, variant)
    assert bundle.get_labels() == recognisers.LABELS
    assert recognisers.LABELS[recognisers.BLANK] == "-"
    assert recognisers.VARIANTS[variant] == bundle._normalize_waveform
    assert bundle.sample_rate == audio.RATE
    assert bundle._params["aux_num_out"] == len(recognisers.LABELS)


def test_variants_in_the_sheet_are_known():
    rows = [m for m in MODELS.values() if m.family == "torchaudio_recognisers"]
    assert rows and all(m.variant in recognisers.VARIANTS for m in rows)
    with pytest.raises(UserError, match=r"HUBERT_ASR_LARG'; did you mean HUBERT_ASR_LARGE"):
        network(of("HUBERT_ASR_LARG")).build()


@pytest.mark.parametrize("variant", [BASE, LARGE])
def test_the_waveform_is_normalised_as_torchaudio_does(variant):
    (wave,) = noise(8000)
    wave += 0.2
    (feed,) = feeds(variant, [wave])
    expected = torch.from_numpy(wave)[None]
    if getattr(pipelines, variant)._normalize_waveform:
        expected = torch.nn.functional.layer_norm(expected, expected.shape)
    assert feed["waveform"].dtype == np.float32
    torch.testing.assert_close(torch.from_numpy(feed["waveform"]), expected, atol=1e-5, rtol=1e-5)


def test_a_batch_equals_batches_of_one(small):
    run = small.run(small.build().eval())
    given = feeds(small.row.variant, noise(16000, 12345, 9000, 400, 10))
    together = run.batch(given)
    for found, feed in zip(together, given, strict=True):
        (alone,) = run.batch([feed])
        single = run(feed)
        for other in (alone, single):
            np.testing.assert_allclose(found["scores"], other["scores"], atol=1e-4, rtol=1e-4)
            ours, theirs = (recognisers.greedy(x["scores"][0]) for x in (found, other))
            assert ours == theirs


def test_emissions_are_those_of_torchaudio(small):
    model = small.build().eval()
    (wave,) = noise(8000)
    given = torch.from_numpy(wave)
    if small.bundle()._normalize_waveform:
        given = torch.nn.functional.layer_norm(given, given.shape)
    with torch.inference_mode():
        expected = model(given[None])[0].numpy()
    (feed,) = feeds(small.row.variant, [wave])
    found = small.run(model)(feed)
    assert list(found) == ["scores"]
    np.testing.assert_allclose(found["scores"], expected, atol=1e-5, rtol=1e-5)


def of_2021(state):
    """Return a state dict as torchaudio published it in 2021: other names, three rows more."""
    found = {}
    for name, value in state.items():
        name = re.sub(r"parametrizations\.weight\.original0$", "weight_g", name)
        found[re.sub(r"parametrizations\.weight\.original1$", "weight_v", name)] = value
    for name in ("aux.weight", "aux.bias"):  # no label belongs to these rows
        rows = found[name]
        found[name] = torch.cat([rows[:1], torch.full_like(rows[:3], 9), rows[1:]])
    return found


LAYOUTS = {
    "today's": lambda state: dict(state),
    "2021's": of_2021,
    "in 'model'": lambda state: {"model": of_2021(state), "epoch": 3},
    "in 'state_dict'": lambda state: {"state_dict": dict(state)},
    "of distributed training": lambda state: {f"module.{n}": t for n, t in state.items()},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_checkpoint_as_it_is_published(tmp_path, small, layout):
    model = small.build().eval()
    given = LAYOUTS[layout](model.state_dict())
    if layout in ("2021's", "in 'model'"):
        names = [*given.get("model", given)]
        assert sum(name.endswith(("weight_g", "weight_v")) for name in names) == 2
    torch.save(given, tmp_path / "checkpoint.pth")
    torch.manual_seed(1)
    loaded = small.load(tmp_path)
    assert not loaded.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


def test_a_checkpoint_of_another_network_says_what_does_not_fit(tmp_path, small):
    state = of_2021(small.build().state_dict())
    del state["encoder.transformer.pos_conv_embed.conv.weight_g"]
    torch.save(state, tmp_path / "checkpoint.pth")
    with pytest.raises(UserError, match=r"do not fit.*missing: encoder.*original0") as caught:
        small.load(tmp_path)
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)


def test_greedy_decoding(monkeypatch):
    monkeypatch.setattr(recognisers, "LABELS", ("-", "|", "A", "B"))
    best = [0, 2, 2, 0, 2, 3, 1, 1, 0, 3, 1]
    assert recognisers.greedy(np.eye(4)[best]) == "AAB B"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("wav2vec2_asr_base_960h", 94_393_245), ("hubert_asr_large", 315_463_837)],
)
@pytest.mark.slow
def test_sizes_of_recognisers(name, parameters):
    sent = tensors(network(MODELS[name]).bare())
    assert sum(tensor.size for tensor in sent.values()) == parameters == MODELS[name].values
