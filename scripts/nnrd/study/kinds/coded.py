"""What the kinds share that measure codecs: a source of tensors, coding, and a sink that scores."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

from nnrd.core.schema import unknown
from nnrd.models.family import WHOLE, Family
from nnrd.runtime.cuda import CPU
from nnrd.study import paths
from nnrd.study.kinds.base import Context, Job, Kind, Study
from nnrd.study.kinds.latency import Latency
from nnrd.study.kinds.operations import operating_points
from nnrd.study.kinds.quantised import model_points
from nnrd.study.kinds.sent_files import file_points
from nnrd.study.points import (
    Anchor,
    FilePoint,
    ModelPoint,
    Operation,
    Point,
    Providers,
    Record,
    Selection,
    Split,
)
from nnrd.study.sheets import Sheets
from nnrd.study.split_costs import SplitCosts

FLOAT = 4  # bytes
IGNORED = "is ignored: no transform and no codec looks at items; leave it out"
# Of float32 that a bitstream takes, where none is there to look at, by codec.
SHARE, SHARES = 0.12, {"raw": 1.0, "float16": 0.5, "bfloat16": 0.5, "int8": 0.25}


class Load(NamedTuple):
    """What a shard takes, for the estimate.

    ``coded``: values of its tensors; ``run``: values of the model times items, where multiply-
    accumulates of the two parts are not known; ``table``: the model whose table of splits says it.
    """

    coded: float
    run: float = 0
    part1: float = 0
    part2: float = 0
    table: str | None = None

    def whole(self) -> "Load":
        """Return what the whole model takes, with nothing coded and nothing split."""
        return self._replace(coded=0, part1=0, part2=self.part1 + self.part2)


@dataclass(frozen=True)
class CodedStudy(Study):
    """A model on a dataset, through some codecs: an anchor, and points held against it.

    ``sent`` are the points whose items are sent as files, with nothing split; ``latency`` is what
    latencies are reckoned for, where the kind has some; ``providers`` run source and sink;
    ``of_whole`` are the points whose codec takes the model as a whole; ``max_loss`` is what a
    point may lose against the anchor, in the metric's unit, where the study says it.
    """

    kind: "CodedKind"
    anchor: Anchor
    points: list[Point]
    overlays: list[Point]
    calibration: Selection | None = None
    sent: list[FilePoint] = field(default_factory=list)
    latency: Latency | None = None
    providers: Providers = field(default_factory=Providers)
    of_whole: list[ModelPoint] = field(default_factory=list)
    max_loss: float | None = None

    def keys_for(self, device: str) -> list[str]:
        """Return the key of the providers where one of them is the device."""
        return ["providers"] if device in self.providers else []

    @property
    def quantised(self) -> list[ModelPoint]:
        """The points whose codec takes the model as a whole."""
        return self.of_whole

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
    def records(self) -> list[Record]:
        """The anchor, what is sent as files, then the points, those of whole models last."""
        return [self.anchor, *self.sent, *self.points, *self.quantised]

    @property
    def plots(self) -> tuple[str, ...]:
        """The kind's, and those that are worth drawing where runtimes differ."""
        return self.kind.plots + (self.kind.model_plots if self.quantised else ())

    def pictures(self) -> list[str]:
        """Return the plots and overlays."""
        plots = [self._plot(plot, "png") for plot in self.plots]
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
        for made in self.quantised:
            found += paths.step(made.encoded, "graphs", [paths.WHOLE])
            for graph in made.graphs:
                found += paths.graph_files(self.anchor.model, graph, WHOLE)
        if self.kind.keeps_outputs:
            found += paths.step(self.anchor.folder, "outputs", self.data.shards)
        for record in self.records:
            shards = self.data.shards if record.predicts else []
            found += paths.predictions(record.folder, shards)
            found += paths.step_files(record.folder, "predictions", shards)
            found.append(paths.fill(paths.RECORD, folder=record.folder))
        names = (*paths.TABLES, *self.kind.tables)
        tables = [paths.fill(paths.STUDY_TABLE, study=self.name, table=name) for name in names]
        plots = [self._plot(plot, suffix) for plot in self.plots for suffix in paths.FORMATS]
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

    def jobs(self, sheets: Sheets, splits: SplitCosts) -> list[Job]:
        """Return parts, source, encoding, inference, and the inference of whole models."""
        loads = {p.source: self._load(p.split, sheets, splits) for p in self.points}
        sources = {point.source: point for point in self.points}
        jobs = self._parts_jobs(sheets)
        for point in sources.values():
            load = loads[point.source]
            jobs += [self._source_job(point, shard, load) for shard in point.source_shards]
        whole: list[Record] = [self.anchor, *self.sent]
        load = next(iter(loads.values()), self._load(None, sheets, splits)).whole()
        jobs += [self._whole_job(r, shard, load) for r in whole for shard in self.data.shards]
        if self.kind.keeps_outputs:
            jobs += [self._outputs_job(shard, load) for shard in self.data.shards]
        for point in self.points:
            jobs += list(self._point_jobs(point, loads[point.source]))
        for made in self.quantised:
            jobs += list(self._model_jobs(made, load))
        return jobs

    def _load(self, split: Split | None, sheets: Sheets, splits: SplitCosts) -> Load:
        """Return what a shard of a source takes: by the table of splits, or the model's values."""
        items = self.data.count / len(self.data.shards)
        values = sheets.models[self.anchor.model].values or 0
        at = splits.at(self.anchor.model, split)
        if at is None:
            return Load(self.kind.coded_values(values), values * items)
        part2 = at.whole - at.part1
        return Load(at.size / FLOAT * items, 0, at.part1 * items, part2 * items, at.table)

    def _parts_jobs(self, sheets: Sheets) -> list[Job]:
        """Return the cuts of the model, each of which stores all of it, in two files."""
        model = self.anchor.model
        stored = FLOAT * (sheets.models[model].values or 0)
        cuts = dict.fromkeys(point.split.id for point in self.points if point.split)
        places = (f"split/{model}/{cut}/split.json" for cut in cuts)
        return [Job("split_model", f"split_model/{model}", at, stored=stored) for at in places]

    def _source_job(self, point: Point, shard: str, load: Load) -> Job:
        rule = self.kind.source_rule
        gpu = self.kind.source_on_gpu and self.providers.part1 != CPU
        output, like = f"{point.source}/tensors/{shard}", f"{rule}/{_below(point.source)}"
        stored = FLOAT * load.coded
        return Job(rule, like, output, gpu, stored=stored, macs=load.part1, table=load.table)

    def _whole_job(self, record: Record, shard: str, load: Load) -> Job:
        rule = "infer_anchor" if record is self.anchor else "infer_files"
        output = f"{record.folder}/predictions/{shard}.json"
        return self._sink_job(rule, record.folder, output, load)

    def _outputs_job(self, shard: str, load: Load) -> Job:
        folder = self.anchor.folder
        return self._sink_job("extract_outputs", folder, f"{folder}/outputs/{shard}", load)

    def _sink_job(self, rule: str, folder: str, output: str, load: Load) -> Job:
        """Return a job that runs part II, or all of the model."""
        like, gpu = f"{rule}/{_below(folder)}", self._sink_on_gpu
        return Job(rule, like, output, gpu, run=load.run, macs=load.part2, table=load.table)

    def _point_jobs(self, point: Point, load: Load) -> Iterator[Job]:
        codec = point.codec.name
        stored = SHARES.get(codec, SHARE) * FLOAT * load.coded
        for shard in point.source_shards:
            output = f"{point.encoded}/bitstreams/{shard}"
            like = f"encode_tensors/{point.source}/{codec}"
            takes = Job("encode_tensors", like, output, encoded=load.coded, stored=stored)
            yield takes._replace(codec=codec, table=load.table)
        for shard in point.decoded:
            # The tensors themselves are deleted once they were read.
            output = f"{point.folder}/decoded/{shard}.times.json"
            like = f"decode_weights/{point.source}/{codec}"
            yield Job("decode_weights", like, output, decoded=load.coded, codec=codec)
        rule, left = self.kind.sink_rule, 0 if point.decoded else load.coded
        for shard in self.data.shards if point.predicts else ():
            output = f"{point.folder}/predictions/{shard}.json"
            job = self._sink_job(rule, point.source, output, load)
            yield job._replace(decoded=left, codec=codec)

    def _model_jobs(self, point: ModelPoint, load: Load) -> Iterator[Job]:
        """Return the quantisation, which runs the model on what it looks at, and the inference."""
        looked_at = point.calibration.count if point.calibration else 0
        run = load.run * len(self.data.shards) * looked_at / self.data.count
        output = f"{point.encoded}/graphs/{paths.WHOLE}"
        yield Job("quantise_model", f"quantise_model/{_below(point.encoded)}", output, run=run)
        for shard in self.data.shards:
            output = f"{point.folder}/predictions/{shard}.json"
            like = f"infer_quantised/{_below(point.encoded)}"
            yield Job("infer_quantised", like, output, run=load.run)

    @property
    def _sink_on_gpu(self) -> bool:
        return self.providers.part2 != CPU


def _below(folder: str) -> str:
    return folder.partition("/")[2]


class CodedKind(Kind):
    """A kind whose points are (source, codec, sink).

    ``source_rule`` and ``sink_rule`` are the rules that make the tensors and take them back.
    ``one_bundle``: a source is one bundle, large enough for several processes to code.
    ``uncompressed`` is what an anchor sends, a column of its record: ``input_size`` (nothing is
    split, as in the anchor rows of TR 26.847's tables) or ``model_size``. ``tables``: those that a
    study has beside points and items. ``model_plots``: those of studies with codecs that take a
    model as a whole. ``keeps_outputs``: the whole model's outputs are kept, to
    hold those of its parts against.
    """

    source_rule: ClassVar[str]
    sink_rule: ClassVar[str]
    uncompressed: ClassVar[str]
    source_on_gpu: ClassVar[bool] = False
    one_bundle: ClassVar[bool] = False
    tables: ClassVar[tuple[str, ...]] = ()
    model_plots: ClassVar[tuple[str, ...]] = ()
    keeps_outputs: ClassVar[bool] = False

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
        of_tensors, of_models = self.parted(given["codecs"])
        points = [
            self.point(anchor, source, codec)
            for codec in operating_points(context, f"{key}.codecs", of_tensors)
            for source in sources
        ]
        overlays = self._overlays(context, f"{key}.overlays", given, sources, points)
        calibration = self._calibration(context, f"{key}.calibration", given, anchor.data)
        sent = file_points(context, f"{key}.file_codecs", given, anchor)
        reckoned = self.latency(context, f"{key}.latency", given)
        of_whole = model_points(context, f"{key}.codecs", of_models, anchor, calibration)
        looking = [of for *_, of in sources if of], [p for p in of_whole if p.calibration]
        if calibration and not any(looking):
            context.fail(f"{key}.calibration", IGNORED)
        return CodedStudy(
            *(name, self, anchor, points, overlays, calibration, sent, reckoned),
            *(self.providers(given), of_whole, given.get("max_loss")),
        )

    def parted(self, given: list[Any]) -> tuple[list[Any], list[Any]]:
        """Return the codecs that take tensors, and those that take a model; by default none do."""
        return given, []

    def latency(self, context: Context, key: str, given: Mapping[str, Any]) -> Latency | None:
        """Return what latencies are reckoned for; by default there are none."""
        del context, key, given
        return None

    def providers(self, given: Mapping[str, Any]) -> Providers:
        """Return what runs source and sink; by default a GPU if there is one."""
        del given
        return Providers()

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
        return Anchor(model.model, data, self.runtime(family), self.providers(given).part2)

    def _calibration(
        self, context: Context, key: str, given: Mapping[str, Any], scored: Selection
    ) -> Selection | None:
        """Return the items that are looked at: of a part 'valid', or those that are not scored."""
        if "calibration" not in given:
            return None
        data = selection(context, key, given["calibration"], shard_size=1 << 30)
        if context.sheets.datasets[data.dataset].part == "valid":
            return data
        if data.dataset != scored.dataset:
            reason = f"{data.dataset} is not a part 'valid', nor is it the dataset that is scored"
            context.fail(f"{key}.dataset", reason)
        left = context.sheets.datasets[data.dataset].items - scored.count
        if data.items is None or data.items > left:
            reason = (
                f"of {data.dataset}, {left} items are not scored; 'items' says how many to take"
            )
            context.fail(key, reason)
        return replace(data, without=scored.id)

    def _overlays(
        self,
        context: Context,
        key: str,
        given: Mapping[str, Any],
        sources: list[tuple[str, Split | None, Operation | None]],
        points: list[Point],
    ) -> list[Point]:
        splits = [split for _, split, _ in sources if split]
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
