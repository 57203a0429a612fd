"""List a dataset's items, having looked at each of them, with their checksums."""

import argparse
from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.core.files import write_record
from nnrd.datasets.formats import REGISTRY
from nnrd.stages.steps import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--format", default="coco", help="a dataset format's name")
    parser.add_argument("--annotations", type=Path, required=True, help="the ground truth")
    parser.add_argument("--folder", type=Path, required=True, help="where the items' files are")
    parser.add_argument("--items", type=int, required=True, help="take the first so many")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")


def main(args: argparse.Namespace) -> None:
    """Write the index."""
    index = REGISTRY.get(args.format)().index(args.annotations, args.folder, args.items)
    if len(index.items) != args.items:
        raise UserError(f"{args.annotations}: {len(index.items)} items, not {args.items}")
    write_record(args.out, index.as_record())
    say(f"{args.out}: {len(index.items)} items")
