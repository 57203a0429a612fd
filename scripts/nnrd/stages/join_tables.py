"""Join the tables of several studies into one."""

import argparse
from pathlib import Path

import pandas

from nnrd.core import lineage
from nnrd.core.files import complete_file
from nnrd.stages import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("tables", type=Path, nargs="+", help="CSV files")
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write")
    arguments.add_sums(parser)


def main(args: argparse.Namespace) -> None:
    """Write one table; columns that a study lacks are left empty."""
    for file in args.tables:
        lineage.verify_beside(file)
    # As text: a number must not change its digits on the way.
    frames = [pandas.read_csv(file, dtype=str, keep_default_na=False) for file in args.tables]
    with complete_file(args.out) as temporary:
        pandas.concat(frames).to_csv(temporary, index=False)
    if args.sums:
        lineage.write_beside(args.out, args.tables)
