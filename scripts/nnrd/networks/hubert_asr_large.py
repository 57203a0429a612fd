"""HuBERT large, fine-tuned on 960 h of LibriSpeech (Meta, MIT): 315 million parameters."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import torch
from torchaudio.pipelines import HUBERT_ASR_LARGE as BUNDLE

from nnrd import ctc


def build(assets: Path | None = None) -> torch.nn.Module:
    """Return the network; ``assets`` has its checkpoint."""
    return ctc.build(BUNDLE, assets)


def download() -> torch.nn.Module:
    """Return the network with the weights that torchaudio downloads."""
    return ctc.download(BUNDLE)


def predict(
    model: torch.nn.Module, items: Iterable[Mapping], assets: Path | None = None
) -> Iterator[tuple[dict, float]]:
    """Yield each recording's transcript; the labels are the bundle's own."""
    return ctc.predict(BUNDLE, model, items)
