"""The size of every tensor of a model on one input, from one run."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from nnrd.runtime import sessions as inference
from nnrd.split.graph import Graph
from nnrd.split.shapes import item_size, types
from nnrd.split.sizes import TensorSize, possible


class Meter:
    """Measures the tensors of ``model``; made once, run once per input.

    A Shape node is added behind every tensor and these shapes are the outputs. They run as
    soon as their tensor is there, so the tensors are freed as in an ordinary run: memory
    grows with the number of tensors, not with their sizes. ``folder`` holds the model's
    external data. Raises UserError where ONNX Runtime cannot open the model.
    """

    def __init__(
        self, model: onnx.ModelProto | Graph, threads: int = 1, folder: str | Path | None = None
    ):
        graph = model if isinstance(model, Graph) else Graph(model)
        sizes = {name: item_size(kind) for name, kind in types(graph).items()}
        self.items = {name: size for name in graph.maker if (size := sizes.get(name))}
        self.session = inference.session(self._instrumented(graph), threads, folder, ordered=True)

    def _instrumented(self, graph: Graph) -> bytes:
        model = onnx.ModelProto()
        model.CopyFrom(graph.model)
        model.ir_version = max(model.ir_version, 4)
        del model.graph.output[:]
        del model.graph.value_info[:]
        for index, name in enumerate(self.items):
            model.graph.node.append(helper.make_node("Shape", [name], [f"{index}:size"]))
            output = helper.make_tensor_value_info(f"{index}:size", TensorProto.INT64, None)
            model.graph.output.append(output)
        return model.SerializeToString()

    def __call__(self, feeds: Mapping[str, np.ndarray]) -> dict[str, TensorSize]:
        """Return the size of each tensor of the main graph when the model runs on ``feeds``.

        Tensors that are not numbers (sequences, strings) are left out. Raises UserError where
        ``feeds`` don't fit the model's inputs, and for a size that no machine holds: ONNX Runtime
        need not make a tensor of which only the shape is asked for.
        """
        shapes = inference.run(self.session, feeds).values()
        return possible(
            {
                name: TensorSize(item * math.prod(shape.tolist()), shape.nbytes)
                for (name, item), shape in zip(self.items.items(), shapes, strict=True)
            }
        )
