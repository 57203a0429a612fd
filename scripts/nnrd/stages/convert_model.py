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
            difference = _export(args, temporary)
        found: dict[str, Any] = facts_of(temporary) | {"max_abs_difference": difference}
    of = lineage.of([args.out], steps.fetched(args))
    write_record(args.facts, found | {"row": args.model.columns} | of)
    del found["graph"]
    steps.say(f"{args.out}: {json.dumps(found)}")


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


def _export(args: argparse.Namespace, out: Path) -> float | None:
    """Export a network with its weights; return how far ONNX Runtime is from torch."""
    import torch

    from nnrd.models import export

    torch.set_num_threads(args.threads)
    network = arguments.family(args).load_network(args.model)
    graph = network.graph(network.load(args.assets))
    export.write(graph, network.export, out)
    return export.check(graph, network.export, out)
