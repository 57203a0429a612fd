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
    program.write_predictions(args, results, model.get_providers()[0])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="ONNX file")
    parser.add_argument("--detector", required=True, help="module of nnrd.detectors")
    program.add_inference_arguments(parser)
    program.run(main, parser)
