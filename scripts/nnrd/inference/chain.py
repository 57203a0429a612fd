"""The way of one image through a model: whole, or part I, codec and part II, each step timed."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnxruntime import InferenceSession

from nnrd.codecs.base import Codec
from nnrd.codecs.files import warm_up
from nnrd.core.errors import UserError
from nnrd.datasets.frames import Frame
from nnrd.metrics.tensors import normalised_mse
from nnrd.models.pipeline import Arrays, Pipeline, input_size
from nnrd.runtime import sessions
from nnrd.runtime.stopwatch import Stopwatch


@dataclass
class Passed:
    """What one image gave.

    ``seconds``: wall time by step, with ``total_time``, their sum. ``anc_size``, ``rec_size``:
    bytes of what is sent, as it is and as the codec has it. ``sent``: the tensors that cross, none
    of a whole model. ``errors``: normalised MSE of each output against the whole model's, where
    that ran beside it.
    """

    detections: list[dict[str, Any]]
    seconds: dict[str, float]
    anc_size: int
    rec_size: int
    sent: Arrays = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)


class Chain(ABC):
    """What runs a graph; the steps between the two halves of a pipeline.

    ``providers``: ONNX Runtime's names of what runs its graphs, by the columns of the table.
    """

    providers: dict[str, str]

    @abstractmethod
    def run(self, feeds: Arrays, watch: Stopwatch) -> tuple[Arrays, Arrays, int]:
        """Return the graph's outputs, the tensors that crossed, and the bytes that were sent."""


class Whole(Chain):
    """A whole model: the step ``run_time``. What would be sent are the graph's inputs."""

    def __init__(self, session: InferenceSession) -> None:
        self.session = session
        self.providers = {"part1_provider": session.get_providers()[0]}

    def run(self, feeds: Arrays, watch: Stopwatch) -> tuple[Arrays, Arrays, int]:
        """Return the outputs; nothing crosses."""
        with watch("run_time"):
            outputs = sessions.run(self.session, feeds)
        return outputs, {}, input_size(feeds)["input_size"]


class Parts(Chain):
    """Two parts with a codec between: ``part1_time``, ``enc_time``, ``dec_time``, ``part2_time``.

    ``crossing``: the names of the tensors that cross, in order; they do not travel. ``workers``:
    threads of the codec.
    """

    def __init__(
        self,
        part1: InferenceSession,
        part2: InferenceSession,
        crossing: list[str],
        codec: Codec,
        workers: int = 1,
    ) -> None:
        self.providers = {
            "part1_provider": part1.get_providers()[0],
            "part2_provider": part2.get_providers()[0],
        }
        self.part1, self.part2 = part1, part2
        self.crossing, self.codec, self.workers = crossing, codec, workers
        warm_up(codec)  # what it imports is in no image's time

    def run(self, feeds: Arrays, watch: Stopwatch) -> tuple[Arrays, Arrays, int]:
        """Return the outputs, what crossed, and the bitstream's bytes."""
        with watch("part1_time"):
            made = sessions.run(self.part1, feeds)
        sent = {name: made[name] for name in self.crossing}
        with watch("enc_time"):
            blob = self.codec.encode(sent, names=False, workers=self.workers)
        with watch("dec_time"):
            received = self.codec.decode(blob, names=self.crossing, workers=self.workers)
        with watch("part2_time"):
            outputs = sessions.run(self.part2, received)
        return outputs, sent, len(blob)


class Runner:
    """Passes images through a pipeline and a chain.

    ``first`` are the seconds of the first image's first pass; it is passed twice, so that what
    later images take is not mixed with what the first one loads. ``whole``: a session of the whole
    model, run beside it and in no time, to which outputs are compared.
    """

    def __init__(
        self, pipeline: Pipeline, chain: Chain, whole: InferenceSession | None = None
    ) -> None:
        self.pipeline, self.chain, self.whole = pipeline, chain, whole
        self.first: dict[str, float] = {}

    def __call__(self, frame: Frame) -> Passed:
        """Return what an image gives; UserError where an output has NaN."""
        if not self.first:
            self.first = self._pass(frame).seconds
        return self._pass(frame)

    def _pass(self, frame: Frame) -> Passed:
        watch, item = Stopwatch(), frame.item
        with watch("pre_time"):
            feeds = self.pipeline.preprocess(frame.pixels, item)
        outputs, sent, rec_size = self.chain.run(feeds, watch)
        _refuse_nan(outputs)
        with watch("post_time"):
            prediction = self.pipeline.postprocess(outputs, item)
        seconds = watch.seconds | {"total_time": sum(watch.seconds.values())}
        anc_size = input_size(sent or feeds)["input_size"]
        detections = prediction["detections"]
        return Passed(detections, seconds, anc_size, rec_size, sent, self._errors(feeds, outputs))

    def _errors(self, feeds: Arrays, outputs: Arrays) -> dict[str, float]:
        if self.whole is None:
            return {}
        expected = sessions.run(self.whole, feeds)
        return {name: normalised_mse(outputs[name], array) for name, array in expected.items()}


def _refuse_nan(outputs: Arrays) -> None:
    for output, array in outputs.items():
        found = int(np.isnan(array).sum()) if np.issubdtype(array.dtype, np.floating) else 0
        if found:
            raise UserError(f"{found} of {array.size} values of output {output!r} are NaN")
