"""How much a graph computes: multiply-accumulates of convolutions and products with weights.

Products of two activations, such as attention's, and all other operators are not counted; so it
says how a model's work is parted by a split, and roughly what it takes.
"""

from collections.abc import Callable, Mapping
from math import prod

import onnx

from nnrd.split.graph import Graph

FLOAT = 4  # bytes of what is multiplied
Shape = tuple[int, ...]


def before_each(graph: Graph, sizes: Mapping[str, int | None]) -> list[int | None]:
    """Return the multiply-accumulates of the nodes before each rank; None behind an unknown one.

    ``sizes``: the bytes of each tensor, None where they are not known.
    """
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.model.graph.initializer}
    found: list[int | None] = []
    total: int | None = 0
    for node in graph.nodes:
        found.append(total)
        more = _of(node, shapes, sizes)
        total = None if total is None or more is None else total + more
    return found


def _of(
    node: onnx.NodeProto, shapes: Mapping[str, Shape], sizes: Mapping[str, int | None]
) -> int | None:
    """Return those of a node: what each value that is made, or read, is multiplied with."""
    if node.op_type not in OPERATORS or len(node.input) < 2 or node.input[1] not in shapes:
        return 0
    times, name = OPERATORS[node.op_type](node, shapes[node.input[1]])
    size = sizes.get(name)
    return None if size is None else size // FLOAT * times


def _conv(node: onnx.NodeProto, weights: Shape) -> tuple[int, str]:
    """Each output is a sum over input channels of its group and the kernel."""
    return prod(weights[1:]), node.output[0]


def _transposed(node: onnx.NodeProto, weights: Shape) -> tuple[int, str]:
    """Each input is spread over the output channels of its group and the kernel."""
    return prod(weights[1:]), node.input[0]


def _product(node: onnx.NodeProto, weights: Shape) -> tuple[int, str]:
    """Each input is multiplied with a row, or with a column where the weights are transposed."""
    turned = any(a.name == "transB" and a.i for a in node.attribute)
    return weights[0] if turned else weights[-1], node.input[0]


OPERATORS: dict[str, Callable[[onnx.NodeProto, Shape], tuple[int, str]]] = {
    "Conv": _conv,
    "ConvTranspose": _transposed,
    "Gemm": _product,
    "MatMul": _product,
}
