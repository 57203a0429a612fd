"""Join the tables of several studies into one."""

import argparse
import csv
from contextlib import ExitStack
from pathlib import Path

from nnrd.core import lineage
from nnrd.core.files import complete_file
from nnrd.stages import arguments

LONGEST = 1 << 30  # characters of a value, such as an operating point's parameters


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("tables", type=Path, nargs="+", help="CSV files")
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write")
    arguments.add_sums(parser)


def main(args: argparse.Namespace) -> None:
    """Write one table; columns that a study lacks are left empty."""
    for file in args.tables:
        lineage.verify_beside(file)
    csv.field_size_limit(LONGEST)
    with ExitStack() as opened:
        files = [
            opened.enter_context(Path(file).open(newline="", encoding="utf-8"))
            for file in args.tables
        ]
        # As text, and row by row: a number must not change its digits, nor a length matter.
        tables = [csv.DictReader(file) for file in files]
        columns = dict.fromkeys(name for table in tables for name in table.fieldnames or [])
        temporary = opened.enter_context(complete_file(args.out))
        with temporary.open("w", newline="", encoding="utf-8") as out:
            joined = csv.DictWriter(out, columns, restval="", lineterminator="\n")
            joined.writeheader()
            for table in tables:
                joined.writerows(table)
    if args.sums:
        lineage.write_beside(args.out, args.tables)
