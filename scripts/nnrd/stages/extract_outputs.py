"""Run a whole ONNX model on a shard of a dataset and keep its outputs, to hold others against."""

import argparse
from pathlib import Path

from nnrd.core import lineage
from nnrd.runtime import sessions
from nnrd.stages import arguments
from nnrd.stages.extract_features import keep


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--onnx", type=Path, required=True, help="ONNX file of the model")
    parser.add_argument("--facts", type=Path, required=True, help="its JSON file of facts")
    arguments.add_extraction(parser)


def main(args: argparse.Namespace) -> None:
    """Write the outputs, a bundle an item, and a record with their sums."""
    arguments.verify_assets(args)
    file, device = lineage.checked(args.onnx, args.facts), args.provider
    whole = sessions.session(file, args.threads, tf32=args.tf32, device=device)
    keep(args, whole, [found.name for found in whole.get_outputs() if is_numeric(found.type)])


def is_numeric(kind: str) -> bool:
    """Say of an output's ONNX type whether it is a tensor of numbers, which has a difference."""
    return kind.startswith("tensor(") and kind != "tensor(string)"
