"""Put a study's records into its two tables: points and items."""

import argparse
from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.core.files import complete_file, read_record
from nnrd.report import tables


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--study", required=True, help="the study's name")
    parser.add_argument("--records", type=Path, required=True, help="list of point.json files")
    parser.add_argument("--points", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--items", type=Path, required=True, help="CSV file to write")


def main(args: argparse.Namespace) -> None:
    """Write both tables as CSV."""
    files = args.records.read_text(encoding="utf-8").split("\n")
    records = [read_record(file) for file in files if file]
    if not records:
        raise UserError(f"{args.records}: lists no records")
    for path, table in ((args.points, tables.points), (args.items, tables.item_table)):
        with complete_file(path) as temporary:
            table(args.study, records).to_csv(temporary, index=False)
