"""Decode a shard's bitstreams and run part II of the split model on them."""

import argparse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from onnxruntime import InferenceSession

from nnrd import codecs
from nnrd.codecs import files
from nnrd.codecs.base import Codec
from nnrd.core import bundles, lineage
from nnrd.core.errors import UserError
from nnrd.core.files import MEND, read_record
from nnrd.datasets import index
from nnrd.datasets.index import Item
from nnrd.metrics import outputs
from nnrd.models.pipeline import Pipeline
from nnrd.runtime import sessions
from nnrd.runtime.stopwatch import Stopwatch
from nnrd.stages import arguments, steps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--part2", type=Path, required=True, help="ONNX file of part II")
    parser.add_argument("--split", type=Path, required=True, help="the split's JSON file")
    parser.add_argument("--bitstreams", type=Path, required=True, help="folder of bitstreams")
    parser.add_argument("--encoded", type=Path, required=True, help="the encoder's JSON of times")
    whole = "folder of the whole model's outputs, to say how far part II's are from them"
    parser.add_argument("--outputs", type=Path, help=whole)
    parser.add_argument("--reference", type=Path, help="the JSON of times beside that folder")
    arguments.add_inference(parser)
    arguments.add_codec(parser)
    arguments.add_identity(parser)
    arguments.add_tf32(parser)
    arguments.add_provider(parser)


def main(args: argparse.Namespace) -> None:
    """Write the predictions and the times."""
    plan = read_record(args.split)
    lineage.verify_made(args.part2, args.split)
    arguments.verify_assets(args)
    sums = steps.checksums(args.encoded, args.bitstreams, files.SUFFIX)
    part2 = sessions.session(args.part2, args.threads, tf32=args.tf32, device=args.provider)
    results = infer(
        part2,
        arguments.pipeline(args),
        codecs.make(args.codec, **args.parameters),
        files.Shard(args.of, args.bitstreams, sums),
        plan["crossing"],
        index.read(args.index).shard(args.shard),
        args.threads,
        Whole.of(args),
    )
    steps.write_predictions(args, results, **sessions.how(part2, args.tf32, args.provider))


class Whole(NamedTuple):
    """The whole model's outputs: a folder of bundles, and their checksums by item."""

    folder: Path
    sums: Mapping[str, str]

    @classmethod
    def of(cls, args: argparse.Namespace) -> "Whole | None":
        """Return those that the options name; UserError where the folder has other files."""
        if args.outputs is None or args.reference is None:
            return None
        return cls(args.outputs, steps.checksums(args.reference, args.outputs, bundles.SUFFIX))

    def errors(self, item: str, ours: Mapping[str, np.ndarray]) -> dict[str, outputs.Errors]:
        """Return ``output_errors``: how far the outputs of an item are from the whole model's."""
        file = self.folder / f"{item}{bundles.SUFFIX}"
        if item not in self.sums:
            raise UserError(f"{file}: is not among the whole model's outputs; {MEND}")
        return {"output_errors": outputs.errors(bundles.read(file, self.sums[item]), ours)}


def infer(
    part2: InferenceSession,
    pipeline: Pipeline,
    codec: Codec,
    sent: files.Shard,
    crossing: list[str],
    items: Iterable[Item],
    workers: int = 1,
    whole: Whole | None = None,
) -> Iterator[tuple[dict, dict[str, Any]]]:
    """Decode each item's bitstream and run part II on it.

    ``crossing``: the names of the tensors. Yields a prediction, and the times ``dec_time``,
    ``run_time`` and ``post_time`` (seconds, wall). Outside of these ``output_errors`` are reckoned,
    where the outputs of the ``whole`` model are given.
    Raises UserError, naming the file, for a bitstream that is missing or was altered, and
    BitstreamError for one that cannot be decoded or is of something else.
    """
    files.warm_up(codec)
    warm = False
    for item in items:
        tensors, decoding = files.decode(codec, sent, item.name, crossing, workers)
        if not warm:
            pipeline.postprocess(sessions.run(part2, tensors), item)
            warm = True
        watch = Stopwatch()
        with watch("run_time"):
            found = sessions.run(part2, tensors)
        apart = whole.errors(item.name, found) if whole else {}
        with watch("post_time"):
            prediction = pipeline.postprocess(found, item)
        yield {"item": item.name} | prediction, decoding | watch.seconds | apart
