"""Models that are measured in PyTorch."""

from argparse import Namespace
from typing import Any

from nnrd.models.pipeline import Arrays, Pipeline, Run
from nnrd.profile import counts
from nnrd.stages.profile_runs import ProfileRun
from nnrd.stages.torch_models import TorchModel


class TorchProfile(ProfileRun):
    """A network, as the anchor runs it."""

    def opened(self) -> tuple[Pipeline, Run, dict[str, Any]]:
        """Return the pipeline, what runs the trained network, and how."""
        mixed = self.args.precision == "mixed"
        return TorchModel(Namespace(**vars(self.args), mixed=mixed)).trained()

    def macs(self, pipeline: Pipeline, run: Run, feeds: Arrays) -> int:
        """Return those of the forward pass."""
        return counts.macs(run.model, lambda: pipeline.infer(run, feeds))  # type: ignore[attr-defined]
