"""Fetch one asset: all files that the sheet gives for it, checked, into one folder."""

import argparse
import sys
from pathlib import Path

from nnrd import UserError, assets, cache
from nnrd.program import run
from nnrd.progress import megabytes


def main(arguments: argparse.Namespace) -> None:
    """Read the sheet, fetch the asset's rows."""
    rows = assets.read_sheet(arguments.sheet)
    names = dict.fromkeys(row.asset for row in rows)
    rows = [row for row in rows if row.asset == arguments.asset]
    if not rows:
        known = ", ".join(names)
        raise UserError(f"{arguments.sheet}: no asset {arguments.asset!r}; there is: {known}")
    store = cache.Cache(arguments.cache or cache.default_folder())
    assets.fetch(rows, arguments.out, store, assets.checkout_of(arguments.sheet))
    size = megabytes(sum(row.bytes for row in rows))
    print(f"{arguments.asset}: {len(rows)} files, {size} in {arguments.out}", file=sys.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheet", type=Path, required=True, help="TSV, one row a file")
    parser.add_argument("--asset", required=True, help="name in the sheet's column `asset`")
    parser.add_argument("--out", type=Path, required=True, help="folder; complete or absent")
    parser.add_argument("--cache", type=Path, help="default: NNRD_CACHE, else ~/.cache/nnrd")
    run(main, parser)
