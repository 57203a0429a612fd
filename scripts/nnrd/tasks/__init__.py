"""Tasks, one module each: what a model's output is worth.

A module has ``METRIC``, the name of the metric that stands in ``anc_perf`` and ``rec_perf``;
``HIGHER_IS_BETTER``; ``truth(index, annotations)``, the ground truth in a dataset's index or in
its annotations; and ``score(truth, anchor, predictions) -> (metrics, rows)``: all metrics by name,
``METRIC`` among them, and one row an item.
"""

import sys
from types import ModuleType

from nnrd import plugins


def find(name: str) -> ModuleType:
    """Return the module of task ``name``; UserError where there is none."""
    return plugins.find(sys.modules[__name__], "task", name)
