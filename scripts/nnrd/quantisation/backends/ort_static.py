"""ONNX Runtime's static quantiser: weights and activations, ranges by calibration."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nnrd.quantisation.backends import graph_files, ort
from nnrd.quantisation.backends.base import Backend, Report
from nnrd.quantisation.interface import Arrays, Validate

if TYPE_CHECKING:
    from nnrd.quantisation.settings import Settings


class OrtStatic(Backend):
    """Pairs of QuantizeLinear and DequantizeLinear, which ONNX Runtime joins with what is between.

    Activations are unsigned with a zero of their own, weights signed, as ONNX Runtime asks for on
    x86; ranges go from minimum to maximum. Its symmetric activations, which a preset could mean,
    lose a bit behind every ReLU, which NNCF's do not, and nothing is the faster for them.
    """

    suffix = ".onnx"
    unused = ("preset",)

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
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
        from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry

        model = graph_files.read(graph, samples, settings.backend)
        quantise = partial(
            quantize_static,
            model_output=str(out),
            calibration_data_reader=_reader(samples[: settings.subset_size]),
            quant_format=QuantFormat.QDQ,
            per_channel=settings.per_channel,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        types = {*QDQRegistry, *QLinearOpsRegistry}
        ort.quantised(graph, model, settings.ignored, types, quantise)
        return Report()


def _reader(samples: Sequence[Arrays]):
    """Return the samples as ONNX Runtime's calibration takes them."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.left = iter(samples)

        def get_next(self) -> Arrays | None:
            return next(self.left, None)

    return Reader()
