"""A recogniser as ESPnet builds it from a YAML: encoder, attention decoder, CTC."""

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import nn

from nnrd.core.errors import UserError
from nnrd.models.espnet import packages
from nnrd.models.espnet.pipeline import FEATURES, LENGTHS, MELS, STATES
from nnrd.models.export import Export
from nnrd.models.network import Network

CONFIG = "config.yaml"  # among a model's files, as ESPnet packs them
PARTS = ("encoder", "decoder", "ctc")
STATISTICS = "stats_file"
TRANSFORMER = "espnet.nets.pytorch_backend.transformer"


class EspnetNetwork(Network):
    """A recording's features to the states of the encoder; decoder and CTC stand behind it.

    What it is like stands in `CONFIG` among the model's files, in the words of ESPnet's recipes,
    and may be a recipe: what is not there is as ESPnet's training has it by default. Its
    ``token_list`` may be a number, of tokens that have no letters, for sizes and times.
    """

    @property
    def export(self) -> Export:
        """How it is written: of one recording, whose frames are all its own."""
        return Export(
            example=((1, 200, MELS),),
            source="Watanabe et al., ESPnet: end-to-end speech processing toolkit (2018)",
            inputs=(FEATURES,),
            outputs=(STATES, LENGTHS),
            opset=17,
            dynamic={FEATURES: {1: "frames"}, STATES: {1: "places"}},
            tolerance=1e-3,
        )

    def build(self) -> nn.Module:
        """Return the model that ESPnet's task of speech recognition builds.

        Raises UserError where the YAML is missing, or ESPnet can make nothing of it.
        """
        if self.assets is None:
            raise UserError(f"model {self.row.model}: its {CONFIG} is needed")
        file = self.assets / CONFIG
        task = packages.module("espnet2.tasks.asr").ASRTask
        config = _defaults(task) | _config(file)
        try:
            model = task.build_model(Namespace(**config))
        except Exception as error:  # whatever ESPnet's classes raise for what they are given
            reason = str(error).splitlines()[0][:200] if str(error) else ""
            raise UserError(f"{file}: ESPnet: {type(error).__name__}: {reason}") from None
        model.token_type = config["token_type"]
        return model

    def parts(self, model: nn.Module) -> dict[str, nn.Module]:
        """Return encoder, decoder and CTC, those that the model has."""
        found = {name: getattr(model, name, None) for name in PARTS}
        return {name: part for name, part in found.items() if part is not None}

    def graph(self, model: nn.Module) -> nn.Module:
        """Return normalisation and encoder."""
        return Encoder(model).eval()  # else the exporter would put it back to training


class Encoder(nn.Module):
    """What ESPnet's ``encode`` does behind the front end."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.normalize, self.encoder = model.normalize, model.encoder
        self.preencoder, self.postencoder = model.preencoder, model.postencoder

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return states, (batch, places, width), and how many of the places are a recording's own.

        ``features``: float32 (batch, frames, 80), all frames of each its own. Raises UserError for
        too few of them, and where a recurrent encoder is to be written as ONNX: ESPnet packs what
        it is given, and the graph would be of one length.
        """
        if torch.jit.is_tracing() and _is_recurrent(self.encoder):
            raise UserError("recurrent encoders of ESPnet are run by PyTorch, not written as ONNX")
        lengths = torch.full_like(features[:, 0, 0], features.shape[1], dtype=torch.int64)
        found = features.clone(), lengths  # ESPnet normalises in place
        with packages.quiet():
            for step in (self.normalize, self.preencoder):
                found = found if step is None else step(*found)
            found = self._encoded(*found)
            return found if self.postencoder is None else self.postencoder(*found)

    def _encoded(
        self, features: torch.Tensor, lengths: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        too_short = packages.module(f"{TRANSFORMER}.subsampling").TooShortUttError
        try:
            states, lengths, _ = self.encoder(features, lengths)
        except too_short:
            count = features.shape[1]
            raise UserError(f"{count} frames are too few for the encoder's convolutions") from None
        return states[0] if isinstance(states, tuple) else states, lengths  # [1]: those of layers


def _is_recurrent(encoder: nn.Module) -> bool:
    return any(isinstance(layer, nn.RNNBase) for layer in encoder.modules())


def _defaults(task: Any) -> dict[str, Any]:
    """Return what ESPnet's training has by default; ESPnet would take this program's options."""
    given, sys.argv = sys.argv, sys.argv[:1]
    try:
        return task.get_default_config()
    finally:
        sys.argv = given


def _config(file: Path) -> dict[str, Any]:
    """Return what a YAML says, with tokens and with the statistics among the model's files."""
    try:
        found = yaml.safe_load(file.read_text())
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise UserError(f"{file}: {str(error).splitlines()[0]}") from None
    if not isinstance(found, dict) or "token_list" not in found:
        raise UserError(f"{file}: not the YAML of a recogniser: it has no token_list")
    if isinstance(found["token_list"], int):
        found["token_list"] = made_tokens(found["token_list"])
    statistics = (found.get("normalize_conf") or {}).get(STATISTICS)
    if statistics is not None:
        found["normalize_conf"][STATISTICS] = _beside(file, statistics)
    return found


def made_tokens(count: int) -> list[str]:
    """Return so many tokens: the blank first, the start and end of a sentence last."""
    return ["<blank>", "<unk>", *(f"<{n}>" for n in range(count - 3)), "<sos/eos>"]


def _beside(config: Path, name: str) -> Path:
    """Return a file that a YAML names, as it is in the model's files: with its path, or without."""
    for place in (config.parent / name, config.parent / Path(name).name):
        if place.is_file():
            return place
    raise UserError(f"{config}: {STATISTICS}: {name} is not among the model's files")
