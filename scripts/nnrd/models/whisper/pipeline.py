"""What stands around Whisper's encoder: the spectrogram before, the decoder's loop behind."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnrd.core.errors import UserError
from nnrd.core.files import read_json
from nnrd.datasets import audio
from nnrd.datasets.index import Item
from nnrd.models.pipeline import Arrays, Pipeline

START, NO_TIMESTAMPS, END = 50257, 50362, 50256  # tokens of the English vocabulary
TOKEN_LIMIT = 224  # half of the text context, as Whisper's own decoder has it


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

    def postprocess(self, outputs: Arrays, item: Item) -> dict[str, Any]:
        """Return ``text`` from ``states``, (1, 1500, 384)."""
        import torch

        with torch.inference_mode():
            tokens = self._decode(torch.from_numpy(outputs["states"]))
        return {"text": self.tokenizer.decode(tokens, skip_special_tokens=True).strip()}

    def _decode(self, states: Any) -> list[int]:
        """Return the tokens of one window, the likeliest at each step."""
        import torch

        model = self.network
        states = states.to(next(model.parameters()).device)
        given, past = [START, NO_TIMESTAMPS], None
        tokens: list[int] = []
        while len(tokens) < TOKEN_LIMIT:
            step = model.model.decoder(
                input_ids=torch.tensor([given], device=states.device),
                encoder_hidden_states=states, past_key_values=past, use_cache=True,
            )  # fmt: skip
            past = step.past_key_values
            scores = model.proj_out(step.last_hidden_state[0, -1])
            scores[START:] = -torch.inf
            scores[self.never if tokens else self.never_first] = -torch.inf
            best = int(scores.argmax())
            if best == END:
                break
            tokens.append(best)
            given = [best]
        return tokens
