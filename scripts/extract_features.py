"""Run part I of a split model on a shard of a dataset and keep the tensors that cross."""

import argparse
from pathlib import Path

from nnrd import datasets, detectors, features, program
from nnrd.inference import session


def main(args: argparse.Namespace) -> None:
    """Write the bundles and the times of part I."""
    plan = program.read_json(args.split)
    items = datasets.read_index(args.items, args.shard)
    part1 = session(args.part1, args.threads)
    with program.complete_folder(args.out) as folder:
        detector = detectors.find(args.detector)
        rows = features.extract(part1, plan["crossing"], items, detector, folder)
    program.write_json(args.times, program.timed(args, rows, part1.get_providers()[0]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part1", type=Path, required=True, help="ONNX file of part I")
    parser.add_argument("--split", type=Path, required=True, help="the split's JSON file")
    parser.add_argument("--items", type=Path, required=True, help="the dataset's index")
    parser.add_argument("--shard", required=True, help="which part of it, e.g. 0-of-2")
    parser.add_argument("--detector", required=True, help="module of nnrd.detectors")
    parser.add_argument("--out", type=Path, required=True, help="folder of bundles to write")
    parser.add_argument("--times", type=Path, required=True, help="JSON file of times to write")
    program.add_timing_arguments(parser)
    program.run(main, parser)
