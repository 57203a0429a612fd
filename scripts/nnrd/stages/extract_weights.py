"""Take a model's tensors, which are what is compressed, as one bundle."""

import argparse
from pathlib import Path

import numpy as np

from nnrd.core import bundles
from nnrd.core.files import complete_folder
from nnrd.models.row import ModelRow
from nnrd.stages import arguments, runtimes, steps

TEXT = {".json", ".txt", ".tsv", ".csv", ".md"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    arguments.add_model(parser)
    runtimes.add_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of the bundle to write")
    parser.add_argument("--times", type=Path, required=True, help="JSON file to write")
    arguments.add_timing(parser)


def main(args: argparse.Namespace) -> None:
    """Write the bundle and a row about it."""
    arguments.verify_assets(args)
    write(args, runtimes.of(args).tensors())


def published_size(model: ModelRow, assets: Path | None) -> int:
    """Return the bytes of the files that a model's weights are published in; 0 without any.

    Beside them, files of text say how it is built or what its tokens are.
    """
    if assets is None:
        return 0
    found = [assets / model.file] if model.file else [p for p in assets.rglob("*") if p.is_file()]
    weights = (path for path in found if path.suffix not in TEXT and path.name[0] != ".")
    return sum(path.stat().st_size for path in weights)


def write(args: argparse.Namespace, sent: dict[str, np.ndarray]) -> None:
    """Write a model's tensors as the one bundle of a folder, and a row about it."""
    with complete_folder(args.out) as folder:
        checksum = bundles.write(folder / f"{steps.BUNDLE}{bundles.SUFFIX}", sent)
    values = sum(tensor.size for tensor in sent.values())
    row = {"item": steps.BUNDLE, "names": list(sent), "values": values, "checksum": checksum}
    size = published_size(args.model, args.assets)
    steps.write_times(args, args.times, [row | ({"published_size": size} if size else {})])
    steps.say(f"{args.model.model}: {len(sent)} tensors, {values} values")
