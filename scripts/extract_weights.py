"""Take a network's tensors, which are what is compressed, as one bundle."""

import argparse
from pathlib import Path

from nnrd import networks, program, weights


def main(args: argparse.Namespace) -> None:
    """Write the bundle and a row about it."""
    with program.complete_folder(args.out) as folder:
        rows = weights.extract(networks.find(args.network), args.assets, folder)
    program.write_json(args.times, program.timed(args, rows))
    print(f"{args.network}: {rows[0]['tensors']} tensors, {rows[0]['values']} values")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", required=True, help="module of nnrd.networks")
    parser.add_argument("--assets", type=Path, help="folder of its files; without: its download")
    parser.add_argument("--out", type=Path, required=True, help="folder of the bundle to write")
    parser.add_argument("--times", type=Path, required=True, help="JSON file to write")
    program.add_timing_arguments(parser)
    program.run(main, parser)
