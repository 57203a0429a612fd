"""Export an architecture to ONNX, or take an ONNX file as it is; say what the file holds."""

import argparse
import json
from pathlib import Path

from nnrd import models, program


def main(args: argparse.Namespace) -> None:
    """Write the model and, where asked to, the facts of it."""
    with program.complete_file(args.out) as temporary:
        if args.architecture == "onnx":
            facts = models.take(Path(args.weights), temporary)
        else:
            facts = models.export(
                args.architecture, args.weights, temporary, args.seed, args.threads
            )
        models.check_nodes(facts, args.nodes, args.out)
    if args.facts:
        program.write_json(args.facts, facts)
    print(f"{args.out}: {json.dumps(facts)}")


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("architecture", help="its name (a wrong one lists them), or 'onnx'")
    parser.add_argument("out", type=Path, help="the ONNX file to write")
    parser.add_argument(
        "--weights",
        default="random",
        help="random, published (fetched from their source), a PyTorch state dict's file, "
        "a folder of assets, or for 'onnx' the file to take",
    )
    parser.add_argument("--seed", type=int, default=0, help="of random weights")
    parser.add_argument("--nodes", type=int, help="how many nodes the graph must have")
    parser.add_argument("--facts", type=Path, help="JSON file to write")
    parser.add_argument("--threads", type=int, default=1)
    return parser


if __name__ == "__main__":
    program.run(main, parser())
