"""Draw one of the plots of what a study's models cost."""

import argparse
from pathlib import Path

from nnrd.core.registry import named
from nnrd.report.plots import style
from nnrd.report.profile import table

PLOTS = ("latency", "energy", "parameters", "accuracy")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("plot", choices=PLOTS, help="its name")
    parser.add_argument("--profile", type=Path, required=True, help="the study's table profile")
    words = "the study's table parameters"
    parser.add_argument("--parameters", type=Path, required=True, help=words)
    parser.add_argument("--out", type=Path, nargs="+", required=True, help=".pdf, .svg, .png")


def main(args: argparse.Namespace) -> None:
    """Write the plot in each format asked for."""
    style.apply()
    draw = named(f"nnrd.report.profile.{args.plot}:draw")
    style.save(draw(table.read(args.profile), table.read(args.parameters)), args.out)
