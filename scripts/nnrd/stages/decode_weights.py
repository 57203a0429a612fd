"""Decode a model's weights into the bundle of tensors that it is run with."""

import argparse
from pathlib import Path

from nnrd import codecs
from nnrd.codecs import files
from nnrd.core import bundles
from nnrd.core.files import complete_folder, read_record
from nnrd.stages import arguments, steps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--bitstreams", type=Path, required=True, help="folder of the bitstream")
    parser.add_argument("--encoded", type=Path, required=True, help="the encoder's JSON of times")
    parser.add_argument("--source", type=Path, required=True, help="the source's JSON of times")
    arguments.add_codec(parser)
    arguments.add_identity(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of the bundle to write")
    parser.add_argument("--times", type=Path, required=True, help="JSON file to write")
    arguments.add_timing(parser)


def main(args: argparse.Namespace) -> None:
    """Write the bundle, and the time that decoding took."""
    # Names do not travel: both ends know the model.
    (source,) = read_record(args.source)["rows"]
    codec = codecs.make(args.codec, **args.parameters)
    sums = steps.checksums(args.encoded, args.bitstreams, files.SUFFIX)
    sent = files.Shard(args.of, args.bitstreams, sums)
    files.warm_up(codec)
    tensors, seconds = files.decode(codec, sent, steps.BUNDLE, source["names"], args.threads)
    with complete_folder(args.out) as folder:
        checksum = bundles.write(folder / f"{steps.BUNDLE}{bundles.SUFFIX}", tensors)
    steps.write_times(args, args.times, [{"item": steps.BUNDLE} | seconds | {"checksum": checksum}])
    steps.say(f"{len(tensors)} tensors, {bundles.size(tensors)} bytes")
