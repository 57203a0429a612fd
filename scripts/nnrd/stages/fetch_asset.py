"""Fetch one asset: all files that the sheet gives for it, checked, into one folder."""

import argparse
from pathlib import Path

from nnrd.assets import cache, fetch, rows
from nnrd.core import lineage
from nnrd.core.errors import UserError
from nnrd.core.files import read_json
from nnrd.core.progress import megabytes
from nnrd.stages.steps import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options: a sheet and an asset's name, or a file of the asset's rows."""
    parser.add_argument("--sheet", type=Path, help="TSV, one row a file")
    parser.add_argument("--asset", required=True, help="its name in the sheet")
    parser.add_argument("--rows", type=Path, help="JSON file of its rows, instead of the sheet")
    parser.add_argument("--checkout", type=Path, default=Path(), help="start of file: sources")
    parser.add_argument("--out", type=Path, required=True, help="folder; complete or absent")
    parser.add_argument("--sums", action="store_true", help="write the sums of its files beside it")
    parser.add_argument("--cache", type=Path, help="default: NNRD_CACHE, else ~/.cache/nnrd")


def main(args: argparse.Namespace) -> None:
    """Fetch the asset's rows."""
    found, checkout = _rows(args), args.checkout
    if args.rows is None:
        checkout = rows.checkout_of(args.sheet)
    fetch.fetch(found, args.out, cache.Cache(args.cache or cache.default_folder()), checkout)
    if args.sums:
        lineage.write_beside(args.out)
    size = megabytes(sum(row.bytes for row in found))
    say(f"{args.asset}: {len(found)} files, {size} in {args.out}")


def _rows(args: argparse.Namespace) -> list[rows.AssetFile]:
    if args.rows is not None:
        return [rows.AssetFile(**row) for row in read_json(args.rows)]
    if args.sheet is None:
        raise UserError("give --sheet or --rows")
    found = rows.read_sheet(args.sheet)
    chosen = [row for row in found if row.asset == args.asset]
    if not chosen:
        known = ", ".join(dict.fromkeys(row.asset for row in found))
        raise UserError(f"{args.sheet}: no asset {args.asset!r}; there is: {known}")
    return chosen
