"""What stands around DeepSpeech: features before, the state from package to package, CTC behind."""

import string
from typing import Any

import numpy as np

from nnrd.datasets import audio
from nnrd.datasets.index import Item
from nnrd.models import ctc, made
from nnrd.models.deepspeech import features
from nnrd.models.deepspeech.options import width
from nnrd.models.inputs import FRAME_SECONDS
from nnrd.models.pipeline import Arrays, Pipeline, Run

LABELS = (" ", *string.ascii_lowercase, "'")  # DeepSpeech's English alphabet
BLANK = len(LABELS)
INPUT = "input_node"
STATES = ("previous_state_c", "previous_state_h")
LOGITS = "logits"  # so called in Open Model Zoo; they are probabilities
NEW_STATES = ("new_state_c", "new_state_h")
OUTPUTS = (LOGITS, *NEW_STATES)
PACKAGES, COUNT = "packages", "frames"


class DeepSpeechPipeline(Pipeline):
    """A recording to its transcript; the graph is run once a package of 16 frames (0.32 s)."""

    task = "asr"

    def load(self, item: Item) -> np.ndarray:
        """Return the recording, float32 (samples,), 16 kHz."""
        return audio.read_item(item)

    def preprocess(self, loaded: np.ndarray, item: Item) -> Arrays:
        """Return ``packages``, float32 (packages, 16, 19, 26), and ``frames``, how many are real.

        See `nnrd.models.deepspeech.features.packages`; `infer` takes them.
        """
        found, count = features.packages(loaded)
        return {PACKAGES: found, COUNT: np.array(count)}

    def infer(self, run: Run, feeds: Arrays) -> Arrays:
        """Return ``logits``, (frames, 29), of all packages in turn.

        Each takes the state that the one before it left; the first takes zeros.
        """
        state = dict.fromkeys(STATES, np.zeros((1, width(self.row.options)), np.float32))
        found = []
        for package in feeds[PACKAGES]:
            outputs = run({INPUT: package[None]} | state)
            state = {old: outputs[new] for old, new in zip(STATES, NEW_STATES, strict=True)}
            found.append(outputs[LOGITS][:, 0])
        return {LOGITS: np.concatenate(found)[: feeds[COUNT]]}

    def made(self, size: int | None, seed: int) -> np.ndarray:
        """Return noise of so many frames of 10 ms."""
        return made.recording((size or 0) * FRAME_SECONDS, seed)

    def postprocess(self, outputs: Arrays, item: Item) -> dict[str, Any]:
        """Return ``text`` from ``logits``, (frames, 29)."""
        return {"text": ctc.best_path(outputs[LOGITS], LABELS, BLANK).strip()}

    def counts(self, feeds: Arrays) -> dict[str, int]:
        """Return ``input_size``, the bytes of the packages, and ``packages``, their number."""
        return {"input_size": feeds[PACKAGES].nbytes, PACKAGES: len(feeds[PACKAGES])}
