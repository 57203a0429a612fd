"""Say where the time of the last run went, and what share of the cores it used well."""

import argparse
import os
from pathlib import Path

from nnrd.report import benchmarks


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("folder", type=Path, help="the folder benchmarks/")
    results = "the folder results/ of the run (default: beside it)"
    parser.add_argument("--results", type=Path, help=results)
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="cores of the run")


def main(args: argparse.Namespace) -> None:
    """Print the table and the share."""
    results = args.results or args.folder.absolute().parent / "results"
    found = benchmarks.summarise(args.folder, results)
    print(f"{'rule':<20}{'jobs':>6}{'wall (s)':>11}{'CPU (s)':>10}{'memory (MB)':>13}")
    for rule in found.rules:
        print(
            f"{rule.name:<20}{rule.jobs:>6}{rule.wall:>11.1f}{rule.processor:>10.1f}"
            f"{rule.memory_mb:>13.0f}"
        )
    total = args.cores * found.span
    print(f"{found.span:.0f} s on {args.cores} cores, {total:.0f} core-seconds;")
    print(
        f"by the steps' stopwatches {found.codec:.0f} in codecs and {found.inference:.0f} in "
        f"inference: {(found.codec + found.inference) / total:.0%}"
    )
    print(rest(found.rest(args.cores)))


def rest(found: benchmarks.Rest) -> str:
    """Say where the other core-seconds went."""
    each = found.beside / max(1, found.timed)
    return (
        f"the rest: {found.beside:.0f} s beside these steps in their {found.timed} jobs "
        f"({each:.2f} s each), {found.seconds:.0f} s in {found.other} other jobs, "
        f"{found.idle:.0f} s of cores without a job"
    )
