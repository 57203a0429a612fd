"""Score a point's predictions, and gather all that was measured of it into one record."""

import argparse
import json
from pathlib import Path

from nnrd import program, records, tasks


def main(args: argparse.Namespace) -> None:
    """Write the record: the point's row, and a row for each item."""
    task = tasks.find(args.task)
    anchor, predictions = predictions_of(args.anchor), predictions_of(args.predictions)
    truth = task.truth(args.index, args.annotations)
    metrics, rows = task.score(truth, anchor, predictions)
    steps = {name: read(getattr(args, name)) for name in records.STEPS}
    point = json.loads(args.point) | {"task": args.task, **split_columns(args.split)}
    point |= {"metric_name": task.METRIC, "rec_perf": metrics.pop(task.METRIC)}
    point |= records.measured(steps) | metrics
    # Without a record of the anchor this is the anchor's.
    held = program.read_json(args.anchor_record)["point"] if args.anchor_record else point
    point |= {"anc_perf": held["rec_perf"], "anc_eval_time": held["rec_eval_time"]}
    program.write_json(args.out, {"point": point, "items": records.items(rows, steps)})


def predictions_of(files: list[Path]) -> list[dict]:
    """Return the predictions of all shards."""
    return [row for file in files for row in program.read_json(file)]


def read(files: list[Path] | None) -> dict | None:
    """Return a step's files, one a shard, joined; None where the point has no such step."""
    return records.merge(program.read_json(file) for file in files) if files else None


def split_columns(file: Path | None) -> dict:
    """Return the columns that say where the model was split."""
    if file is None:
        return {}
    plan = program.read_json(file)
    return {"split": plan["rank"], "split_name": plan["node_name"], "branches": plan["branches"]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", required=True, help="module of nnrd.tasks")
    parser.add_argument("--point", required=True, help="model, dataset, codec, parameters as JSON")
    parser.add_argument("--index", type=Path, required=True, help="the dataset's index")
    parser.add_argument("--annotations", type=Path, required=True, help="its ground truth")
    parser.add_argument("--split", type=Path, help="the split's JSON file")
    parser.add_argument("--anchor-record", type=Path, help="the anchor's record")
    for name, words in {
        "anchor": "the anchor's predictions, a file a shard",
        "source": "times of the source",
        "encoded": "sizes and times of encoding",
        "predictions": "the point's predictions",
        "inferred": "their times",
    }.items():
        parser.add_argument(f"--{name}", type=Path, nargs="+", help=words)
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    program.run(main, parser)
