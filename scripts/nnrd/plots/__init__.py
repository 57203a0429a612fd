"""Plots, one module each.

A module has ``draw(points, anchors) -> Figure`` for the tables that `style.read_points` returns.
"""

import sys
from types import ModuleType

from nnrd import plugins


def find(name: str) -> ModuleType:
    """Return the module of plot ``name``; UserError where there is none."""
    return plugins.find(sys.modules[__name__], "plot", name)
