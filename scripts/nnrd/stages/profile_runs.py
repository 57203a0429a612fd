"""What runs a model that is measured: found by name, so that a job imports one."""

import argparse
from abc import ABC, abstractmethod
from typing import Any

from nnrd.core.registry import named
from nnrd.models.pipeline import Arrays, Pipeline, Run

TARGETS = {
    "torch": "nnrd.stages.profile_torch:TorchProfile",
    "onnxruntime": "nnrd.stages.profile_graphs:GraphProfile",
    "openvino": "nnrd.stages.profile_graphs:GraphProfile",
}


class ProfileRun(ABC):
    """A way to run a model; ``args`` are those of `nnrd.stages.profile_model`."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args

    @abstractmethod
    def opened(self) -> tuple[Pipeline, Run, dict[str, Any]]:
        """Return the pipeline, what runs the graph, and how: ``provider`` and ``precision``."""

    def macs(self, pipeline: Pipeline, run: Run, feeds: Arrays) -> int | None:
        """Return the multiply-accumulates of a run; None where they are not counted."""
        del pipeline, run, feeds
        return None


def of(args: argparse.Namespace) -> ProfileRun:
    """Return what runs the model that the options name."""
    found: ProfileRun = named(TARGETS[args.runtime])(args)
    return found
