"""Run a model as a codec of whole models made it on a shard of a dataset."""

import argparse
from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.core.files import verify
from nnrd.datasets import index
from nnrd.quantisation import codecs
from nnrd.quantisation.graphs import open_graph
from nnrd.stages import arguments, steps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    arguments.add_inference(parser)
    arguments.add_codec(parser)
    parser.add_argument("--quantised", type=Path, required=True, help="folder of the model's files")
    parser.add_argument("--encoded", type=Path, required=True, help="the codec's JSON of times")
    parser.add_argument("--calibration", type=Path, help="index of the items that it looked at")


def main(args: argparse.Namespace) -> None:
    """Write the predictions and the times."""
    arguments.verify_assets(args)
    found = index.read(args.index)
    if args.calibration:
        refuse_overlap(found, index.read(args.calibration), args.index)
    for name, digest in steps.checksums(args.encoded, args.quantised, "").items():
        verify(args.quantised / name, digest)
    codec = codecs.make(args.codec, args.parameters)
    suffix = codecs.SUFFIXES[codec.runtime]
    names = arguments.family(args).graphs
    graphs = {
        name: open_graph(args.quantised / f"{name}{suffix}", args.threads, codec.precision)
        for name in names
    }
    pipeline = arguments.graph_pipeline(args)
    pipeline.graphs = graphs
    predicted = pipeline.predict(graphs[names[0]], found.shard(args.shard))
    ran = {"provider": codec.runtime, "precision": codec.precision}
    steps.write_predictions(args, predicted, [], **ran)


def refuse_overlap(scored: index.Index, looked_at: index.Index, source: Path) -> None:
    """Raise UserError where an item is scored that the codec was calibrated by."""
    known = {item.checksum: item.name for item in looked_at.items}
    for item in scored.items:
        if item.checksum in known:
            other = known[item.checksum]
            raise UserError(
                f"{source}: item {item.name} is scored, and the model was calibrated by it"
                f"{'' if other == item.name else f', there called {other}'}: take other items"
            )
