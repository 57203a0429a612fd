"""Evaluate a network with its weights as they are, nothing compressed: the anchor."""

import argparse
from pathlib import Path

from nnrd import datasets, evaluation, networks, program, weights


def main(args: argparse.Namespace) -> None:
    """Write the predictions and the times."""
    evaluation.start(args)
    network = networks.find(args.network)
    items = datasets.read_rows(args.items, args.shard)
    model = weights.stored(network, args.tensors)
    evaluation.write(args, weights.infer(network, model, items, args.assets, args.mixed))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tensors", type=Path, required=True, help="folder of the bundle")
    evaluation.add_arguments(parser)
    program.run(main, parser)
