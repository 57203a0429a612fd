"""Make a page with a tab a model: bytes and branches over its ranks, to look around in."""

import argparse
from pathlib import Path

from nnrd.core.files import complete_file
from nnrd.core.options import named_rate
from nnrd.report.splits import pages
from nnrd.report.splits.tables import first_input, read


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    splits = "tables that tabulate_splits.py wrote, named as the models"
    parser.add_argument("--splits", type=Path, nargs="+", required=True, help=splits)
    rates = "show latencies at these rates in bit/s, such as 1gbps=1000000000"
    parser.add_argument("--rates", nargs="+", default=[], metavar="NAME=BIT/S", help=rates)
    parser.add_argument("--title", default="Splits", help="what the page is called")
    parser.add_argument("--out", type=Path, required=True, help=".html")


def main(args: argparse.Namespace) -> None:
    """Write the page; of several inputs of a model, the first is shown."""
    tables = {path.stem: first_input(read(path)) for path in args.splits}
    page = pages.splits(tables, dict(map(named_rate, args.rates)), args.title)
    with complete_file(args.out) as temporary:
        temporary.write_text(page, encoding="utf-8")
