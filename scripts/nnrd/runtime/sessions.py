"""ONNX Runtime sessions as nnrd runs them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from nnrd.core.errors import UserError
from nnrd.runtime import cuda
from nnrd.runtime.cuda import has_cuda

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
# These change the rounding, and a split between the nodes they join would undo them; without
# them part I + part II equals the whole model bit for bit.
ROUNDING_FUSIONS = [
    "ConvAddFusion",
    "ConvBNFusion",
    "ConvMulFusion",
    "DivMulFusion",
    "GemmSumFusion",
    "MatMulAddFusion",
    "MatmulBNFusion",
]


def session(
    model: str | Path | bytes,
    threads: int = 1,
    folder: str | Path | None = None,
    ordered: bool = False,
    tf32: bool = False,
    device: str | None = None,
) -> onnxruntime.InferenceSession:
    """Return an ONNX Runtime session of a model file, or of a model's bytes.

    It runs on the GPU if there is one, else on ``threads`` threads of the CPU, or on the
    ``device``, one of `nnrd.runtime.cuda.DEVICES`; ``get_providers()`` of the result says which.
    The optimisation level is BASIC, less what would change the rounding. ``folder`` holds the
    external data of a model given as bytes. ``ordered`` runs Shape nodes as soon as they can,
    which frees what they read. ``tf32`` lets a GPU round the factors of a product to 11 bits, which
    is faster and is not float32.
    Raises UserError: no such file, not an ONNX model, an operator ONNX Runtime lacks,
    external data that is missing, a ``device`` that this machine has not.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    if ordered:
        options.execution_order = onnxruntime.ExecutionOrder.PRIORITY_BASED
    if folder is not None:
        key = "session.model_external_initializers_file_folder_path"
        options.add_session_config_entry(key, str(folder))
    found = _open(model, options, providers(tf32, device))
    if device == cuda.CUDA and found.get_providers()[0] != CUDA:
        raise UserError("device cuda: ONNX Runtime cannot use the GPU of this machine")
    return found


def providers(tf32: bool = False, device: str | None = None) -> list[tuple[str, dict[str, str]]]:
    """Return the execution providers of this machine with their options, the first choice first.

    ONNX Runtime's own default is TF32 where the GPU has it. Raises UserError for a ``device`` that
    this machine has not.
    """
    if device == cuda.CUDA and not has_cuda():
        raise UserError("device cuda: this machine has no NVIDIA GPU that can be used")
    found: list[tuple[str, dict[str, str]]] = [(CPU, {})]
    if device != cuda.CPU and has_cuda():
        import torch  # noqa: F401  (loads the CUDA libraries that ONNX Runtime looks for)

        found.insert(0, (CUDA, {"use_tf32": str(int(tf32))}))
    return found


def how(
    session: onnxruntime.InferenceSession, tf32: bool = False, device: str | None = None
) -> dict[str, Any]:
    """Return how a session runs: ``provider``, and ``precision``, the format of its products.

    With ``asked``, the ``device`` that it was opened for, where there was one.
    """
    provider = session.get_providers()[0]
    found = {"provider": provider, "precision": "tf32" if tf32 and provider == CUDA else "float32"}
    return found | ({"asked": device} if device else {})


def run(
    session: onnxruntime.InferenceSession, feeds: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the outputs of a session by name, in its order.

    Raises UserError where ``feeds`` (input name to array) lack an input, have one that the
    model does not know, or one whose shape or type doesn't fit.
    """
    names = [output.name for output in session.get_outputs()]
    try:
        return dict(zip(names, session.run(names, dict(feeds)), strict=True))
    except Exception as error:  # as in _open
        given = ", ".join(f"{name} {array.dtype}{array.shape}" for name, array in feeds.items())
        raise UserError(f"the model cannot run on {given}: {_first_line(error)}") from error


class Run:
    """Runs a session on arrays: the `Run` of a pipeline."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self.session = session

    def __call__(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs by name; UserError as in `run`."""
        return run(self.session, feeds)


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _open(
    model: str | Path | bytes,
    options: onnxruntime.SessionOptions,
    providers: Sequence[tuple[str, dict[str, str]]],
) -> onnxruntime.InferenceSession:
    name = "the model" if isinstance(model, bytes) else str(model)
    if not isinstance(model, bytes) and not Path(model).is_file():
        raise UserError(f"{name}: no such file")
    source = model if isinstance(model, bytes) else name
    try:
        return onnxruntime.InferenceSession(
            source, options, providers=providers, disabled_optimizers=ROUNDING_FUSIONS
        )
    except Exception as error:  # ONNX Runtime's exceptions share no narrower base class
        raise UserError(f"{name}: ONNX Runtime cannot open it: {_first_line(error)}") from error
