"""Say which split and codec is the fastest within a loss, and from which rate on splitting pays.

It reads a table of points and answers for each study in it that splits a model. Bytes and times are
those that were measured. An example: nnrd advise --rate 50Mbit --max-loss 1
"""

import argparse
from pathlib import Path

import pandas as pd

from nnrd.analysis.latency import Circumstances
from nnrd.core import links
from nnrd.core.errors import UserError
from nnrd.report import advices, latency_table, tables
from nnrd.stages import arguments

TABLE = Path("results/tables/points.csv")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("points", type=Path, nargs="?", default=TABLE, help=f"table, else {TABLE}")
    parser.add_argument("--items", type=Path, help="table of items, else items.csv beside it")
    rate = "of the link, such as 50Mbit, 1Gbit or 500000000"
    parser.add_argument("--rate", type=links.rate, required=True, help=rate)
    arguments.add_circumstances(parser)


def main(args: argparse.Namespace) -> None:
    """Print an answer for each study; UserError where there is none for any."""
    points = tables.read(args.points)
    file = args.items or args.points.with_name("items.csv")
    items = tables.read(file) if args.items or file.exists() else None
    rates = {links.shown(args.rate): args.rate}
    given = Circumstances(rates, args.round_trip, args.device_slowdown)
    for column in ("study", "task"):
        if column not in points:
            raise UserError(f"{args.points}: no column {column}: not a table of points of nnrd")
    answers, reasons = [], []
    for study, rows in points.groupby("study", sort=False):
        try:
            answers.append(_answer(rows, items, given, args))
        except UserError as error:
            reasons.append(f"{study}: {error}")
    if not answers:
        raise UserError(f"{args.points}: {'; '.join(reasons) or 'has no rows'}")
    print("\n\n".join([*answers, *reasons]))


def _answer(
    points: pd.DataFrame, items: pd.DataFrame | None, given: Circumstances, args: argparse.Namespace
) -> str:
    """Return the lines about one study."""
    metric = latency_table.metric_of(points, args.metric)
    table = latency_table.of_study(points, items, metric, given, args.max_loss)
    return "\n".join(advices.lines(table, metric, given, args.max_loss))
