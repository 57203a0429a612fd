"""What the kinds share that measure codecs: a source of tensors, coding, and a sink that scores."""

import json
import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnrd import codecs
from nnrd.codecs import encoder_file
from nnrd.core.errors import UserError
from nnrd.core.registry import Registry
from nnrd.core.schema import unknown
from nnrd.models.family import Family
from nnrd.study import paths
from nnrd.study.kinds.base import Context, Job, Kind, Study
from nnrd.study.points import (
    Anchor,
    Operation,
    Point,
    Selection,
    Split,
    combinations,
)
from nnrd.study.sheets import Sheets

FLOAT = 4  # bytes
MOST = 10_000  # operating points of one entry of a list
SHARE = 0.12  # of float32 that a bitstream takes, where none is there to look at


@dataclass(frozen=True)
class CodedStudy(Study):
    """A model on a dataset, through some codecs: an anchor, and points held against it."""

    kind: "CodedKind"
    anchor: Anchor
    points: list[Point]
    overlays: list[Point]
    calibration: Selection | None = None

    @property
    def data(self) -> Selection:
        """The dataset that it is scored on."""
        return self.anchor.data

    @property
    def models(self) -> list[str]:
        """The one model."""
        return [self.anchor.model]

    @property
    def selections(self) -> list[Selection]:
        """The dataset, and that of the calibration where there is one."""
        return [self.data, *([self.calibration] if self.calibration else [])]

    @property
    def records(self) -> list[Anchor | Point]:
        """The anchor, then the points."""
        return [self.anchor, *self.points]

    def pictures(self) -> list[str]:
        """Return the plots and overlays."""
        plots = [self._plot(plot, "png") for plot in self.kind.plots]
        return plots + [self.overlay(point) for point in self.overlays]

    def overlay(self, point: Point) -> str:
        """Return the picture of a point's predictions beside the anchor's."""
        codec, parameters = point.codec.id.split("/")
        split = point.split.id if point.split else "whole"
        where = {"study": self.name, "split": split, "codec": codec, "parameters": parameters}
        return paths.fill(paths.OVERLAY, **where)

    def files(self) -> list[str]:
        """Return those of its model, its dataset, its records, its tables and its pictures."""
        found = [paths.fill(paths.INDEX, data=data.id) for data in self.selections]
        if self.anchor.runtime == "onnx":
            found += [paths.fill(p, model=self.anchor.model) for p in (paths.MODEL, paths.FACTS)]
        for point in self.points:
            found += self._coding_files(point)
            found += paths.step(point.folder, "decoded", point.decoded)
        for record in self.records:
            shards = self.data.shards if record.predicts else []
            found += paths.predictions(record.folder, shards)
            found += paths.step_files(record.folder, "predictions", shards)
            found.append(paths.fill(paths.RECORD, folder=record.folder))
        tables = [paths.fill(paths.STUDY_TABLE, study=self.name, table=t) for t in paths.TABLES]
        plots = [self._plot(plot, suffix) for plot in self.kind.plots for suffix in paths.FORMATS]
        return list(dict.fromkeys([*found, *tables, *plots, *map(self.overlay, self.overlays)]))

    def _coding_files(self, point: Point) -> list[str]:
        """Return the parts, the tensors and the bitstreams of a point."""
        found = []
        if point.split:
            where = {"model": point.model, "split": point.split.id}
            found += [paths.fill(p, **where) for p in (paths.PART1, paths.PART2, paths.PLAN)]
        sources = [point.source]
        if point.transform:
            sources.append(paths.fill(paths.WEIGHTS, model=point.model))
        for source in sources:
            found += paths.step(source, "tensors", point.source_shards)
        return found + paths.step(point.encoded, "bitstreams", point.source_shards)

    def _plot(self, plot: str, suffix: str) -> str:
        return paths.fill(paths.PLOT, study=self.name, plot=plot, suffix=suffix)

    def jobs(self, sheets: Sheets) -> list[Job]:
        """Return source, encoding, inference and the anchor's inference."""
        values = sheets.models[self.anchor.model].values
        sources = {point.source: point for point in self.points}
        jobs = [self._source_job(p, s, values) for p in sources.values() for s in p.source_shards]
        jobs += [self._anchor_job(shard, values) for shard in self.data.shards]
        for point in self.points:
            jobs += list(self._point_jobs(point, values))
        return jobs

    def _source_job(self, point: Point, shard: str, values: int | None) -> Job:
        rule, gpu = self.kind.source_rule, self.kind.source_on_gpu
        output, like = f"{point.source}/tensors/{shard}", f"{rule}/{_below(point.source)}"
        return Job(rule, like, output, gpu, stored=FLOAT * self.kind.coded_values(values))

    def _anchor_job(self, shard: str, values: int | None) -> Job:
        output = f"{self.anchor.folder}/predictions/{shard}.json"
        like = f"infer_anchor/{_below(self.anchor.folder)}"
        return Job("infer_anchor", like, output, gpu=True, run=self._run(values))

    def _point_jobs(self, point: Point, values: int | None) -> Iterator[Job]:
        coded, run = self.kind.coded_values(values), self._run(values)
        for shard in point.source_shards:
            output = f"{point.encoded}/bitstreams/{shard}"
            like = f"encode_tensors/{point.source}"
            stored = SHARE * FLOAT * coded
            yield Job("encode_tensors", like, output, encoded=coded, stored=stored)
        for shard in point.decoded:
            # The tensors themselves are deleted once they were read.
            output = f"{point.folder}/decoded/{shard}.times.json"
            like = f"decode_weights/{point.source}"
            yield Job("decode_weights", like, output, decoded=coded)
        rule, left = self.kind.sink_rule, 0 if point.decoded else coded
        for shard in self.data.shards if point.predicts else ():
            output = f"{point.folder}/predictions/{shard}.json"
            like = f"{rule}/{_below(point.source)}"
            yield Job(rule, like, output, gpu=True, decoded=left, run=run)

    def _run(self, values: int | None) -> float:
        return (values or 0) * self.data.count / len(self.data.shards)


def _below(folder: str) -> str:
    return folder.partition("/")[2]


class CodedKind(Kind):
    """A kind whose points are (source, codec, sink).

    ``source_rule`` and ``sink_rule`` are the rules that make the tensors and take them back.
    ``one_bundle``: a source is one bundle, large enough for several processes to code.
    ``uncompressed`` is what an anchor sends, a column of its record: ``input_size`` (nothing is
    split, as in the anchor rows of TR 26.847's tables) or ``model_size``.
    """

    source_rule: ClassVar[str]
    sink_rule: ClassVar[str]
    uncompressed: ClassVar[str]
    source_on_gpu: ClassVar[bool] = False
    one_bundle: ClassVar[bool] = False

    @abstractmethod
    def runtime(self, family: Family) -> str:
        """Say what runs the models of a family in such a study: ``torch`` or ``onnx``."""

    def coded_values(self, values: int | None) -> int:
        """Return how many values a source has by those of its model; 0 where that is not known."""
        del values
        return 0

    @abstractmethod
    def sources(
        self, context: Context, key: str, given: Mapping[str, Any], anchor: Anchor
    ) -> list[tuple[str, Split | None, Operation | None]]:
        """Return the folder, split and transform of each source."""

    @abstractmethod
    def point(
        self,
        anchor: Anchor,
        source: tuple[str, Split | None, Operation | None],
        codec: Operation,
    ) -> Point:
        """Return the point of a source through a codec."""

    def study(self, context: Context, name: str, given: Mapping[str, Any]) -> CodedStudy:
        """Return the study, every combination of source and operating point a point."""
        key = f"studies.{name}"
        anchor = self._anchor(context, key, given)
        sources = self.sources(context, key, given, anchor)
        points = [
            self.point(anchor, source, codec)
            for codec in operating_points(context, f"{key}.codecs", given["codecs"])
            for source in sources
        ]
        splits = [split for _, split, _ in sources if split]
        overlays = self._overlays(context, f"{key}.overlays", given, splits, points)
        calibration = self._calibration(context, f"{key}.calibration", given)
        return CodedStudy(name, self, anchor, points, overlays, calibration)

    def _anchor(self, context: Context, key: str, given: Mapping[str, Any]) -> Anchor:
        sheets = context.sheets
        if given["model"] not in sheets.models:
            context.fail(f"{key}.model", unknown("model", given["model"], sheets.models))
        model, family = sheets.models[given["model"]], sheets.family(given["model"])
        data = selection(context, key, given, given["shard_size"])
        row = sheets.datasets[data.dataset]
        if model.task != row.task:
            task = model.task or "no task"
            context.fail(f"{key}.dataset", f"is for {row.task}, the model for {task}")
        if family.pipeline is None:
            reason = f"family {model.family} has no pipeline: it can be split, not run"
            context.fail(f"{key}.model", f"{model.model}: {reason}")
        return Anchor(model.model, data, self.runtime(family))

    def _calibration(
        self, context: Context, key: str, given: Mapping[str, Any]
    ) -> Selection | None:
        if "calibration" not in given:
            return None
        data = selection(context, key, given["calibration"], shard_size=1 << 30)
        if context.sheets.datasets[data.dataset].part != "valid":
            context.fail(f"{key}.dataset", f"{data.dataset} is not a part 'valid'")
        return data

    def _overlays(
        self,
        context: Context,
        key: str,
        given: Mapping[str, Any],
        splits: list[Split],
        points: list[Point],
    ) -> list[Point]:
        overlays = []
        for i, entry in enumerate(given["overlays"]):
            if "split" in entry and entry["split"] >= len(splits):
                context.fail(f"{key}[{i}].split", f"there are {len(splits)} splits, from 0")
            split = splits[entry["split"]] if "split" in entry else None
            codec = Operation(entry["codec"], entry["parameters"])
            found = [p for p in points if p.split == split and p.codec.id == codec.id]
            if not found:
                context.fail(f"{key}[{i}]", f"{codec.label} is no point of the study")
            if not found[0].predicts:
                context.fail(f"{key}[{i}]", f"{codec.name} is a bound: nothing is decoded to draw")
            overlays.append(found[0])
        return overlays


def selection(context: Context, key: str, given: Mapping[str, Any], shard_size: int) -> Selection:
    """Return the items that a study or its calibration names."""
    datasets = context.sheets.datasets
    if given["dataset"] not in datasets:
        context.fail(f"{key}.dataset", unknown("dataset", given["dataset"], datasets))
    count = datasets[given["dataset"]].items
    items = given.get("items")
    if items is not None and items > count:
        context.fail(f"{key}.items", f"{items} of {count} items")
    chosen = items if items != count else None
    return Selection(given["dataset"], chosen or count, chosen, shard_size, given["seed"])


def operating_points(context: Context, key: str, given: list[Any]) -> list[Operation]:
    """Return every operating point of a study's list of codecs; each may be given once."""
    found: dict[str, Operation] = {}
    for where, name, values in _entries(context, key, given, codecs.REGISTRY):
        read = _with_file(context, f"{where}.{name}", name, values)
        for parameters in combinations(_lists(context, f"{where}.{name}", read)):
            _check_codec(context, f"{where}.{name}", name, parameters)
            decodable = codecs.REGISTRY.get(name).decodable
            _add(context, where, found, Operation(name, parameters, decodable))
    return list(found.values())


def operations(
    context: Context, key: str, given: list[Any], registry: Registry[Any]
) -> list[Operation]:
    """Return every combination of a list of names with parameters; each may be given once."""
    found: dict[str, Operation] = {}
    for where, name, values in _entries(context, key, given, registry):
        for parameters in combinations(_lists(context, f"{where}.{name}", values)):
            _add(context, where, found, Operation(name, parameters))
    return list(found.values())


def _entries(
    context: Context, key: str, given: list[Any], registry: Registry[Any]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the key of each entry of a list, its name, which is known, and its parameters."""
    for i, entry in enumerate(given):
        name, values = (entry, {}) if isinstance(entry, str) else next(iter(entry.items()))
        if name not in registry.names():
            context.fail(f"{key}[{i}]", unknown(registry.word, name, registry.names()))
        if not isinstance(values, dict):
            context.fail(f"{key}[{i}].{name}", f"{values!r} is not a mapping of parameters")
        yield f"{key}[{i}]", name, values


def _lists(context: Context, key: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return parameters whose lists have something in them, and not too many combinations."""
    for name, value in values.items():
        if value == []:
            context.fail(f"{key}.{name}", "the list is empty: there is nothing to make")
    count = math.prod(len(value) for value in values.values() if isinstance(value, list))
    if count > MOST:
        context.fail(key, f"{count} combinations, more than {MOST}")
    return values


def _add(context: Context, key: str, found: dict[str, Operation], operation: Operation) -> None:
    for name, value in operation.parameters.items():
        try:
            json.dumps(value)
        except TypeError:
            context.fail(f"{key}.{operation.name}.{name}", f"{value!r} is no JSON value")
    if operation.id in found:
        context.fail(key, f"{operation.label} is given twice")
    found[operation.id] = operation


def _with_file(context: Context, key: str, codec: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return parameters with those of an encoder configuration file below them."""
    if codec != encoder_file.CODEC or encoder_file.KEY not in values:
        return values
    try:
        read = encoder_file.read(context.places.file(str(values[encoder_file.KEY])))
    except UserError as error:
        context.fail(f"{key}.{encoder_file.KEY}", str(error))
    return read | {name: v for name, v in values.items() if name != encoder_file.KEY}


def _check_codec(context: Context, key: str, codec: str, parameters: dict[str, Any]) -> None:
    try:
        codecs.check(codec, parameters)
    except UserError as error:
        context.fail(key, str(error).removeprefix(f"codec {codec}: "))
