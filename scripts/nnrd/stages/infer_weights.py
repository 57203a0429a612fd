"""Decode a model's weights and evaluate it on a shard of a dataset."""

import argparse
from pathlib import Path

from nnrd import codecs
from nnrd.codecs import files
from nnrd.datasets import index
from nnrd.models.pipeline import Arrays
from nnrd.stages import arguments, runtimes, steps
from nnrd.stages.extract_weights import BUNDLE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    arguments.add_model(parser)
    runtimes.add_arguments(parser)
    arguments.add_transform(parser)
    parser.add_argument("--bitstreams", type=Path, required=True, help="folder of the bitstream")
    parser.add_argument("--encoded", type=Path, required=True, help="the encoder's JSON of times")
    arguments.add_codec(parser)
    arguments.add_identity(parser)
    arguments.add_shard(parser)
    arguments.add_predictions(parser)
    arguments.add_timing(parser)


def main(args: argparse.Namespace) -> None:
    """Write the predictions and the times."""
    items = index.read(args.index).shard(args.shard)
    codec, sums = codecs.make(args.codec, **args.parameters), steps.checksums(args.encoded)
    row: dict[str, str | float] = {"item": BUNDLE}

    def decode(names: list[str]) -> Arrays:
        sent = files.Shard(args.of, args.bitstreams, sums)
        tensors, seconds = files.decode(codec, sent, BUNDLE, names, args.threads)
        row.update(seconds)
        return tensors

    pipeline, run, ran = runtimes.of(args).received(decode)
    steps.write_predictions(args, pipeline.predict(run, items), [row], **ran)
