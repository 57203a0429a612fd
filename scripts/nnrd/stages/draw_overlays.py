"""Draw the anchor's detections and a point's, side by side on the images that differ most."""

import argparse
from pathlib import Path

from nnrd.datasets import index
from nnrd.report.plots import overlays, style
from nnrd.stages import arguments, steps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    arguments.take_from_files(parser)
    parser.add_argument("--index", type=Path, required=True, help="the dataset's index")
    for name, whose in (("anchor", "the anchor's"), ("point", "the point's")):
        text = f"{whose} predictions"
        parser.add_argument(f"--{name}", type=Path, nargs="+", required=True, help=text)
    parser.add_argument("--title", required=True, help="what the point is called")
    parser.add_argument("--images", type=int, default=4, help="how many to draw (default 4)")
    parser.add_argument("--out", type=Path, required=True, help="PNG file to write")


def main(args: argparse.Namespace) -> None:
    """Write the picture."""
    found = index.read(args.index)
    anchor, point = (
        {row["item"]: row for row in steps.read_predictions(files)}
        for files in (args.anchor, args.point)
    )
    chosen = overlays.choose(found.items, anchor, point, args.images)
    figure = overlays.draw(chosen, anchor, point, found.categories, args.title)
    style.save(figure, [args.out])
