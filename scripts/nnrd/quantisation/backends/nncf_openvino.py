"""NNCF on OpenVINO's form of a graph, which OpenVINO runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnrd.core.errors import UserError
from nnrd.quantisation import graphs, packages
from nnrd.quantisation.backends import graph_files, nncf
from nnrd.quantisation.backends.base import Backend, Report
from nnrd.quantisation.interface import Arrays, Validate

if TYPE_CHECKING:
    from nnrd.quantisation.settings import Settings


class NncfOpenvino(Backend):
    """An ``.xml`` with its weights in a ``.bin`` beside it; it takes such a graph, too.

    Layers have OpenVINO's names and types, such as ``LSTMSequence`` for an LSTM: NNCF's defaults
    quantise its inputs and its state by scales of their own, which it does not survive.
    """

    suffix = ".xml"
    controls_accuracy = True
    packages = ("nncf", "openvino")

    def quantise(
        self,
        graph: Path,
        samples: Sequence[Arrays],
        settings: Settings,
        out: Path,
        validate: Validate | None = None,
        items: int = 0,
    ) -> Report:
        """Write the quantised graph; see `Backend.quantise`."""
        attention = _has_attention(graph, samples, settings.backend)
        model = _folded(read_model(graph))
        layers = {op.get_friendly_name(): op.get_type_name() for op in model.get_ops()}
        graph_files.check_ignored(settings.ignored, layers)
        check = validate and nncf.validation(validate, graphs.Compiled)
        found, reverted = nncf.quantised(model, graph, samples, settings, attention, check, items)
        packages.load("openvino").save_model(found, out, compress_to_fp16=False)
        return Report(reverted)


def _folded(model: Any) -> Any:
    """Return a model whose weights are constants: of convolutions by groups they were computed.

    Else NNCF stores these as floats.
    """
    passes = packages.load("openvino.passes")
    manager = passes.Manager()
    manager.register_pass(passes.ConstantFolding())
    manager.run_passes(model)
    return model


def _has_attention(graph: Path, samples: Sequence[Arrays], of: str) -> bool:
    """Say whether a graph is a transformer's; UserError as `graph_files.read`.

    An ``.xml`` comes from `nnrd.pot`, whose engine has run it on these samples.
    """
    if graph.suffix != NncfOpenvino.suffix:
        return nncf.has_attention(graph_files.read(graph, samples, of))
    ops = read_model(graph).get_ops()
    soft = [port for op in ops if op.get_type_name() == "Softmax" for port in op.outputs()]
    takers = [taker.get_node() for port in soft for taker in port.get_target_inputs()]
    return any(taker.get_type_name() == "MatMul" for taker in takers)


def read_model(file: Path) -> Any:
    """Return a file, ONNX's or OpenVINO's, as a model of OpenVINO's.

    Raises UserError where it is not installed, or lacks an operator.
    """
    openvino = packages.load("openvino", f"{file}")
    try:
        return openvino.Core().read_model(str(file))
    except RuntimeError as error:
        raise UserError(f"{file}: OpenVINO cannot take it: {graphs.first_line(error)}") from error
