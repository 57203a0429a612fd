"""The weights study's source (a model's tensors) and sink (a model filled and evaluated)."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from nnrd import bundles, coding, networks
from nnrd.codecs import Codec
from nnrd.errors import UserError

BUNDLE = "weights"  # the one item of a model's shard of tensors


def tensors(model: torch.nn.Module) -> dict[str, np.ndarray]:
    """Return what has to be sent: parameters and buffers by name, tied ones once.

    Floats are float32, integer buffers have the model's own dtype.
    """
    sent: dict[int, str] = {}
    for name, tensor in model.state_dict().items():
        sent.setdefault(tensor.data_ptr(), name)
    state = model.state_dict()
    return {name: _array(state[name]) for name in sent.values()}


def _array(tensor: torch.Tensor) -> np.ndarray:
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.is_floating_point() else tensor).numpy()


def load(model: torch.nn.Module, given: Mapping[str, np.ndarray], source: object) -> None:
    """Fill a model with tensors; UserError, with names and shapes, where they do not fit."""
    networks.fill(model, {name: torch.tensor(array) for name, array in given.items()}, source)


def extract(network: ModuleType, assets: Path | None, folder: Path) -> list[dict]:
    """Write a network's tensors as one bundle into ``folder``; return a row about it.

    Without ``assets`` the network's own download is used. Raises UserError where it has none, or
    where it fails.
    """
    model = network.build(assets) if assets else _downloaded(network)
    sent = tensors(model)
    bundles.write(folder / f"{BUNDLE}{bundles.SUFFIX}", sent)
    return [{"item": BUNDLE, "tensors": len(sent), "values": sum(t.size for t in sent.values())}]


def _downloaded(network: ModuleType) -> torch.nn.Module:
    name = network.__name__.rpartition(".")[2]
    if not hasattr(network, "download"):
        raise UserError(f"{name}: its weights cannot be downloaded: give it an asset in the sheet")
    try:
        return network.download()
    except OSError as error:  # urllib's errors among them
        raise UserError(f"{name}: its weights cannot be fetched: {error}") from None


def decoded(
    network: ModuleType, codec: Codec, bitstreams: Path, workers: int = 1
) -> tuple[torch.nn.Module, dict]:
    """Return the network with the weights of a bitstream, and a row: item, ``dec_time`` (s).

    The receiver knows the network; nothing but the bitstream gives it weights. Raises
    BitstreamError for a bitstream that cannot be decoded, UserError where it does not fit.
    """
    model = network.build(None)
    names = list(tensors(model))
    sent, seconds = coding.decode(codec, bitstreams, BUNDLE, names, workers)
    load(model, sent, bitstreams / f"{BUNDLE}{coding.SUFFIX}")
    return model, {"item": BUNDLE, "dec_time": seconds}


def stored(network: ModuleType, folder: Path) -> torch.nn.Module:
    """Return the network with the weights of a bundle in ``folder``, uncompressed: the anchor."""
    file = folder / f"{BUNDLE}{bundles.SUFFIX}"
    model = network.build(None)
    load(model, bundles.read(file), file)
    return model


def infer(
    network: ModuleType, model: torch.nn.Module, items: Sequence[Mapping], assets: Path | None,
    mixed: bool = False,
) -> Iterator[tuple[dict, dict]]:  # fmt: skip
    """Evaluate a model on items, on the GPU if there is one.

    Yields a prediction and a row of times (``item``, ``eval_time`` in seconds, wall: the network
    and what stands around it, without reading the file). ``mixed``: float16 or bfloat16 where
    torch's autocast has them.
    """
    model = model.to(device())
    with torch.autocast(device().type, enabled=mixed):
        for prediction, seconds in network.predict(model, items, assets):
            yield prediction, {"item": prediction["item"], "eval_time": seconds}


def device() -> torch.device:
    """Return where models run: the GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Task:
    """A network on the parts of a dataset, as 3GPP TR 26.847 has it.

    ``task``: a module of nnrd.tasks; ``network``: one of nnrd.networks; ``parts``: the rows of a
    dataset's index for "test" and, where there is one, "valid"; ``truth``: the ground truth of
    all of them by item. Nothing here knows of a codec, and a codec sees only `tensors`.
    """

    def __init__(
        self, task: ModuleType, network: ModuleType, parts: Mapping[str, Sequence[Mapping]],
        truth: Mapping, assets: Path | None = None,
    ):  # fmt: skip
        self.task, self.network, self.parts, self.truth = task, network, parts, truth
        self.assets = assets
        self.metric, self.higher_is_better = task.METRIC, task.HIGHER_IS_BETTER

    def model(self, pretrained: bool = True) -> torch.nn.Module:
        """Return the network with its trained weights, or bare: with random ones."""
        return self.network.build(self.assets if pretrained else None)

    def evaluate(self, model: torch.nn.Module, part: str = "test") -> tuple[float, float]:
        """Return a model's performance on a part, in the metric's unit, and the seconds (wall).

        Raises UserError for a part that the dataset does not have.
        """
        if part not in self.parts:
            raise UserError(f"part {part!r} is not known; known: {', '.join(self.parts)}")
        start = time.perf_counter()
        found = [row for row, _ in self.network.predict(model, self.parts[part], self.assets)]
        seconds = time.perf_counter() - start
        return self.task.score(self.truth, found, found)[0][self.metric], seconds
