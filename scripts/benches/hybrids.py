"""Two small recognisers of ESPnet's, trained on made speech: CTC's weight shows in the words.

A Conformer of 1.1 million parameters with a Transformer decoder, and two bidirectional LSTMs with
projections and an LSTM decoder. What is trained is ESPnet's own sum of both losses.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import nn

from benches import made_speech, training
from benches.training import BATCH
from nnrd.assets import rows
from nnrd.assets.cache import Cache, default_folder
from nnrd.assets.fetch import fetch
from nnrd.core.files import complete_file
from nnrd.core.packages import lay_beside
from nnrd.datasets import audio
from nnrd.datasets.index import Item
from nnrd.models import REGISTRY, ModelRow
from nnrd.models.espnet import packages
from nnrd.models.espnet.network import CONFIG
from nnrd.models.espnet.packages import ASSET

CHECKOUT = Path(__file__).resolve().parents[2]
LETTERS = sorted({letter for word in made_speech.WORDS for letter in word})
TOKENS = ["<blank>", "<unk>", "<space>", *LETTERS, "<sos/eos>"]
FRONT_END = {"n_fft": 512, "win_length": 400, "hop_length": 160}
COMMON = {"token_list": TOKENS, "token_type": "char", "frontend_conf": FRONT_END}
CONFORMER = COMMON | {
    "encoder": "conformer",
    "encoder_conf": {
        "output_size": 96, "attention_heads": 4, "linear_units": 256, "num_blocks": 4,
        "dropout_rate": 0.1, "input_layer": "conv2d", "macaron_style": True,
        "rel_pos_type": "latest", "pos_enc_layer_type": "rel_pos",
        "selfattention_layer_type": "rel_selfattn", "activation_type": "swish",
        "use_cnn_module": True, "cnn_module_kernel": 15,
    },
    "decoder": "transformer",
    "decoder_conf": {"attention_heads": 4, "linear_units": 256, "num_blocks": 1},
    "model_conf": {"ctc_weight": 0.3, "lsm_weight": 0.1},
}  # fmt: skip
BLSTM = COMMON | {
    "encoder": "rnn",
    "encoder_conf": {"num_layers": 2, "hidden_size": 128, "output_size": 128, "subsample": [2, 2]},
    "decoder": "rnn",
    "decoder_conf": {
        "num_layers": 1, "hidden_size": 128,
        "att_conf": {"adim": 64, "aconv_chans": 4, "aconv_filts": 15},
    },
    "model_conf": {"ctc_weight": 0.3, "lsm_weight": 0.1},
}  # fmt: skip
RISING = 0.2  # share of the steps before the highest learning rate
SETS = {"train": 800, "test": 60}  # recordings; each set has a seed of its own


@dataclass(frozen=True)
class Recipe:
    """What is trained, and how: ``fastest`` is the highest learning rate of the epochs."""

    name: str
    config: Mapping[str, Any]
    epochs: int
    fastest: float

    @property
    def row(self) -> ModelRow:
        """The row of the model, whose asset is what `trained` makes."""
        return ModelRow(self.name, "espnet", "asset", "asr", asset=self.name)


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("small_conformer", CONFORMER, 9, 2e-3),
        Recipe("small_blstm", BLSTM, 6, 4e-3),
    )
}


def speech(folder: Path, name: str) -> list[Item]:
    """Return the recordings of a set, made in ``folder``; see `made_speech.items`."""
    return made_speech.items(folder, name, SETS[name], list(SETS).index(name) + 1)


def fetched(folder: Path) -> Path:
    """Return the folder of ESPnet's packages, fetched into ``folder``, which can be imported now.

    Raises UserError where they cannot be had.
    """
    found = [row for row in rows.read_sheet(CHECKOUT / "config/assets.tsv") if row.asset == ASSET]
    fetch(found, folder / ASSET, Cache(default_folder()), CHECKOUT)
    lay_beside(folder / ASSET)
    return folder / ASSET


def trained(recipe: Recipe, folder: Path) -> Path:
    """Return a folder with the YAML and the checkpoint, which is trained where there is none.

    ESPnet is there, see `fetched`. The folder is what the family takes as a row's files.
    """
    assets = described(recipe, folder)
    file = assets / f"{recipe.name}.pth"
    if not file.exists():
        model = REGISTRY.get("espnet").load_network(recipe.row).bare(assets)
        train(model, [spoken(item) for item in speech(folder, "train")], recipe)
        with complete_file(file) as temporary:
            torch.save(model.state_dict(), temporary)
    return assets


def described(recipe: Recipe, folder: Path) -> Path:
    """Return the folder with the YAML, which is all that an untrained network is made of."""
    assets = folder / recipe.name
    assets.mkdir(parents=True, exist_ok=True)
    with complete_file(assets / CONFIG) as temporary:
        temporary.write_text(yaml.safe_dump(dict(recipe.config)))
    return assets


Spoken = tuple[torch.Tensor, torch.Tensor]  # samples, float32; tokens, int64


def spoken(item: Item) -> Spoken:
    """Return what a network is trained on of a recording."""
    tokens = ["<space>" if letter == " " else letter for letter in item.facts["text"]]
    wave = torch.from_numpy(audio.read_item(item))
    return wave, torch.tensor([TOKENS.index(token) for token in tokens])


def train(model: Any, recordings: Sequence[Spoken], recipe: Recipe) -> None:
    """Train a network on recordings; the same on each call."""
    training.set_up()
    batches = list(_batches(recordings))
    training.fit(model, batches, _loss, recipe.epochs, recipe.fastest, RISING)


def _loss(model: Any, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return ESPnet's loss of a batch: CTC's and the decoder's, as the YAML weighs them."""
    with packages.quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that torch has newer ones for
        return model(**batch)[0]


def _batches(recordings: Sequence[Spoken]) -> Iterator[dict[str, torch.Tensor]]:
    """Yield recordings of like lengths together, the longest of a batch first."""
    ordered = sorted(recordings, key=lambda recording: -len(recording[0]))
    for first in range(0, len(ordered), BATCH):
        waves, texts = zip(*ordered[first : first + BATCH], strict=True)
        yield {
            "speech": nn.utils.rnn.pad_sequence(waves, True),
            "speech_lengths": torch.tensor([len(wave) for wave in waves]),
            "text": nn.utils.rnn.pad_sequence(texts, True, padding_value=-1),
            "text_lengths": torch.tensor([len(text) for text in texts]),
        }
