"""Whole models in ONNX Runtime; their tensors are the ONNX file's initialisers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnrd.core import lineage
from nnrd.core.errors import UserError
from nnrd.core.files import read_record
from nnrd.models.pipeline import Arrays, Pipeline, Run
from nnrd.runtime import sessions
from nnrd.stages import arguments
from nnrd.stages.runtimes import Ran, Runtime

if TYPE_CHECKING:  # a job that runs the file as it is reads nothing in it
    import onnx


class OnnxModel(Runtime):
    """An ONNX file and what stands around it."""

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the initialisers in the file's order."""
        from nnrd.models import onnx_weights

        return onnx_weights.tensors(self._model())

    def size(self) -> int:
        """Return the bytes of the initialisers, from the facts where they are given."""
        if self.args.facts is None:
            return super().size()
        return read_record(self.args.facts)["tensor_bytes"]

    def trained(self) -> tuple[Pipeline, Run, Ran]:
        """Return what runs the file as it is."""
        return self._runnable(self._file())

    def received(self, tensors: Arrays) -> tuple[Pipeline, Run, Ran]:
        """Return what runs the file with other initialisers."""
        from nnrd.models import onnx_weights
        from nnrd.split import files

        model = onnx_weights.filled(self._model(), tensors)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.onnx"
            files.save(model, file)
            return self._runnable(file)

    def _runnable(self, file: Path) -> tuple[Pipeline, Run, Ran]:
        threads, tf32, device = self.args.threads, self.args.tf32, self.args.provider
        session = sessions.session(file, threads, tf32=tf32, device=device)
        ran = sessions.how(session, tf32, device)
        return arguments.pipeline(self.args), sessions.Run(session), ran

    def _file(self) -> Path:
        if self.args.onnx is None:
            raise UserError("--runtime onnx needs --onnx FILE")
        return lineage.checked(self.args.onnx, self.args.facts)

    def _model(self) -> onnx.ModelProto:
        from nnrd.split import files

        return files.load_whole(self._file())
