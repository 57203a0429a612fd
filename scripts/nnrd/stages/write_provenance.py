"""Write down what it takes to make the results again: commit, packages, machine, config, sums."""

import argparse
from pathlib import Path

from nnrd.core.files import read_json, read_record, write_record
from nnrd.report import provenance


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    settings = "JSON file: config, assets (sum by file), records, results (lists of files)"
    parser.add_argument("--run", type=Path, required=True, help=settings)
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")


def main(args: argparse.Namespace) -> None:
    """Write the provenance."""
    run = read_json(args.run)
    records = ((file, read_record(file)["made"]) for file in run["records"])
    found = provenance.gather(run["config"], run["assets"], records, run["results"])
    write_record(args.out, found)
