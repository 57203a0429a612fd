"""What both of ONNX Runtime's quantisers share: the graph prepared, layers left out, errors."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnrd.core.errors import UserError
from nnrd.quantisation.backends import graph_files
from nnrd.quantisation.graphs import first_line
from nnrd.quantisation.settings import Ignored

if TYPE_CHECKING:
    import onnx


def quantised(
    graph: Path,
    model: onnx.ModelProto,
    ignored: Ignored,
    types: set[str],
    quantise: Callable[..., Any],
) -> None:
    """Prepare a graph as ONNX Runtime asks for and give it to one of its quantisers.

    ``types``: of the operators that it is to quantise. Raises UserError where there are none such,
    or where the quantiser cannot take the graph.
    """
    from onnxruntime.quantization.shape_inference import quant_pre_process

    from nnrd.split import files

    layers = graph_files.layers(model)
    graph_files.check_ignored(ignored, layers)
    names = {*ignored.names, *(name for name, kind in layers.items() if kind in ignored.types)}
    with tempfile.TemporaryDirectory() as folder, _one_line(graph), _silent():
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(graph), str(prepared), skip_symbolic_shape=True)
        found = files.load_whole(prepared)
        left = {node.op_type for node in found.graph.node} & (types - {*ignored.types})
        if not left:
            has = ", ".join(sorted({node.op_type for node in found.graph.node}))
            raise UserError(f"{graph}: has no operator that is quantised; it has {has}")
        quantise(
            prepared,
            op_types_to_quantize=sorted(types - {*ignored.types}),
            nodes_to_exclude=graph_files.excluded(names, found),
        )


@contextmanager
def _one_line(graph: Path) -> Iterator[None]:
    try:
        yield
    except (UserError, OSError, MemoryError):
        raise
    except Exception as error:  # the quantiser raises whatever goes wrong, ValueError to pybind's
        raise UserError(f"{graph}: ONNX Runtime cannot quantise it: {first_line(error)}") from error


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what ONNX Runtime's quantisers log as advice to people who call them by hand."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
