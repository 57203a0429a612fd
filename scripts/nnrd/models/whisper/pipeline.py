"""What stands around Whisper's encoder: the spectrogram before, the decoder's loop behind."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnrd.core.errors import UserError
from nnrd.core.files import read_json
from nnrd.datasets import audio
from nnrd.datasets.index import Item
from nnrd.models import made
from nnrd.models.pipeline import Arrays, Pipeline, Run

START, NO_TIMESTAMPS, END = 50257, 50362, 50256  # tokens of the English vocabulary
WINDOW = 30.0  # seconds
TOKEN_LIMIT = 224  # half of the text context, as Whisper's own decoder has it
VOCABULARY = 51864
# Inputs and outputs of the graphs, see `nnrd.models.whisper.graphs`.
CROSS, PAST = ("cross_keys", "cross_values"), ("past_keys", "past_values")
TOKEN, SCORES = "token", "scores"
Step = Callable[[Sequence[int]], np.ndarray]  # tokens to the scores of the next, (VOCABULARY,)


class WhisperPipeline(Pipeline):
    """A recording to its transcript.

    The window has 30 s, silence behind what is shorter, the end cut off what is longer; decoding
    is greedy, without timestamps, with the tokens barred that ``config.json`` of the model's
    files bars.
    """

    task = "asr"

    def open(self, assets: Path | None) -> None:
        """Read the vocabulary and the barred tokens."""
        if assets is None:
            raise UserError(f"model {self.row.model}: its files are needed")
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(assets / "tokenizer.json"))
        barred = read_json(assets / "config.json")
        self.never = [token for token in barred["suppress_ids"] if token >= 0]
        self.never_first = [*self.never, *barred["suppress_ids_begin"]]

    @cached_property
    def _mel(self) -> Any:
        from transformers import WhisperFeatureExtractor

        return WhisperFeatureExtractor()

    def load(self, item: Item) -> np.ndarray:
        """Return the recording, float32 (samples,), 16 kHz."""
        return audio.read_item(item)

    def preprocess(self, loaded: np.ndarray, item: Item) -> Arrays:
        """Return ``features``: float32 (1, 80, 3000), the log-mel spectrogram."""
        found = self._mel(loaded, sampling_rate=audio.RATE, return_tensors="np")
        return {"features": found.input_features}

    def made(self, size: int | None, seed: int) -> np.ndarray:
        """Return noise as long as the window."""
        return made.recording(WINDOW, seed)

    def postprocess(self, outputs: Arrays, item: Item) -> dict[str, Any]:
        """Return ``text`` from ``states``, (1, 1500, 384), or from what `graphs` give of them."""
        if self.graphs is None:
            step = _by_network(self.network, outputs["states"])
        else:
            step = _by_graph(self.graphs["decoder"], outputs)
        tokens = self._decode(step)
        return {"text": self.tokenizer.decode(tokens, skip_special_tokens=True).strip()}

    def _decode(self, step: Step) -> list[int]:
        """Return the tokens of one window, the likeliest at each step."""
        given, tokens = [START, NO_TIMESTAMPS], list[int]()
        while len(tokens) < TOKEN_LIMIT:
            scores = step(given)
            scores[START:] = -np.inf
            scores[self.never if tokens else self.never_first] = -np.inf
            best = int(scores.argmax())
            if best == END:
                break
            tokens.append(best)
            given = [best]
        return tokens


def _by_network(model: Any, found: np.ndarray) -> Step:
    """Return what runs the decoder in PyTorch, with the keys and values of the tokens so far."""
    import torch

    device, past = next(model.parameters()).device, None
    states = torch.from_numpy(found).to(device)

    @torch.inference_mode()
    def step(tokens: Sequence[int]) -> np.ndarray:
        nonlocal past
        found = model.model.decoder(
            input_ids=torch.tensor([tokens], device=device),
            encoder_hidden_states=states, past_key_values=past, use_cache=True,
        )  # fmt: skip
        past = found.past_key_values
        return model.proj_out(found.last_hidden_state[0, -1]).float().cpu().numpy()

    return step


def _by_graph(run: Run, cross: Arrays) -> Step:
    """Return what runs the graph of a decoder's step on what the encoder's graph gave."""
    layers, one, heads, _, width = cross[CROSS[0]].shape
    past = {name: np.zeros((layers, one, heads, 0, width), np.float32) for name in PAST}

    def step(tokens: Sequence[int]) -> np.ndarray:
        for token in tokens:
            found = run({TOKEN: np.array([[token]]), **past, **{n: cross[n] for n in CROSS}})
            past.update((name, found[f"new_{name}"]) for name in PAST)
        return found[SCORES].reshape(-1).copy()  # OpenVINO gives a quantised one a dimension more

    return step
