"""Write the tensors of a bitstream into a file, .safetensors or .npz by its suffix."""

import argparse
from pathlib import Path

from nnrd import codecs, tensor_files
from nnrd.codecs import container
from nnrd.core.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", type=Path, help="the bitstream")
    parser.add_argument("-o", "--out", type=Path, required=True, help=".safetensors or .npz")
    parser.add_argument("--workers", type=int, default=1, help="processes (default 1)")


def main(args: argparse.Namespace) -> None:
    """Write the tensors, called 0, 1 and so on where their names did not travel."""
    tensor_files.check(args.out)
    blob = args.file.read_bytes()
    try:
        found = container.read(blob)
        names = None if found.names is not None else list(map(str, range(len(found.entries))))
        codec = codecs.make(found.codec, **found.parameters)
        tensors = codec.decode(blob, names=names, workers=args.workers)
    except UserError as error:
        raise UserError(f"{args.file}: {error}") from None
    tensor_files.write(args.out, tensors)
    print(f"{len(tensors)} tensors of codec {found.codec} -> {args.out}")
