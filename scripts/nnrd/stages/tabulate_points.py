"""Put a study's records into its two tables: points and items."""

import argparse
from pathlib import Path

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
    parser.add_argument("--points", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--items", type=Path, required=True, help="CSV file to write")
    arguments.add_sums(parser)


def main(args: argparse.Namespace) -> None:
    """Write both tables as CSV."""
    lines = args.records.read_text(encoding="utf-8").split("\n")
    files = {Path(line): read_record(line) for line in lines if line}
    if not files:
        raise UserError(f"{args.records}: lists no records")
    lineage.verify_origin(files, lineage.sums(files))
    records = list(files.values())
    found = {
        args.points: tables.points(args.study, records, args.uncompressed),
        args.items: tables.item_table(args.study, records, args.uncompressed),
    }
    for path, table in found.items():
        with complete_file(path) as temporary:
            table.to_csv(temporary, index=False, float_format=tables.DIGITS)
        if args.sums:
            lineage.write_beside(path, files)
