"""Put a study's records into its two tables: points and items."""

import argparse
from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.core.files import complete_file, read_record
from nnrd.report import tables
from nnrd.report.records import ANCHOR_SIZES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--study", required=True, help="the study's name")
    parser.add_argument("--records", type=Path, required=True, help="list of point.json files")
    sent = "what an anchor of the study sends without compression"
    parser.add_argument("--uncompressed", choices=ANCHOR_SIZES, required=True, help=sent)
    parser.add_argument("--points", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--items", type=Path, required=True, help="CSV file to write")


def main(args: argparse.Namespace) -> None:
    """Write both tables as CSV."""
    files = args.records.read_text(encoding="utf-8").split("\n")
    records = [read_record(file) for file in files if file]
    if not records:
        raise UserError(f"{args.records}: lists no records")
    found = {
        args.points: tables.points(args.study, records, args.uncompressed),
        args.items: tables.item_table(args.study, records, args.uncompressed),
    }
    for path, table in found.items():
        with complete_file(path) as temporary:
            table.to_csv(temporary, index=False)
