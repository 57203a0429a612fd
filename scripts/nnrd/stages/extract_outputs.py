"""Run a whole ONNX model on a shard of a dataset and keep its outputs, to hold others against."""

import argparse
from pathlib import Path

from nnrd.core.files import complete_folder
from nnrd.datasets import index
from nnrd.models.facts import checked
from nnrd.runtime import sessions
from nnrd.stages import arguments, steps
from nnrd.stages.extract_features import extract


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--onnx", type=Path, required=True, help="ONNX file of the model")
    parser.add_argument("--facts", type=Path, required=True, help="its JSON file of facts")
    arguments.add_model(parser)
    arguments.add_shard(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of bundles to write")
    parser.add_argument("--times", type=Path, required=True, help="JSON file of times to write")
    arguments.add_timing(parser)
    arguments.add_tf32(parser)


def main(args: argparse.Namespace) -> None:
    """Write the outputs, a bundle an item, and a record with their sums."""
    arguments.verify_assets(args)
    whole = sessions.session(checked(args.onnx, args.facts), args.threads, tf32=args.tf32)
    pipeline = arguments.family(args).load_pipeline(args.model)
    pipeline.open(args.assets)
    names = [found.name for found in whole.get_outputs() if is_numeric(found.type)]
    items = index.read(args.index).shard(args.shard)
    with complete_folder(args.out) as folder:
        rows = list(extract(whole, names, pipeline, items, folder))
    steps.write_times(args, args.times, rows, **sessions.how(whole, args.tf32))


def is_numeric(kind: str) -> bool:
    """Say of an output's ONNX type whether it is a tensor of numbers, which has a difference."""
    return kind.startswith("tensor(") and kind != "tensor(string)"
