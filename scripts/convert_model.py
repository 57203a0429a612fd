"""Export a network of nnrd.architectures to ONNX, or take an ONNX file as it is; check it."""

import argparse
from pathlib import Path

from nnrd import models, program


def main(args: argparse.Namespace) -> None:
    """Write the model and, beside it, what the check of it found."""
    with program.complete_file(args.out) as temporary:
        if args.architecture == "onnx":
            facts = models.take(args.assets / args.file, temporary)
        else:
            facts = models.export(args.architecture, args.assets, temporary)
        models.check_nodes(facts, args.nodes, args.out)
    program.write_json(args.facts, facts)
    print(f"{args.out}: {facts['nodes']} nodes, {facts['bytes']} bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architecture", required=True, help="its name, or 'onnx'")
    parser.add_argument("--assets", type=Path, required=True, help="folder of the model's files")
    parser.add_argument("--file", default="model.onnx", help="for 'onnx': the file in the folder")
    parser.add_argument("--nodes", type=int, help="how many nodes the graph must have")
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    parser.add_argument("--facts", type=Path, required=True, help="JSON file to write")
    program.run(main, parser)
