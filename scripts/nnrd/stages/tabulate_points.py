"""Put a study's records into its two tables: points and items."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from nnrd.core import lineage
from nnrd.core.errors import UserError
from nnrd.core.files import complete_file, read_record
from nnrd.report import tables
from nnrd.report.records import ANCHOR_SIZES
from nnrd.stages import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--study", required=True, help="the study's name")
    parser.add_argument("--records", type=Path, required=True, help="list of point.json files")
    sent = "what an anchor of the study sends without compression"
    parser.add_argument("--uncompressed", choices=ANCHOR_SIZES, required=True, help=sent)
    loss = "what a point may lose against the anchor, in the metric's unit: rows say whether it did"
    parser.add_argument("--max-loss", type=float, help=loss)
    parser.add_argument("--points", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--items", type=Path, required=True, help="CSV file to write")
    arguments.add_sums(parser)


def main(args: argparse.Namespace) -> None:
    """Write both tables as CSV; records are read one by one, of which there may be many."""
    lines = args.records.read_text(encoding="utf-8").split("\n")
    files = [Path(line) for line in lines if line]
    if not files:
        raise UserError(f"{args.records}: lists no records")
    points, items = tables.Table(tables.COLUMNS), tables.Table(tables.ITEM_COLUMNS)
    counts = set[str]()
    for file in files:
        record = read_record(file)
        points.see([_point_row(args, record)])
        items.see(tables.item_rows(args.study, record, args.uncompressed))
        counts |= tables.counts(record)
    with _opened(args.points) as first, _opened(args.items) as second:
        write_point, write_item = points.writer(first, counts), items.writer(second, counts)
        sums = lineage.sums(files)
        for file in files:
            record = read_record(file)
            lineage.verify_origin({file: record}, sums)
            write_point(_point_row(args, record))
            for row in tables.item_rows(args.study, record, args.uncompressed):
                write_item(row)
    for path in (args.points, args.items) if args.sums else ():
        lineage.write_beside(path, files)


def _point_row(args: argparse.Namespace, record: lineage.Record) -> tables.Row:
    return tables.point_row(args.study, record, args.uncompressed, args.max_loss)


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """Give a file to write a table into; it gets its name when it is complete."""
    with complete_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        yield file
