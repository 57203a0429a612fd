"""Split an ONNX model before or after a node, into part1.onnx, part2.onnx and split.json."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from nnrd import program, split
from nnrd.split.sizes import TensorSize, static_sizes


def main(arguments: argparse.Namespace) -> None:
    """Split, describe and write."""
    model = split.load(arguments.model)
    graph = split.Graph(model)
    plan = split.cut(graph, arguments.rank, arguments.name, arguments.where, arguments.rule)
    parts = split.extract(graph, plan)
    print("\n".join(describe(graph, plan)))
    for part, name in zip(parts, ("part1.onnx", "part2.onnx"), strict=True):
        split.save(part, arguments.out / name, folder=arguments.model.parent)
    with program.complete_file(arguments.out / "split.json") as path:
        path.write_text(plan.to_json() + "\n")


def describe(graph: split.Graph, plan: split.Plan) -> Iterable[str]:
    """Yield the lines that say what the split does."""
    yield f"split before rank {plan.rank} of {len(graph.nodes)}: {plan.node_name} ({plan.op_type})"
    yield f"part I   inputs: {', '.join(graph.inputs)}"
    yield f"         outputs: {', '.join(plan.crossing)}"
    yield f"part II  inputs: {', '.join(plan.crossing)}"
    yield f"         outputs: {', '.join(graph.outputs)}"
    if plan.passed_through:
        yield f"         passed through from part I: {', '.join(plan.passed_through)}"
    yield f"branches: {plan.branches} ({plan.plain_branches} as TR 26.847 counts)"
    sizes, shapes = static_sizes(graph), dict(zip(plan.shape_names, plan.shape_only, strict=True))
    unknown = TensorSize(None, None)
    found = {
        name: sizes.get(shapes[name], unknown).shape if name in shapes else sizes[name].value
        for name in plan.crossing
    }
    for name, size in found.items():
        note = " (an input of the model)" if name in plan.model_inputs else ""
        yield f"  {name}: {'needs inference' if size is None else f'{size:,} bytes'}{note}"
    if None not in found.values():
        yield f"intermediate data: {sum(found.values()):,} bytes"


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--rank", type=int, help="of the node, in the file's order, from 0")
    place.add_argument("--name", help="of the node, or of a tensor it makes")
    parser.add_argument("--where", choices=["before", "after"], default="before")
    rule_help = "plain: constants cross too, and tensors of which only the shape is asked"
    parser.add_argument("--rule", choices=split.RULES, default="lean", help=rule_help)
    parser.add_argument("--out", type=Path, default=Path(), help="the folder to write to")
    return parser


if __name__ == "__main__":
    program.run(main, parser())
