"""Recognisers of torchaudio's pipelines, by the name of the bundle."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torchaudio import pipelines
from torchaudio.models import wav2vec2_model

from nnrd.core.errors import UserError
from nnrd.core.schema import unknown
from nnrd.models.export import Export
from nnrd.models.network import Network, TorchRun, device, read_checkpoint
from nnrd.models.pipeline import Arrays
from nnrd.models.torchaudio_recognisers.pipeline import LABELS, VARIANTS

# As published in 2021, and as today's torch calls them; it renames them when it loads.
RENAMED = {
    "pos_conv_embed.conv.weight_g": "pos_conv_embed.conv.parametrizations.weight.original0",
    "pos_conv_embed.conv.weight_v": "pos_conv_embed.conv.parametrizations.weight.original1",
}


class RecogniserNetwork(Network):
    """A waveform, float32 (1, samples), to the scores of labels, (1, frames, 29)."""

    export = Export(
        example=((1, 16000),),
        source="Baevski et al., wav2vec 2.0 (2020); Hsu et al., HuBERT (2021); torchaudio",
        inputs=("waveform",),
        outputs=("scores",),
        dynamic={"waveform": {1: "samples"}, "scores": {1: "frames"}},
        opset=17,
        tolerance=1e-3,
    )

    def build(self) -> nn.Module:
        """Return the bundle's network."""
        # torchaudio gives a bundle's network only together with a download; its fields are private.
        return wav2vec2_model(**self.bundle()._params)

    def bundle(self) -> Any:
        """Return torchaudio's bundle; UserError for a variant that it does not have."""
        if self.row.variant not in VARIANTS:
            raise UserError(
                unknown("variant of torchaudio_recognisers", self.row.variant, VARIANTS)
            )
        return getattr(pipelines, self.row.variant)

    def read(self, assets: Path) -> dict[str, torch.Tensor]:
        """Return the state dict of a checkpoint as torchaudio publishes it."""
        state = {_today(name): value for name, value in read_checkpoint(assets).items()}
        # Rows of fairseq's dictionary that no label belongs to; the bundle drops them as well.
        for name in ("aux.weight", "aux.bias"):
            if name in state and len(state[name]) > len(LABELS):
                dropped = self.bundle()._remove_aux_axis
                kept = [row for row in range(len(state[name])) if row not in dropped]
                state[name] = state[name][kept]
        return state

    def outputs(self, found: Any) -> list[torch.Tensor]:
        """Return the scores; the network returns (scores, lengths)."""
        return [found[0] if isinstance(found, tuple) else found]

    def run(self, model: nn.Module, mixed: bool = False) -> "BatchRun":
        """Return what runs the network, on one recording or on a batch of them."""
        return BatchRun(self, model, mixed)


class BatchRun(TorchRun):
    """Runs recordings of different lengths together."""

    @torch.inference_mode()
    def batch(self, feeds: Sequence[Arrays]) -> list[Arrays]:
        """Return the outputs of each recording.

        The first layers see one recording at a time, for their normalisation would take padding
        into its mean; the transformer masks the padding. So a recording's scores are those of a
        batch of one, but for rounding.
        """
        part = self.graph.get_submodule
        features, encoder, head = part("feature_extractor"), part("encoder"), part("aux")
        waves = [torch.from_numpy(feed["waveform"]).to(device()) for feed in feeds]
        with torch.autocast(device().type, enabled=self.mixed):
            frames = [features(wave, None)[0][0] for wave in waves]
            lengths = torch.tensor([len(part) for part in frames], device=device())
            padded = torch.nn.utils.rnn.pad_sequence(frames, batch_first=True)
            masked = lengths if len(lengths) > 1 else None
            found = head(encoder(padded, masked)).float().cpu()
        rows = zip(found, lengths.tolist(), strict=True)
        return [{"scores": scores[None, :length].numpy()} for scores, length in rows]


def _today(name: str) -> str:
    for old, new in RENAMED.items():
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name
