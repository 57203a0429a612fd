"""Whisper tiny.en in Transformers' layout: 37.8 million parameters."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn
from transformers import WhisperConfig, WhisperForConditionalGeneration

from nnrd.core.errors import UserError
from nnrd.models.export import Export
from nnrd.models.network import Network
from nnrd.models.whisper import ctranslate2, graphs
from nnrd.models.whisper.pipeline import END, START, VOCABULARY

LAYERS, WIDTH = 4, 384


class WhisperNetwork(Network):
    """The graph is the encoder; the decoder's loop is post-processing.

    float32 (1, 80, 3000), a log-mel spectrogram of 30 s, to states (1, 1500, 384).
    """

    export = Export(
        example=((1, 80, 3000),),
        source="Radford et al., Robust speech recognition via large-scale weak supervision (2022)",
        inputs=("features",),
        outputs=("states",),
        opset=17,
        tolerance=1e-3,
    )

    def build(self) -> nn.Module:
        """Return the network with its decoder."""
        config = WhisperConfig(
            vocab_size=VOCABULARY, d_model=WIDTH, encoder_layers=LAYERS, decoder_layers=LAYERS,
            encoder_attention_heads=6, decoder_attention_heads=6, encoder_ffn_dim=4 * WIDTH,
            decoder_ffn_dim=4 * WIDTH, pad_token_id=END, bos_token_id=END, eos_token_id=END,
            decoder_start_token_id=START, begin_suppress_tokens=None, suppress_tokens=None,
        )  # fmt: skip
        return WhisperForConditionalGeneration(config)

    def read(self, assets: Path) -> dict[str, torch.Tensor]:
        """Return the state dict of ``model.bin``, Whisper as converted for CTranslate2.

        Its float16 becomes float32.
        """
        file = assets / "model.bin"
        return _state(ctranslate2.read(file), file)

    def parts(self, model: nn.Module) -> dict[str, nn.Module]:
        """Return encoder, decoder, and the projection, whose weights are the decoder's."""
        inner = model.get_submodule("model")
        found = {name: inner.get_submodule(name) for name in ("encoder", "decoder")}
        return found | {"proj_out": model.get_submodule("proj_out")}

    def graph(self, model: nn.Module) -> nn.Module:
        """Return the encoder."""
        return Encoder(model.get_submodule("model.encoder"))

    def graphs(self, model: nn.Module) -> dict[str, tuple[nn.Module, Export]]:
        """Return the encoder, with what the decoder's layers take of it, and a decoder's step."""
        return graphs.graphs(model, self.export.source)


class Encoder(nn.Module):
    """The encoder as a function of one tensor to one tensor."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the last layer's states, (1, 1500, 384)."""
        return self.encoder(features).last_hidden_state


def _state(variables: Mapping[str, np.ndarray], file: Path) -> dict[str, torch.Tensor]:
    """Return CTranslate2's variables by the names and in the shapes of Transformers."""
    floats = {n: torch.from_numpy(v.astype(np.float32)) for n, v in variables.items()}
    try:
        state: dict[str, torch.Tensor] = {}
        for side in ("encoder", "decoder"):
            state |= _ends(floats, side)
            for layer in range(LAYERS):
                state |= _layer(floats, side, layer)
    except KeyError as error:
        raise UserError(f"{file}: not Whisper tiny: it has no variable {error}") from None
    return {f"model.{name}": tensor for name, tensor in state.items()}


def _ends(given: Mapping[str, torch.Tensor], side: str) -> dict[str, torch.Tensor]:
    """Return what stands before and behind the layers."""
    positions = given[f"{side}/position_encodings/encodings"]
    state = {f"{side}.embed_positions.weight": positions}
    state |= _norm(given, f"{side}.layer_norm", f"{side}/layer_norm")
    if side == "decoder":
        return state | {"decoder.embed_tokens.weight": given["decoder/embeddings/weight"]}
    for name in ("conv1", "conv2"):
        state |= _linear(given, f"encoder.{name}", f"encoder/{name}")
    return state


def _layer(given: Mapping[str, torch.Tensor], side: str, layer: int) -> dict[str, torch.Tensor]:
    ours, theirs = f"{side}.layers.{layer}", f"{side}/layer_{layer}"
    state = _norm(given, f"{ours}.self_attn_layer_norm", f"{theirs}/self_attention/layer_norm")
    state |= _projections(given, f"{ours}.self_attn", f"{theirs}/self_attention/linear_0", "qkv")
    state |= _linear(given, f"{ours}.self_attn.out_proj", f"{theirs}/self_attention/linear_1")
    state |= _norm(given, f"{ours}.final_layer_norm", f"{theirs}/ffn/layer_norm")
    for number, name in enumerate(("fc1", "fc2")):
        state |= _linear(given, f"{ours}.{name}", f"{theirs}/ffn/linear_{number}")
    if side == "decoder":
        ours, theirs = f"{ours}.encoder_attn", f"{theirs}/attention"
        state |= _norm(given, f"{ours}_layer_norm", f"{theirs}/layer_norm")
        state |= _linear(given, f"{ours}.q_proj", f"{theirs}/linear_0")
        state |= _projections(given, ours, f"{theirs}/linear_1", "kv")
        state |= _linear(given, f"{ours}.out_proj", f"{theirs}/linear_2")
    return state


def _norm(given: Mapping[str, torch.Tensor], ours: str, theirs: str) -> dict[str, torch.Tensor]:
    return {f"{ours}.weight": given[f"{theirs}/gamma"], f"{ours}.bias": given[f"{theirs}/beta"]}


def _linear(given: Mapping[str, torch.Tensor], ours: str, theirs: str) -> dict[str, torch.Tensor]:
    return {f"{ours}.{part}": given[f"{theirs}/{part}"] for part in ("weight", "bias")}


def _projections(
    given: Mapping[str, torch.Tensor], ours: str, theirs: str, letters: str
) -> dict[str, torch.Tensor]:
    """Return the projections that CTranslate2 stacks; Whisper's keys have no bias."""
    weights = given[f"{theirs}/weight"].split(WIDTH)
    biases = given[f"{theirs}/bias"].split(WIDTH)
    state = {f"{ours}.{x}_proj.weight": w for x, w in zip(letters, weights, strict=True)}
    named = zip(letters, biases, strict=True)
    return state | {f"{ours}.{x}_proj.bias": bias for x, bias in named if x != "k"}
