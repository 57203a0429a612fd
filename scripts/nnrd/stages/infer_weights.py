"""Evaluate a model with the weights that arrived on a shard of a dataset."""

import argparse
from pathlib import Path

from nnrd.core import bundles
from nnrd.datasets import index
from nnrd.stages import arguments, runtimes, steps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    arguments.add_inference(parser)
    runtimes.add_arguments(parser)
    arguments.add_transform(parser)
    parser.add_argument("--weights", type=Path, required=True, help="folder of the decoded bundle")
    parser.add_argument("--decoded", type=Path, required=True, help="the decoder's JSON of times")


def main(args: argparse.Namespace) -> None:
    """Write the predictions and the times."""
    arguments.verify_assets(args)
    items = index.read(args.index).shard(args.shard)
    file = args.weights / f"{steps.BUNDLE}{bundles.SUFFIX}"
    sums = steps.checksums(args.decoded, args.weights, bundles.SUFFIX)
    tensors = bundles.read(file, sums[steps.BUNDLE])
    pipeline, run, ran = runtimes.of(args).received(tensors)
    steps.write_predictions(args, pipeline.predict(run, items), **ran)
