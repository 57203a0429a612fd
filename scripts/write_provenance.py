"""Write down what it takes to make the results again: commit, packages, machine, config, sums."""

import argparse
import json
from pathlib import Path

import pandas

from nnrd import program, provenance


def main(args: argparse.Namespace) -> None:
    """Write the provenance."""
    providers = pandas.read_csv(args.points)["provider"].dropna().unique()
    found = provenance.gather(args.config, args.assets, [args.points, *args.results], providers)
    program.write_json(args.out, found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=json.loads, required=True, help="JSON, defaults included")
    parser.add_argument("--assets", type=json.loads, required=True, help="JSON: sum by file")
    parser.add_argument("--points", type=Path, required=True, help="the table of points")
    parser.add_argument("--results", type=Path, nargs="*", default=[], help="other results")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    program.run(main, parser)
