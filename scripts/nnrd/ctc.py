"""Recognisers of torchaudio's pipelines: wav2vec 2.0 and HuBERT, decoded greedily (CTC)."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from nnrd import networks, speech

BATCH = 8  # recordings
BLANK = 0


def build(bundle: Any, assets: Path | None = None) -> torch.nn.Module:
    """Return the network of a bundle of torchaudio's pipelines, in eval mode.

    ``assets``: a folder with the checkpoint as torchaudio publishes it; None: random weights.
    """
    # torchaudio gives a bundle's network only together with a download; its fields are private.
    from torchaudio.models import wav2vec2_model

    model = wav2vec2_model(**bundle._params).eval()
    if assets is not None:
        state = networks.read_checkpoint(assets)
        # Rows of fairseq's dictionary that no label belongs to; the bundle drops them as well.
        for name in ("aux.weight", "aux.bias"):
            if name in state and len(state[name]) > len(bundle.get_labels()):
                kept = [i for i in range(len(state[name])) if i not in bundle._remove_aux_axis]
                state[name] = state[name][kept]
        networks.fill(model, state, assets)
    return model


def download(bundle: Any) -> torch.nn.Module:
    """Return the network with the weights that torchaudio downloads; OSError where it cannot."""
    model = build(bundle)
    networks.fill(model, bundle._get_state_dict({"progress": False}), bundle._path)
    return model


def predict(
    bundle: Any, model: torch.nn.Module, items: Iterable[Mapping], batch: int = BATCH
) -> Iterator[tuple[dict, float]]:
    """Yield ``item`` and ``text`` of each recording, and its share of its batch's seconds.

    Recordings are taken in batches of ``batch``, sorted by length, longest first.
    """
    ordered = sorted(items, key=lambda item: (-item["seconds"], item["name"]))
    for first in range(0, len(ordered), batch):
        part = ordered[first : first + batch]
        waves = [torch.from_numpy(speech.read(item["path"])) for item in part]
        start = time.perf_counter()
        texts = [greedy(scores, bundle.get_labels()) for scores in emissions(bundle, model, waves)]
        share = (time.perf_counter() - start) / len(part)
        for item, text in zip(part, texts, strict=True):
            yield {"item": item["name"], "text": text}, share


@torch.inference_mode()
def emissions(
    bundle: Any, model: torch.nn.Module, waves: Sequence[torch.Tensor]
) -> list[torch.Tensor]:
    """Return the scores of each recording, float (frames, labels), from one batch.

    ``waves``: float32 (samples,), 16 kHz. The first layers see one recording at a time, for
    their normalisation would take padding into its mean; the transformer masks the padding. So
    a recording's scores are those of a batch of one, but for rounding.
    """
    device = next(model.parameters()).device
    features = [_features(bundle, model, wave.to(device)) for wave in waves]
    lengths = torch.tensor([len(frames) for frames in features], device=device)
    padded = torch.nn.utils.rnn.pad_sequence(features, batch_first=True)
    masked = lengths if len(lengths) > 1 else None
    scores = model.aux(model.encoder(padded, masked)).float().cpu()
    return [rows[:length] for rows, length in zip(scores, lengths.tolist(), strict=True)]


def _features(bundle: Any, model: torch.nn.Module, wave: torch.Tensor) -> torch.Tensor:
    """Return a recording's frames, (frames, channels); one that is too short gets silence."""
    wave = torch.nn.functional.pad(wave, (0, max(0, 400 - len(wave))))  # one frame's samples
    if bundle._normalize_waveform:
        wave = torch.nn.functional.layer_norm(wave, wave.shape)
    return model.feature_extractor(wave[None], None)[0][0]


def greedy(scores: torch.Tensor, labels: Sequence[str]) -> str:
    """Return the likeliest label of each frame, repeats and blanks left out, ``|`` as space."""
    best = torch.unique_consecutive(scores.argmax(dim=-1)).tolist()
    return "".join(labels[label] for label in best if label != BLANK).replace("|", " ").strip()
