"""List a dataset's items, having looked at each of them, with their checksums."""

import argparse
from dataclasses import replace
from pathlib import Path

from nnrd.core import lineage
from nnrd.core.errors import UserError
from nnrd.core.files import write_record
from nnrd.datasets.formats import REGISTRY
from nnrd.datasets.index import Draw, Index
from nnrd.stages.steps import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--format", default="coco", help="a dataset format's name")
    parser.add_argument("--annotations", type=Path, required=True, help="the ground truth")
    parser.add_argument("--folder", type=Path, required=True, help="where the items' files are")
    parser.add_argument("--selection", type=Path, help="text file: the items to take, a line each")
    parser.add_argument("--items", type=int, required=True, help="how many there must be")
    parser.add_argument("--seed", type=int, help="draw so many of all; without it, all are taken")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")


def main(args: argparse.Namespace) -> None:
    """Write the index."""
    fetched = _fetched(args)
    for folder in fetched:
        lineage.verify_beside(folder)
    index = REGISTRY.get(args.format)().index(args.annotations, args.folder, _draw(args))
    if not isinstance(index, Index):
        raise UserError(f"dataset format {args.format}: gave {type(index).__name__}, not an Index")
    if len(index.items) != args.items:
        raise UserError(f"{args.annotations}: {len(index.items)} items, not {args.items}")
    given = [file for file in (args.annotations, args.selection) if file and file.is_file()]
    given += map(lineage.beside, fetched)
    write_record(args.out, index.as_record() | lineage.of([], given))
    say(f"{args.out}: {len(index.items)} items")


def _draw(args: argparse.Namespace) -> Draw:
    """Return which items are taken: of a selection, if there is one, and of these by a seed."""
    chosen = Draw() if args.selection is None else Draw.of(args.selection)
    return chosen if args.seed is None else replace(chosen, count=args.items, seed=args.seed)


def _fetched(args: argparse.Namespace) -> list[Path]:
    """Return the folders, of the items and of the annotations, whose sums are known."""
    parents = [*args.folder.parents, *args.annotations.parents]
    folders = dict.fromkeys([args.folder, *parents])
    return [folder for folder in folders if folder.name and lineage.beside(folder).is_file()]
