"""Ways to quantise a graph that carries state, and what each weighs, gets wrong and takes."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from benches.timing import timed
from nnrd.datasets.index import Index, Item
from nnrd.models import REGISTRY, ModelRow
from nnrd.models.pipeline import Run
from nnrd.quantisation import process, sizes
from nnrd.quantisation.graphs import DEFAULT, FLOAT32, ONNXRUNTIME, OPENVINO, open_graph
from nnrd.quantisation.interface import Engine
from nnrd.quantisation.settings import Settings
from nnrd.quantisation.task_metric import TaskMetric
from nnrd.stages.model_runs import Items, PipelineEngine
from nnrd.tasks.asr import Asr

WHOLE = "model"  # the one graph
WARM_UPS = 3  # packages
MAX_DROP = 1.0  # points of WER that accuracy control may lose on the recordings it looks at
NNCF = {"backend": "nncf_openvino"}
LSTM = {"types": ["LSTMSequence"]}  # as OpenVINO calls it
CONTROL = {"max_drop": MAX_DROP, "ranking_subset_size": 30}


@dataclass(frozen=True)
class Way:
    """How a graph is quantised, by the settings' words, or not at all; and what runs it."""

    name: str
    quantised: Mapping[str, Any] | None = None
    runtime: str | None = None
    precision: str = DEFAULT


WAYS = (
    Way("float, ONNX Runtime", runtime=ONNXRUNTIME),
    Way("float, OpenVINO, float32", runtime=OPENVINO, precision=FLOAT32),
    Way("float, OpenVINO, its default", runtime=OPENVINO),
    Way("ort_dynamic", {"backend": "ort_dynamic"}),
    Way("ort_static", {"backend": "ort_static"}),
    Way("nncf_onnx, ONNX Runtime", {"backend": "nncf_onnx"}),
    Way("nncf_onnx, OpenVINO", {"backend": "nncf_onnx"}, OPENVINO),
    Way("nncf_openvino", NNCF),
    Way("nncf_openvino, LSTMSequence ignored", NNCF | {"ignored": LSTM}),
)
CONTROLLED = Way("nncf_openvino, accuracy control", NNCF | {"accuracy_control": CONTROL})


@dataclass
class Found:
    """What a way came to.

    ``reverted``: layers that went back to float. ``scores``: as the task has them, with the
    interval of the difference to the first way. ``seconds``: of packages, wall time.
    """

    way: Way
    run: Run
    bytes: int
    reverted: tuple[str, ...]
    scores: Mapping[str, Any] | None = None
    seconds: list[float] = field(default_factory=list)

    @property
    def ms(self) -> float:
        """The median time of a package in milliseconds."""
        return 1e3 * statistics.median(self.seconds[WARM_UPS:])


@dataclass(frozen=True)
class Subject:
    """A recogniser that carries state, and recordings.

    ``file``: its ONNX file. ``calibration``: what quantisers look at, ``samples`` packages of it at
    most. ``test``: what is scored.
    """

    row: ModelRow
    file: Path
    calibration: Sequence[Item]
    test: Sequence[Item] = ()
    samples: int = 300

    @cached_property
    def engine(self) -> Engine:
        """How a recording is recognised."""
        return PipelineEngine(REGISTRY.get(self.row.family).load_pipeline(self.row))

    def quantised(self, given: Mapping[str, Any], out: Path) -> process.Quantised:
        """Return the quantised graph, calibrated with what the float one is fed, state included."""
        settings = replace(Settings.of(given), subset_size=self.samples)
        metric = TaskMetric("asr", Index(list(self.calibration)))
        graphs, items = {WHOLE: self.file}, Items(self.calibration)
        return process.quantise(graphs, self.engine, items, metric, settings, out)

    def predictions(self, run: Run) -> list[dict[str, Any]]:
        """Return the transcripts of the test recordings."""
        return [self.engine.predict({WHOLE: run}, item) for item in self.test]


def measured(subject: Subject, ways: Sequence[Way], out: Path, packages: int) -> list[Found]:
    """Return what each way comes to; it is timed on so many packages, the ways in turn.

    ``out``: a folder for the quantised graphs.
    """
    made: dict[str, process.Quantised] = {}
    found = [_made(subject, way, made, out) for way in ways]
    if subject.test:
        index, anchor = Index(list(subject.test)), subject.predictions(found[0].run)
        for one in found:
            predictions = anchor if one is found[0] else subject.predictions(one.run)
            one.scores, _ = Asr().score(index, anchor, predictions)
    _time(subject, found, packages)
    return found


def _made(subject: Subject, way: Way, made: dict[str, process.Quantised], out: Path) -> Found:
    """Quantise the graph, once for ways that only run it otherwise, and open it."""
    file, reverted = subject.file, ()
    if way.quantised is not None:
        key = repr(way.quantised)
        if key not in made:
            made[key] = subject.quantised(way.quantised, out / str(len(made)))
        file, reverted = made[key].files[WHOLE], made[key].report[WHOLE].reverted
    run = open_graph(file, precision=way.precision, runtime=way.runtime)
    return Found(way, run, sum(part.stat().st_size for part in sizes.parts(file)), reverted)


def _time(subject: Subject, found: Sequence[Found], packages: int) -> None:
    """Time all ways on each package in turn, so that a busy machine slows all of them alike."""
    recordings, graphs = Items(subject.test or subject.calibration), {WHOLE: found[0].run}
    fed = process.record(subject.engine, graphs, recordings, packages + WARM_UPS)[WHOLE]
    for feeds in fed:
        for one in found:
            (wall, _), _ = timed(lambda one=one, feeds=feeds: one.run(feeds))
            one.seconds.append(wall)
