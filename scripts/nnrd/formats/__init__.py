"""How datasets are laid out, one module each.

A module has ``index(annotations, folder, most) -> [row]``: the first ``most`` items (None: all),
each looked at, as mappings with ``name``, which no two share, ``path``, and what its task needs:
the ground truth too, where it is not in a file of its own.
"""

import importlib
import pkgutil
from types import ModuleType

from nnrd.errors import UserError


def find(name: str) -> ModuleType:
    """Return the module of format ``name``; UserError where there is none."""
    known = sorted(module.name for module in pkgutil.iter_modules(__path__))
    if name not in known:
        raise UserError(f"dataset format {name!r} is not known; known: {', '.join(known)}")
    return importlib.import_module(f"{__name__}.{name}")
