"""Set published tables of splits beside ours, or inputs beside each other."""

import argparse
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from nnrd.core import lineage
from nnrd.core.errors import UserError
from nnrd.core.files import complete_file
from nnrd.core.options import named_rate
from nnrd.datasets import published
from nnrd.report.plots import style
from nnrd.report.splits import comparison, plots
from nnrd.report.splits.tables import page, read
from nnrd.stages import arguments

Compared = tuple[pd.DataFrame, Callable[[pd.DataFrame, str], Figure]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    what = "ranks of one model, largest numbers of branches of several models, or several inputs"
    parser.add_argument("comparison", choices=COMPARISONS, help=what)
    splits = "tables that tabulate_splits.py wrote; for branches, named as the models"
    parser.add_argument("--splits", type=Path, nargs="+", required=True, help=splits)
    parser.add_argument("--published", type=Path, help="the published table, as CSV")
    rates = "for ranks: the rates of its latencies in bit/s"
    parser.add_argument("--rates", nargs="+", default=[], metavar="NAME=BIT/S", help=rates)
    parser.add_argument("--ranks", type=int, nargs="+", default=[], help="for inputs: the splits")
    parser.add_argument("--title", default="Splits", help="what the page and the plot are called")
    parser.add_argument("--table", type=Path, nargs="+", required=True, help=".csv, .html")
    arguments.add_sums(parser)
    parser.add_argument("--plot", type=Path, nargs="+", default=[], help=".pdf, .svg, .png")


def main(args: argparse.Namespace) -> None:
    """Compare and write."""
    for path in args.table:
        if path.suffix not in (".csv", ".html"):
            raise UserError(f"{path}: tables end in .csv, .html")
    found, draw = COMPARISONS[args.comparison](args)
    for path in args.table:
        is_page = path.suffix == ".html"
        text = page(found, args.title) if is_page else found.to_csv(index=False)
        with complete_file(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        if args.sums and not is_page:
            lineage.write_beside(path, args.splits)
    if args.plot:
        style.save(draw(found, args.title), args.plot)


def ranks(args: argparse.Namespace) -> Compared:
    """Compare the rows of one model."""
    if len(args.splits) != 1:
        raise UserError("ranks are of one model: give one table")
    rates = dict(map(named_rate, args.rates))
    rows = published.read_ranks(_published(args), rates)
    return comparison.ranks(rows, read(args.splits[0]), rates), plots.compared


def branches(args: argparse.Namespace) -> Compared:
    """Compare the largest numbers of branches of several models, named by their files."""
    tables = {path.stem: read(path) for path in args.splits}
    rows = published.read_branches(_published(args), tables)
    return comparison.branches(rows, tables), plots.most_branches


def inputs(args: argparse.Namespace) -> Compared:
    """Compare several inputs at some ranks."""
    found = pd.concat(map(read, args.splits), ignore_index=True)
    return comparison.inputs(found, args.ranks), plots.inputs


COMPARISONS = {"ranks": ranks, "branches": branches, "inputs": inputs}


def _published(args: argparse.Namespace) -> Path:
    if args.published is None:
        raise UserError(f"{args.comparison} needs --published FILE.csv")
    return args.published
