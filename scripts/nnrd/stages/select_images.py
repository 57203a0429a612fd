"""List the first images of a dataset on which a detector is perfect, as TR 26.847 chose its 50.

Perfect is who finds every object once, in its category, and nothing else. Images without objects,
where there is nothing to find, are passed over. The list can be the `selection` of a dataset.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.files import complete_file
from nnrd.datasets import coco_json, index
from nnrd.metrics.detection import is_perfect
from nnrd.stages import arguments
from nnrd.stages.steps import read_predictions, say

EXAMPLES = """examples:
  nnrd select --index results/datasets/coco_val2017.json \\
      --predictions results/anchor/MODEL/coco_val2017/onnx/predictions/*-of-100.json \\
      --count 50 --out config/mine.txt
  nnrd select --annotations truth.json --predictions results.json --out perfect.txt
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, EXAMPLES
    arguments.add_truth(parser, "ground truth as COCO's JSON")
    words = "the anchor's predictions, a file a shard; with --annotations, COCO's results"
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help=words)
    parser.add_argument("--count", type=int, help="how many are wanted; all by default")
    least = "the score from which on a detection counts (%(default)s)"
    parser.add_argument("--threshold", type=float, default=0.5, help=least)
    overlap = "the IoU from which on a detection is of an object (%(default)s)"
    parser.add_argument("--iou", type=float, default=0.5, help=overlap)
    parser.add_argument("--out", type=Path, required=True, help="text file: a name a line")


def main(args: argparse.Namespace) -> None:
    """Write the list; UserError where there are not as many such images."""
    _check(args)
    truth, found = _given(args)
    limits = (args.threshold, args.iou)
    seen = [item for item in truth.items if item.name in found]
    perfect = [
        item.name
        for item in seen
        if is_perfect(item.facts["objects"], found[item.name]["detections"], *limits)
    ]
    count = len(perfect) if args.count is None else args.count
    told = f"{len(perfect)} of {len(seen)} images are perfect at score {limits[0]:g}"
    told += f" and IoU {limits[1]:g}"
    if not perfect or len(perfect) < count:
        raise UserError(f"{told}, {args.count or 'at least one'} wanted")
    with complete_file(args.out) as temporary:
        lines = [f"# the first {count}: {told}", *perfect[:count], ""]
        temporary.write_text("\n".join(lines), encoding="utf-8")
    say(f"{args.out}: {count} names; {told}")


def _check(args: argparse.Namespace) -> None:
    if args.count is not None and args.count < 1:
        raise UserError(f"--count: {args.count} is below 1")
    for name in ("threshold", "iou"):
        if not 0 <= getattr(args, name) <= 1:
            raise UserError(f"--{name}: {getattr(args, name)} is not within 0 and 1")


def _given(args: argparse.Namespace) -> tuple[index.Index, dict[str, Mapping[str, Any]]]:
    """Return the ground truth, and the predictions by the item's name."""
    if args.annotations:
        truth = coco_json.index(args.annotations)
        rows: Sequence[Mapping[str, Any]] = coco_json.predictions(args.predictions, truth)
    else:
        truth, rows = index.read(args.index), read_predictions(args.predictions)
    known = {item.name: "objects" in item.facts for item in truth.items}
    for row in rows:
        if not known.get(row["item"]) or "detections" not in row:
            raise UserError(f"{row['item']}: is no image of the ground truth with its objects")
    return truth, {row["item"]: row for row in rows}
