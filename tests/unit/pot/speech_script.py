"""A user's script for POT 2023.3: DeepSpeech on LibriSpeech, to INT8.

The tests run it as it stands, and, with ``nnrd.pot`` replaced by ``openvino.tools.pot``, by POT
itself. Nothing else in it knows which of the two it is.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import soundfile

from nnrd.pot import (
    DataLoader,
    IEEngine,
    Metric,
    compress_model_weights,
    create_pipeline,
    load_model,
    save_model,
)

ALPHABET = " abcdefghijklmnopqrstuvwxyz'"
BLANK = len(ALPHABET)
WINDOW, HOP, BANDS, CEPSTRA, CONTEXT, PACKAGE = 512, 320, 40, 26, 9, 16


def mel_filters():
    def mel(hertz):
        return 1127 * np.log1p(hertz / 700)

    edges = np.linspace(mel(20.0), mel(8000.0), BANDS + 2)
    at = mel(np.arange(WINDOW // 2 + 1) * 16000 / WINDOW)[:, None]
    rising = (at - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - at) / (edges[2:] - edges[1:-1])
    filters = np.maximum(np.minimum(rising, falling), 0)
    filters[:2] = 0
    return filters


def mfcc(wave):
    """Return (frames, 26) of a recording."""
    wave = np.pad(wave, (0, max(0, WINDOW - len(wave))))
    frames = np.lib.stride_tricks.sliding_window_view(wave, WINDOW)[::HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    bands = np.abs(np.fft.rfft(frames * hann, axis=1)) @ mel_filters()
    angles = np.pi / BANDS * np.outer(np.arange(BANDS) + 0.5, np.arange(CEPSTRA))
    return np.log(np.maximum(bands, 1e-12)) @ (np.sqrt(2 / BANDS) * np.cos(angles))


def packages(wave):
    """Return (packages, 16, 19, 26): frames with their context, zeros at the ends."""
    frames = np.pad(mfcc(wave), ((CONTEXT, CONTEXT), (0, 0)))
    frames = np.lib.stride_tricks.sliding_window_view(frames, 2 * CONTEXT + 1, axis=0)
    frames = np.pad(frames.transpose(0, 2, 1), ((0, -len(frames) % PACKAGE), (0, 0), (0, 0)))
    return frames.reshape(-1, PACKAGE, 2 * CONTEXT + 1, CEPSTRA).astype(np.float32)


class LibriSpeechDataLoader(DataLoader):
    def __init__(self, config):
        super().__init__(config)
        self._items = []
        for file in sorted(Path(self.config.data_source).rglob("*.trans.txt")):
            for line in file.read_text().splitlines():
                name, _, text = line.partition(" ")
                self._items.append((file.parent / f"{name}.flac", text.lower()))

    def __len__(self):
        return len(self._items)

    def __getitem__(self, index):
        if index >= len(self):
            raise IndexError(index)
        file, text = self._items[index]
        wave, _ = soundfile.read(file, dtype="float32")
        data, annotation = packages(wave), (index, text)
        return (data, text) if self.config.data_first else (annotation, data)


def wrong_words(reference, heard):
    """Return the words to insert, delete and replace."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(reference, 1):
        before, row = row, [i]
        for j, other in enumerate(heard, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (word != other)))
    return row[-1]


class WordErrorRate(Metric):
    """The share of utterances with a word error rate of ``threshold`` percent or less."""

    def __init__(self, threshold=20.0):
        self._threshold, self._name = threshold, "word_error_rate"
        super().__init__()

    @property
    def value(self):
        return {self._name: [self._good[-1]]}

    @property
    def avg_value(self):
        if not self._good:
            return {self._name: float("nan")}
        return {self._name: float(np.mean(self._good)), "WER": 100 * self._wrong / self._words}

    def update(self, output, target):
        reference, heard = target[0].split(), output[0].split()
        wrong = wrong_words(reference, heard)
        self._wrong, self._words = self._wrong + wrong, self._words + len(reference)
        self._good.append(float(100 * wrong / len(reference) <= self._threshold))

    def reset(self):
        self._good, self._wrong, self._words = [], 0, 0

    def get_attributes(self):
        return {self._name: {"direction": "higher-better", "type": "word_error_rate"}}


class SpeechEngine(IEEngine):
    def _fill_input(self, model, image_batch):
        if len(model.inputs) != 3:
            raise RuntimeError(f"{len(model.inputs)} inputs, not 3")
        zeros = np.zeros(list(self._state(model)), np.float32)
        return {
            "input_node": image_batch[0],
            "previous_state_c": zeros,
            "previous_state_h": zeros,
        }

    @staticmethod
    def _state(model):
        (port,) = (p for p in model.inputs if "previous_state_c" in p.get_names())
        return port.shape

    @staticmethod
    def postprocess_output(outputs, _metadata):
        """Return the likeliest path, repeats and blanks left out."""
        best = outputs.reshape(-1, BLANK + 1).argmax(-1)
        changed = np.flatnonzero(np.diff(best, prepend=-1))
        return ["".join(ALPHABET[n] for n in best[changed] if n != BLANK)]

    def _process_dataset(
        self, stats_layout, sampler, print_progress=False, need_metrics_per_sample=False
    ):
        compiled = self._ie.compile_model(self._model, self._device)
        request = compiled.create_infer_request()
        for batch in sampler:
            annotations, data, _ = self._process_batch(batch)
            scores = self._listen(request, self._fill_input(compiled, data), stats_layout)
            if self._metric and annotations[0][1] is not None:
                output = self.postprocess_output(scores, None)
                self._update_metrics(output, annotations, need_metrics_per_sample)

    def _listen(self, request, inputs, stats_layout):
        """Return the softmax of all packages; each starts from the state behind the last."""
        scores = []
        for package in inputs["input_node"]:
            found = request.infer({**inputs, "input_node": package[None]})
            ports = {port: np.array(value) for port, value in found.items()}
            named = {name: value for port, value in ports.items() for name in port.get_names()}
            inputs["previous_state_c"] = named["new_state_c"]
            inputs["previous_state_h"] = named["new_state_h"]
            scores.append(named["logits"])
            if stats_layout:
                self._collect_statistics(ports, stats_layout, None)
        return np.concatenate(scores)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True, help="in LibriSpeech's folders")
    parser.add_argument("--test", help="likewise, to evaluate with; by default the same")
    parser.add_argument("--out", required=True)
    parser.add_argument("--algorithm", default="DefaultQuantization")
    parser.add_argument("--params", type=json.loads, default={})
    parser.add_argument("--data-first", action="store_true")
    given = parser.parse_args()

    def engine(folder):
        loader = LibriSpeechDataLoader({"data_source": folder, "data_first": given.data_first})
        config = {"device": "CPU", "stat_requests_number": 1, "eval_requests_number": 1}
        return SpeechEngine(config, loader, WordErrorRate(threshold=20.0))

    weights = given.model.replace(".xml", ".bin")
    model = load_model({"model_name": "deepspeech", "model": given.model, "weights": weights})
    params = {"target_device": "ANY", "preset": "performance", "stat_subset_size": 300}
    algorithms = [{"name": given.algorithm, "params": {**params, **given.params}}]
    pipeline = create_pipeline(algorithms, engine(given.data))
    tested = create_pipeline(algorithms, engine(given.test or given.data))
    before = tested.evaluate(model)
    compressed = pipeline.run(model)
    compress_model_weights(compressed)
    (paths,) = save_model(compressed, given.out, "deepspeech_int8")
    size = sum(Path(paths[key]).stat().st_size for key in ("model", "weights"))
    print(json.dumps({"before": before, "after": tested.evaluate(compressed), "bytes": size}))


if __name__ == "__main__":
    main()
