"""Tasks, one module each: what a model's output is worth.

A module has ``METRIC``, the name of the metric that stands in ``anc_perf`` and ``rec_perf``;
``HIGHER_IS_BETTER``; and ``score(truth, anchor, predictions) -> (metrics, rows)``: all metrics
by name, ``METRIC`` among them, and one row an item.
"""

import importlib
import pkgutil
from types import ModuleType

from nnrd.errors import UserError


def find(name: str) -> ModuleType:
    """Return the module of task ``name``; UserError where there is none."""
    known = sorted(module.name for module in pkgutil.iter_modules(__path__))
    if name not in known:
        raise UserError(f"task {name!r} is not known; known: {', '.join(known)}")
    return importlib.import_module(f"{__name__}.{name}")
