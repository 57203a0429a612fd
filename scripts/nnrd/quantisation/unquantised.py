"""The model in the formats of the runtimes, nothing quantised: what INT8 is held against there.

Times of two runtimes cannot be compared; and OpenVINO computes in bfloat16 where the processor has
it unless it is told not to, so that its float model has two speeds and two accuracies.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from nnrd.quantisation import packages
from nnrd.quantisation.codecs import SUFFIXES, Graphs, ModelCodec
from nnrd.quantisation.graphs import FLOAT32, OPENVINO, PRECISIONS
from nnrd.quantisation.interface import DataLoader, Engine, Metric


class Unquantised(ModelCodec):
    """The graphs as ``runtime`` has them, run in ``precision``: ``float32``, or its ``default``."""

    quantises = False
    schema: ClassVar = {
        "type": "object",
        "additionalProperties": False,
        "required": ["runtime"],
        "properties": {
            "runtime": {"enum": list(SUFFIXES)},
            "precision": {"enum": list(PRECISIONS)},
        },
    }

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.runtime = parameters["runtime"]
        self.precision = parameters.get("precision", FLOAT32)

    def encode(
        self, graphs: Graphs, engine: Engine, loader: DataLoader, metric: Metric, out: Path
    ) -> Mapping[str, Any]:
        """Write the graphs: ONNX files as they are, or OpenVINO's of them, in float32."""
        del engine, loader, metric
        for name, file in graphs.items():
            made = out / f"{name}{SUFFIXES[self.runtime]}"
            if self.runtime == OPENVINO:
                from nnrd.quantisation.backends.nncf_openvino import read_model

                openvino = packages.load(OPENVINO, f"codec unquantised: {file}")
                openvino.save_model(read_model(file), made, compress_to_fp16=False)
            else:
                shutil.copyfile(file, made)
        return {}
