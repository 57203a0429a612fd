"""Tabulate branches and bytes at every split of an ONNX model."""

from nnrd.core.program import run
from nnrd.stages import tabulate_splits

if __name__ == "__main__":
    run(tabulate_splits)
