"""Whisper as two graphs that need no PyTorch: the encoder, and one step of the decoder.

The decoder's layers attend to keys and values of the encoder's states, which do not change from
step to step: the encoder's graph computes them, once. Those of the tokens so far grow by one a
step; they are handed from step to step. Both are float32 (layers, 1, heads, places, width).
"""

from typing import Any

import torch
from torch import nn

from nnrd.models.export import Export
from nnrd.models.whisper.pipeline import CROSS, PAST, SCORES, TOKEN, VOCABULARY


def graphs(model: Any, source: str) -> dict[str, tuple[nn.Module, Export]]:
    """Return the graphs of Transformers' Whisper by name, each with how it is written as ONNX."""
    encoder, decoder = CrossEncoder(model), DecoderStep(model)
    layers, heads, width = len(decoder.layers), decoder.heads, decoder.width
    places = model.config.max_source_positions
    past, cross = ((layers, 1, heads, count, width) for count in (2, places))
    grown = tuple(f"new_{name}" for name in PAST)
    return {
        "encoder": (
            encoder,
            Export(((1, 80, 2 * places),), source, ("features",), CROSS, OPSET, tolerance=1e-3),
        ),
        "decoder": (
            decoder,
            Export(
                ((1, 1), past, past, cross, cross), source, (TOKEN, *PAST, *CROSS),
                (SCORES, *grown), OPSET,
                dynamic={name: {3: "places"} for name in (*PAST, *grown)},
                integers={TOKEN: VOCABULARY}, tolerance=1e-3,
            ),
        ),
    }  # fmt: skip


OPSET = 17


class CrossEncoder(nn.Module):
    """Features, float32 (1, 80, 3000), to the keys and values that the decoder attends to."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.encoder, self.layers = model.model.encoder, model.model.decoder.layers

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return keys and values, each of all layers."""
        states = self.encoder(features).last_hidden_state
        found = [projected(layer.encoder_attn, states) for layer in self.layers]
        keys, values = zip(*found, strict=True)
        return torch.stack(keys), torch.stack(values)


class DecoderStep(nn.Module):
    """A token, int64 (1, 1), and what is known of those before it, to the scores of the next."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.decoder, self.proj_out = model.model.decoder, model.proj_out
        self.layers = self.decoder.layers
        attention = self.layers[0].self_attn
        self.heads, self.width = attention.num_heads, attention.head_dim

    def forward(
        self,
        token: torch.Tensor,
        past_keys: torch.Tensor,
        past_values: torch.Tensor,
        cross_keys: torch.Tensor,
        cross_values: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return scores, float32 (1, vocabulary), and keys and values with this token's."""
        place = past_keys.shape[3]
        positions = self.decoder.embed_positions.weight[place : place + 1]
        states = self.decoder.embed_tokens(token) + positions
        keys, values = [], []
        for i, layer in enumerate(self.layers):
            normed = layer.self_attn_layer_norm(states)
            key, value = projected(layer.self_attn, normed)
            keys.append(torch.cat([past_keys[i], key], 2))
            values.append(torch.cat([past_values[i], value], 2))
            states = states + attended(layer.self_attn, normed, keys[i], values[i])
            normed = layer.encoder_attn_layer_norm(states)
            states = states + attended(layer.encoder_attn, normed, cross_keys[i], cross_values[i])
            normed = layer.final_layer_norm(states)
            states = states + layer.fc2(layer.activation_fn(layer.fc1(normed)))
        scores = self.proj_out(self.decoder.layer_norm(states))[:, -1]
        return scores, torch.stack(keys), torch.stack(values)


def projected(attention: Any, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the keys and values of states (1, places, width of all heads)."""
    return heads(attention, attention.k_proj(states)), heads(attention, attention.v_proj(states))


def attended(
    attention: Any, states: torch.Tensor, keys: torch.Tensor, values: torch.Tensor
) -> torch.Tensor:
    """Return what states take of values by their keys: scaled dot products, softmax."""
    queries = heads(attention, attention.q_proj(states) * attention.scaling)
    weights = torch.softmax(queries @ keys.transpose(2, 3), -1)
    return attention.out_proj((weights @ values).transpose(1, 2).flatten(2))


def heads(attention: Any, states: torch.Tensor) -> torch.Tensor:
    """Return states (1, places, width of all heads) as (1, heads, places, width)."""
    count, width = attention.num_heads, attention.head_dim
    return states.reshape(1, -1, count, width).transpose(1, 2)
