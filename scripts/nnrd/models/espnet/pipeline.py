"""What stands around ESPnet's encoder: its front end before, its beam search behind."""

from typing import Any

import numpy as np

from nnrd.core.errors import UserError
from nnrd.datasets import audio
from nnrd.datasets.index import Item
from nnrd.models.espnet.options import decoding
from nnrd.models.pipeline import Arrays, Pipeline

FEATURES, LENGTHS, STATES = "features", "lengths", "states"
MELS = 80
WINDOW = 512  # samples; silence is put behind what is shorter


class EspnetPipeline(Pipeline):
    """A recording to its transcript, by the search that ESPnet's ``Speech2Text`` builds.

    There is no language model, and no bonus for length. Made inputs are features.
    """

    task = "asr"

    def load(self, item: Item) -> np.ndarray:
        """Return the recording, float32 (samples,), 16 kHz."""
        return audio.read_item(item)

    def preprocess(self, loaded: np.ndarray, item: Item) -> Arrays:
        """Return ``features``, float32 (1, frames, 80), of ESPnet's front end.

        Raises UserError where a graph is to be run without the network.
        """
        if self.network is None:
            raise UserError(
                f"model {self.row.model}: is neither split nor run as a graph: its front end and"
                " its search need the network"
            )
        import torch

        from nnrd.models.network import device

        padded = np.pad(loaded, (0, max(0, WINDOW - len(loaded))))
        wave = torch.from_numpy(padded).to(device())[None]
        samples = torch.tensor([len(padded)], device=device())
        with torch.inference_mode():
            features, _ = self.network.frontend(wave, samples)
        return {FEATURES: features.cpu().numpy()}

    def example(self, size: int | None, batch: int = 1) -> Arrays:
        """Return noise as `preprocess` returns features; see `Pipeline.example`."""
        self.check_example(size, batch)
        shape = batch, size or 0, MELS
        return {FEATURES: np.random.default_rng(0).standard_normal(shape, np.float32)}

    def postprocess(self, outputs: Arrays, item: Item) -> dict[str, Any]:
        """Return ``text``, and how many ``tokens`` it has, of one recording.

        From ``states``, (1, places, width), and ``lengths``, the places that are its own.
        """
        (states,), (places,) = outputs[STATES], outputs[LENGTHS]
        tokens = self.search(states[:places])
        return {"text": self.text(tokens), "tokens": len(tokens)}

    def search(self, states: np.ndarray) -> list[str]:
        """Return the tokens of the best prefix that ended, from states, (places, width)."""
        from nnrd.models.espnet.search import best

        return best(self.network, states, decoding(self.row.options), self.row.model)

    def text(self, tokens: list[str]) -> str:
        """Return what tokens say: words, letters with ``<space>``, or parts with ``▁`` before."""
        if self.network.token_type == "word":
            return " ".join(tokens)
        return "".join(tokens).replace("<space>", " ").replace("▁", " ").strip()
