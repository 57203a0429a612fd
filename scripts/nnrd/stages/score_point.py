"""Score a point's predictions, and gather all that was measured of it into one record."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nnrd.core import lineage
from nnrd.core.files import read_record, write_record
from nnrd.core.options import json_object
from nnrd.datasets import index
from nnrd.report import records
from nnrd.stages import arguments, steps
from nnrd.tasks import REGISTRY, Task

# Options that name records with what they were made from, and other files.
RECORDS = ("split", "source", "encoded", "decoded", "inferred", "anchor_record")
OTHERS = ("index", "anchor", "predictions")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    arguments.take_from_files(parser)
    parser.add_argument("--task", required=True, help="the task's name")
    label = "what the point is: model, dataset, codec, parameters, as JSON"
    parser.add_argument("--point", type=json_object, required=True, help=label)
    parser.add_argument("--index", type=Path, required=True, help="the dataset's index")
    parser.add_argument("--split", type=Path, help="the split's JSON file")
    parser.add_argument("--anchor-record", type=Path, help="the anchor's record")
    for name, words in {
        "anchor": "the anchor's predictions, a file a shard",
        "source": "times of the source",
        "encoded": "sizes and times of encoding",
        "decoded": "times of decoding, where that was a step of its own",
        "predictions": "the point's predictions; none of a bound on the rate",
        "inferred": "their times",
    }.items():
        parser.add_argument(f"--{name}", type=Path, nargs="+", help=words)
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")


def main(args: argparse.Namespace) -> None:
    """Write the record: the point's row, a row for each item, and what made them."""
    given = [file for name in (*RECORDS, *OTHERS) for file in _files(args, name)]
    _verify(args, given)
    task = REGISTRY.get(args.task)()
    measured = {name: _read(getattr(args, name)) for name in records.STEPS}
    found = index.read(args.index)
    metrics, rows = _scored(args, task, measured, found)
    # A split's name is the user's own word for it, where there is one.
    point = {"task": args.task} | _split_columns(args.split) | args.point
    point |= {"metric_name": task.metric.name, "rec_perf": metrics.pop(task.metric.name)}
    point |= records.measured(measured) | metrics
    # Without a record of the anchor this is the anchor's.
    held = read_record(args.anchor_record)["point"] if args.anchor_record else point
    if args.encoded and point["anc_size"] is None:  # a codec took the model as a whole
        point |= records.held_size(point, held)
    if args.predictions and point.get("runtime") == held.get("runtime"):
        names = ("its anchor", f"{args.out}: the point")
        records.same_device(held, point, *names, records.ROW_DEVICE)
    point |= {"anc_perf": held["rec_perf"], "anc_eval_time": held["rec_eval_time"]}
    point |= {"anc_provider": held["provider"], "skipped": len(found.skipped)}
    made = {name: step["made"] for name, step in measured.items() if step}
    record = {"point": point, "items": records.items(rows, measured), "made": made}
    write_record(args.out, record | lineage.of([], given))


def _files(args: argparse.Namespace, name: str) -> list[Path]:
    found = getattr(args, name) or []
    return found if isinstance(found, list) else [found]


def _verify(args: argparse.Namespace, given: Iterable[Path]) -> None:
    """Refuse whole files that do not belong together, such as those of another point.

    Each record has to be made from the others that are given, and predictions by the step whose
    times are beside them.
    """
    found = {file: read_record(file) for name in RECORDS for file in _files(args, name)}
    names = ["source", "split"]
    names += ["index", "encoded", "decoded"] if args.predictions else []
    names += ["anchor"] if args.predictions and args.anchor_record else []
    used = [file for name in names for file in _files(args, name)]
    lineage.verify_origin(found, lineage.sums(given), used)
    for predictions, times in zip(args.predictions or [], args.inferred or [], strict=True):
        lineage.verify_made(predictions, times)


def _scored(
    args: argparse.Namespace, task: Task, measured: dict[str, Any], found: index.Index
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return metrics and a row an item; of a bound on the rate, what was coded."""
    if args.predictions:
        return task.score(found, *map(steps.read_predictions, (args.anchor, args.predictions)))
    coded = {row["item"] for row in (measured["encoded"] or {"rows": []})["rows"]}
    rows = [{"item": item.name} for item in found.items if item.name in coded]
    return {task.metric.name: None}, rows


def _read(files: list[Path] | None) -> dict[str, Any] | None:
    """Return a step's files joined; None where the point has no such step."""
    return steps.read_step(files) if files else None


def _split_columns(file: Path | None) -> dict[str, Any]:
    """Return the columns that say where the model was split."""
    if file is None:
        return {}
    plan = read_record(file)
    return {"split": plan["rank"], "split_name": plan["node_name"], "branches": plan["branches"]}
