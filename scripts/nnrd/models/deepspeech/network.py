"""The network of DeepSpeech 0.8.2: three dense layers, an LSTM, two dense layers."""

import torch
from torch import nn

from nnrd.models.deepspeech.features import CEPSTRA, FRAMES, PACKAGE
from nnrd.models.deepspeech.options import width
from nnrd.models.deepspeech.pipeline import INPUT, LABELS, OUTPUTS, STATES
from nnrd.models.export import Export
from nnrd.models.network import Network

CEILING = 20.0  # of the rectified units, as DeepSpeech clips them
State = tuple[torch.Tensor, torch.Tensor]


class DeepSpeechNetwork(Network):
    """A package of frames and the state before it, to scores of labels and the state behind it."""

    @property
    def export(self) -> Export:
        """How it is written: torch's newer exporter would take the LSTM's weights apart."""
        state = (1, width(self.row.options))
        return Export(
            example=((1, PACKAGE, FRAMES, CEPSTRA), state, state),
            source="Hannun et al., Deep Speech (2014); Mozilla's DeepSpeech 0.8.2 (2020)",
            inputs=(INPUT, *STATES),
            outputs=OUTPUTS,
            opset=17,
            tolerance=1e-4,
        )

    def build(self) -> nn.Module:
        """Return the network, as wide as the row says."""
        return DeepSpeech(width(self.row.options))


class DeepSpeech(nn.Module):
    """47.2 million parameters where it is 2048 wide.

    ``mean`` and ``deviation`` of each cepstrum over what a network was trained on come before the
    first layer; the published network has none, which is a mean of 0 and a deviation of 1.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(CEPSTRA))
        self.register_buffer("deviation", torch.ones(CEPSTRA))
        self.dense1 = nn.Linear(FRAMES * CEPSTRA, width)
        self.dense2 = nn.Linear(width, width)
        self.dense3 = nn.Linear(width, width)
        self.lstm = nn.LSTM(width, width)
        self.dense5 = nn.Linear(width, width)
        self.dense6 = nn.Linear(width, len(LABELS) + 1)

    def forward(
        self,
        input_node: torch.Tensor,
        previous_state_c: torch.Tensor,
        previous_state_h: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the probabilities of the labels, (16, 1, 29), and the new state, c before h.

        ``input_node``: (1, 16, 19, 26); each half of a state: (1, width).
        """
        before = (previous_state_h[None], previous_state_c[None])
        scores, (h, c) = self.scores(input_node.transpose(0, 1), before)
        return scores.softmax(-1), c[0], h[0]

    def scores(self, frames: torch.Tensor, before: State | None) -> tuple[torch.Tensor, State]:
        """Return the labels' scores, (frames, batch, 29), and the state (h, c) behind them.

        ``frames``: (frames, batch, 19, 26); each half of a state: (1, batch, width), None: zeros.
        """
        found = ((frames - self.mean) / self.deviation).flatten(2)
        for layer in (self.dense1, self.dense2, self.dense3):
            found = layer(found).clamp(0, CEILING)
        found, state = self.lstm(found, before)
        return self.dense6(self.dense5(found).clamp(0, CEILING)), state
