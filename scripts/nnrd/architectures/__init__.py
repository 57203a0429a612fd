"""The networks that nnrd can build itself, one module each.

A module has ``build(assets) -> torch.nn.Module`` (``assets``: the folder of the model's files)
and ``INPUTS``, ``{name: shape}`` of the float32 tensors that one item makes.
"""

import importlib
import pkgutil
from types import ModuleType

from nnrd.errors import UserError


def find(name: str) -> ModuleType:
    """Return the module of architecture ``name``; UserError where there is none."""
    known = sorted(module.name for module in pkgutil.iter_modules(__path__))
    if name not in known:
        raise UserError(f"architecture {name!r} is not known; known: {', '.join(known)}")
    return importlib.import_module(f"{__name__}.{name}")
