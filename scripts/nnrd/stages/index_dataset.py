"""List a dataset's items, having looked at each of them, with their checksums."""

import argparse
from dataclasses import replace
from pathlib import Path

from nnrd.core import lineage
from nnrd.core.errors import UserError
from nnrd.core.files import write_record
from nnrd.datasets.formats import REGISTRY
from nnrd.datasets.index import Draw, Index, read
from nnrd.stages.steps import say

LONGEST_NAME = 200  # bytes; a file may have 255, with what stands behind the name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--format", default="coco", help="a dataset format's name")
    parser.add_argument("--annotations", type=Path, required=True, help="the ground truth")
    parser.add_argument("--folder", type=Path, required=True, help="where the items' files are")
    parser.add_argument("--selection", type=Path, help="text file: the items to take, a line each")
    parser.add_argument("--items", type=int, required=True, help="how many there must be")
    parser.add_argument("--seed", type=int, help="draw so many of all; without it, all are taken")
    apart = "an index none of whose items is drawn"
    parser.add_argument("--without", type=Path, help=apart)
    bad = "leave out, and count, items that cannot be used, such as damaged files"
    parser.add_argument("--skip-bad", action="store_true", help=bad)
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")


def main(args: argparse.Namespace) -> None:
    """Write the index."""
    fetched = _fetched(args)
    for folder in fetched:
        lineage.verify_beside(folder)
    draw = _draw(args)
    found = REGISTRY.get(args.format)().index(args.annotations, args.folder, draw)
    if not isinstance(found, Index):
        raise UserError(f"dataset format {args.format}: gave {type(found).__name__}, not an Index")
    index = replace(found, skipped={str(name): why for name, why in draw.bad.skipped.items()})
    _check_names(args, index)
    _check_count(args, index)
    given = [file for file in (args.annotations, args.selection) if file and file.is_file()]
    given += [*map(lineage.beside, fetched), *([args.without] if args.without else [])]
    write_record(args.out, index.as_record() | lineage.of([], given))
    say(f"{args.out}: {len(index.items)} items; {index.left_out() or 'nothing is left out'}")


def _check_names(args: argparse.Namespace, index: Index) -> None:
    """Raise UserError for an item whose files could not bear its name, or would be elsewhere."""
    for name in (item.name for item in index.items):
        plain = name.isprintable() and "/" not in name and name.strip(".")
        if not plain or len(name.encode(errors="replace")) > LONGEST_NAME:
            raise UserError(f"{args.annotations}: item {name!r:.80}: is no name for a file")


def _check_count(args: argparse.Namespace, index: Index) -> None:
    """Raise UserError where there are not as many items as said; of a draw, that can be used."""
    count = len(index.items) + (len(index.skipped) if args.seed is None else 0)
    if count != args.items:
        skipped = f", and {len(index.skipped)} that cannot be used" if index.skipped else ""
        raise UserError(f"{args.annotations}: {len(index.items)} items{skipped}, not {args.items}")


def _draw(args: argparse.Namespace) -> Draw:
    """Return which items are taken: of a selection, if there is one, and of these by a seed."""
    chosen = Draw() if args.selection is None else Draw.of(args.selection)
    chosen.bad.skip = args.skip_bad
    if args.without:
        apart = frozenset(item.name for item in read(args.without).items)
        chosen = replace(chosen, without=apart)
    return chosen if args.seed is None else replace(chosen, count=args.items, seed=args.seed)


def _fetched(args: argparse.Namespace) -> list[Path]:
    """Return the folders, of the items and of the annotations, whose sums are known."""
    parents = [*args.folder.parents, *args.annotations.parents]
    folders = dict.fromkeys([args.folder, *parents])
    return [folder for folder in folders if folder.name and lineage.beside(folder).is_file()]
