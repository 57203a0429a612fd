"""Say where the time of the last run went, and what share of the cores it used well."""

import argparse
import os
from pathlib import Path

from nnrd.report import benchmarks


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("folder", type=Path, help="the folder benchmarks/")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="cores of the run")


def main(args: argparse.Namespace) -> None:
    """Print the table and the share."""
    found = benchmarks.summarise(args.folder, args.cores)
    print(f"{'rule':<20}{'jobs':>6}{'wall (s)':>11}{'CPU (s)':>10}{'memory (MB)':>13}")
    for rule in found.rules:
        print(
            f"{rule.name:<20}{rule.jobs:>6}{rule.wall:>11.1f}{rule.processor:>10.1f}"
            f"{rule.memory_mb:>13.0f}"
        )
    print(
        f"{found.span:.0f} s on {args.cores} cores; codec and inference (wall time of "
        f"{', '.join(benchmarks.USEFUL)}): {found.share:.0%} of the cores' time"
    )
