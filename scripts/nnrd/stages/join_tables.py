"""Join the tables of several studies into one."""

import argparse
from pathlib import Path

import pandas

from nnrd.core.files import complete_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("tables", type=Path, nargs="+", help="CSV files")
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write")


def main(args: argparse.Namespace) -> None:
    """Write one table; columns that a study lacks are left empty."""
    # As text: a number must not change its digits on the way.
    frames = [pandas.read_csv(file, dtype=str, keep_default_na=False) for file in args.tables]
    with complete_file(args.out) as temporary:
        pandas.concat(frames).to_csv(temporary, index=False)
