"""Score predictions with a task's metrics, and print them as JSON with their units.

Ground truth is a dataset's index, COCO's annotations, or text, `label x1 y1 x2 y2`, a file an
image. Predictions are the workflow's, COCO's results, or text with a score behind; each path is a
set of its own, such as that of a split: a file, or a folder of files. Metrics that compare with
the anchor need its predictions, too.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas

from nnrd.core.errors import UserError
from nnrd.core.files import complete_file, read_json, without_nan
from nnrd.datasets import box_files, coco_json, index
from nnrd.datasets import labels as label_files
from nnrd.datasets.labels import Labels
from nnrd.stages import arguments
from nnrd.stages.steps import Rows, read_predictions, say
from nnrd.tasks import REGISTRY, Task

EXAMPLES = """examples:
  nnrd score --annotations truth.json --predictions results.json
  nnrd score --annotations truth/ --predictions rank10/ rank50/ --csv map.csv --plot map.png
"""
ALL = "all classes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, EXAMPLES
    parser.add_argument("--task", default="detection", help=", ".join(REGISTRY.names()))
    arguments.add_truth(parser, "ground truth as COCO's JSON, or text")
    words = "a set each: of the workflow, a JSON list of them, COCO's results, or text"
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help=words)
    parser.add_argument("--anchor", type=Path, help="the anchor's predictions, likewise")
    arguments.add_boxes(parser)
    least = "the score from which on a detection counts in the TR's mAP and against the anchor"
    parser.add_argument("--threshold", type=float, help=f"{least} (0.5)")
    parser.add_argument("--csv", type=Path, help="a table: a row a set and class")
    bars = "bars a class and set: .png, .pdf or .svg"
    parser.add_argument("--plot", type=Path, help=bars)


def main(args: argparse.Namespace) -> None:
    """Print the metrics of each set; write table and plot."""
    task, (truth, labels) = _task(args), _truth(args)
    names = [str(path) for path in args.predictions]
    if len(set(names)) < len(names):
        raise UserError("--predictions: the same path is given twice")
    # Without an anchor what compares with it is left out.
    anchor = _read(args, args.anchor, truth, labels) if args.anchor else None
    found, rows = [], []
    for path in args.predictions:
        ours = _read(args, path, truth, labels)
        found.append(_result(task, truth, ours, anchor, args) | {"predictions": str(path)})
        rows += list(_rows(found[-1]))
    print(json.dumps(without_nan(found[0] if len(found) == 1 else found), indent=1))
    table = pandas.DataFrame(rows)
    if args.csv:
        with complete_file(args.csv) as temporary:
            table.to_csv(temporary, index=False, float_format="%.6g")
    if args.plot:
        _plot(table, task, args.plot)


def _task(args: argparse.Namespace) -> Task:
    task = REGISTRY.get(args.task)()
    if args.threshold is not None:
        if task.threshold is None:
            raise UserError(f"--threshold: the task {args.task} has none")
        task.threshold = args.threshold
    return task


def _truth(args: argparse.Namespace) -> tuple[index.Index, Labels]:
    if args.annotations:
        return box_files.truth(args.annotations, args.labels, args.unit)
    found = index.read(args.index)
    return found, label_files.read(args.labels, found.categories)


def _result(
    task: Task, truth: index.Index, ours: Rows, anchor: Rows | None, args: argparse.Namespace
) -> dict[str, Any]:
    """Return what is printed of a set: its metrics with their units, and those of each class."""
    theirs = ours if anchor is None else anchor
    if missing := {row["item"] for row in ours} - {row["item"] for row in theirs}:
        raise UserError(f"{args.anchor}: no prediction for {min(missing)}")
    found, _ = task.score(truth, theirs, ours)
    metrics = dict(_with_units(task, found, anchor is not None))
    result = {"task": args.task, "items": len(ours), "metrics": metrics}
    classes = task.by_class(truth, ours)
    return result | ({"classes": classes} if classes else {})


def _rows(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table: all classes together, then each."""
    where = {"predictions": result["predictions"], "items": result["items"]}
    values = {name: metric["value"] for name, metric in result["metrics"].items()}
    classes = result.get("classes", [])
    objects = {"objects": sum(row["objects"] for row in classes)} if classes else {}
    yield where | {"label": ALL} | objects | values
    for row in classes:
        yield where | row


def _plot(table: pandas.DataFrame, task: Task, path: Path) -> None:
    from nnrd.report import class_bars
    from nnrd.report.plots import style

    style.save(class_bars.draw(table, task), [path])


def _read(args: argparse.Namespace, path: Path, truth: index.Index, labels: Labels) -> Rows:
    """Return a set of predictions, whatever its form; UserError where it does not fit the truth."""
    if args.task == "detection" and box_files.is_text(path):
        rows = box_files.text_predictions(path, truth, labels, args.unit)
    else:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        rows = _of_files(args, files, truth)
        rows = box_files.relabelled(rows, labels) if args.labels else rows
    checked = _checked(rows, truth, path)
    if left := len(truth.items) - len(checked):
        say(f"{path}: {left} of {len(truth.items)} items have no predictions and are left out")
    return checked


def _of_files(args: argparse.Namespace, files: list[Path], truth: index.Index) -> Rows:
    """Return the predictions of JSON files that belong together, such as shards."""
    contents = [read_json(file) for file in files]
    if args.annotations and all(map(_is_coco, contents)):
        return coco_json.predictions(files, truth)
    return [
        row for file, content in zip(files, contents, strict=True) for row in _own(file, content)
    ]


def _is_coco(content: Any) -> bool:
    return isinstance(content, list) and not any(
        isinstance(r, dict) and "item" in r for r in content
    )


def _own(file: Path, rows: Any) -> Rows:
    """Return the predictions of a file that the workflow or a person wrote."""
    if isinstance(rows, dict):
        return read_predictions([file])
    if not isinstance(rows, list) or not all(isinstance(r, dict) and "item" in r for r in rows):
        raise UserError(f"{file}: not a list of predictions, each with its item")
    return rows


def _checked(rows: Rows, truth: index.Index, path: Path) -> Rows:
    left = {item.name: True for item in truth.items}
    for row in rows:
        if row["item"] not in left:
            raise UserError(f"{path}: {row['item']} is not in the ground truth")
        if not left[row["item"]]:
            raise UserError(f"{path}: {row['item']} is given twice")
        left[row["item"]] = False
    if not rows:
        raise UserError(f"{path}: no predictions")
    return rows


def _with_units(task: Task, found: dict[str, Any], anchored: bool) -> Iterator[tuple[str, dict]]:
    """Yield each number with its unit; what is known of the metrics says which."""
    columns = {
        name: (metric.unit, to_anchor)
        for metric in (*task.metrics, *task.others)
        for name, to_anchor in metric.columns()
    }
    for name, value in found.items():
        if name not in columns:
            unit = {"unit": "count"} if name in task.count_columns else {}
            yield name, {"value": value} | unit
            continue
        unit_of, to_anchor = columns[name]
        if anchored or not to_anchor:
            yield name, {"value": value, "unit": unit_of}
