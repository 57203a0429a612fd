"""Draw one of the plots from a study's table of points."""

import argparse
from pathlib import Path

from nnrd.report.plots import REGISTRY, style


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("plot", help="its name, such as accuracy_bytes")
    parser.add_argument("--points", type=Path, required=True, help="a study's table of points")
    parser.add_argument("--out", type=Path, nargs="+", required=True, help=".pdf, .svg, .png")


def main(args: argparse.Namespace) -> None:
    """Write the plot in each format asked for."""
    style.apply()
    style.save(REGISTRY.get(args.plot)().draw(*style.read_points(args.points)), args.out)
