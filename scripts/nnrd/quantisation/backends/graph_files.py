"""What backends ask of the ONNX file that they are given."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnrd.core.errors import UserError
from nnrd.core.schema import unknown
from nnrd.quantisation.interface import Arrays
from nnrd.quantisation.settings import Ignored

if TYPE_CHECKING:  # a configuration asks backends what they can do, and reads no ONNX file
    import onnx


def read(graph: Path, samples: Sequence[Arrays], of: str) -> onnx.ModelProto:
    """Return an ONNX file with its weights, having held what it is to be calibrated with to it.

    Raises UserError: not an ONNX file, no inputs, inputs of other names, dtypes or shapes.
    """
    from nnrd.split import files

    model = files.load_whole(graph)
    if not samples:
        raise UserError(f"{of}: no calibration items")
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    for sample in samples:
        _check(inputs, sample)
    return model


def _check(inputs: Iterable[onnx.ValueInfoProto], sample: Arrays) -> None:
    from onnx import helper

    for value in inputs:
        if value.name not in sample:
            known = ", ".join(sample) or "nothing"
            raise UserError(f"calibration data: no input {value.name!r}; it has {known}")
        array, kind = sample[value.name], value.type.tensor_type
        dims = [dim.dim_value or None for dim in kind.shape.dim]
        fits = not kind.HasField("shape") or (
            len(dims) == array.ndim
            and all(d in (None, s) for d, s in zip(dims, array.shape, strict=True))
        )
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(kind.elem_type))
        if not fits or array.dtype != dtype:
            shape = "x".join(str(dim or "?") for dim in dims)
            found = f"{array.dtype} {'x'.join(map(str, array.shape))}"
            raise UserError(
                f"calibration data: input {value.name!r} is {found}, not {dtype} {shape}"
            )


def check_ignored(ignored: Ignored, layers: Mapping[str, str]) -> None:
    """Raise UserError for a name or type that no layer has; ``layers``: name to type."""
    for word, given, known in (
        ("names", ignored.names, layers.keys()),
        ("types", ignored.types, set(layers.values())),
    ):
        for name in given:
            if name not in known:
                raise UserError(f"ignored.{word}: {unknown('layer', name, sorted(known))}")


def layers(model: onnx.ModelProto) -> dict[str, str]:
    """Return the type of each node by its name; one without a name goes by its first output."""
    return {node.name or node.output[0]: node.op_type for node in model.graph.node}


def excluded(names: Collection[str], prepared: onnx.ModelProto) -> list[str]:
    """Return the nodes of a graph that stand for others, some of which were joined with more.

    ONNX Runtime calls a node that it made of several by the first of them, with more behind it,
    and the product that its dynamic quantiser makes of a Gemm likewise.
    """
    starts = tuple(f"{name}/" for name in names) + tuple(f"{name}_" for name in names)
    known = {node.name for node in prepared.graph.node}
    gone = {name for name in names if name not in known}
    joined = {n for n in known if any(n.startswith(s) for s in starts if s[:-1] in gone)}
    found = known & {*names} | joined
    return sorted({*found, *(f"{name}_MatMul" for name in found)})
