"""What there is to know of an ONNX file; the record of it holds the file's checksum too."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx

from nnrd.split import files


def facts_of(file: Path) -> dict[str, Any]:
    """Return nodes, parameters, bytes, those of the tensors, opset, inputs, outputs, the graph."""
    model = files.load(file)
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    return {
        "nodes": len(graph.node),
        "parameters": sum(int(np.prod(tensor.dims, dtype=int)) for tensor in graph.initializer),
        "bytes": file.stat().st_size,
        "tensor_bytes": sum(map(_bytes, graph.initializer)),
        "opset": {entry.domain or "ai.onnx": entry.version for entry in model.opset_import},
        "inputs": [value.name for value in graph.input if value.name not in weights],
        "outputs": [value.name for value in graph.output],
        "graph": _graph(model),
    }


def _bytes(tensor: onnx.TensorProto) -> int:
    """Return the bytes of a tensor as NumPy holds it, without reading it."""
    item = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    return item * int(np.prod(tensor.dims, dtype=int))


def graph_of(file: Path) -> dict[str, Any]:
    """Return ``nodes``, their names by rank, and ``makers``, the rank that makes each tensor.

    External data need not be there yet. Raises UserError for what is no ONNX file.
    """
    return _graph(files.read(file))


def _graph(model: onnx.ModelProto) -> dict[str, Any]:
    nodes = list(model.graph.node)
    makers = {name: rank for rank, node in enumerate(nodes) for name in node.output if name}
    return {"nodes": [node.name for node in nodes], "makers": makers}
