"""Encode a shard's bundles of tensors with a codec at an operating point."""

import argparse
from pathlib import Path

from nnrd import codecs
from nnrd.codecs import files
from nnrd.core import bundles
from nnrd.core.errors import UserError
from nnrd.core.files import complete_folder
from nnrd.stages import arguments, steps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--tensors", type=Path, required=True, help="folder of bundles")
    parser.add_argument("--source", type=Path, required=True, help="the source's JSON of times")
    arguments.add_codec(parser)
    arguments.add_identity(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of bitstreams to write")
    parser.add_argument("--times", type=Path, required=True, help="JSON file to write")
    arguments.add_timing(parser)


def main(args: argparse.Namespace) -> None:
    """Write the bitstreams, and their sizes and times."""
    codec = codecs.make(args.codec, **args.parameters)
    sums = steps.checksums(args.source, args.tensors, bundles.SUFFIX)
    if not sums:
        raise UserError(f"{args.tensors}: no bundles of tensors to encode")
    with complete_folder(args.out) as folder:
        bundled = files.Shard(args.of, args.tensors, sums)
        rows = list(files.encode(codec, bundled, folder, args.threads))
    # A path may hold a hash of the parameters only.
    said = {"codec": args.codec, "parameters": args.parameters}
    coder = {"coder": codec.coder} if codec.coder else {}
    steps.write_times(args, args.times, rows, said, **coder)
    before, after = (sum(row[size] for row in rows) for size in ("anc_size", "rec_size"))
    steps.say(f"{len(rows)} bundles, {before} -> {after} bytes")
