"""Whole models in ONNX Runtime; their tensors are the ONNX file's initialisers."""

import tempfile
from pathlib import Path

import numpy as np
import onnx

from nnrd.core.errors import UserError
from nnrd.models import onnx_weights
from nnrd.models.facts import checked
from nnrd.models.pipeline import Arrays, Pipeline, Run
from nnrd.runtime import sessions
from nnrd.split import files
from nnrd.stages import arguments
from nnrd.stages.runtimes import Ran, Runtime


class OnnxModel(Runtime):
    """An ONNX file and what stands around it."""

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the initialisers in the file's order."""
        return onnx_weights.tensors(self._model())

    def trained(self) -> tuple[Pipeline, Run, Ran]:
        """Return what runs the file as it is."""
        return self._runnable(self._file())

    def received(self, tensors: Arrays) -> tuple[Pipeline, Run, Ran]:
        """Return what runs the file with other initialisers."""
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
        return checked(self.args.onnx, self.args.facts)

    def _model(self) -> onnx.ModelProto:
        return files.load_whole(self._file())
