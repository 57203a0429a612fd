"""Splitting an ONNX model in two at any node (TR 26.847, clause 5.3.9)."""

from nnrd.core.links import latency_ms
from nnrd.split.files import load, save
from nnrd.split.graph import Graph
from nnrd.split.parts import extract
from nnrd.split.plan import RULES, Plan, cut
from nnrd.split.sizes import TensorSize, table

__all__ = [
    "RULES",
    "Graph",
    "Plan",
    "TensorSize",
    "cut",
    "extract",
    "latency_ms",
    "load",
    "save",
    "table",
]
