"""Fetch one asset: all files that the sheet gives for it, checked, into one folder."""

import argparse
import json
from pathlib import Path

from nnrd.assets import cache, fetch
from nnrd.core.errors import UserError
from nnrd.core.progress import megabytes
from nnrd.stages.steps import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options: a sheet and an asset's name, or the asset's rows."""
    parser.add_argument("--sheet", type=Path, help="TSV, one row a file")
    parser.add_argument("--asset", required=True, help="its name in the sheet")
    parser.add_argument("--rows", type=json.loads, help="its rows as JSON, instead of the sheet")
    parser.add_argument("--checkout", type=Path, default=Path(), help="start of file: sources")
    parser.add_argument("--out", type=Path, required=True, help="folder; complete or absent")
    parser.add_argument("--cache", type=Path, help="default: NNRD_CACHE, else ~/.cache/nnrd")


def main(args: argparse.Namespace) -> None:
    """Fetch the asset's rows."""
    rows, checkout = _rows(args), args.checkout
    if args.rows is None:
        checkout = fetch.checkout_of(args.sheet)
    fetch.fetch(rows, args.out, cache.Cache(args.cache or cache.default_folder()), checkout)
    size = megabytes(sum(row.bytes for row in rows))
    say(f"{args.asset}: {len(rows)} files, {size} in {args.out}")


def _rows(args: argparse.Namespace) -> list[fetch.AssetFile]:
    if args.rows is not None:
        return [fetch.AssetFile(**row) for row in args.rows]
    if args.sheet is None:
        raise UserError("give --sheet or --rows")
    rows = fetch.read_sheet(args.sheet)
    found = [row for row in rows if row.asset == args.asset]
    if not found:
        known = ", ".join(dict.fromkeys(row.asset for row in rows))
        raise UserError(f"{args.sheet}: no asset {args.asset!r}; there is: {known}")
    return found
