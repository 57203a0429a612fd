"""Split an ONNX model in two before or after a node."""

import argparse
from pathlib import Path

from nnrd import program, split


def main(args: argparse.Namespace) -> None:
    """Write part1.onnx, part2.onnx and split.json."""
    model = split.load(args.model)
    plan = split.cut(model, rank=args.rank, name=args.name, where=args.where)
    part1, part2 = split.extract(model, plan)
    args.out.mkdir(parents=True, exist_ok=True)
    split.save(part1, args.out / "part1.onnx")
    split.save(part2, args.out / "part2.onnx")
    with program.complete_file(args.out / "split.json") as temporary:
        temporary.write_text(plan.to_json())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="ONNX file")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--rank", type=int, help="rank of the node")
    where.add_argument("--name", help="name of the node")
    parser.add_argument("--where", choices=("before", "after"), default="before")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    program.run(main, parser)
