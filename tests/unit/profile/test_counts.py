"""Parameters and multiply-accumulates, beside numbers worked out by hand."""

import contextlib

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

from nnrd.profile import counts  # noqa: E402

T, D, WIDE, HEADS, KERNEL = 10, 8, 32, 2, 3


class Attention(nn.Module):
    """Self-attention as it is written out in recognisers, or by PyTorch's fused function."""

    def __init__(self, fused):
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(D, D) for _ in range(4))
        self.fused = fused

    def forward(self, x):
        heads = [
            project(x).unflatten(-1, (HEADS, D // HEADS)).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        ]
        if self.fused:
            mixed = F.scaled_dot_product_attention(*heads, is_causal=True)
        else:
            scores = heads[0] @ heads[1].transpose(-2, -1) / (D // HEADS) ** 0.5
            mixed = scores.softmax(-1) @ heads[2]
        return self.out(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """What a Conformer's block computes: feed-forward, attention, convolution, feed-forward."""

    def __init__(self, fused):
        super().__init__()
        self.first, self.last = (
            nn.Sequential(nn.Linear(D, WIDE), nn.SiLU(), nn.Linear(WIDE, D)) for _ in range(2)
        )
        self.attention = Attention(fused)
        self.convolution = nn.Sequential(
            nn.Conv1d(D, 2 * D, 1),
            nn.GLU(1),
            nn.Conv1d(D, D, KERNEL, padding=1, groups=D),
            nn.BatchNorm1d(D),
            nn.Conv1d(D, D, 1),
        )

    def forward(self, x):
        x = x + self.first(x) / 2
        x = x + self.attention(x)
        x = x + self.convolution(x.transpose(1, 2)).transpose(1, 2)
        return x + self.last(x) / 2


FEED = T * 2 * D * WIDE
ATTEND = 4 * T * D * D + 2 * T * T * D
CONVOLVE = T * (D * 2 * D + KERNEL * D + D * D)
MODES = {"no_grad": torch.no_grad, "inference": torch.inference_mode, "grad": torch.enable_grad}


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_conformer_block(fused, mode, batch):
    model, x = Block(fused).eval(), torch.zeros(batch, T, D)
    with mode():
        assert counts.macs(model, lambda: model(x)) == batch * (2 * FEED + ATTEND + CONVOLVE)


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_a_layer_that_pytorch_would_run_as_one_kernel(mode):
    model = nn.TransformerEncoderLayer(D, HEADS, WIDE, batch_first=True).eval()
    fast = torch.backends.mha.get_fastpath_enabled()
    with mode():
        assert counts.macs(model, lambda: model(torch.zeros(1, T, D))) == FEED + ATTEND
    assert torch.backends.mha.get_fastpath_enabled() == fast


# Of a place of the sequence: layers of gates · hidden · (input + what comes back), two directions.
RECURRENT = {
    "LSTM": (nn.LSTM(80, 320), 4 * 320 * (80 + 320)),
    "bidirectional LSTM": (nn.LSTM(80, 320, bidirectional=True), 2 * 4 * 320 * (80 + 320)),
    "two layers": (
        nn.LSTM(80, 320, num_layers=2, bidirectional=True),
        2 * 4 * 320 * (80 + 320) + 2 * 4 * 320 * (640 + 320),
    ),
    "with projection": (nn.LSTM(80, 320, proj_size=64), 4 * 320 * (80 + 64) + 320 * 64),
    "without biases": (nn.LSTM(80, 320, bias=False), 4 * 320 * (80 + 320)),
    "GRU": (nn.GRU(80, 320), 3 * 320 * (80 + 320)),
    "RNN": (nn.RNN(80, 320), 320 * (80 + 320)),
}


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
@pytest.mark.parametrize("name", RECURRENT)
@pytest.mark.parametrize("train", [False, True])
def test_recurrent_layers(name, mode, train):
    layer, macs = RECURRENT[name]
    layer.train(train)
    with mode():
        assert counts.macs(layer, lambda: layer(torch.zeros(20, 2, 80))) == 40 * macs


@pytest.mark.parametrize("name", RECURRENT)
def test_padding_of_a_packed_sequence_costs_nothing(name):
    layer, macs = RECURRENT[name]
    packed = nn.utils.rnn.pack_padded_sequence(torch.zeros(20, 2, 80), torch.tensor([20, 12]))
    with torch.no_grad():
        assert counts.macs(layer, lambda: layer(packed)) == 32 * macs


CELLS = {nn.LSTMCell: 4, nn.GRUCell: 3, nn.RNNCell: 1}


@pytest.mark.parametrize("kind", CELLS)
def test_cells_of_a_decoder(kind):
    cell = kind(8, 16)
    model = nn.ModuleList([cell, nn.Linear(16, 5)])

    def call():
        for _ in range(7):
            found = cell(torch.zeros(3, 8))
            model[1](found[0] if isinstance(found, tuple) else found)

    assert counts.macs(model, call) == 7 * 3 * (CELLS[kind] * 16 * (8 + 16) + 16 * 5)


def test_a_blstm_recogniser_with_linear_layers_between():
    """As in ESPnet: layers of a BLSTM, of which each is projected."""
    layers = nn.ModuleList([nn.LSTM(80, 320, bidirectional=True, batch_first=True)])
    layers += [nn.Linear(640, 320), nn.LSTM(320, 320, bidirectional=True, batch_first=True)]

    def call():
        x, _ = layers[0](torch.zeros(1, 20, 80))
        layers[2](layers[1](x).tanh())

    place = 2 * 4 * 320 * 400 + 640 * 320 + 2 * 4 * 320 * 640
    assert counts.macs(layers, call) == 20 * place


def test_hooks_are_gone_afterwards_also_where_the_model_fails():
    model = nn.LSTM(4, 4)
    for call in (lambda: model(torch.zeros(1, 1, 4)), lambda: model(torch.zeros(1))):
        with contextlib.suppress(ValueError):
            counts.macs(model, call)
    assert not model._forward_hooks and not model._forward_pre_hooks


class Tied(nn.Module):
    """An encoder and a decoder that have an embedding in common, which is also the output."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 4))
        self.decoder = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 10, bias=False))
        self.decoder[0].weight = self.encoder[0].weight
        self.decoder[1].weight = self.encoder[0].weight
        self.scale = nn.Parameter(torch.ones(3))


def rows(model, names):
    found = counts.parameters(model, {name: getattr(model, name) for name in names})
    return [(row["part"], row["parameters"], row["shared"]) for row in found]


def test_tied_weights_count_once_and_are_said_to_be_shared():
    whole = 40 + 20 + 3
    expected = [("all", whole, 0), ("encoder", 60, 40), ("decoder", 40, 40), ("rest", 3, 0)]
    assert rows(Tied(), ["encoder", "decoder"]) == expected
    assert rows(Tied(), ["encoder"]) == [("all", whole, 0), ("encoder", 60, 0), ("rest", 3, 0)]


def test_two_parameters_with_one_memory_are_one():
    """What torch's own `parameters()` counts twice."""
    model = Tied()
    model.decoder[0].weight = nn.Parameter(model.encoder[0].weight.data)
    assert sum(each.numel() for each in model.parameters()) == 103
    assert rows(model, ["encoder", "decoder"])[0] == ("all", 63, 0)


def test_bytes_are_those_of_float32_whatever_the_model_is_kept_in():
    for kind in (torch.float32, torch.float16):
        (row,) = counts.parameters(nn.Linear(3, 2).to(kind), {})[:1]
        assert row["bytes"] == 4 * 8
    with torch.device("meta"):
        assert counts.parameters(nn.Linear(3, 2), {})[0]["parameters"] == 8


def test_a_model_without_parameters():
    assert counts.parameters(nn.ReLU(), {"all of it": nn.ReLU()}) == [
        {"part": "all", "parameters": 0, "shared": 0, "bytes": 0},
        {"part": "all of it", "parameters": 0, "shared": 0, "bytes": 0},
    ]


def test_weights_that_are_normalised_are_counted_as_they_are():
    """As wav2vec 2.0 has one: beneath PyTorch's counter it cannot be reckoned."""
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv1d(2, 3, 5)))
    with torch.inference_mode():
        assert counts.macs(model, lambda: model(torch.zeros(1, 2, 14))) == 10 * 3 * 2 * 5
