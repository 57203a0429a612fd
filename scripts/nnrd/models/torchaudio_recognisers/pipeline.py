"""What stands around wav2vec 2.0 and HuBERT: the waveform before, greedy CTC behind."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from nnrd.datasets import audio
from nnrd.datasets.index import Item
from nnrd.models import ctc, made
from nnrd.models.inputs import FRAME_SECONDS
from nnrd.models.pipeline import Arrays, Pipeline, Run, Times, input_size
from nnrd.runtime.stopwatch import Stopwatch

LABELS = ("-", "|", *"ETAONIHSRDLUMWCFGYPBV", "K", "'", *"XJQZ")  # torchaudio's, of all bundles
BLANK = 0
SHORTEST = 400  # samples of one frame
BATCH = 8  # recordings
EPSILON = 1e-5  # of the normalisation, as torch's layer_norm has it
# Bundles of torchaudio, and whether their waveform is normalised.
VARIANTS = {
    "WAV2VEC2_ASR_BASE_960H": False,
    "WAV2VEC2_ASR_LARGE_960H": False,
    "WAV2VEC2_ASR_LARGE_LV60K_960H": True,
    "HUBERT_ASR_LARGE": True,
    "HUBERT_ASR_XLARGE": True,
}


class RecogniserPipeline(Pipeline):
    """A recording to its transcript."""

    task = "asr"

    def load(self, item: Item) -> np.ndarray:
        """Return the recording, float32 (samples,), 16 kHz."""
        return audio.read_item(item)

    def preprocess(self, loaded: np.ndarray, item: Item) -> Arrays:
        """Return ``waveform``, float32 (1, samples); one that is too short gets silence."""
        wave = np.pad(loaded, (0, max(0, SHORTEST - len(loaded))))
        if VARIANTS[str(self.row.variant)]:
            wave = (wave - wave.mean()) / np.sqrt(wave.var() + EPSILON)
        return {"waveform": wave[None].astype(np.float32)}

    def made(self, size: int | None, seed: int) -> np.ndarray:
        """Return noise of so many frames of 10 ms."""
        return made.recording((size or 0) * FRAME_SECONDS, seed)

    def postprocess(self, outputs: Arrays, item: Item) -> dict[str, Any]:
        """Return ``text`` from ``scores``, (1, frames, 29)."""
        return {"text": greedy(outputs["scores"][0])}

    def predict(self, run: Run, items: Iterable[Item]) -> Iterator[tuple[dict[str, Any], Times]]:
        """Yield as `Pipeline.predict` does; where ``run`` takes batches, sorted by length.

        An item's ``run_time`` is then its share of its batch's.
        """
        if not hasattr(run, "batch"):
            yield from super().predict(run, items)
            return
        ordered = sorted(items, key=lambda item: (-item.facts["seconds"], item.name))
        for first in range(0, len(ordered), BATCH):
            yield from self._batch(run, ordered[first : first + BATCH], warm=first > 0)

    def _batch(self, run: Any, items: list[Item], warm: bool) -> Iterator[tuple[dict, Times]]:
        loaded = [self.load(item) for item in items]
        if not warm:
            run.batch([self.preprocess(loaded[-1], items[-1])])
        watches = [Stopwatch() for _ in items]
        feeds = []
        for watch, wave, item in zip(watches, loaded, items, strict=True):
            with watch("pre_time"):
                feeds.append(self.preprocess(wave, item))
        whole = Stopwatch()
        with whole("run_time"):
            outputs = run.batch(feeds)
        share = {"run_time": whole.seconds["run_time"] / len(items)}
        for watch, given, output, item in zip(watches, feeds, outputs, items, strict=True):
            with watch("post_time"):
                prediction = self.postprocess(output, item)
            yield {"item": item.name} | prediction, watch.seconds | share | input_size(given)


def greedy(scores: np.ndarray) -> str:
    """Return the likeliest label of each frame, repeats and blanks left out, ``|`` as space."""
    return ctc.best_path(scores, LABELS, BLANK).replace("|", " ").strip()
