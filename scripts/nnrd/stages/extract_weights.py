"""Take a model's tensors, which are what is compressed, as one bundle."""

import argparse
from pathlib import Path

import numpy as np

from nnrd.core import bundles
from nnrd.core.files import complete_folder
from nnrd.stages import arguments, runtimes, steps

BUNDLE = "weights"  # the one item of a model's shard of tensors


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    arguments.add_model(parser)
    runtimes.add_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of the bundle to write")
    parser.add_argument("--times", type=Path, required=True, help="JSON file to write")
    arguments.add_timing(parser)


def main(args: argparse.Namespace) -> None:
    """Write the bundle and a row about it."""
    write(args, runtimes.of(args).tensors())


def write(args: argparse.Namespace, sent: dict[str, np.ndarray]) -> None:
    """Write a model's tensors as the one bundle of a folder, and a row about it."""
    with complete_folder(args.out) as folder:
        checksum = bundles.write(folder / f"{BUNDLE}{bundles.SUFFIX}", sent)
    values = sum(tensor.size for tensor in sent.values())
    row = {"item": BUNDLE, "names": list(sent), "values": values, "checksum": checksum}
    steps.write_times(args, args.times, [row])
    steps.say(f"{args.model.model}: {len(sent)} tensors, {values} values")
