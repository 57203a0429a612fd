"""Tabulate what an item takes over links of some rates: device, encoding, sending, network."""

import argparse
from pathlib import Path

from nnrd.analysis.latency import Circumstances
from nnrd.core import lineage
from nnrd.core.files import complete_file
from nnrd.core.options import named_rate
from nnrd.report import latency_table, tables
from nnrd.stages import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--points", type=Path, required=True, help="a study's table of points")
    parser.add_argument("--items", type=Path, help="its table of items, for intervals")
    rates = "of links, NAME=BIT/S, such as lan=1Gbit"
    parser.add_argument("--rates", type=named_rate, nargs="+", required=True, help=rates)
    arguments.add_circumstances(parser)
    parser.add_argument("--latency", type=Path, required=True, help="CSV file to write")
    arguments.add_sums(parser)


def main(args: argparse.Namespace) -> None:
    """Write the table as CSV."""
    points = tables.read(args.points)
    items = tables.read(args.items) if args.items else None
    metric = latency_table.metric_of(points, args.metric)
    given = Circumstances(dict(args.rates), args.round_trip, args.device_slowdown)
    found = latency_table.of_study(points, items, metric, given, args.max_loss)
    with complete_file(args.latency) as temporary:
        found.to_csv(temporary, index=False, float_format=tables.DIGITS)
    if args.sums:
        lineage.write_beside(args.latency, [args.points, *([args.items] if args.items else [])])
