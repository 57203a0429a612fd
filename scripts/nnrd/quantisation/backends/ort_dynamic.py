"""ONNX Runtime's dynamic quantiser: weights, and activations by the range of each run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nnrd.quantisation.backends import ort
from nnrd.quantisation.backends.base import Backend, Report
from nnrd.quantisation.interface import Arrays, Validate

if TYPE_CHECKING:
    from nnrd.quantisation.settings import Settings

SLOW = {"Conv"}  # its ConvInteger takes longer than the float convolution


class OrtDynamic(Backend):
    """Products of matrices and LSTMs; convolutions stay float, since theirs would be slower."""

    suffix = ".onnx"
    needs_samples = False
    unused = ("preset", "subset_size")

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
        from onnxruntime.quantization import QuantType, quantize_dynamic
        from onnxruntime.quantization.registry import IntegerOpsRegistry

        from nnrd.split import files

        quantise = partial(
            quantize_dynamic,
            model_output=str(out),
            per_channel=settings.per_channel,
            weight_type=QuantType.QInt8,
        )
        # A Gemm is made a MatMul and an Add, and then taken.
        types = {*IntegerOpsRegistry, "Gemm"} - SLOW
        ort.quantised(graph, files.load_whole(graph), settings.ignored, types, quantise)
        return Report()
