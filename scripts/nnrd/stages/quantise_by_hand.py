"""Quantise a model to INT8 and evaluate it before and after; docs/int8.md explains the words.

Of the data some items are drawn to calibrate with, and the rest is scored, unless --calibration
names others; none is both.
"""

import argparse
import csv
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.files import complete_file
from nnrd.core.options import json_object, whole_number
from nnrd.core.progress import Count
from nnrd.datasets.index import Draw, Index, Item
from nnrd.models.pipeline import Pipeline, Run
from nnrd.quantisation import graphs, process
from nnrd.quantisation.backends import REGISTRY
from nnrd.quantisation.layers import Layer
from nnrd.quantisation.process import Evaluation, Quantised
from nnrd.quantisation.settings import Settings
from nnrd.quantisation.task_metric import TaskMetric
from nnrd.stages import by_hand, by_hand_data
from nnrd.stages.model_runs import Items, PipelineEngine
from nnrd.stages.steps import say

EXAMPLES = """examples:
  nnrd quantise mobilenet_v2 --data imagenet_images --backend ort_static --out int8/
  nnrd quantise detector.onnx --options '{"size": [640, 640]}' --data photos/ \\
      --backend nncf_openvino --parameters '{"preset": "mixed"}' --out int8/ --csv layers.csv
"""
WORST = 10  # layers that are printed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, EXAMPLES
    parser.add_argument("model", metavar="MODEL", help=by_hand.MODEL_WORDS)
    by_hand.add_sheets(parser)
    words = "a dataset of the sheets by its name, or a folder of images"
    parser.add_argument("--data", required=True, metavar="NAME|FOLDER", help=words)
    parser.add_argument("--annotations", type=Path, help="of a folder's images, COCO's JSON")
    apart = "calibrate with these items instead of some of --data"
    parser.add_argument("--calibration", metavar="NAME|FOLDER", help=apart)
    few = "how many items to calibrate with (the half of --data, at most subset_size)"
    parser.add_argument("--calibration-items", type=whole_number, metavar="N", help=few)
    names = ", ".join(REGISTRY.names())
    parser.add_argument("--backend", required=True, metavar="NAME", help=names)
    more = "its other parameters as a JSON object"
    parser.add_argument("--parameters", type=json_object, default={}, metavar="JSON", help=more)
    metric = "such as F1; by default the task's, or without ground truth that against the float"
    parser.add_argument("--metric", help=metric)
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of files to write")
    parser.add_argument("--csv", type=Path, help="a table of the layers by their error")


def main(args: argparse.Namespace) -> None:
    """Write the quantised model; print how good, how large and how fast it is."""
    settings = Settings.of({"backend": args.backend} | args.parameters)
    backend = REGISTRY.get(settings.backend)()
    backend.require(settings.backend)
    with tempfile.TemporaryDirectory(prefix="nnrd-") as work:
        model = by_hand.Model(args, Path(work), task=None)
        calibration, scored = _parts(args, model, settings, Path(work))
        trial = _Trial(model.around, scored, args.metric)
        runtime = graphs.ONNXRUNTIME if backend.suffix == ".onnx" else graphs.OPENVINO
        floats = model.graphs
        before = trial.run(_opened(floats, args.threads, graphs.FLOAT32, runtime), "before")
        made = _quantised(args, model, calibration, settings, trial)
        after = trial.run(_opened(made.files, args.threads), "after")
        _print(trial, before, after, made)
        if args.csv:
            _write(args.csv, made.layers)


def _opened(files: Mapping[str, Path], threads: int, *how: str) -> dict[str, Run]:
    return {name: graphs.open_graph(file, threads, *how) for name, file in files.items()}


def _parts(
    args: argparse.Namespace, model: by_hand.Model, settings: Settings, work: Path
) -> tuple[Index, Index]:
    """Return the items to calibrate with, and those to score; UserError where one is both."""
    given = (model.sheets, args.folder, work / "data")
    found = by_hand_data.index(args.data, args.annotations, *given)
    if args.calibration is None:
        most = min(settings.subset_size, len(found.items) // 2)
        count = args.calibration_items or most
        if not 0 < count < len(found.items):
            reason = f"{len(found.items)} items, {count} to calibrate with: none is left to score"
            raise UserError(f"--data {args.data}: {reason}" if count else f"--data: {reason}")
        drawn = _drawn(found, count)
        names = {item.name for item in drawn.items}
        rest = [item for item in found.items if item.name not in names]
        return drawn, replace(found, items=rest)
    others = by_hand_data.index(args.calibration, None, *given)
    drawn = _drawn(others, args.calibration_items or settings.subset_size)
    sums = {item.checksum: item.name for item in found.items}
    both = [item.name for item in drawn.items if item.checksum in sums]
    if both:
        raise UserError(f"--calibration {args.calibration}: {both[0]} is also scored")
    return drawn, found


def _drawn(found: Index, count: int) -> Index:
    return replace(found, items=Draw(count=count)(found.items, lambda item: item.name))


class _Counted(PipelineEngine):
    """Counts the items."""

    def __init__(self, pipeline: Pipeline, count: Count) -> None:
        super().__init__(pipeline)
        self.count = count

    def predict(self, graphs: Mapping[str, Run], data: Item) -> dict[str, Any]:
        """Return the prediction of an item as its task scores it."""
        found = super().predict(graphs, data)
        self.count.more()
        return found


class _Trial:
    """The items that are scored, before and after; the first time's predictions are the anchor."""

    def __init__(self, pipeline: Pipeline, scored: Index, metric: str | None) -> None:
        self.pipeline, self.scored = pipeline, scored
        self.anchor: Sequence[Any] = ()
        known = TaskMetric(pipeline.task, scored).task
        truth = by_hand_data.has_truth(scored)
        self.metric = metric or (known.metric.name if truth else known.metrics[-1].name)
        if not truth and not known.named(self.metric).to_anchor:
            raise UserError(f"metric {self.metric}: the data have no ground truth to score against")
        self.scores: dict[str, Any] = {}

    def over(self, found: Index, anchor: Sequence[Any] = ()) -> TaskMetric:
        """Return the metric over items, against predictions of the float model."""
        return TaskMetric(self.pipeline.task, found, self.metric, anchor)

    def run(self, runs: Mapping[str, Run], when: str) -> Evaluation:
        """Evaluate what runs the graphs."""
        metric = self.over(self.scored, self.anchor)
        count = Count(f"items scored {when}", of=len(self.scored.items))
        engine, items = _Counted(self.pipeline, count), Items(self.scored.items)
        found = process.evaluate(engine, runs, items, metric)
        count.end()
        self.anchor = self.anchor or metric.predictions
        self.scores = metric.scores()
        return found


def _quantised(
    args: argparse.Namespace,
    model: by_hand.Model,
    calibration: Index,
    settings: Settings,
    trial: _Trial,
) -> Quantised:
    say(f"{settings.backend}: calibrates with {len(calibration.items)} items")
    count = Count("items run to calibrate")
    engine, items = _Counted(model.around, count), Items(calibration.items)
    metric = trial.over(calibration)
    if settings.accuracy_control:  # which may hold predictions against the float model's
        process.evaluate(engine, _opened(model.graphs, args.threads), items, metric)
        metric = trial.over(calibration, metric.predictions)
    given = (model.graphs, engine, items, metric, settings, args.out, args.threads)
    found = process.quantise(*given)
    count.end()
    return found


def _print(trial: _Trial, before: Evaluation, after: Evaluation, made: Quantised) -> None:
    metric, ends = trial.over(trial.scored), _interval(trial)
    print(f"{metric.name}: {before.avg:.4g} before, {after.avg:.4g} after ({metric.unit}){ends}")
    print(f"items scored: {len(after.per_sample)}")
    for graph in made.files:
        of = f" of graph {graph}" if len(made.files) > 1 else ""
        print(f"ms a run{of}: {before.ms[graph]:.2f} before, {after.ms[graph]:.2f} after")
    size = sum(file.stat().st_size for file in made.floats.values())
    for name, count in made.sizes.items():
        print(f"{name}: {count:,} bytes, {count / size:.3f} of the float files' {size:,}")
    for layer in (layer for report in made.report.values() for layer in report.reverted):
        print(f"back to float: {layer}")
    print(f"{len(made.layers)} layers are quantised; the worst by the error of their output:")
    for row in made.layers[:WORST]:
        print(f"  {row.sqnr_db:6.1f} dB  nmse {row.nmse:.3g}  {row.type}  {row.layer}")


def _interval(trial: _Trial) -> str:
    """Return the 95 % interval of what was lost, where the task has one."""
    name = trial.metric if f"{trial.metric}_low" in trial.scores else ""
    if f"{trial.metric}_difference_low" in trial.scores:
        name, what = f"{trial.metric}_difference", "of the difference "
    else:
        what = ""
    if not name:
        return ""
    low, high = (trial.scores[f"{name}_{end}"] for end in ("low", "high"))
    return f", 95 % interval {what}{low:.3g} to {high:.3g}"


def _write(file: Path, layers: Sequence[Layer]) -> None:
    with complete_file(file) as temporary, temporary.open("w", newline="") as table:
        writer = csv.DictWriter(table, [field.name for field in fields(Layer)])
        writer.writeheader()
        writer.writerows(map(asdict, layers))
