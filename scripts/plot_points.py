"""Draw one of the plots of nnrd.plots from a study's table of points."""

import argparse
from pathlib import Path

from nnrd import plots, program
from nnrd.plots import style


def main(args: argparse.Namespace) -> None:
    """Write the plot in each format asked for."""
    plot = plots.find(args.plot)
    style.save(plot.draw(*style.read_points(args.points)), args.out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plot", help="its module, such as accuracy_bytes")
    parser.add_argument("--points", type=Path, required=True, help="a study's table of points")
    parser.add_argument("--out", type=Path, nargs="+", required=True, help=".pdf, .svg, .png")
    program.run(main, parser)
