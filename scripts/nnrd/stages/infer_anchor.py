"""Run a whole model on a shard of a dataset, nothing split and nothing compressed: the anchor."""

import argparse

from nnrd.datasets import index
from nnrd.stages import arguments, runtimes, steps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    arguments.add_inference(parser)
    runtimes.add_arguments(parser)


def main(args: argparse.Namespace) -> None:
    """Write the predictions and the times."""
    arguments.verify_assets(args)
    items = index.read(args.index).shard(args.shard)
    model = runtimes.of(args)
    rows = [{"item": steps.BUNDLE, "model_size": model.size()}]
    pipeline, run, ran = model.trained()
    steps.write_predictions(args, pipeline.predict(run, items), rows, **ran)
