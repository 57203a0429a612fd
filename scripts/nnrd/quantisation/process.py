"""Recording what a model is fed, quantising it, and evaluating it."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnrd.core.errors import UserError
from nnrd.core.files import complete_files
from nnrd.core.progress import Count
from nnrd.quantisation import graphs as opened
from nnrd.quantisation import layers, sizes
from nnrd.quantisation.backends import REGISTRY
from nnrd.quantisation.backends.base import Backend, Report
from nnrd.quantisation.interface import Arrays, DataLoader, Engine, Metric, Run, Validate
from nnrd.quantisation.settings import Settings

TINY = 1e-12
LOOKED_AT = 8  # inputs of a graph on which the errors of layers are reckoned


@dataclass(frozen=True)
class Evaluation:
    """How good a model is on the items of a loader, and what its graphs took.

    ``per_sample``: the metric of each item, where nan says that it has none. ``seconds``: of each
    run of each graph, wall time.
    """

    avg: float
    per_sample: tuple[float, ...]
    seconds: Mapping[str, tuple[float, ...]]

    @property
    def ms(self) -> dict[str, float]:
        """The median of the runs of each graph in milliseconds: the first ones warm up."""
        return {name: 1e3 * statistics.median(times) for name, times in self.seconds.items()}


@dataclass(frozen=True)
class Quantised:
    """A quantised model: the file and the report of each graph.

    An ``.xml`` has an ``.bin`` beside it. ``floats`` are the graphs that it was made of,
    ``samples`` some inputs of each.
    """

    files: Mapping[str, Path]
    report: Mapping[str, Report]
    floats: Mapping[str, Path]
    samples: Mapping[str, Sequence[Arrays]]

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """The bytes of all files, as `nnrd.quantisation.sizes.sizes` has them; takes a while."""
        return sizes.sizes(self.files.values())

    @cached_property
    def layers(self) -> list[layers.Layer]:
        """The quantised layers of all graphs, the worst first; takes runs of both graphs.

        None of a graph that was quantised without a sample.
        """
        found = [
            layer
            for name, few in self.samples.items()
            if few
            for layer in layers.errors(name, self.floats[name], self.files[name], few)
        ]
        return sorted(found, key=lambda layer: -layer.nmse)


def record(
    engine: Engine, graphs: Mapping[str, Run], loader: DataLoader, limit: int
) -> dict[str, list[Arrays]]:
    """Return what each graph is fed when the engine runs the float model, at most ``limit`` each.

    Where a graph is run several times an item, as one that carries a state, the runs are spread
    evenly over the item, and over the items. Raises UserError: no items, a graph that is not run.
    """
    if not len(loader):
        raise UserError("no calibration items")
    share = math.ceil(limit / len(loader))
    found: dict[str, list[Arrays]] = {name: [] for name in graphs}
    for index in range(len(loader)):
        taken = _fed(engine, graphs, loader[index][1])
        for name, runs in taken.items():
            found[name] += _evenly(runs, share)
        if all(len(runs) >= limit for runs in found.values()):
            break
    idle = [name for name, runs in found.items() if not runs]
    if idle:
        raise UserError(f"graph {idle[0]}: the engine does not run it, so nothing calibrates it")
    return {name: runs[:limit] for name, runs in found.items()}


def _fed(engine: Engine, graphs: Mapping[str, Run], data: Any) -> dict[str, list[Arrays]]:
    """Return what the graphs are fed over one item."""
    taken: dict[str, list[Arrays]] = {name: [] for name in graphs}

    def recorded(name: str, run: Run) -> Run:
        def runs(feeds: Arrays) -> Arrays:
            before = taken[name][-1] if taken[name] else {}
            taken[name].append({key: _kept(array, before.get(key)) for key, array in feeds.items()})
            return run(feeds)

        return runs

    engine.predict({name: recorded(name, run) for name, run in graphs.items()}, data)
    return taken


def _kept(array: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    """Return a copy, the last one where nothing changed: what a decoder attends to is large."""
    if before is not None and np.array_equal(array, before):
        return before
    return np.array(array)


def _evenly(rows: list[Arrays], count: int) -> list[Arrays]:
    if len(rows) <= count:
        return rows
    return [rows[i * len(rows) // count] for i in range(count)]


def evaluate(
    engine: Engine,
    graphs: Mapping[str, Run],
    loader: DataLoader,
    metric: Metric,
    items: Sequence[int] | None = None,
) -> Evaluation:
    """Return how good a model is on all items of a loader, or on those with these numbers.

    Raises UserError where there are none, or the metric is nan over all.
    """
    found = _evaluated(
        engine, graphs, loader, metric, range(len(loader)) if items is None else items
    )
    if math.isnan(found.avg):
        raise UserError(f"metric {metric.name}: is nan over {len(found.per_sample)} items")
    return found


def _evaluated(
    engine: Engine,
    graphs: Mapping[str, Run],
    loader: DataLoader,
    metric: Metric,
    items: Sequence[int],
) -> Evaluation:
    if not len(items):
        raise UserError("no items to score")
    seconds: dict[str, list[float]] = {name: [] for name in graphs}
    timed = {name: _timed(run, seconds[name]) for name, run in graphs.items()}
    metric.reset()
    values: list[float] = []
    for index in items:
        annotation, data = loader[index]
        metric.update(engine.predict(timed, data), annotation)
        values += metric.value
    spent = {name: tuple(times) for name, times in seconds.items() if times}
    return Evaluation(float(metric.avg_value), tuple(map(float, values)), spent)


def _timed(run: Run, seconds: list[float]) -> Run:
    def timed(feeds: Arrays) -> Arrays:
        start = time.perf_counter()
        found = run(feeds)
        seconds.append(time.perf_counter() - start)
        return found

    return timed


def quantise(
    graphs: Mapping[str, Path],
    engine: Engine,
    loader: DataLoader,
    metric: Metric,
    settings: Settings,
    out: Path,
    threads: int = 1,
) -> Quantised:
    """Quantise the ONNX graphs of a model and write them into the folder ``out``.

    ``loader`` has the items to calibrate with; with accuracy control ``metric`` is reckoned on
    them, too. Graphs are quantised one after the other; those before are already so while one's
    accuracy is controlled, and may have used up a part of what may be lost. Raises UserError: a
    backend that is not installed or does not control accuracy, no items, what the backend refuses.
    """
    backend = _backend(settings)
    runs = {name: opened.open_graph(file, threads) for name, file in graphs.items()}
    looks = backend.needs_samples or len(loader)
    found = record(engine, runs, loader, settings.subset_size) if looks else {}
    samples = {name: found.get(name, []) for name in graphs}
    control = _Control(engine, runs, loader, metric, settings)
    reports = {}
    with complete_files(out) as folder:
        for name, graph in graphs.items():
            file = folder / f"{name}{backend.suffix}"
            reports[name] = _one(backend, graph, samples[name], control, name, file)
            control.graphs[name] = opened.open_graph(file, threads)
    files = {name: out / f"{name}{backend.suffix}" for name in graphs}
    few = {name: _evenly(taken, LOOKED_AT) for name, taken in samples.items()}
    return Quantised(files, reports, graphs, few)


class _Shown(Sequence[Arrays]):
    """Inputs of a graph; whenever a backend takes one, that is shown: calibration is long."""

    def __init__(self, samples: Sequence[Arrays], count: Count) -> None:
        self.samples, self.shown = samples, count

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return _Shown(self.samples[place], self.shown)
        found = self.samples[place]
        self.shown.more()
        return found


def _backend(settings: Settings) -> Backend:
    backend = REGISTRY.get(settings.backend)()
    if settings.accuracy_control and not backend.controls_accuracy:
        raise UserError(f"accuracy_control: backend {settings.backend} has none")
    backend.require(settings.backend)
    return backend


class _Control:
    """The accuracy of a model of which some graphs are quantised."""

    def __init__(
        self,
        engine: Engine,
        graphs: Mapping[str, Run],
        loader: DataLoader,
        metric: Metric,
        settings: Settings,
    ) -> None:
        self.engine, self.loader, self.metric = engine, loader, metric
        self.graphs, self.settings = dict(graphs), settings
        self.sign = 1 if metric.higher_is_better else -1
        self.start: float | None = None

    def left(self) -> Settings:
        """Return the settings of the next graph: what the graphs before lost is lost already."""
        control = self.settings.accuracy_control
        if control is None or len(self.graphs) == 1:
            return self.settings
        now = self.sign * evaluate(self.engine, self.graphs, self.loader, self.metric).avg
        self.start = now if self.start is None else self.start
        rest = max(0.0, control.max_drop - max(0.0, self.start - now))
        return replace(self.settings, accuracy_control=replace(control, max_drop=rest))

    def of(self, name: str) -> Validate:
        """Return what validates a graph among the others.

        An item without a value, such as an image without objects, counts as 0 beside every graph.
        """

        def validate(run: Run, items: Sequence[int]) -> tuple[float, list[float] | None]:
            graphs = {**self.graphs, name: run}
            whole = len(items) == len(self.loader)
            look = evaluate if whole else _evaluated
            found = look(self.engine, graphs, self.loader, self.metric, items)
            values = [self.sign * value for value in (found.avg, *found.per_sample)]
            avg, *each = (0.0 if math.isnan(value) else value for value in values)
            # NNCF divides by the first value, also where a difference is asked for.
            return avg or TINY, each if len(each) == len(items) else None

        return validate


def _one(
    backend: Backend, graph: Path, samples: list[Arrays], control: _Control, name: str, file: Path
) -> Report:
    """Quantise one graph; return the backend's report."""
    settings = control.left()
    validate = control.of(name) if settings.accuracy_control else None
    count = Count(f"inputs of graph {name} looked at")
    shown = _Shown(samples, count)
    report = backend.quantise(graph, shown, settings, file, validate, len(control.loader))
    count.end()
    if not (report.reverted or sizes.integers(file)):
        raise UserError(f"{graph}: backend {settings.backend} finds nothing in it to quantise")
    return report
