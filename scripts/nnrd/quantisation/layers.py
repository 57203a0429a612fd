"""Which layers quantisation hurts: each one's output, float against quantised.

As ONNX Runtime's `qdq_loss_debug` has it: both graphs run on the same inputs, and tensors of the
same name are compared, so an error holds what the layers before did, too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnrd.models.pipeline import Arrays, Run
from nnrd.quantisation import graphs, packages

INTEGER = ("MatMulInteger", "ConvInteger", "DynamicQuantizeLSTM", "DynamicQuantizeMatMul")
FAR = 5  # nodes behind one in integers until its result is one of the float graph's tensors
INTEGERS = ("<Type: 'int8_t'>", "<Type: 'uint8_t'>")  # as OpenVINO writes them
SCALING = {"Multiply", "Subtract", "Convert", "Reshape", "Transpose"}  # of OpenVINO, behind weights


@dataclass(frozen=True)
class Layer:
    """A layer whose weights are quantised, and how far its output is from that of the float one.

    ``nmse``: Σ (float − quantised)² / Σ float² over all values of all inputs; ``sqnr_db``: the
    same as a ratio of signal to noise, −10 · log10(nmse).
    """

    graph: str
    layer: str
    type: str
    nmse: float
    sqnr_db: float


def errors(name: str, graph: Path, quantised: Path, samples: Sequence[Arrays]) -> list[Layer]:
    """Return the quantised layers of a graph, the worst first.

    ``graph``: the float one, ONNX. Raises UserError where one of them cannot run on the samples.
    """
    compared = _onnx if quantised.suffix == ".onnx" else _openvino
    rows, run, run_quantised = compared(graph, quantised)
    signal, noise = dict.fromkeys(rows, 0.0), dict.fromkeys(rows, 0.0)
    for sample in samples:
        ours, theirs = run_quantised(sample), run(sample)
        for key in rows:
            a, b = (side[key].astype(np.float64) for side in (theirs, ours))
            signal[key] += float(np.square(a).sum())
            noise[key] += float(np.square(a - b).sum()) if a.shape == b.shape else math.nan
    found = [Layer(name, *rows[key], *_error(signal[key], noise[key])) for key in rows]
    return sorted(found, key=lambda row: -row.nmse)


def _error(signal: float, noise: float) -> tuple[float, float]:
    if noise == 0:
        return 0.0, math.inf
    nmse = noise / signal if signal else math.inf
    return nmse, -10 * math.log10(nmse) if nmse < math.inf else -math.inf


Compared = tuple[Mapping[str, tuple[str, str]], Run, Run]  # key of an output → layer, type


def _onnx(graph: Path, quantised: Path) -> Compared:
    from nnrd.split import files

    floats, ints = files.load_whole(graph), files.load_whole(quantised)
    kinds = {out: (n.name or out, n.op_type) for n in floats.graph.node for out in n.output if out}
    named = _quantised_outputs(ints, kinds)
    found = {out: _rounded(out, ints) for out in named}
    rows = {out: _layer(node, dict(kinds.values())) or kinds[out] for out, node in named.items()}
    alike = {out: out for out in found}
    return rows, _with_outputs(floats, alike), _with_outputs(ints, found)


def _layer(node: str, kinds: Mapping[str, str]) -> tuple[str, str] | None:
    """Return name and type of the float node of which a quantised one was made.

    ONNX Runtime puts more behind its name; None where it does not begin with that of any.
    """
    names = [name for name in kinds if node == name or node.startswith((f"{name}/", f"{name}_"))]
    name = max(names, key=len, default=None)
    return (name, kinds[name]) if name else None


def _rounded(out: str, model: Any) -> str:
    """Return a tensor as the next layer takes it: behind its pair of quantisation, if it has one.

    ONNX Runtime leaves a ReLU or Clip to that pair.
    """
    steps = ("QuantizeLinear", "DequantizeLinear")
    name = out
    for step in steps:
        found = (n for n in model.graph.node if n.op_type == step and n.input[0] == name)
        node = next(found, None)
        if node is None:
            return out
        name = node.output[0]
    return name


def _quantised_outputs(model: Any, known: Mapping[str, Any]) -> dict[str, str]:
    """Return the name of each quantised node by the first tensor that the float graph has, too."""
    weights = {tensor.name for tensor in model.graph.initializer}
    stored = {
        node.output[0]
        for node in model.graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in weights
    }
    readers: dict[str, list[Any]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    nodes = (n for n in model.graph.node if n.op_type in INTEGER or stored & {*n.input[1:2]})
    found = {_first(node, readers, known): node.name for node in nodes}
    return {out: name for out, name in found.items() if out}


def _first(node: Any, readers: Mapping[str, list[Any]], known: Mapping[str, Any]) -> str | None:
    reached = [node]
    for _ in range(FAR):
        outputs = [out for one in reached for out in one.output if out]
        for out in outputs:
            if out in known:
                return out
        reached = [reader for out in outputs for reader in readers.get(out, ())]
    return None


def _with_outputs(model: Any, names: Mapping[str, str]) -> Run:
    """Return what runs a model and gives tensors: what they are to be called, and their names."""
    import onnx

    present = {value.name for value in model.graph.output}
    new = dict.fromkeys(name for name in names.values() if name not in present)
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in new)
    session = graphs.session(model.SerializeToString())

    def run(feeds: Arrays) -> Arrays:
        found = session(feeds)
        return {key: found[name] for key, name in names.items()}

    return run


def _openvino(graph: Path, quantised: Path) -> Compared:
    core = packages.load("openvino", str(quantised)).Core()
    floats, ints = core.read_model(str(graph)), core.read_model(str(quantised))
    known, found = _named(floats), _named(ints)
    rows = {
        name: (op.get_friendly_name(), op.get_type_name())
        for name, op in found.items()
        if name in known and any(map(_is_stored, op.input_values()))
    }
    ours, theirs = ({name: ops[name] for name in rows} for ops in (found, known))
    return rows, _behind(core, floats, theirs), _behind(core, ints, ours)


def _named(model: Any) -> dict[str, Any]:
    """Return the operators of a model of OpenVINO's by names that are the same in its float form.

    What it has no name for, such as an LSTM, it calls ``LSTMSequence_17``, and otherwise each time
    that it reads a file; such go by their order.
    """
    found: dict[str, Any] = {}
    for op in model.get_ordered_ops():
        kind, name = op.get_type_name(), op.get_friendly_name()
        if re.fullmatch(rf"{kind}_\d+", name):
            name = f"{kind} without a name {sum(one.startswith(f'{kind} ') for one in found)}"
        found[name] = op
    return found


def _is_stored(port: Any) -> bool:
    """Say whether an input comes from integers of 8 bits that the file holds."""
    node = port.get_node()
    while node.get_type_name() in SCALING:
        node = node.input_value(0).get_node()
    return node.get_type_name() == "Constant" and str(node.get_element_type()) in INTEGERS


def _behind(core: Any, model: Any, ops: Mapping[str, Any]) -> Run:
    """Return what runs a model of OpenVINO's and gives the first outputs of operators, by name."""
    for op in ops.values():
        model.add_outputs(op.output(0))
    sources = [port.get_node().input_value(0) for port in model.outputs]
    firsts = {
        s.get_node().get_friendly_name(): i for i, s in enumerate(sources) if not s.get_index()
    }
    places = {name: firsts[op.get_friendly_name()] for name, op in ops.items()}
    how = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    request = core.compile_model(model, "CPU", how).create_infer_request()

    def run(feeds: Arrays) -> Arrays:
        found = request.infer(dict(feeds))
        return {name: np.array(found[place]) for name, place in places.items()}

    return run
