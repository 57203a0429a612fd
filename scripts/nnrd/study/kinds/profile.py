"""Profile studies: what one run of a model costs, over sizes, batches and options; no codec."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple, NoReturn

from nnrd.core.errors import UserError
from nnrd.core.schema import unknown
from nnrd.datasets import published
from nnrd.models.family import WHOLE, Family
from nnrd.models.inputs import Inputs
from nnrd.models.row import ModelRow
from nnrd.quantisation.graphs import DEFAULT, FLOAT32, ONNXRUNTIME, OPENVINO
from nnrd.runtime.cuda import CPU
from nnrd.study import paths
from nnrd.study.kinds.base import Context, Job, Kind, Study
from nnrd.study.kinds.coded import selection
from nnrd.study.points import (
    Anchor,
    ModelPoint,
    Operation,
    ProfilePoint,
    Record,
    Selection,
    combinations,
)
from nnrd.study.sheets import Sheets
from nnrd.study.split_costs import SplitCosts

TORCH, MIXED = "torch", "mixed"
PRECISIONS = {
    TORCH: (FLOAT32, MIXED),
    ONNXRUNTIME: (FLOAT32,),
    OPENVINO: (FLOAT32, DEFAULT),
}
AXES = ("sizes", "batches", "runtimes", "precisions", "threads", "devices")
HOW = ("runtime", "precision", "device", "threads")
PROTOCOL = ("warm_up", "samples", "repeats", "power_seconds", "tdp_watts")
ACCURACY = "accuracy"
PLOTS = ("latency", "energy", "parameters", ACCURACY)
UNQUANTISED = "unquantised"


@dataclass(frozen=True)
class ProfileStudy(Study):
    """Models, each run on made inputs in every combination of the axes.

    ``accuracies`` has what is scored for a point, where the study has a dataset: the anchor of its
    model, or the model as its runtime has it. ``parts``: the parts of the models to count, None:
    all; ``published``: a table of numbers to set beside ours.
    """

    points: list[ProfilePoint]
    data: Selection | None = None
    accuracies: Mapping[ProfilePoint, Record] = field(default_factory=dict)
    parts: list[str] | None = None
    published: str | None = None

    @property
    def models(self) -> list[str]:
        """The models, those with other options among them."""
        return list(dict.fromkeys(point.model for point in self.points))

    @property
    def networks(self) -> list[str]:
        """The models whose networks differ: of these the parameters are counted."""
        return list(dict.fromkeys(point.network for point in self.points))

    @property
    def selections(self) -> list[Selection]:
        """The dataset that accuracy is measured on, if any."""
        return [self.data] if self.data else []

    @property
    def measurements(self) -> list[str]:
        """The records of its points, and of what scores them."""
        found = [paths.fill(paths.RECORD, folder=record.folder) for record in self.scored]
        return [*map(measured, self.points), *found]

    @property
    def scored(self) -> list[Record]:
        """What says how accurate the models are, each behind the anchor that it is held against."""
        found: dict[str, Record] = {}
        for record in self.accuracies.values():
            found |= {one.folder: one for one in (held(record), record) if one.folder not in found}
        return list(found.values())

    def keys_for(self, device: str) -> list[str]:
        """Return the key of the devices where one of them is asked for."""
        return ["devices"] if any(point.device == device for point in self.points) else []

    @property
    def quantised(self) -> list[ModelPoint]:
        """Those of them that run as graphs."""
        return [record for record in self.scored if isinstance(record, ModelPoint)]

    @property
    def plots(self) -> list[str]:
        """The plots that say something: accuracy only where it is measured."""
        return [plot for plot in PLOTS if plot != ACCURACY or self.accuracies]

    def pictures(self) -> list[str]:
        """Return the plots and the page of findings."""
        plots = [self._plot(plot, "png") for plot in self.plots]
        return [*plots, paths.fill(paths.FINDINGS, study=self.name)]

    def _plot(self, plot: str, suffix: str) -> str:
        return paths.fill(paths.PROFILE_PLOT, study=self.name, plot=plot, suffix=suffix)

    def files(self) -> list[str]:
        """Return those of its points, its models, what scores them, its tables and pictures."""
        tables = [paths.study_table(name) for name in paths.PROFILE_TABLES]
        found = [paths.fill(table, study=self.name) for table in tables]
        found += [self._plot(plot, suffix) for plot in self.plots for suffix in paths.FORMATS]
        found += [paths.fill(paths.FINDINGS, study=self.name), *map(measured, self.points)]
        found += [paths.fill(paths.COUNTED, model=name) for name in self.networks]
        found += [paths.fill(paths.INDEX, data=data.id) for data in self.selections]
        found += [file for point in self.points for file in graph_files(point)]
        found += [file for record in self.scored for file in score_files(record)]
        return list(dict.fromkeys(found))

    def jobs(self, sheets: Sheets, splits: SplitCosts) -> list[Job]:
        """Return the measurements, which run a model so many times and then for some seconds."""
        del splits
        found = []
        for point in self.points:
            values = sheets.models[point.model].values or 0
            runs = point.repeats * (point.samples + point.warm_up)
            output = measured(point).removeprefix("results/")
            like = f"profile_model/{point.model}/{point.runs}/{point.measured}"
            job = Job("profile_model", like, output, gpu=point.device != CPU)
            found.append(job._replace(run=values * runs * point.batch))
        return found


class Profile(Kind):
    """Parameters, latency, memory and energy of models, over the axes of the study."""

    name = "profile"

    def study(self, context: Context, name: str, given: Mapping[str, Any]) -> ProfileStudy:
        """Return the study, every combination a point; the models are asked what they take."""
        key = f"studies.{name}"
        points = [point for model in _models(context, key, given) for point in _points(model)]
        seen: set[str] = set()
        for point in points:
            if measured(point) in seen:
                context.fail(f"{key}.models", f"{point.model} is measured twice in the same way")
            seen.add(measured(point))
        data = selection(context, key, given, given["shard_size"]) if "dataset" in given else None
        scored = _accuracies(context, key, points, data) if data else {}
        table = _published(context, f"{key}.published", given, points)
        return ProfileStudy(name, self, points, data, scored, given.get("parts"), table)


def held(record: Record) -> Anchor:
    """Return the anchor that a record is held against; an anchor itself."""
    return record if isinstance(record, Anchor) else record.anchor


def measured(point: ProfilePoint) -> str:
    """Return the file of a point."""
    where = {"model": point.model, "runs": point.runs, "measured": point.measured}
    return paths.fill(paths.PROFILED, **where)


def graph_files(point: ProfilePoint) -> list[str]:
    """Return the graphs that a point runs, and the facts of them; none in PyTorch."""
    pairs = [paths.graph_files(point.network, graph, WHOLE) for graph in point.graphs]
    return [file for pair in pairs for file in pair]


def score_files(record: Record) -> list[str]:
    """Return what is made of a record on the way to its accuracy."""
    shards, folder = held(record).data.shards, record.folder
    found = paths.predictions(folder, shards) + paths.step_files(folder, "predictions", shards)
    if isinstance(record, ModelPoint):
        found += paths.step(record.encoded, "graphs", [paths.WHOLE])
    return [*found, paths.fill(paths.RECORD, folder=folder)]


class _Model(NamedTuple):
    """A model of a study with its axes, which are the study's where it has none of its own.

    ``study`` and ``entry`` are the keys of both.
    """

    context: Context
    study: str
    entry: str
    name: str
    own: Mapping[str, Any]
    given: Mapping[str, Any]

    def fail(self, axis: str, reason: str) -> NoReturn:
        """Refuse what an axis says, by the key where it says it."""
        self.context.fail(f"{self.entry if axis in self.own else self.study}.{axis}", reason)

    @property
    def family(self) -> Family:
        """The family of the model."""
        return self.context.sheets.family(self.name)

    def inputs(self) -> Inputs:
        """Return which inputs it takes; refuse a family that makes none."""
        found = self.family.inputs
        if self.family.pipeline is None or found is None:
            family = self.context.sheets.models[self.name].family
            reason = f"{self.name}: family {family} makes no inputs to measure by"
            self.context.fail(self.entry, reason)
        return found


def _models(context: Context, key: str, given: Mapping[str, Any]) -> list[_Model]:
    found = []
    for i, entry in enumerate(given["models"]):
        where = f"{key}.models[{i}]"
        own = {"model": entry} if isinstance(entry, str) else entry
        if own["model"] not in context.sheets.models:
            context.fail(where, unknown("model", own["model"], context.sheets.models))
        found.append(_Model(context, key, where, own["model"], own, {**given, **own}))
    return found


def _points(model: _Model) -> list[ProfilePoint]:
    """Return a point a combination of a model's axes, all of which it takes."""
    for axis in AXES:
        values = model.given.get(axis) or []
        if any(value in values[:i] for i, value in enumerate(values)):
            model.fail(axis, "a value is given twice")
    _check_runs(model)
    given, rows, found = model.given, model.context.sheets.models, []
    inputs, sizes = model.inputs(), given.get("sizes") or [None]
    protocol = {name: given[name] for name in PROTOCOL if name in given}
    axes = [given[axis] for axis in ("runtimes", "precisions", "devices", "threads")]  # of HOW
    for options in combinations(given["options"]):
        row = _varied(model, options)
        of = (row.model, model.name, rows.with_graph_of(row.model), options)
        for *how, size, batch in product(*axes, sizes, given["batches"]):
            _check_input(model, inputs, how[0], size, batch)
            told: dict[str, Any] = {"size": size, "batch": batch, "unit": inputs.sizes}
            told |= dict(zip(HOW, how, strict=True)) | protocol
            told |= {"seconds": inputs.length(size)}
            told |= {"graphs": () if how[0] == TORCH else model.family.graphs}
            found.append(ProfilePoint(*of, **told))
    return found


def _varied(model: _Model, options: Mapping[str, Any]) -> ModelRow:
    """Return a model's row with some options changed; each has to be one that its family takes."""
    known = (model.family.options or {}).get("properties", {})
    for name in options:
        if name not in known:
            model.fail("options", f"{name}: {model.name} has no such option")
    try:
        return model.context.sheets.models.vary(model.name, options)
    except UserError as error:
        model.fail("options", str(error))


def _check_runs(model: _Model) -> None:
    """Refuse a runtime that a model has no graph for, and what a runtime cannot."""
    if model.family.network is None:
        reason = f"{model.name} is an ONNX file; PyTorch networks are profiled"
        model.context.fail(model.entry, reason)
    for runtime in model.given["runtimes"]:
        if runtime != TORCH and not _runs_as_graphs(model.family):
            model.fail("runtimes", f"{model.name} has no graphs for {runtime}, which decode too")
        for precision in model.given["precisions"]:
            if precision not in PRECISIONS[runtime]:
                reason = f"{runtime} has {' and '.join(PRECISIONS[runtime])}, not {precision}"
                model.fail("precisions", reason)
        if runtime != TORCH and model.given["devices"] != [CPU]:
            model.fail("devices", f"{runtime} is run on the CPU here")


def _runs_as_graphs(family: Family) -> bool:
    """Say whether graphs are all that a model needs: decoding may run the network, or a graph."""
    return bool(family.graphs) and (len(family.graphs) > 1 or not family.needs_network)


def _check_input(model: _Model, inputs: Inputs, runtime: str, size: int | None, batch: int) -> None:
    """Refuse a size or a batch that a model, or its graph, cannot take."""
    try:
        inputs.check(size)
    except UserError as error:
        model.fail("sizes", f"{model.name}: {error}")
    try:
        inputs.check(size, batch)
    except UserError as error:
        model.fail("batches", f"{model.name}: {error}")
    if runtime != TORCH and batch > 1:
        reason = f"{model.name}: its graph for {runtime} takes one input at a time"
        model.fail("batches", reason)


def _accuracies(
    context: Context, key: str, points: list[ProfilePoint], data: Selection
) -> dict[ProfilePoint, Record]:
    """Return what is scored for each point; nothing for a precision that nothing else runs in."""
    task = context.sheets.datasets[data.dataset].task
    found: dict[ProfilePoint, Record] = {}
    for point in points:
        row = context.sheets.models[point.base]
        if row.task != task:
            reason = f"is for {task}, {point.base} for {row.task or 'no task'}"
            context.fail(f"{key}.dataset", reason)
        anchor = Anchor(point.model, data, TORCH)
        if point.graphs:
            how = {"runtime": point.runtime}
            how |= {"precision": DEFAULT} if point.precision == DEFAULT else {}
            codec = Operation(UNQUANTISED, how)
            found[point] = ModelPoint(anchor, codec, point.graphs, point.runtime)
        elif point.precision == FLOAT32:
            found[point] = anchor
    return found


def _published(
    context: Context, key: str, given: Mapping[str, Any], points: list[ProfilePoint]
) -> str | None:
    """Return the table of published numbers, which is read, and checked, here."""
    if "published" not in given:
        return None
    models = {point.base for point in points}
    file = context.places.file(given["published"])
    context.tried(key, published.read_profiles, file, models)
    return context.places.located(given["published"])
