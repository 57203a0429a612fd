"""Say in sentences what a study's measurements show."""

import argparse
from pathlib import Path

from nnrd.core.files import complete_file
from nnrd.report.profile import findings, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--profile", type=Path, required=True, help="the study's table profile")
    words = "the study's table parameters"
    parser.add_argument("--parameters", type=Path, required=True, help=words)
    parser.add_argument("--title", required=True, help="of the page")
    parser.add_argument("--out", type=Path, required=True, help="HTML file to write")


def main(args: argparse.Namespace) -> None:
    """Write a page of one paragraph a question."""
    found = findings.of(table.read(args.profile), table.read(args.parameters))
    with complete_file(args.out) as temporary:
        temporary.write_text(findings.page(found, args.title), encoding="utf-8")
