"""The networks whose weights are compressed, one module each.

A module has ``build(assets) -> torch.nn.Module``, in eval mode, with the weights in the folder
``assets`` or, for None, bare: random weights; and ``predict(model, items, assets)``, which yields
a prediction, as the model's task scores it, and the seconds (wall) that it took, for each item
of a dataset's index, on the device where the model is. ``download() -> torch.nn.Module`` is for
weights that another library fetches. How a network is compressed it does not know.
"""

import sys
from pathlib import Path
from types import ModuleType

import torch

from nnrd import plugins
from nnrd.errors import UserError


def find(name: str) -> ModuleType:
    """Return the module of network ``name``; UserError where there is none."""
    return plugins.find(sys.modules[__name__], "network", name)


def read_checkpoint(folder: Path) -> dict[str, torch.Tensor]:
    """Return the state dict in the one ``.pt`` or ``.pth`` file of a folder.

    Raises UserError: none or several, or a file that is no plain state dict; code in it is not
    run.
    """
    files = sorted([*folder.glob("*.pt"), *folder.glob("*.pth")])
    if len(files) != 1:
        raise UserError(f"{folder}: {len(files)} files *.pt or *.pth, one checkpoint is needed")
    try:
        found = torch.load(files[0], map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for what is no checkpoint
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise UserError(f"{files[0]}: not a checkpoint that can be read ({reason})") from None
    if not isinstance(found, dict) or not all(map(torch.is_tensor, found.values())):
        raise UserError(f"{files[0]}: not a state dict: names with tensors")
    return found


def fill(model: torch.nn.Module, tensors: dict[str, torch.Tensor], source: object) -> None:
    """Load a state dict that must fit; UserError, with names and shapes, where it does not.

    Tied tensors need only be given once. ``source`` is what the message calls the tensors.
    """
    state = model.state_dict()
    given = {state[name].data_ptr() for name in tensors if name in state}
    missing = [f"{n} {_shape(t)}" for n, t in state.items() if t.data_ptr() not in given]
    strange = [f"{n} {_shape(t)}" for n, t in tensors.items() if n not in state]
    other = [
        f"{n} {_shape(t)} for {_shape(state[n])}"
        for n, t in tensors.items()
        if n in state and t.shape != state[n].shape
    ]
    mistakes = {"missing": missing, "unknown": strange, "of another shape": other}
    found = [f"{word}: {_some(names)}" for word, names in mistakes.items() if names]
    if found:
        raise UserError(f"{source}: its tensors do not fit the network; {'; '.join(found)}")
    model.load_state_dict(tensors, strict=False)


def _shape(tensor: torch.Tensor) -> str:
    return f"({', '.join(map(str, tensor.shape))})"


def _some(names: list[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
