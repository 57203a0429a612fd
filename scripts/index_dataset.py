"""List a dataset's items, having looked at each of them."""

import argparse
from pathlib import Path

from nnrd import formats, program
from nnrd.errors import UserError


def main(args: argparse.Namespace) -> None:
    """Write the index."""
    items = formats.find(args.format).index(args.annotations, args.folder, args.items)
    if len(items) != args.items:
        raise UserError(f"{args.annotations}: {len(items)} items, not {args.items}")
    program.write_json(args.out, items)
    print(f"{args.out}: {len(items)} items")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--format", default="coco", help="module of nnrd.formats")
    parser.add_argument("--annotations", type=Path, required=True, help="the ground truth")
    parser.add_argument("--folder", type=Path, required=True, help="where the items' files are")
    parser.add_argument("--items", type=int, required=True, help="take the first so many")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    program.run(main, parser)
