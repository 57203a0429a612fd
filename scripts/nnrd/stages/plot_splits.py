"""Plot bytes and branches over all ranks of a model."""

import argparse
from pathlib import Path

from nnrd.report.plots import style
from nnrd.report.splits import plots
from nnrd.report.splits.tables import first_input, read


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("splits", type=Path, help="a table that tabulate_splits.py wrote")
    parser.add_argument("--out", type=Path, nargs="+", required=True, help=".pdf, .svg, .png")


def main(args: argparse.Namespace) -> None:
    """Write the plot in each format asked for; of several inputs, the first is shown."""
    found = first_input(read(args.splits))
    title = f"{args.splits.stem}, {found.input[0]}"
    style.save(plots.ranks(found, title), args.out)
