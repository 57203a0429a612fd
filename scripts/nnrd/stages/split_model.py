"""Split an ONNX model before or after a node, into part1.onnx, part2.onnx and split.json."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from nnrd.core import lineage
from nnrd.core.files import complete_files, write_record
from nnrd.split import files
from nnrd.split.graph import Graph
from nnrd.split.parts import extract
from nnrd.split.plan import AT, RULES, Plan, cut
from nnrd.split.sizes import TensorSize, static_sizes
from nnrd.stages import steps

PARTS = ("part1", "part2")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("model", type=Path)
    parser.add_argument("--facts", type=Path, help="what is known of the model, as JSON")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--rank", type=int, help="of the node, in the file's order, from 0")
    place.add_argument("--name", help="of the node, or of a tensor it makes")
    tensors = "at which to cut: part II starts from these"
    place.add_argument("--tensors", nargs="+", help=tensors)
    parser.add_argument("--where", choices=["before", "after"], default="before")
    rule_help = "plain: constants cross too, and tensors of which only the shape is asked"
    parser.add_argument("--rule", choices=RULES, default="lean", help=rule_help)
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")


def main(args: argparse.Namespace) -> None:
    """Split, describe and write."""
    graph = Graph(files.load(lineage.checked(args.model, args.facts)))
    plan = cut(graph, args.rank, args.name, args.where, args.rule, args.tensors)
    parts = extract(graph, plan)
    print("\n".join(describe(graph, plan)))
    with complete_files(args.out) as folder:
        for part, name in zip(parts, PARTS, strict=True):
            files.save(part, folder / f"{name}.onnx", folder=args.model.parent)
        of = lineage.of(sorted(folder.iterdir()), steps.given(args))
        write_record(folder / "split.json", plan.as_record() | of)


def describe(graph: Graph, plan: Plan) -> Iterable[str]:
    """Yield the lines that say what the split does."""
    if plan.where == AT:
        yield f"split at {plan.node_name}, made before rank {plan.rank} of {len(graph.nodes)}"
    else:
        place = f"before rank {plan.rank} of {len(graph.nodes)}"
        yield f"split {place}: {plan.node_name} ({plan.op_type})"
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
    known = [size for size in found.values() if size is not None]
    if len(known) == len(found):
        yield f"intermediate data: {sum(known):,} bytes"
