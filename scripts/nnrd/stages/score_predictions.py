"""Score predictions with a task's metrics, and print them as JSON with their units.

What is scored is a task's predictions against a dataset's index, or COCO's results against
COCO's annotations. Metrics that compare with the anchor need its predictions, too.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.files import read_json, without_nan
from nnrd.datasets import coco_json, index
from nnrd.stages.steps import Rows, read_predictions
from nnrd.tasks import REGISTRY, Task


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--task", default="detection", help=", ".join(REGISTRY.names()))
    truth = parser.add_mutually_exclusive_group(required=True)
    truth.add_argument("--index", type=Path, help="a dataset's index, with its ground truth")
    truth.add_argument("--annotations", type=Path, help="ground truth as COCO's JSON")
    words = "of the workflow, a JSON list of them, or COCO's results"
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help=words)
    parser.add_argument("--anchor", type=Path, nargs="+", help="the anchor's predictions")


def main(args: argparse.Namespace) -> None:
    """Print the metrics."""
    task = REGISTRY.get(args.task)()
    truth = index.read(args.index) if args.index else coco_json.index(args.annotations)
    ours = _checked(_read(args, args.predictions, truth), truth, args.predictions)
    # Without an anchor what compares with it is left out.
    theirs = _checked(_read(args, args.anchor, truth), truth, args.anchor) if args.anchor else ours
    if missing := {row["item"] for row in ours} - {row["item"] for row in theirs}:
        raise UserError(f"{args.anchor[0]}: no prediction for {min(missing)}")
    found, _ = task.score(truth, theirs, ours)
    metrics = dict(_with_units(task, found, bool(args.anchor)))
    result = {"task": args.task, "items": len(ours), "metrics": without_nan(metrics)}
    print(json.dumps(result, indent=1))


def _read(args: argparse.Namespace, files: list[Path], truth: index.Index) -> Rows:
    if args.annotations:
        return coco_json.predictions(files, truth)
    return [row for file in files for row in _predictions(file)]


def _predictions(file: Path) -> Rows:
    """Return the predictions of a file that the workflow or a person wrote."""
    rows = read_json(file)
    if isinstance(rows, dict):
        return read_predictions([file])
    if not isinstance(rows, list) or not all(isinstance(r, dict) and "item" in r for r in rows):
        raise UserError(f"{file}: not a list of predictions, each with its item")
    return rows


def _checked(rows: Rows, truth: index.Index, files: list[Path]) -> Rows:
    left = {item.name: True for item in truth.items}
    for row in rows:
        if row["item"] not in left:
            raise UserError(f"{files[0]}: {row['item']} is not in the ground truth")
        if not left[row["item"]]:
            raise UserError(f"{files[0]}: {row['item']} is given twice")
        left[row["item"]] = False
    if not rows:
        raise UserError(f"{files[0]}: no predictions")
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
