"""Models as ONNX files: exported by nnrd, or taken as they are."""

import shutil
import warnings
from pathlib import Path

import numpy as np
import onnx

from nnrd import architectures
from nnrd.errors import UserError
from nnrd.inference import session
from nnrd.split import load

OPSET = 18
TOLERANCE = 1e-4  # of ONNX Runtime against torch, absolute


def export(architecture: str, assets: Path, file: Path) -> dict:
    """Build a network, export it to ``file``, and hold ONNX Runtime against torch.

    The input of the comparison is seeded noise in [-1, 1]. Returns `facts` with
    ``max_abs_difference``. Raises UserError: missing assets, a difference over 1e-4.
    """
    import torch

    torch.set_num_threads(1)
    network = architectures.find(architecture)
    model = network.build(assets)
    random = np.random.default_rng(0)
    inputs = {n: random.uniform(-1, 1, s).astype(np.float32) for n, s in network.INPUTS.items()}
    given = tuple(torch.from_numpy(value) for value in inputs.values())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, given, file, dynamo=True, opset_version=OPSET, external_data=False,
            input_names=list(network.INPUTS), output_names=list(network.OUTPUTS), verbose=False,
        )  # fmt: skip
    with torch.inference_mode():
        expected = model(*given)
    found = session(file).run(list(network.OUTPUTS), inputs)
    pairs = zip(found, expected, strict=True)
    difference = max(float(np.abs(ours - theirs.numpy()).max()) for ours, theirs in pairs)
    if not difference <= TOLERANCE:
        raise UserError(f"{architecture}: ONNX Runtime differs from torch by {difference:.1e}")
    return facts(file) | {"max_abs_difference": difference}


def take(source: Path, file: Path) -> dict:
    """Copy an ONNX file that ONNX Runtime can open; UserError where it cannot."""
    load(source)
    session(source)
    shutil.copyfile(source, file)
    return facts(file)


def facts(file: Path) -> dict:
    """Return what there is to know of an ONNX file: nodes, bytes, opset, inputs, outputs."""
    model = onnx.load(file)
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    return {
        "nodes": len(graph.node),
        "parameters": sum(int(np.prod(tensor.dims, dtype=int)) for tensor in graph.initializer),
        "bytes": Path(file).stat().st_size,
        "opset": {entry.domain or "ai.onnx": entry.version for entry in model.opset_import},
        "inputs": [value.name for value in graph.input if value.name not in weights],
        "outputs": [value.name for value in graph.output],
    }


def check_nodes(facts: dict, expected: int | None, file: Path) -> None:
    """Raise UserError where the graph has other nodes than the sheet says."""
    if expected is not None and facts["nodes"] != expected:
        raise UserError(
            f"{file}: {facts['nodes']} nodes, the sheet of models says {expected}; "
            "the ranks of its splits would mean other nodes"
        )
