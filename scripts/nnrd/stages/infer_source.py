"""Run a detector on an image, a folder of images or a video: whole, or split with a codec between.

A run is one way through the model: whole, or one split with one codec. Several ranks and codecs
give a run each. What each column of --csv means is in docs/by-hand.md.
"""

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.options import whole_number
from nnrd.core.progress import Count
from nnrd.datasets import coco_json, frames, labels, text_boxes
from nnrd.datasets.bad import Bad
from nnrd.inference import results, written
from nnrd.inference.chain import Passed, Runner
from nnrd.report import drawing, drawn
from nnrd.stages import arguments, by_hand, ways
from nnrd.stages.ways import Way
from nnrd.tasks.detection import SURE

EXAMPLES = """examples:
  nnrd infer photo.jpg --model ssdlite300_mobilenet_v2
  nnrd infer photos/ --model ssdlite300_mobilenet_v2 --rank 50 84 --codec raw \\
      --codec nnc --parameters '{"qp": -26}' --whole --csv runs.csv --text boxes/
  nnrd infer street.mp4 --model detector.onnx --options '{"size": [640, 640]}' --draw found.mp4
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, EXAMPLES
    arguments.add_source(parser)
    arguments.add_boxes(parser)
    by_hand.add_model(parser)
    ways.add_arguments(parser)
    parser.add_argument("--loop", type=whole_number, default=1, metavar="N", help="run N times (1)")
    sure = f"the least score of what is drawn, printed and counted ({SURE:g})"
    parser.add_argument("--threshold", type=float, default=SURE, help=sure)
    _add_outputs(parser)


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "what is written", "of several runs, each under its name: FOLDER/RUN, or FILE-RUN.json"
    )
    group.add_argument("--csv", type=Path, help="a table of the runs: sizes and times")
    lines = f"folder of text files, one an image: {text_boxes.SCORED}"
    group.add_argument("--text", type=Path, metavar="FOLDER", help=lines)
    group.add_argument("--coco", type=Path, metavar="FILE", help="COCO's results, JSON")
    ids = "COCO's ground truth, whose image ids --coco takes by the images' names"
    group.add_argument("--annotations", type=Path, help=ids)
    group.add_argument("--draw", type=Path, metavar="OUT", help="a folder, image or video to draw")
    sent = "folder of what crosses the split, one safetensors file an image"
    group.add_argument("--save-features", type=Path, metavar="FOLDER", help=sent)


def main(args: argparse.Namespace) -> None:
    """Run all runs, one after the other; print a line each."""
    source = frames.source(args.source)
    rows = []
    with tempfile.TemporaryDirectory(prefix="nnrd-") as work:
        model = by_hand.Model(args, Path(work))
        chosen = ways.of(args, model, Path(work))
        if args.save_features and chosen[-1].name == ways.WHOLE:
            raise UserError("--save-features: nothing is split, so nothing crosses")
        for way in chosen:
            rows.append(_run(args, source, model, way, len(chosen) > 1))
            print(_line(rows[-1]))
    if args.csv:
        results.write(args.csv, rows)


def _run(
    args: argparse.Namespace, source: frames.Source, model: by_hand.Model, way: Way, several: bool
) -> dict[str, Any]:
    """Run one way over all images, write what is asked for, and return its row."""
    chain = way.open()
    runner = Runner(model.pipeline, chain, way.whole)
    tally, bad = results.Tally(), Bad(args.skip_bad)
    with _outputs(args, source, way.name, several) as takers:
        for loop in range(args.loop):
            for frame, passed in _passed(source, runner, bad, args.frames):
                tally.add(passed, loop == 0, args.threshold)
                for take in takers if loop == 0 else ():
                    take(frame, passed)
    labelled = {"run": way.name, "source": str(args.source), "kind": source.kind}
    labelled |= {"model": model.row.model, **way.labels, **chain.providers}
    counts = {"threads": args.threads, "loops": args.loop, "skipped": len(bad.skipped)}
    return tally.row(labelled | counts, runner.first)


def _passed(
    source: frames.Source, runner: Runner, bad: Bad, limit: int | None
) -> Iterator[tuple[frames.Frame, Passed]]:
    """Yield the images that can be used, each with what it gave; UserError where none can."""
    count, some = Count("images", of=min(source.count, limit or source.count)), False
    for frame in source.frames(bad, limit):
        try:
            passed = runner(frame)
        except UserError as error:
            name = frame.item.name
            bad.meets(name, UserError(f"{name}: {error}"))
            continue
        some = True
        yield frame, passed
        count.more()
    count.end()
    if not some:
        raise UserError(f"{source.path}: nothing in it can be used")


@contextmanager
def _outputs(
    args: argparse.Namespace, source: frames.Source, run: str, several: bool
) -> Iterator[list[written.Take]]:
    """Yield what takes each image; files appear when the block ends, or not at all."""
    with ExitStack() as stack:
        yield [stack.enter_context(one) for one in _writers(args, source, run, several)]


def _writers(
    args: argparse.Namespace, source: frames.Source, run: str, several: bool
) -> Iterator[AbstractContextManager[written.Take]]:
    known = coco_json.index(args.annotations) if args.annotations else None
    named = labels.read(args.labels, known.categories if known else None)
    if args.text:
        yield written.text(_place(args.text, run, several), named, args.unit)
    if args.coco:
        ids = {i.name: i.facts["image_id"] for i in known.items} if known else None
        yield written.coco(_place(args.coco, run, several), ids)
    if args.save_features and run != ways.WHOLE:
        yield written.features(_place(args.save_features, run, several))
    if args.draw:
        yield _drawer(_place(args.draw, run, several), source, named, args.threshold)
    if source.kind == "image":
        yield nullcontext(_printer(named, args.threshold))


def _place(path: Path, run: str, several: bool) -> Path:
    if not several:
        return path
    return path.with_name(f"{path.stem}-{run}{path.suffix}") if path.suffix else path / run


@contextmanager
def _drawer(
    out: Path, source: frames.Source, named: labels.Labels, threshold: float
) -> Iterator[written.Take]:
    with drawn.writer(out, source) as write:

        def take(frame: frames.Frame, passed: Passed) -> None:
            rows = _sure(passed.detections, threshold)
            write(frame.item.name, drawing.boxes(frame.pixels, rows, named.name))

        yield take


def _printer(named: labels.Labels, threshold: float) -> written.Take:
    """Return what prints the detections of an image, with boxes in pixels."""

    def take(frame: frames.Frame, passed: Passed) -> None:
        for row in _sure(passed.detections, threshold):
            box = " ".join(f"{value:.0f}" for value in row["bbox"])
            print(f"  {named.name(row['category_id'])} {row['score']:.2f}  x y w h: {box}")

    return take


def _sure(rows: Iterable[dict[str, Any]], threshold: float) -> list[dict[str, Any]]:
    return [row for row in rows if row["score"] >= threshold]


def _line(row: dict[str, Any]) -> str:
    skipped = f" ({row['skipped']} skipped)" if row["skipped"] else ""
    mean, first = 1e3 * row["total_time_mean"], 1e3 * row["total_time_first"]
    sent = f"{row['rec_size_mean']:,.0f} of {row['anc_size_mean']:,.0f} bytes an image"
    time = f"{mean:.1f} ms an image, the first {first:.1f} ms"
    return f"{row['run']}: {row['frames']} images{skipped}, {sent}, {time}"
