"""NNCF on an ONNX graph. ONNX Runtime runs what it makes, OpenVINO faster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnrd.quantisation import graphs
from nnrd.quantisation.backends import graph_files, nncf
from nnrd.quantisation.backends.base import Backend, Report
from nnrd.quantisation.interface import Arrays, Run, Validate

if TYPE_CHECKING:
    from nnrd.quantisation.settings import Settings


class NncfOnnx(Backend):
    """Pairs of QuantizeLinear and DequantizeLinear in an ONNX file."""

    suffix = ".onnx"
    controls_accuracy = True
    packages = ("nncf",)

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
        from nnrd.split import files

        model = graph_files.read(graph, samples, settings.backend)
        graph_files.check_ignored(settings.ignored, graph_files.layers(model))
        check = validate and nncf.validation(validate, _run)
        attention = nncf.has_attention(model)
        found, reverted = nncf.quantised(model, graph, samples, settings, attention, check, items)
        files.save(found, out)
        return Report(reverted)


def _run(model: Any) -> Run:
    return graphs.session(model.SerializeToString())
