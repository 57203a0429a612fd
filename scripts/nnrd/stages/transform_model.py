"""Change a model between its source and the codec: its tensors, and the structure behind them."""

import argparse
from pathlib import Path

from nnrd.core import bundles
from nnrd.core.errors import UserError
from nnrd.datasets import index
from nnrd.models import network
from nnrd.stages import arguments, extract_weights, steps
from nnrd.stages.torch_models import TorchModel


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    arguments.add_model(parser)
    parser.add_argument("--tensors", type=Path, required=True, help="folder of the bundle")
    parser.add_argument("--source", type=Path, required=True, help="the source's JSON of times")
    parser.add_argument("--calibration", type=Path, help="index of the items to look at")
    arguments.add_transform(parser)
    arguments.add_tf32(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of the bundle to write")
    parser.add_argument("--times", type=Path, required=True, help="JSON file to write")
    arguments.add_timing(parser)


def main(args: argparse.Namespace) -> None:
    """Write the changed model's bundle."""
    file = args.tensors / f"{steps.BUNDLE}{bundles.SUFFIX}"
    sums = steps.checksums(args.source, args.tensors, bundles.SUFFIX)
    tensors = bundles.read(file, sums[steps.BUNDLE])
    arguments.verify_assets(args)
    of = TorchModel(args)
    transform = of.transform()
    if transform is None:
        raise UserError("give a --transform")
    model = of.transformed(tensors, file)
    pipeline = arguments.family(args).load_pipeline(args.model)
    pipeline.open(args.assets)
    items = index.read(args.calibration).items if args.calibration else []
    transform.fit(model, of.network(), pipeline, items)
    extract_weights.write(args, network.tensors(model))
