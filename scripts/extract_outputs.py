"""Run a whole ONNX model on a shard of a dataset and keep its outputs, to hold others against."""

from nnrd.core.program import run
from nnrd.stages import extract_outputs

if __name__ == "__main__":
    run(extract_outputs)
