"""Profile studies: what one run of a model costs, over sizes, batches and options; no codec."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.schema import unknown
from nnrd.datasets import published
from nnrd.models.family import WHOLE
from nnrd.models.pipeline import Pipeline
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
        entries = list(_entries(context, key, given))
        points = [point for entry in entries for point in _points(context, *entry)]
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


Entry = tuple[
    str, str, Mapping[str, Any]
]  # key of a model, its name, the study's axes with its own


def _entries(context: Context, key: str, given: Mapping[str, Any]) -> list[Entry]:
    """Return the models, each with the axes that are the study's where it has none of its own."""
    found: list[Entry] = []
    for i, entry in enumerate(given["models"]):
        where = f"{key}.models[{i}]"
        own = {"model": entry} if isinstance(entry, str) else entry
        if own["model"] not in context.sheets.models:
            context.fail(where, unknown("model", own["model"], context.sheets.models))
        found.append((where, own["model"], {**given, **own}))
    return found


def _points(context: Context, key: str, model: str, given: Mapping[str, Any]) -> list[ProfilePoint]:
    """Return a point a combination of a model's axes, all of which it takes."""
    for axis in AXES:
        values = given.get(axis) or []
        if isinstance(values, list) and any(v in values[:i] for i, v in enumerate(values)):
            context.fail(f"{key}.{axis}", "a value is given twice")
    _check_runs(context, key, model, given)
    pipeline, found = _pipeline(context, key, model), []
    protocol = {name: given[name] for name in PROTOCOL if name in given}
    sizes = given.get("sizes") or [None]
    axes = (given["runtimes"], given["precisions"], given["devices"], given["threads"])
    for options in combinations(given["options"]):
        row = _varied(context, f"{key}.options", model, options)
        network = context.sheets.models.with_graph_of(row.model)
        for how, size, batch in product(list(product(*axes)), sizes, given["batches"]):
            _check_input(context, key, pipeline, how[0], size, batch)
            graphs = () if how[0] == TORCH else context.sheets.family(model).graphs
            seconds = pipeline.example_seconds(size)
            made = (*how, size, batch, pipeline.sizes, seconds, graphs)
            found.append(ProfilePoint(row.model, model, network, options, *made, **protocol))
    return found


def _varied(context: Context, key: str, model: str, options: Mapping[str, Any]) -> Any:
    """Return a model's row with some options changed; each has to be one that its family takes."""
    known = (context.sheets.family(model).options or {}).get("properties", {})
    for name in options:
        if name not in known:
            context.fail(f"{key}.{name}", f"{model} has no such option")
    try:
        return context.sheets.models.vary(model, options)
    except UserError as error:
        option, _, reason = str(error).partition(": ")
        context.fail(f"{key}.{option}", reason)


def _pipeline(context: Context, key: str, model: str) -> Pipeline:
    row = context.sheets.models[model]
    return context.tried(key, context.sheets.family(model).load_pipeline, row)


def _check_runs(context: Context, key: str, model: str, given: Mapping[str, Any]) -> None:
    """Refuse a runtime that a model has no graph for, and what a runtime cannot."""
    family = context.sheets.family(model)
    if family.network is None:
        context.fail(key, f"{model} is an ONNX file; PyTorch networks are profiled")
    for runtime in given["runtimes"]:
        if runtime != TORCH and not family.graphs:
            context.fail(f"{key}.runtimes", f"{model} has no graph for {runtime}")
        for precision in given["precisions"]:
            if precision not in PRECISIONS[runtime]:
                reason = f"{runtime} has {' and '.join(PRECISIONS[runtime])}, not {precision}"
                context.fail(f"{key}.precisions", reason)
        if runtime != TORCH and given["devices"] != [CPU]:
            context.fail(f"{key}.devices", f"{runtime} is run on the CPU here")


def _check_input(
    context: Context, key: str, pipeline: Pipeline, runtime: str, size: int | None, batch: int
) -> None:
    """Refuse a size or a batch that a model, or its graph, cannot take."""
    try:
        pipeline.check_example(size, batch)
    except UserError as error:
        axis = "batches" if batch > 1 and "batch" in str(error) else "sizes"
        context.fail(f"{key}.{axis}", f"{pipeline.row.model}: {error}")
    if runtime != TORCH and batch > 1:
        reason = f"{pipeline.row.model}: its graph for {runtime} takes one input at a time"
        context.fail(f"{key}.batches", reason)


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
