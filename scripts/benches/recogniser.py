"""A narrow DeepSpeech that is trained on made speech, in minutes of one core.

With random weights no fault of a recurrent network shows: a trained one has a word error rate.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from benches import made_speech, training
from benches.training import BATCH
from nnrd.core.files import complete_file
from nnrd.datasets import audio
from nnrd.datasets.index import Item
from nnrd.models import REGISTRY, ModelRow, export
from nnrd.models.deepspeech import features
from nnrd.models.deepspeech.network import DeepSpeech
from nnrd.models.deepspeech.pipeline import BLANK, LABELS

NAME, WIDTH = "narrow_deepspeech", 256
ROW = ModelRow(NAME, "deepspeech", "asset", "asr", asset=NAME, options={"width": WIDTH})
EPOCHS = 12
FASTEST, RISING = 3e-3, 0.15  # learning rate; share of the steps before it
SPREAD = 0.3  # standard deviation of the noise on normalised cepstra
# How many recordings are made for what; each set has a seed of its own.
SETS = {"train": 800, "valid": 60, "test": 100}


class Spoken(NamedTuple):
    """A recording: its cepstra, (frames, 26), and its labels."""

    cepstra: np.ndarray
    labels: list[int]


def speech(folder: Path, name: str) -> list[Item]:
    """Return the recordings of a set, made in ``folder``; see `made_speech.items`."""
    return made_speech.items(folder, name, SETS[name], list(SETS).index(name) + 1)


def trained(folder: Path) -> Path:
    """Return a folder with the trained network's checkpoint; it is trained where there is none.

    The folder is what the family's network takes as the files of `ROW`.
    """
    assets = folder / NAME
    file = assets / f"{NAME}.pt"
    if not file.exists():
        assets.mkdir(parents=True, exist_ok=True)
        state = train([spoken(item) for item in speech(folder, "train")])
        with complete_file(file) as temporary:
            torch.save(state, temporary)
    return assets


def exported(folder: Path, row: ModelRow = ROW) -> Path:
    """Return a row's ONNX file in ``folder``, exported where it is not there; see `trained`."""
    file = folder / f"{row.model}.onnx"
    if not file.exists():
        network = REGISTRY.get(row.family).load_network(row)
        graph = network.graph(network.load(trained(folder) if row.asset else None))
        export.write(graph, network.export, file)
        export.check(graph, network.export, file)
    return file


def train(recordings: Sequence[Spoken], epochs: int = EPOCHS) -> dict[str, torch.Tensor]:
    """Return the state dict of a network trained on recordings; the same on each call."""
    training.set_up()
    model = DeepSpeech(WIDTH)
    _normalise(model, recordings)
    training.fit(model, list(_batches(recordings)), _loss, epochs, FASTEST, RISING)
    return model.state_dict()


def spoken(item: Item) -> Spoken:
    """Return what a network is trained on of a recording."""
    labels = [LABELS.index(letter) for letter in item.facts["text"]]
    return Spoken(features.cepstra(audio.read_item(item)), labels)


def _normalise(model: DeepSpeech, recordings: Sequence[Spoken]) -> None:
    heard = np.concatenate([recording.cepstra for recording in recordings])
    model.mean.copy_(torch.from_numpy(heard.mean(axis=0)))
    model.deviation.copy_(torch.from_numpy(heard.std(axis=0)))


def _batches(recordings: Sequence[Spoken]) -> Iterator[list[Spoken]]:
    """Yield recordings of like lengths together."""
    ordered = sorted(recordings, key=lambda recording: len(recording.cepstra))
    for first in range(0, len(ordered), BATCH):
        yield ordered[first : first + BATCH]


def _loss(model: DeepSpeech, batch: Sequence[Spoken]) -> torch.Tensor:
    """Return the CTC loss of a batch, with noise on its frames."""
    frames = [torch.from_numpy(features.in_context(part.cepstra)) for part in batch]
    given = nn.utils.rnn.pad_sequence(frames)
    given = given + SPREAD * model.deviation * torch.randn_like(given)
    scores, _ = model.scores(given, None)
    labels = [label for part in batch for label in part.labels]
    return nn.functional.ctc_loss(
        scores.log_softmax(-1),
        torch.tensor(labels),
        torch.tensor([len(part) for part in frames]),
        torch.tensor([len(part.labels) for part in batch]),
        blank=BLANK,
    )
