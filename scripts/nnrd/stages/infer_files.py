"""Send a shard's items as files and run the whole model on what arrives: nothing is split."""

import argparse
import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from nnrd.datasets import file_codecs, index
from nnrd.datasets.file_codecs import FileCodec
from nnrd.datasets.index import Item
from nnrd.models.pipeline import Pipeline
from nnrd.runtime.stopwatch import Stopwatch
from nnrd.stages import arguments, runtimes, steps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    arguments.add_inference(parser)
    runtimes.add_arguments(parser)
    arguments.add_codec(parser)


def main(args: argparse.Namespace) -> None:
    """Write the predictions, the times and the sizes."""
    arguments.verify_assets(args)
    items = index.read(args.index).shard(args.shard)
    codec = file_codecs.make(args.codec, **args.parameters)
    pipeline, run, ran = runtimes.of(args).trained()
    with tempfile.TemporaryDirectory() as folder:
        sent = [send(item, codec, pipeline, Path(folder)) for item in items]
        rows = {item.name: row for item, row in sent}
        results = (
            (prediction, seconds | rows[prediction["item"]])
            for prediction, seconds in pipeline.predict(run, [item for item, _ in sent])
        )
        steps.write_predictions(args, results, **ran)


def send(
    item: Item, codec: FileCodec, pipeline: Pipeline, folder: Path
) -> tuple[Item, dict[str, Any]]:
    """Return an item as a receiver has it, its file in ``folder``, and what sending it took.

    That is ``anc_size`` (bytes of the item as its reader has it, such as an image's pixels),
    ``rec_size`` (bytes of the file), ``enc_time`` and ``dec_time`` (seconds, wall; the latter with
    the reading of the file).
    """
    loaded, watch = codec.read(item), Stopwatch()
    with watch("enc_time"):
        data = codec.write(loaded)
    path = folder / item.name
    path.write_bytes(data)
    received = replace(item, path=str(path), checksum=hashlib.sha256(data).hexdigest())
    with watch("dec_time"):
        array = pipeline.load(received)
    return received, {"anc_size": array.nbytes, "rec_size": len(data)} | watch.seconds
