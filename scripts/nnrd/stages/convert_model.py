"""Export a model to ONNX, or take an ONNX file as it is; say what the file holds."""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from nnrd.core import lineage
from nnrd.core.errors import UserError
from nnrd.core.files import complete_file, write_record
from nnrd.models.facts import facts_of
from nnrd.models.family import WHOLE
from nnrd.runtime import sessions
from nnrd.split import files
from nnrd.split.shapes import is_external
from nnrd.split.stored import tensors
from nnrd.stages import arguments, steps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    arguments.add_model(parser)
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument("--facts", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--threads", type=int, default=1)


def main(args: argparse.Namespace) -> None:
    """Write the model and the facts of it."""
    arguments.verify_assets(args)
    with complete_file(args.out) as temporary:
        if arguments.family(args).network is None:
            _take(args, temporary)
            difference = None
        else:
            difference = exported(args, WHOLE, temporary)
        found: dict[str, Any] = facts_of(temporary) | {"max_abs_difference": difference}
    write_facts(args, found)


def write_facts(args: argparse.Namespace, found: dict[str, Any]) -> None:
    """Write what is known of a graph as a record of it, and say it but for its nodes."""
    of = lineage.of([args.out], steps.fetched(args))
    write_record(args.facts, found | {"row": args.model.columns} | of)
    steps.say(f"{args.out}: {json.dumps({n: v for n, v in found.items() if n != 'graph'})}")


def _take(args: argparse.Namespace, out: Path) -> None:
    """Copy an ONNX file that ONNX Runtime can open, with its external data in it."""
    if args.assets is None or args.model.file is None:
        raise UserError(f"model {args.model.model}: needs an asset and, in it, a file")
    source = args.assets / args.model.file
    model = files.load(source)
    sessions.session(source)
    if not any(map(is_external, tensors(model))):
        shutil.copyfile(source, out)
    elif files.fits_one_file(model):
        files.save(model, out, source.parent)
    else:
        raise UserError(f"{source}: with its external data over 2 GB, which one file cannot hold")


def exported(args: argparse.Namespace, name: str, out: Path) -> float | None:
    """Export a graph of a network with its weights; return how far ONNX Runtime is from torch."""
    import torch

    from nnrd.models import export

    torch.set_num_threads(args.threads)
    network = arguments.family(args).load_network(args.model)
    model = network.load(args.assets)
    graph, how = (network.graph(model), network.export)
    if name != WHOLE:
        graph, how = network.graphs(model)[name]
    export.write(graph, how, out)
    return export.check(graph, how, out)
