"""Join the tables of several studies into one."""

import argparse
from pathlib import Path

import pandas

from nnrd import program


def main(args: argparse.Namespace) -> None:
    """Write one table; columns that a study lacks are left empty."""
    # As text: a number must not change its digits on the way.
    frames = [pandas.read_csv(file, dtype=str, keep_default_na=False) for file in args.tables]
    with program.complete_file(args.out) as temporary:
        pandas.concat(frames).to_csv(temporary, index=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", type=Path, nargs="+", help="CSV files")
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write")
    program.run(main, parser)
