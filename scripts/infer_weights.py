"""Decode a network's weights and evaluate it on a shard of a dataset."""

import argparse
import json
from pathlib import Path

from nnrd import codecs, datasets, evaluation, networks, program, weights


def main(args: argparse.Namespace) -> None:
    """Write the predictions and the times."""
    evaluation.start(args)
    network, codec = networks.find(args.network), codecs.make(args.codec, **args.parameters)
    items = datasets.read_rows(args.items, args.shard)
    model, row = weights.decoded(network, codec, args.bitstreams, args.threads)
    evaluation.write(args, weights.infer(network, model, items, args.assets, args.mixed), [row])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bitstreams", type=Path, required=True, help="folder of the bitstream")
    parser.add_argument("--codec", required=True, help="the codec's name")
    parser.add_argument("--parameters", type=json.loads, default={}, help="JSON object")
    evaluation.add_arguments(parser)
    program.run(main, parser)
