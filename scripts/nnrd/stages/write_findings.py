"""Say in sentences what a study's measurements show."""

import argparse
from pathlib import Path

from nnrd.core.files import complete_file
from nnrd.datasets import published
from nnrd.report.profile import findings, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--profile", type=Path, required=True, help="the study's table profile")
    words = "the study's table parameters"
    parser.add_argument("--parameters", type=Path, required=True, help=words)
    theirs = "CSV file of published numbers"
    parser.add_argument("--published", type=Path, help=theirs)
    parser.add_argument("--title", required=True, help="of the page")
    parser.add_argument("--out", type=Path, required=True, help="HTML file to write")


def main(args: argparse.Namespace) -> None:
    """Write a page of one paragraph a question."""
    profile, parameters = table.read(args.profile), table.read(args.parameters)
    models = set(profile["model"])
    theirs = published.read_profiles(args.published, models) if args.published else []
    found = findings.of(profile, parameters, theirs)
    with complete_file(args.out) as temporary:
        temporary.write_text(findings.page(found, args.title), encoding="utf-8")
