"""What all architectures share: weights, and the export to ONNX."""

import re
import urllib.error
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import onnx
import torch
from torch import nn

from nnrd.errors import UserError
from nnrd.program import complete_file


@dataclass(frozen=True)
class Architecture:
    """How to build a network and export it.

    ``build`` returns it with freshly initialised weights. ``example`` are the shapes of the
    inputs it is traced with (float32 in [0, 1)), ``inputs`` and ``outputs`` their names in the
    ONNX file. ``dynamic`` are the dimensions left open, as ``torch.onnx.export`` takes them.
    ``wrap`` turns the inputs into the arguments of ``forward``. ``weights`` fetches the
    published weights as a state dict, or is None where no public source is known;
    ``read_assets`` reads them out of a folder of files in another format than PyTorch's;
    ``source`` names the publication. ``dynamo`` takes torch's newer exporter, whose graph is
    cleaner but has other node names. ``tolerance``: how far ONNX Runtime may be from torch,
    absolute; None where it is not compared.
    """

    build: Callable[[], nn.Module]
    example: tuple[tuple[int, ...], ...]
    source: str
    inputs: tuple[str, ...] = ("input",)
    outputs: tuple[str, ...] = ("output",)
    opset: int = 13
    dynamic: dict[str, dict[int, str]] = field(default_factory=dict)
    wrap: Callable[[tuple[torch.Tensor, ...]], tuple] = tuple
    weights: Callable[[], dict[str, torch.Tensor]] | None = None
    read_assets: Callable[[Path], dict[str, torch.Tensor]] | None = None
    dynamo: bool = False
    tolerance: float | None = None


def randomize(network: nn.Module, seed: int = 0) -> nn.Module:
    """Make a freshly built network's constant tensors (biases, norms) differ; return it.

    The exporter stores equal tensors once and adds an Identity node for each copy: left as
    initialised, SSD300 has 48 nodes that a trained one doesn't have, RetinaNet v2 has 69.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in network.state_dict().values():
            if tensor.is_floating_point() and tensor.min() == tensor.max():
                tensor += 0.05 * torch.rand(tensor.shape, generator=generator)
    return network


def fetch(url: str) -> dict[str, torch.Tensor]:
    """Return the state dict of a checkpoint; raise UserError where it cannot be fetched."""
    try:
        stored = torch.hub.load_state_dict_from_url(url, map_location="cpu", progress=False)
    except (urllib.error.URLError, OSError) as error:
        hint = "give a file with --weights, or random weights"
        raise UserError(f"{url}: cannot be fetched ({error}): {hint}") from error
    return _state(stored)


def _state(stored: dict) -> dict[str, torch.Tensor]:
    """Return the state dict in a checkpoint, without what distributed training adds."""
    for key in ("model", "state_dict"):
        stored = stored.get(key, stored)
    return {re.sub(r"^module\.(1\.)?", "", name): value for name, value in stored.items()}


def load(architecture: Architecture, weights: str, seed: int = 0) -> nn.Module:
    """Build a network and give it weights: ``random``, ``published``, a file's or a folder's.

    Raises UserError: no published weights, or they can't be fetched, or they don't fit.
    """
    torch.manual_seed(seed)
    network = architecture.build().eval()
    if weights == "random":
        return randomize(network, seed)
    if weights == "published" and architecture.weights is None:
        raise UserError("no published weights are known for it: give a file, or random")
    state = _state_dict(architecture, weights)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{weights}: the weights don't fit the architecture: {reason}") from error
    return network


def _state_dict(architecture: Architecture, weights: str) -> dict[str, torch.Tensor]:
    if weights == "published":
        return architecture.weights()
    if Path(weights).is_dir():
        if architecture.read_assets is None:
            raise UserError(f"{weights}: is a folder; this architecture's weights are one file")
        return architecture.read_assets(Path(weights))
    return _read(weights)


def _read(path: str) -> dict[str, torch.Tensor]:
    if not Path(path).is_file():
        raise UserError(f"{path}: no such file of weights")
    try:
        return _state(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch.load raises anything on what it cannot read
        raise UserError(f"{path}: not a PyTorch state dict ({type(error).__name__})") from error


def export(architecture: Architecture, network: nn.Module, path: str | Path) -> None:
    """Write a network as ONNX, by default with the node names of PyTorch's TorchScript exporter.

    These are TR 26.847's: "/module.path/Operator_n". Batch normalisation is folded into the
    convolutions, as the TR's files have it.
    """
    options = {"external_data": False, "verbose": False} if architecture.dynamo else {}
    generator = torch.Generator().manual_seed(0)
    example = tuple(torch.rand(shape, generator=generator) for shape in architecture.example)
    with complete_file(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing and deprecation notes of torch's own
        torch.onnx.export(
            network,
            architecture.wrap(example),
            str(temporary),
            dynamo=architecture.dynamo,
            opset_version=architecture.opset,
            input_names=list(architecture.inputs),
            output_names=list(architecture.outputs),
            dynamic_axes=architecture.dynamic,
            **options,
        )
        if architecture.dynamo:
            _drop_stack_traces(temporary)


def _drop_stack_traces(path: Path) -> None:
    """Take out where in the source each node came from: the same network, the same bytes."""
    model = onnx.load(path)
    for node in model.graph.node:
        kept = [p for p in node.metadata_props if not p.key.endswith("stack_trace")]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    onnx.save(model, path)
