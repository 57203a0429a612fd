"""Whole models in PyTorch; their tensors are parameters and buffers."""

from functools import cached_property
from pathlib import Path

import numpy as np
from torch import nn

from nnrd.models import network
from nnrd.models.network import Network
from nnrd.models.pipeline import Arrays, Pipeline, Run
from nnrd.stages import arguments
from nnrd.stages.runtimes import Ran, Runtime
from nnrd.transforms import REGISTRY as TRANSFORMS
from nnrd.transforms import Transform


class TorchModel(Runtime):
    """A network and what stands around its graph."""

    def tensors(self) -> dict[str, np.ndarray]:
        """Return parameters and buffers by name, tied ones once."""
        return network.tensors(self._trained)

    def trained(self) -> tuple[Pipeline, Run, Ran]:
        """Return what runs the network with its trained weights."""
        return self._runnable(self._trained)

    def received(self, tensors: Arrays) -> tuple[Pipeline, Run, Ran]:
        """Return what runs the network with the weights of a bitstream.

        The receiver knows the network and the transform; only the bitstream gives it weights.
        """
        model = self.bare()
        found = self.transform()
        if found is not None:
            model = found.prepare(model).eval()
        network.fill_arrays(model, tensors, "the bitstream")
        return self._runnable(model)

    def bare(self) -> nn.Module:
        """Return the network without weights."""
        return self.network().bare(self.args.assets)

    def network(self) -> Network:
        """Return how the network is built; torch gets its threads."""
        network.set_up(self.args.threads, self.args.tf32)
        return arguments.family(self.args).load_network(self.args.model)

    def transform(self) -> Transform | None:
        """Return the transform that the options name, if any."""
        if self.args.transform is None:
            return None
        return TRANSFORMS.get(self.args.transform)(**self.args.transform_parameters)

    def transformed(self, tensors: dict[str, np.ndarray], source: Path) -> nn.Module:
        """Return the network filled with tensors and prepared by the transform, not fitted yet."""
        model, found = self.bare(), self.transform()
        network.fill_arrays(model, tensors, source)
        return found.prepare(model).eval() if found else model

    @cached_property
    def _trained(self) -> nn.Module:
        return self.network().load(self.args.assets)

    def _runnable(self, model: nn.Module) -> tuple[Pipeline, Run, Ran]:
        pipeline = arguments.family(self.args).load_pipeline(self.args.model)
        pipeline.open(self.args.assets)
        run = self.network().run(model, self.args.mixed)
        pipeline.network = run.model
        device = network.device().type
        precision = "tf32" if self.args.tf32 and device == "cuda" else "float32"
        precision = "mixed" if self.args.mixed else precision
        return pipeline, run, {"provider": device, "precision": precision}
