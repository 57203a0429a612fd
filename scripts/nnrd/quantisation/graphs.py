"""Quantised graphs, and float ones beside them, as their runtimes run them best.

A split must not change a bit, so `nnrd.runtime.sessions` forgoes most optimisations; here a graph
stays whole, and its time counts, so all are on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nnrd.core.errors import UserError
from nnrd.models.pipeline import Arrays, Run
from nnrd.quantisation import packages

OPENVINO, ONNXRUNTIME = RUNTIMES = ("openvino", "onnxruntime")
FLOAT32, DEFAULT = PRECISIONS = ("float32", "default")


def open_graph(
    file: Path, threads: int = 1, precision: str = DEFAULT, runtime: str | None = None
) -> Run:
    """Return what runs a graph on the CPU with all optimisations of its runtime.

    ``runtime``: ``onnxruntime`` or ``openvino``; by default the former for ``.onnx``, the latter
    for ``.xml``, which it alone can read. ``precision``: what is float is computed in float32, or
    in the runtime's default, which of OpenVINO is bfloat16 where the processor has it. Raises
    UserError: a file that cannot be opened, a runtime that is not installed.
    """
    if not Path(file).is_file():
        raise UserError(f"{file}: no such file")
    chosen = runtime or (ONNXRUNTIME if Path(file).suffix == ".onnx" else OPENVINO)
    if chosen == ONNXRUNTIME:
        return session(str(file), threads)
    return _openvino(Path(file), threads, precision)


def session(model: str | bytes, threads: int = 1) -> Run:
    """Return what runs an ONNX file, or its bytes, in ONNX Runtime; UserError as `open_graph`."""
    import onnxruntime

    from nnrd.runtime import sessions

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    try:
        found = onnxruntime.InferenceSession(model, options, providers=[sessions.CPU])
    except Exception as error:  # ONNX Runtime's exceptions share no narrower base class
        name = "the quantised graph" if isinstance(model, bytes) else model
        raise UserError(f"{name}: ONNX Runtime cannot open it: {first_line(error)}") from error
    return sessions.Run(found)


def _openvino(file: Path, threads: int, precision: str) -> Run:
    openvino = packages.load(OPENVINO, f"{file}")
    how = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    if precision == FLOAT32:
        how["INFERENCE_PRECISION_HINT"] = "f32"
    core = openvino.Core()
    try:
        model = core.read_model(str(file))
        if any(port.get_partial_shape().is_dynamic for port in model.inputs):
            # OpenVINO 2026.4.1 joins attention over an open dimension into a kernel that is wrong
            # from 16 places on.
            how["SNIPPETS_MODE"] = "DISABLE"
        return Compiled(core.compile_model(model, "CPU", how))
    except RuntimeError as error:
        raise UserError(f"{file}: OpenVINO cannot open it: {first_line(error)}") from error


class Compiled:
    """Runs a compiled model of OpenVINO: a `Run`. ``precision``: what it computes floats in."""

    def __init__(self, model: Any) -> None:
        self.request = model.create_infer_request()
        self.names = [output_name(port) for port in model.outputs]
        self.precision = str(model.get_property("INFERENCE_PRECISION_HINT").to_string())

    def __call__(self, feeds: Arrays) -> Arrays:
        """Return the outputs by name; UserError for inputs that do not fit."""
        try:
            found = self.request.infer(dict(feeds), share_inputs=False)
        except (RuntimeError, TypeError, ValueError) as error:
            given = ", ".join(f"{name} {array.dtype}{array.shape}" for name, array in feeds.items())
            raise UserError(f"the model cannot run on {given}: {first_line(error)}") from error
        return {name: np.array(found[i]) for i, name in enumerate(self.names)}


def output_name(port: Any) -> str:
    """Return the name of an output of OpenVINO's: the one that it has in the ONNX file."""
    sink = port.get_node().get_friendly_name().partition("/sink_port")[0]
    return sink if sink in port.get_names() else port.get_any_name()


def first_line(error: BaseException) -> str:
    """Return what an error of a runtime says in a line."""
    return " ".join(str(error).split())[:300] or type(error).__name__
