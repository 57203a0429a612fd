"""The networks that nnrd can build itself, one module each.

A module has ``build(assets) -> torch.nn.Module`` (``assets``: the folder of the model's files)
and ``INPUTS``, ``{name: shape}`` of the float32 tensors that one item makes.
"""

import sys
from types import ModuleType

from nnrd import plugins


def find(name: str) -> ModuleType:
    """Return the module of architecture ``name``; UserError where there is none."""
    return plugins.find(sys.modules[__name__], "architecture", name)
