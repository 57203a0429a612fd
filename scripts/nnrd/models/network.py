"""How a model is built in PyTorch, filled with weights, and run."""

import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from nnrd.core.errors import UserError
from nnrd.models.export import Export
from nnrd.models.family import WHOLE
from nnrd.models.pipeline import Arrays
from nnrd.models.row import ModelRow

RANDOM, BUILT = "random", "built"  # in the column `weights`


class Network(ABC):
    """A family's PyTorch half. Subclass it to add a family.

    ``export``: how its graph is written as ONNX. ``assets``: the folder of its files, for a `build`
    that finds in them what the network is like.
    """

    assets: Path | None = None

    def __init__(self, row: ModelRow) -> None:
        self.row = row

    @property
    @abstractmethod
    def export(self) -> Export:
        """How the graph is written as ONNX."""

    @abstractmethod
    def build(self) -> nn.Module:
        """Return the bare network: freshly initialised weights."""

    def read(self, assets: Path) -> dict[str, torch.Tensor]:
        """Return the state dict in a folder of files; by default that of its one checkpoint."""
        return read_checkpoint(assets)

    def graph(self, model: nn.Module) -> nn.Module:
        """Return what lies between pre- and post-processing; by default all of the network."""
        return model

    def graphs(self, model: nn.Module) -> dict[str, tuple[nn.Module, Export]]:
        """Return what a runtime without PyTorch runs of the network, by the family's names.

        By default the one graph of `graph`.
        """
        return {WHOLE: (self.graph(model), self.export)}

    def parts(self, model: nn.Module) -> dict[str, nn.Module]:
        """Return the parts of the network by name; by default its children that have parameters."""
        return {n: m for n, m in model.named_children() if any(True for _ in m.parameters())}

    def outputs(self, found: Any) -> Sequence[torch.Tensor]:
        """Return what the graph returned as tensors, in the order of the export's outputs."""
        return found if isinstance(found, tuple | list) else (found,)

    def run(self, model: nn.Module, mixed: bool = False) -> "TorchRun":
        """Return what runs the graph on arrays, on the GPU if there is one.

        ``mixed``: float16 or bfloat16 where torch's autocast has them.
        """
        return TorchRun(self, model, mixed)

    def load(self, assets: Path | None) -> nn.Module:
        """Return the network in eval mode with the weights that its row says.

        ``assets``: the folder of its files. Raises UserError where they are missing or don't fit,
        and for tensors that are not dense and finite, see `check_dense`.
        """
        model = self.bare(assets)
        if self.row.weights == RANDOM:
            return randomize(model)
        if self.row.weights == BUILT:
            return model
        if assets is None:
            raise UserError(f"model {self.row.model}: its files are needed")
        given = self.read(assets)
        check_dense(given, assets)
        fill(model, given, assets)
        return model

    def bare(self, assets: Path | None = None) -> nn.Module:
        """Return the network as a receiver has it before the weights arrive, in eval mode."""
        self.assets = assets
        torch.manual_seed(0)
        return self.build().eval()


def randomize(model: nn.Module) -> nn.Module:
    """Make a freshly built network's constant tensors (biases, norms) differ; return it.

    The exporter stores equal tensors once and adds an Identity node for each copy: left as
    initialised, SSD300 has 48 nodes that a trained one doesn't have, RetinaNet v2 has 69.
    """
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point() and tensor.min() == tensor.max():
                tensor += 0.05 * torch.rand(tensor.shape, generator=generator)
    return model


def read_checkpoint(folder: Path) -> dict[str, torch.Tensor]:
    """Return the state dict in the one ``.pt`` or ``.pth`` file of a folder.

    ``{"model": …}`` and ``{"state_dict": …}`` are looked into, and what distributed training puts
    before the names is dropped. Code in the file is not run. Raises UserError: none or several
    files, or one that holds no state dict.
    """
    files = sorted([*folder.glob("*.pt"), *folder.glob("*.pth")])
    if len(files) != 1:
        raise UserError(f"{folder}: {len(files)} files *.pt or *.pth, one checkpoint is needed")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tensors that are refused in one line, later
            found = torch.load(files[0], map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for what is no checkpoint
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise UserError(f"{files[0]}: not a checkpoint that can be read ({reason})") from None
    for key in ("model", "state_dict"):
        found = found.get(key, found) if isinstance(found, dict) else found
    named = isinstance(found, dict) and all(isinstance(name, str) for name in found)
    if not named or not all(map(torch.is_tensor, found.values())):
        raise UserError(f"{files[0]}: not a state dict: names with tensors")
    return {re.sub(r"^module\.(1\.)?", "", name): value for name, value in found.items()}


def check_dense(given: Mapping[str, torch.Tensor], source: object) -> None:
    """Raise UserError, naming the tensor, for one that no network can be filled with.

    Sparse, quantised, complex or without values, and floats that are not finite. ``source`` is
    what the message calls the tensors.
    """
    for name, tensor in given.items():
        reason = _strange(tensor)
        if reason is None and tensor.is_floating_point():
            # As float32: torch has no isfinite for the types of 8 bits.
            wrong = int((~torch.isfinite(tensor.float())).sum())
            reason = f"{wrong} of {tensor.numel()} values are not finite" if wrong else None
        if reason:
            raise UserError(f"{source}: tensor {name}: {reason}")


def _strange(tensor: torch.Tensor) -> str | None:
    if tensor.layout != torch.strided:
        return "is sparse; save it dense"
    if tensor.is_quantized:
        return "is quantised; save it dequantised"
    if tensor.is_complex():
        return "is complex"
    return "has no values (device meta)" if tensor.is_meta else None


def tensors(model: nn.Module) -> dict[str, np.ndarray]:
    """Return what has to be sent: parameters and buffers by name, tied ones once.

    In the order of the state dict; floats as float32, integers as they are.
    """
    state = model.state_dict()
    sent: dict[int, str] = {}
    for name, tensor in state.items():
        sent.setdefault(tensor.data_ptr(), name)
    return {name: _array(state[name]) for name in sent.values()}


def _array(tensor: torch.Tensor) -> np.ndarray:
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.is_floating_point() else tensor).numpy()


def fill_arrays(model: nn.Module, given: Mapping[str, np.ndarray], source: object) -> None:
    """Fill a network with arrays; see `fill`."""
    fill(model, {name: torch.tensor(array) for name, array in given.items()}, source)


def fill(model: nn.Module, given: Mapping[str, torch.Tensor], source: object) -> None:
    """Load a state dict that must fit; UserError, with names and shapes, where it does not.

    Floats of any precision fill floats; integers and booleans fill those. Tied tensors need only
    be given once. ``source`` is what the message calls the tensors.
    """
    state = model.state_dict()
    known = {state[name].data_ptr() for name in given if name in state}
    pairs = [(name, tensor, state[name]) for name, tensor in given.items() if name in state]
    mistakes = {
        "missing": [f"{n} {_shape(t)}" for n, t in state.items() if t.data_ptr() not in known],
        "unknown": [f"{n} {_shape(t)}" for n, t in given.items() if n not in state],
        "of another shape": [
            f"{n} {_shape(t)} for {_shape(own)}" for n, t, own in pairs if t.shape != own.shape
        ],
        "of another kind": [
            f"{n} {_kind(t)} for {_kind(own)}"
            for n, t, own in pairs
            if t.is_floating_point() != own.is_floating_point()
        ],
    }
    found = [f"{word}: {_some(names)}" for word, names in mistakes.items() if names]
    if found:
        raise UserError(f"{source}: its tensors do not fit the network; {'; '.join(found)}")
    model.load_state_dict(dict(given), strict=False)


def _kind(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _shape(tensor: torch.Tensor) -> str:
    return f"({', '.join(map(str, tensor.shape))})"


def _some(names: list[str], limit: int = 8) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


class TorchRun:
    """Runs a network's graph on arrays: the `Run` of a pipeline."""

    def __init__(self, network: Network, model: nn.Module, mixed: bool = False) -> None:
        self.model, self.mixed = model.to(device()), mixed
        self.network, self.graph = network, network.graph(model)

    @torch.inference_mode()
    def __call__(self, feeds: Arrays) -> Arrays:
        """Return the outputs by the names that the ONNX file gives them, floats as float32."""
        given = tuple(torch.from_numpy(array).to(device()) for array in feeds.values())
        with torch.autocast(device().type, enabled=self.mixed):
            found = self.network.outputs(self.graph(*self.network.export.wrap(given)))
        names = self.network.export.outputs
        return {name: _array(tensor) for name, tensor in zip(names, found, strict=True)}


def set_up(threads: int = 1, tf32: bool = False) -> None:
    """Say how torch computes: on so many threads of the CPU; in TF32 on a GPU if it may.

    Torch's own default is TF32 in convolutions.
    """
    torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32


def device() -> torch.device:
    """Return where networks run: the GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
