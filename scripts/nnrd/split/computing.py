"""How much a whole graph computes on an input: products of activations and recurrent layers too.

`nnrd.split.macs` says how the work is parted by a split, from the sizes of tensors alone; this says
what a run computes, as PyTorch's counter does of the network that a graph was exported from.
"""

from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path

import numpy as np
import onnx

from nnrd.runtime import sessions
from nnrd.split.graph import Graph, bodies
from nnrd.split.measuring import Meter

Arrays = dict[str, np.ndarray]
Shape = tuple[int, ...]
# Operators that compute much in a way that is not counted here.
UNCOUNTED = {"Attention", "Einsum", "MultiHeadAttention", "ConvInteger", "MatMulInteger"}
UNCOUNTED |= {"QLinearConv", "QLinearMatMul", "DynamicQuantizeLSTM", "DynamicQuantizeMatMul"}


class Counted:
    """Runs a graph and counts its multiply-accumulates: a `Run` around ``run``.

    ``macs``: of all calls so far; None where the graph has an operator whose work is not known
    (`UNCOUNTED`, or a body of If, Loop or Scan that computes). Each call runs the graph once more
    for the shapes of its tensors. ``folder`` holds the model's external data.
    """

    def __init__(
        self,
        run: Callable[[Arrays], Arrays],
        model: onnx.ModelProto,
        folder: str | Path | None = None,
    ) -> None:
        self.run, self.graph = run, Graph(model)
        self.macs: int | None = None if uncounted(self.graph) else 0
        self.meter = Meter(self.graph, folder=folder) if self.macs == 0 else None
        self.weights = {t.name: tuple(t.dims) for t in self.graph.model.graph.initializer}

    def __call__(self, feeds: Arrays) -> Arrays:
        """Return the outputs by name."""
        if self.meter is not None and self.macs is not None:
            self.macs += macs(self.graph, self.weights | self._shapes(self.meter, feeds))
        return self.run(feeds)

    def _shapes(self, meter: Meter, feeds: Arrays) -> dict[str, Shape]:
        found = sessions.run(meter.session, feeds).values()
        made = {name: tuple(s.tolist()) for name, s in zip(meter.items, found, strict=True)}
        return {name: array.shape for name, array in feeds.items()} | made


def uncounted(graph: Graph) -> list[str]:
    """Return the operators of a graph whose work is not known, each once."""
    inside = [node for each in graph.nodes for body in bodies(each) for node in body.node]
    found = [node.op_type for node in graph.nodes if node.op_type in UNCOUNTED]
    found += [node.op_type for node in inside if node.op_type in UNCOUNTED | OPERATORS.keys()]
    return list(dict.fromkeys(found))


def macs(graph: Graph, shapes: Mapping[str, Shape]) -> int:
    """Return the multiply-accumulates of a graph whose tensors have these shapes.

    A convolution makes each output from the input channels of its group and the kernel; a product
    takes rows · inner · columns, of activations as of weights; a recurrent layer uses each weight
    matrix once at each place (ONNX, Operators: Conv, MatMul, LSTM, …). What works on single values
    is not counted.
    """
    return sum(
        OPERATORS[node.op_type](node, shapes) for node in graph.nodes if node.op_type in OPERATORS
    )


def _conv(node: onnx.NodeProto, shapes: Mapping[str, Shape]) -> int:
    return prod(shapes[node.output[0]]) * prod(shapes[node.input[1]][1:])


def _transposed(node: onnx.NodeProto, shapes: Mapping[str, Shape]) -> int:
    """Each input is spread over the output channels of its group and the kernel."""
    return prod(shapes[node.input[0]]) * prod(shapes[node.input[1]][1:])


def _product(node: onnx.NodeProto, shapes: Mapping[str, Shape]) -> int:
    turned = any(a.name == "transA" and a.i for a in node.attribute)
    return prod(shapes[node.output[0]]) * shapes[node.input[0]][-2 if turned else -1]


def _recurrent(node: onnx.NodeProto, shapes: Mapping[str, Shape]) -> int:
    """Return those of a layer: a place has all values of the last axis; weights all directions."""
    places = prod(shapes[node.input[0]][:-1])
    return places * (prod(shapes[node.input[1]]) + prod(shapes[node.input[2]]))


OPERATORS: dict[str, Callable[[onnx.NodeProto, Mapping[str, Shape]], int]] = {
    "Conv": _conv,
    "ConvTranspose": _transposed,
    "Gemm": _product,
    "MatMul": _product,
    **dict.fromkeys(("LSTM", "GRU", "RNN"), _recurrent),
}
