"""Export one of the graphs of a model that consists of several; say what the file holds."""

import argparse
from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.core.files import complete_file
from nnrd.core.schema import unknown
from nnrd.models.facts import facts_of
from nnrd.stages import arguments, convert_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    arguments.add_model(parser)
    parser.add_argument("--graph", required=True, help="its name, such as decoder")
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument("--facts", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--threads", type=int, default=1)


def main(args: argparse.Namespace) -> None:
    """Write the graph and the facts of it."""
    arguments.verify_assets(args)
    names = arguments.family(args).graphs
    if args.graph not in names:
        raise UserError(f"model {args.model.model}: {unknown('graph', args.graph, names)}")
    with complete_file(args.out) as temporary:
        difference = convert_model.exported(args, args.graph, temporary)
        found = facts_of(temporary) | {"max_abs_difference": difference}
    convert_model.write_facts(args, found)
