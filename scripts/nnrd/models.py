"""Models as ONNX files: exported by nnrd, or taken as they are."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import torch

from nnrd import architectures, inference
from nnrd.architectures import base
from nnrd.errors import UserError
from nnrd.split import load


def export(name: str, weights: str, file: Path, seed: int = 0, threads: int = 1) -> dict:
    """Build an architecture, give it weights, write it to ``file``, and return `facts` of it.

    ``weights``: random, published, a state dict's file, or a folder of assets. Where the
    architecture has a tolerance, the facts gain ``max_abs_difference`` of ONNX Runtime against
    torch. Raises UserError: unknown name, weights that are missing or don't fit, a difference
    over the tolerance.
    """
    torch.set_num_threads(threads)
    architecture = architectures.get(name)
    network = base.load(architecture, weights, seed)
    base.export(architecture, network, file)
    if architecture.tolerance is None:
        return facts(file)
    difference = _difference(architecture, network, file)
    if not difference <= architecture.tolerance:
        raise UserError(f"{name}: ONNX Runtime differs from torch by {difference:.1e}")
    return facts(file) | {"max_abs_difference": difference}


def _difference(architecture: base.Architecture, network: torch.nn.Module, file: Path) -> float:
    """Return the largest difference between ONNX Runtime and torch on seeded noise in [-1, 1]."""
    random = np.random.default_rng(0)
    given = [random.uniform(-1, 1, shape).astype(np.float32) for shape in architecture.example]
    with torch.inference_mode():
        expected = network(*architecture.wrap(tuple(map(torch.from_numpy, given))))
    feeds = dict(zip(architecture.inputs, given, strict=True))
    found = inference.run(inference.session(file), feeds)
    pairs = zip(found.values(), expected, strict=True)
    return max(float(np.abs(ours - theirs.numpy()).max()) for ours, theirs in pairs)


def take(source: Path, file: Path) -> dict:
    """Copy an ONNX file that ONNX Runtime can open, and return `facts`; UserError if it can't."""
    load(source)
    inference.session(source)
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
