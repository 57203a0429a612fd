"""How datasets are laid out, one module each.

A module has ``index(annotations, folder, most) -> [row]``: the first ``most`` items (None: all),
each looked at, as mappings with ``name``, which no two share, ``path``, and what its task needs:
the ground truth too, where it is not in a file of its own.
"""

import sys
from types import ModuleType

from nnrd import plugins


def find(name: str) -> ModuleType:
    """Return the module of format ``name``; UserError where there is none."""
    return plugins.find(sys.modules[__name__], "dataset format", name)
