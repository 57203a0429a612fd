"""Count the parameters of a model, in all and by part."""

import argparse
from pathlib import Path

from nnrd.core import lineage
from nnrd.core.errors import UserError
from nnrd.core.files import write_record
from nnrd.core.schema import unknown
from nnrd.profile import counts
from nnrd.runtime.environment import made_by
from nnrd.stages import arguments, steps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    arguments.add_model(parser)
    words = "parts that the model has to have; by default whatever it has"
    parser.add_argument("--parts", nargs="+", default=[], help=words)
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")


def main(args: argparse.Namespace) -> None:
    """Write a row a part; UserError for a part that the model lacks."""
    arguments.verify_assets(args)
    network = arguments.family(args).load_network(args.model)
    model = network.bare(args.assets)
    parts = network.parts(model)
    for name in args.parts:
        if name not in parts:
            raise UserError(f"model {args.model.model}: {unknown('part', name, parts)}")
    rows = counts.parameters(model, parts)
    of = lineage.of([], steps.fetched(args))
    write_record(args.out, {"parts": rows, "made": made_by()} | of)
