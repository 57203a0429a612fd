"""Whisper tiny.en (OpenAI, MIT): English speech recognition, 37.8 million parameters."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch

from nnrd import ctranslate2, networks, speech
from nnrd.errors import UserError

LAYERS, WIDTH = 4, 384
START, NO_TIMESTAMPS, END = 50257, 50362, 50256  # tokens of the English vocabulary
MOST_TOKENS = 224  # half of the text context, as Whisper's own decoder has it


def build(assets: Path | None = None) -> torch.nn.Module:
    """Return Whisper in Transformers' layout.

    ``assets`` has ``model.bin``, Whisper as converted for CTranslate2; float16 becomes float32.
    """
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    config = WhisperConfig(
        vocab_size=51864, d_model=WIDTH, encoder_layers=LAYERS, decoder_layers=LAYERS,
        encoder_attention_heads=6, decoder_attention_heads=6, encoder_ffn_dim=4 * WIDTH,
        decoder_ffn_dim=4 * WIDTH, pad_token_id=END, bos_token_id=END, eos_token_id=END,
        decoder_start_token_id=START, begin_suppress_tokens=None, suppress_tokens=None,
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config).eval()
    if assets is not None:
        file = assets / "model.bin"
        networks.fill(model, _state(ctranslate2.read(file), file), file)
    return model


def _state(variables: Mapping[str, np.ndarray], file: Path) -> dict[str, torch.Tensor]:
    """Return CTranslate2's variables by the names and in the shapes of Transformers."""
    floats = {n: torch.from_numpy(v.astype(np.float32)) for n, v in variables.items()}
    try:
        state = {}
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


def predict(
    model: torch.nn.Module, items: Iterable[Mapping], assets: Path
) -> Iterator[tuple[dict, float]]:
    """Yield ``item`` and ``text`` of each recording, and the seconds that it took.

    The window has 30 s, silence behind what is shorter, the end cut off what is longer; decoding
    is greedy, without timestamps, with the tokens barred that ``assets``' ``config.json`` bars.
    """
    from tokenizers import Tokenizer
    from transformers import WhisperFeatureExtractor

    tokenizer = Tokenizer.from_file(str(assets / "tokenizer.json"))
    barred = json.loads((assets / "config.json").read_text())
    mel = WhisperFeatureExtractor()
    device = next(model.parameters()).device
    for item in items:
        wave = speech.read(item["path"])
        start = time.perf_counter()
        features = mel(wave, sampling_rate=speech.RATE, return_tensors="pt").input_features
        tokens = _decode(model, features.to(device), barred)
        text = tokenizer.decode(tokens, skip_special_tokens=True).strip()
        yield {"item": item["name"], "text": text}, time.perf_counter() - start


@torch.inference_mode()
def _decode(model: torch.nn.Module, features: torch.Tensor, barred: Mapping) -> list[int]:
    """Return the tokens of one window, (1, 80, 3000), the likeliest at each step."""
    encoded = model.model.encoder(features).last_hidden_state
    given, past, tokens = [START, NO_TIMESTAMPS], None, []
    never = [token for token in barred["suppress_ids"] if token >= 0]
    while len(tokens) < MOST_TOKENS:
        step = model.model.decoder(
            input_ids=torch.tensor([given], device=encoded.device),
            encoder_hidden_states=encoded, past_key_values=past, use_cache=True,
        )  # fmt: skip
        past = step.past_key_values
        scores = model.proj_out(step.last_hidden_state[0, -1])
        scores[START:] = -torch.inf
        scores[never if tokens else [*never, *barred["suppress_ids_begin"]]] = -torch.inf
        best = int(scores.argmax())
        if best == END:
            break
        tokens.append(best)
        given = [best]
    return tokens
