"""Run the whole model on a shard of a dataset, nothing split and nothing compressed: the anchor."""

import argparse
from pathlib import Path

from nnrd import datasets, detectors, features, program
from nnrd.inference import session


def main(args: argparse.Namespace) -> None:
    """Write the predictions and the times."""
    items = datasets.read_index(args.items, args.shard)
    model = session(args.model, args.threads)
    results = features.infer_whole(model, items, detectors.find(args.detector))
    predictions, rows = zip(*results, strict=True)
    program.write_json(args.predictions, predictions)
    program.write_json(args.times, program.timed(args, rows, model.get_providers()[0]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="ONNX file")
    parser.add_argument("--items", type=Path, required=True, help="the dataset's index")
    parser.add_argument("--shard", required=True, help="which part of it, e.g. 0-of-2")
    parser.add_argument("--detector", required=True, help="module of nnrd.detectors")
    parser.add_argument("--predictions", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--times", type=Path, required=True, help="JSON file of times to write")
    program.add_timing_arguments(parser)
    program.run(main, parser)
