"""Decode a shard's bitstreams and run part II of the split model on them."""

import argparse
import json
from pathlib import Path

from nnrd import codecs, datasets, detectors, features, program
from nnrd.inference import session


def main(args: argparse.Namespace) -> None:
    """Write the predictions and the times."""
    plan = program.read_json(args.split)
    codec = codecs.make(args.codec, **args.parameters)
    part2 = session(args.part2, args.threads)
    results = features.infer_parts(
        part2, codec, args.bitstreams, plan["crossing"],
        datasets.read_index(args.items, args.shard), detectors.find(args.detector), args.threads,
    )  # fmt: skip
    program.write_predictions(args, results, part2.get_providers()[0])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part2", type=Path, required=True, help="ONNX file of part II")
    parser.add_argument("--split", type=Path, required=True, help="the split's JSON file")
    parser.add_argument("--bitstreams", type=Path, required=True, help="folder of bitstreams")
    parser.add_argument("--codec", required=True, help="the codec's name")
    parser.add_argument("--parameters", type=json.loads, default={}, help="JSON object")
    parser.add_argument("--detector", required=True, help="module of nnrd.detectors")
    program.add_inference_arguments(parser)
    program.run(main, parser)
