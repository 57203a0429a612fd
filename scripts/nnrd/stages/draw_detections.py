"""Draw ground truth (white) and predictions (coloured) over an image, a folder or a video."""

import argparse
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nnrd.core.errors import UserError
from nnrd.core.progress import Count
from nnrd.datasets import box_files, coco_json, frames, text_boxes
from nnrd.datasets import labels as label_files
from nnrd.datasets.bad import Bad
from nnrd.datasets.frames import Frame
from nnrd.datasets.index import Index
from nnrd.datasets.labels import Labels
from nnrd.report import drawing, drawn
from nnrd.stages import arguments
from nnrd.stages.steps import say
from nnrd.tasks.detection import SURE

EXAMPLES = """examples:
  nnrd draw photos/ --predictions boxes/ --out drawn/
  nnrd draw street.mp4 --annotations truth.json --predictions found.json --out drawn.mp4
"""
Rows = list[dict[str, Any]]
Boxes = Callable[[Frame], Rows | None]  # of an image; None where a file says nothing of it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, EXAMPLES
    arguments.add_source(parser)
    arguments.add_boxes(parser)
    found = "COCO's results, a folder of text files, or one: label x1 y1 x2 y2 score"
    parser.add_argument("--predictions", type=Path, help=found)
    truth = "COCO's ground truth, or text: label x1 y1 x2 y2"
    parser.add_argument("--annotations", type=Path, help=truth)
    least = f"the least score that is drawn ({SURE:g})"
    parser.add_argument("--threshold", type=float, default=SURE, help=least)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--out", type=Path, help="a folder, an image, or a video (.avi, .mp4)")
    where.add_argument("--show", action="store_true", help="in a window; q ends it")


def main(args: argparse.Namespace) -> None:
    """Draw image by image."""
    source, bad = frames.source(args.source), Bad(args.skip_bad)
    layers, labels = _layers(args)
    wait = round(1e3 / source.fps) if source.fps else 0
    missing: Counter[str] = Counter()
    target = drawn.window("nnrd draw", wait) if args.show else drawn.writer(args.out, source)
    count = Count("images", of=source.count)
    with target as write:
        for frame in source.frames(bad, args.frames):
            found = {name: boxes(frame) for name, boxes in layers.items()}
            missing.update(name for name, rows in found.items() if rows is None)
            rows = [row for some in found.values() for row in some or ()]
            write(frame.item.name, _drawn(args, frame, rows, labels))
            count.more()
    count.end()
    for name, images in missing.items():
        say(f"{images} of {count.done} images have no {name}")
    print(f"{count.done} images{f' ({len(bad.skipped)} skipped)' if bad.skipped else ''}")


def _drawn(args: argparse.Namespace, frame: Frame, rows: Rows, labels: Labels) -> np.ndarray:
    """Return an image with its boxes; UserError, naming file and image, for masks that are none."""
    try:
        return drawing.boxes(frame.pixels, rows, labels.name)
    except UserError as error:
        raise UserError(f"{args.predictions}: {frame.item.name}: {error}") from None


def _layers(args: argparse.Namespace) -> tuple[dict[str, Boxes], Labels]:
    """Return what is drawn, the first first, and what the labels mean."""
    if not (args.annotations or args.predictions):
        raise UserError("nothing to draw: give --annotations, --predictions, or both")
    layers: dict[str, Boxes] = {}
    index, labels = None, label_files.read(args.labels)
    if args.annotations and not box_files.is_text(args.annotations):
        index, labels = box_files.truth(args.annotations, args.labels, args.unit)
        layers["annotations"] = _objects(index)
    elif args.annotations:
        layers["annotations"] = _text(args, args.annotations, labels, scored=False)
    if args.predictions and not box_files.is_text(args.predictions):
        layers["predictions"] = _results(args, index, labels)
    elif args.predictions:
        layers["predictions"] = _text(args, args.predictions, labels, scored=True)
    return layers, labels


def _objects(index: Index) -> Boxes:
    objects = {item.name: item.facts["objects"] for item in index.items}
    return lambda frame: objects.get(frame.item.name)


def _text(args: argparse.Namespace, path: Path, labels: Labels, scored: bool) -> Boxes:
    files = text_boxes.files(path)

    def boxes(frame: Frame) -> Rows | None:
        if frame.item.name not in files:
            return None
        size = (frame.item.facts["width"], frame.item.facts["height"])
        rows = text_boxes.read(files[frame.item.name], labels, size, args.unit, scored)
        return [row for row in rows if not scored or row["score"] >= args.threshold]

    return boxes


def _results(args: argparse.Namespace, index: Index | None, labels: Labels) -> Boxes:
    """Return COCO's results by a ground truth's image ids, or by the number of the image."""
    found: dict[int, Rows] = {}
    for _, row in coco_json.results(args.predictions):
        if row["score"] >= args.threshold:
            found.setdefault(row["image_id"], []).append(box_files.relabelled_row(row, labels))
    ids = {item.name: item.facts["image_id"] for item in index.items} if index else None

    def boxes(frame: Frame) -> Rows | None:
        number = frame.item.facts["image_id"] if ids is None else ids.get(frame.item.name)
        return None if number is None else found.get(number, [])

    return boxes
