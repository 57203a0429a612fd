"""What runs a whole model: PyTorch or ONNX Runtime, found by name so that a job imports one."""

import argparse
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np

from nnrd.core.registry import Registry
from nnrd.models.pipeline import Arrays, Pipeline, Run
from nnrd.stages import arguments

Ran = dict[str, Any]  # how a step ran: provider and precision


class Runtime(ABC):
    """How the stages take a model's tensors, run it, and run it with other tensors."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args

    @abstractmethod
    def tensors(self) -> dict[str, np.ndarray]:
        """Return the trained model's tensors, which are what is sent."""

    def size(self) -> int:
        """Return the bytes of the trained model's tensors."""
        return sum(tensor.nbytes for tensor in self.tensors().values())

    @abstractmethod
    def trained(self) -> tuple[Pipeline, Run, Ran]:
        """Return what runs the trained model."""

    @abstractmethod
    def received(self, tensors: Arrays) -> tuple[Pipeline, Run, Ran]:
        """Return what runs the model as a receiver has it, filled with what arrived."""


REGISTRY: Registry[type[Runtime]] = Registry(
    "nnrd.runtimes",
    "runtime",
    {
        "onnx": "nnrd.stages.onnx_models:OnnxModel",
        "torch": "nnrd.stages.torch_models:TorchModel",
    },
    of="nnrd.stages.runtimes:Runtime",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what runs the model, and what each of them takes."""
    # Its names are not listed: that would read the folders of all packages in every job.
    parser.add_argument("--runtime", required=True, help="what runs the model, such as onnx")
    parser.add_argument("--onnx", type=Path, help="for onnx: the ONNX file")
    parser.add_argument("--facts", type=Path, help="for onnx: what is known of the file, as JSON")
    arguments.add_provider(parser)
    parser.add_argument("--mixed", action="store_true", help="for torch: autocast's precision")
    arguments.add_tf32(parser)


def of(args: argparse.Namespace) -> Runtime:
    """Return the runtime that the options name."""
    return REGISTRY.get(args.runtime)(args)
