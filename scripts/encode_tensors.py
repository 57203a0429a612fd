"""Encode a shard's bundles of tensors with a codec at an operating point."""

import argparse
import json
from pathlib import Path

from nnrd import codecs, coding, program


def main(args: argparse.Namespace) -> None:
    """Write the bitstreams, and their sizes and times."""
    codec = codecs.make(args.codec, **args.parameters)
    with program.complete_folder(args.out) as folder:
        rows = coding.encode(codec, args.tensors, folder, args.threads)
    program.write_json(args.times, program.timed(args, rows))
    size = sum(row["rec_size"] for row in rows)
    print(f"{len(rows)} bundles, {sum(row['anc_size'] for row in rows)} -> {size} bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tensors", type=Path, required=True, help="folder of bundles")
    parser.add_argument("--codec", required=True, help="the codec's name")
    parser.add_argument("--parameters", type=json.loads, default={}, help="JSON object")
    parser.add_argument("--out", type=Path, required=True, help="folder of bitstreams to write")
    parser.add_argument("--times", type=Path, required=True, help="JSON file to write")
    program.add_timing_arguments(parser)
    program.run(main, parser)
