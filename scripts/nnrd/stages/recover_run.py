"""Put right what a run left behind that was killed here: jobs, temporary files, its lock."""

import argparse
from pathlib import Path

from nnrd.workflow import recovery, runs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--folder", type=Path, default=Path(), help="the checkout")


def main(args: argparse.Namespace) -> None:
    """Say what was done; nothing where the last run came to its end."""
    with runs.alone(args.folder):
        said = recovery.recover(args.folder)
    if said:
        print(said)
