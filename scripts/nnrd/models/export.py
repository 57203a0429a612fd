"""PyTorch networks as ONNX files."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

from nnrd.core.errors import UserError
from nnrd.core.files import complete_file
from nnrd.runtime import sessions


@dataclass(frozen=True)
class Export:
    """How a network's graph is written as ONNX.

    ``example`` are the shapes of the inputs it is traced with (float32 in [0, 1)), ``inputs`` and
    ``outputs`` their names in the file. ``integers``: those inputs that are int64, from 0 to below
    a limit. ``dynamic`` are the dimensions left open, as
    ``torch.onnx.export`` takes them. ``wrap`` turns the inputs into the arguments of ``forward``.
    ``source`` names the publication of the network. ``dynamo`` takes torch's newer exporter, whose
    graph is cleaner but has other node names. ``tolerance``: how far ONNX Runtime may be from
    torch on noise in [-1, 1], absolute; None where it is not compared.
    """

    example: tuple[tuple[int, ...], ...]
    source: str
    inputs: tuple[str, ...] = ("input",)
    outputs: tuple[str, ...] = ("output",)
    opset: int = 13
    dynamic: dict[str, dict[int, str]] = field(default_factory=dict)
    integers: dict[str, int] = field(default_factory=dict)
    wrap: Callable[[tuple[torch.Tensor, ...]], tuple] = tuple
    dynamo: bool = False
    tolerance: float | None = None


def write(graph: nn.Module, how: Export, path: str | Path) -> None:
    """Write a graph as ONNX, by default with the node names of PyTorch's TorchScript exporter.

    These are TR 26.847's: "/module.path/Operator_n". Batch normalisation is folded into the
    convolutions, as the TR's files have it.
    """
    example = tuple(_example(how))
    options: dict[str, Any] = {"external_data": False, "verbose": False} if how.dynamo else {}
    with complete_file(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing and deprecation notes of torch's own
        torch.onnx.export(
            graph,
            how.wrap(example),
            str(temporary),
            dynamo=how.dynamo,
            opset_version=how.opset,
            input_names=list(how.inputs),
            output_names=list(how.outputs),
            dynamic_axes=how.dynamic,
            **options,
        )
        if how.dynamo:
            _drop_notes(temporary)


def _example(how: Export) -> Iterator[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    for name, shape in zip(how.inputs, how.example, strict=True):
        if name in how.integers:
            yield torch.randint(how.integers[name], shape, generator=generator)
        else:
            yield torch.rand(shape, generator=generator)


def _drop_notes(path: Path) -> None:
    """Take out where in which source each node came from: the same network, the same bytes."""
    model = onnx.load(path)
    for node in model.graph.node:
        del node.metadata_props[:]
    onnx.save(model, path)


def check(graph: nn.Module, how: Export, path: str | Path) -> float | None:
    """Return the largest difference of ONNX Runtime from torch on seeded noise in [-1, 1].

    Integers are drawn within their limits.

    None where the export has no tolerance; UserError where the difference exceeds it.
    """
    if how.tolerance is None:
        return None
    given = list(_noise(how))
    with torch.inference_mode():
        found = graph(*how.wrap(tuple(map(torch.from_numpy, given))))
    several = found if isinstance(found, tuple | list) else (found,)
    expected = [one for one in several if one is not None]  # None is no output of the graph
    ours = sessions.run(sessions.session(path), dict(zip(how.inputs, given, strict=True)))
    pairs = zip(ours.values(), expected, strict=True)
    difference = max(float(np.abs(a - b.numpy()).max()) for a, b in pairs)
    if not difference <= how.tolerance:
        raise UserError(f"{path}: ONNX Runtime differs from torch by {difference:.1e}")
    return difference


def _noise(how: Export) -> Iterator[np.ndarray]:
    random = np.random.default_rng(0)
    for name, shape in zip(how.inputs, how.example, strict=True):
        if name in how.integers:
            yield random.integers(how.integers[name], size=shape)
        else:
            yield random.uniform(-1, 1, shape).astype(np.float32)
