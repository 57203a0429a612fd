"""Options that several stages take."""

import argparse
from pathlib import Path

from nnrd.core import lineage, links
from nnrd.core.errors import UserError
from nnrd.core.options import json_object, whole_number
from nnrd.core.packages import lay_beside
from nnrd.models import REGISTRY, Family, ModelRow
from nnrd.models.pipeline import Pipeline
from nnrd.runtime.cuda import DEVICES


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the model: its row of the sheet, and the folder of its files."""
    row = "the model's row as a JSON object: model, family, weights, …"
    parser.add_argument("--model", type=_model_row, required=True, help=row)
    parser.add_argument("--assets", type=Path, help="folder of the model's files")
    packages = "folder of packages that only the model's family needs, each in a folder"
    parser.add_argument("--packages", type=Path, help=packages)


def verify_assets(args: argparse.Namespace) -> None:
    """Raise UserError where a file of the model is not the one that was fetched."""
    for folder in (args.assets, args.packages):
        if folder is not None:
            lineage.verify_beside(folder)


def _model_row(text: str) -> ModelRow:
    try:
        return ModelRow(**json_object(text))
    except TypeError as error:  # says which key is missing, or too many
        raise UserError(f"--model: {error}") from None


def family(args: argparse.Namespace) -> Family:
    """Return the family of the model, its packages laid beside what is installed.

    Raises UserError for a plug-in that is none.
    """
    if args.packages is not None:
        lay_beside(args.packages)
    found = REGISTRY.get(args.model.family)
    if not isinstance(found, Family):
        raise UserError(f"family of models {args.model.family}: is no nnrd.models.Family")
    return found


def pipeline(args: argparse.Namespace) -> Pipeline:
    """Return the model's pipeline, opened; with the trained network where it needs one."""
    how, found = family(args), graph_pipeline(args)
    if how.needs_network:
        from nnrd.models.network import set_up

        set_up(args.threads, args.tf32)
        found.network = how.load_network(args.model).load(args.assets)
    return found


def graph_pipeline(args: argparse.Namespace) -> Pipeline:
    """Return the model's pipeline, opened, for graphs that are run without PyTorch."""
    found = family(args).load_pipeline(args.model)
    found.open(args.assets)
    return found


def add_codec(parser: argparse.ArgumentParser) -> None:
    """Add the codec and its operating point."""
    parser.add_argument("--codec", required=True, help="the codec's name")
    parser.add_argument("--parameters", type=json_object, default={}, help="JSON object")


def add_identity(parser: argparse.ArgumentParser) -> None:
    """Add what the bitstreams are of, which they carry and their receiver compares."""
    source = "what the tensors are of, such as features/MODEL/DATA/SPLIT; without it, not asked"
    parser.add_argument("--of", metavar="SOURCE", help=source)


def add_transform(parser: argparse.ArgumentParser) -> None:
    """Add the transform and its parameters."""
    parser.add_argument("--transform", help="the transform's name")
    parser.add_argument("--transform-parameters", type=json_object, default={}, help="JSON object")


def take_from_files(parser: argparse.ArgumentParser) -> None:
    """Let ``@FILE`` stand for options, a line each: of many shards a command cannot hold them."""
    parser.fromfile_prefix_chars = "@"


def add_sums(parser: argparse.ArgumentParser) -> None:
    """Add whether the sums of what is written are written beside it."""
    words = "write the sums of what was read and written beside it, for who reads it"
    parser.add_argument("--sums", action="store_true", help=words)


def add_shard(parser: argparse.ArgumentParser) -> None:
    """Add the items that a job takes."""
    parser.add_argument("--index", type=Path, required=True, help="the dataset's index")
    parser.add_argument("--shard", required=True, help="which part of it, e.g. 0-of-2")


def add_circumstances(parser: argparse.ArgumentParser) -> None:
    """Add what latencies are reckoned with, and the loss within which the fastest is looked for."""
    loss = "how much worse than the anchor, in the metric's unit; by default 1"
    parser.add_argument("--max-loss", type=float, default=1.0, help=loss)
    metric = "such as F1; by default that by which a task tells what compression did"
    parser.add_argument("--metric", help=metric)
    trip = "round-trip time of the link, such as 10ms; by default 0"
    parser.add_argument("--round-trip", type=links.duration, default=0.0, help=trip)
    slow = "how many times as long the device takes as the machine that was measured"
    parser.add_argument("--device-slowdown", type=float, default=1.0, help=slow)


def add_timing(parser: argparse.ArgumentParser) -> None:
    """Add what a timed step is told of how it runs; `nnrd.stages.steps` writes it down."""
    parser.add_argument("--threads", type=int, default=1, help="compute threads or processes")
    parser.add_argument("--isolated", action="store_true", help="nothing else runs beside it")


def add_tf32(parser: argparse.ArgumentParser) -> None:
    """Add whether a GPU may round what it multiplies."""
    parser.add_argument("--tf32", action="store_true", help="let a GPU multiply in TF32")


def add_provider(parser: argparse.ArgumentParser) -> None:
    """Add what runs an ONNX file: the ``device`` of a session."""
    words = "what runs the ONNX file (by default a GPU if there is one)"
    parser.add_argument("--provider", choices=DEVICES, help=words)


def add_inference(parser: argparse.ArgumentParser) -> None:
    """Add what every step takes that makes predictions: model, items, how, and where to write."""
    add_model(parser)
    add_shard(parser)
    add_timing(parser)
    parser.add_argument("--predictions", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--times", type=Path, required=True, help="JSON file of times to write")


def add_extraction(parser: argparse.ArgumentParser) -> None:
    """Add what every step takes that keeps tensors of a graph: model, items, how, and where."""
    add_model(parser)
    add_shard(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of bundles to write")
    parser.add_argument("--times", type=Path, required=True, help="JSON file of times to write")
    add_timing(parser)
    add_tf32(parser)
    add_provider(parser)


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add where a program by hand takes images from."""
    parser.add_argument("source", type=Path, help="an image, a folder of images, or a video")
    few = "take the first N images only"
    parser.add_argument("--frames", type=whole_number, metavar="N", help=few)
    skip = "leave out, and count, images that cannot be used, such as damaged ones"
    parser.add_argument("--skip-bad", action="store_true", help=skip)


def add_truth(parser: argparse.ArgumentParser, annotations: str) -> None:
    """Add ground truth, one of two: a dataset's index, or ``annotations``, whose help is given."""
    truth = parser.add_mutually_exclusive_group(required=True)
    truth.add_argument("--index", type=Path, help="a dataset's index, with its ground truth")
    truth.add_argument("--annotations", type=Path, help=annotations)


def add_boxes(parser: argparse.ArgumentParser) -> None:
    """Add what is to know of boxes in text, and of labels."""
    unit = "of corners in text (by default shares of the image's width and height)"
    parser.add_argument("--unit", choices=("share", "pixels"), default="share", help=unit)
    words = "tab-separated file with the columns label and id: which category a label is"
    parser.add_argument("--labels", type=Path, metavar="FILE", help=words)
