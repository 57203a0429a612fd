"""Tabulate what crosses every split of an ONNX model, on some items of a dataset of images."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.core.files import verify
from nnrd.core.schema import unknown
from nnrd.datasets import index
from nnrd.datasets.suffixes import CODED_VIDEO, RAW_VIDEO
from nnrd.split import feeding
from nnrd.split.graph import Graph
from nnrd.stages import arguments, tabulate_splits
from nnrd.stages.tabulate_splits import Feeds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    tabulate_splits.add_model(parser)
    parser.add_argument("--index", type=Path, help="the dataset's index")
    parser.add_argument("--items", nargs="+", default=[], help="names of its items")
    cuts = "cuts at tensors: a JSON object, names of tensors by the name of the cut"
    parser.add_argument("--cuts", type=json.loads, default={}, help=cuts)
    parser.add_argument("--csv", type=Path, required=True, help="the table to write")
    arguments.add_sums(parser)


def main(args: argparse.Namespace) -> None:
    """Tabulate the sizes measured on each input."""
    model = tabulate_splits.graph(args)
    given = [*_items(args, model), *tabulate_splits.random(args, model)]
    if not given:
        raise UserError("give --items of an --index, or a --shape")
    found = tabulate_splits.measured(args, model, given, cuts=args.cuts)
    tabulate_splits.write(found, args)


def _items(args: argparse.Namespace, model: Graph) -> Iterator[tuple[str, Feeds]]:
    if not args.items:
        return
    if args.index is None:
        raise UserError("--items needs --index")
    known = {item.name: item for item in index.read(args.index).items}
    for name in args.items:
        if name not in known:
            raise UserError(f"{args.index}: {unknown('item', name, known)}")
    for item in map(known.__getitem__, args.items):
        if item.path.endswith((RAW_VIDEO, *CODED_VIDEO)):
            raise UserError(f"{item.path}: {item.name} is a frame of a video, not an image file")
        verify(item.path, item.checksum)
        yield Path(item.path).name, feeding.read(model.model, item.path)
