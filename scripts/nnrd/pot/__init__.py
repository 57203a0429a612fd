"""The names of Intel's Post-training Optimization Toolkit (POT), with NNCF behind them.

A script written for POT 2023.3 runs with its imports changed: ``from openvino.tools.pot import …``
becomes ``from nnrd.pot import …``; ``Dict`` stands for that of the package addict. docs/pot.md says
what each name does here, and what POT did and NNCF does not.
"""

from nnrd.pot.engine import Engine, IEEngine
from nnrd.pot.interface import Config as Dict
from nnrd.pot.interface import DataLoader, Metric
from nnrd.pot.models import compress_model_weights, load_model, save_model
from nnrd.pot.pipeline import create_pipeline

__all__ = [
    "DataLoader",
    "Dict",
    "Engine",
    "IEEngine",
    "Metric",
    "compress_model_weights",
    "create_pipeline",
    "load_model",
    "save_model",
]
