"""Draw the anchor's detections and a point's, side by side on the photos that differ most."""

import argparse
from pathlib import Path

from nnrd import datasets, program
from nnrd.plots import overlays, style


def main(args: argparse.Namespace) -> None:
    """Write the picture."""
    items = datasets.read_index(args.index)
    anchor, point = (by_item(files) for files in (args.anchor, args.point))
    chosen = overlays.choose(items, anchor, point, args.photos)
    names = {row["id"]: row["name"] for row in datasets.coco(args.annotations)["categories"]}
    style.save(overlays.draw(chosen, anchor, point, names, args.title), [args.out])


def by_item(files: list[Path]) -> dict[str, dict]:
    """Return the predictions of all shards by item."""
    return {row["item"]: row for file in files for row in program.read_json(file)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, required=True, help="the dataset's index")
    parser.add_argument("--annotations", type=Path, required=True, help="COCO JSON with the names")
    parser.add_argument(
        "--anchor", type=Path, nargs="+", required=True, help="the anchor's predictions"
    )
    parser.add_argument(
        "--point", type=Path, nargs="+", required=True, help="the point's predictions"
    )
    parser.add_argument("--title", required=True, help="what the point is called")
    parser.add_argument("--photos", type=int, default=4, help="how many to draw (default 4)")
    parser.add_argument("--out", type=Path, required=True, help="PNG file to write")
    program.run(main, parser)
