"""Split an ONNX model before or after a node, into part1.onnx, part2.onnx and split.json."""

from nnrd.core.program import run
from nnrd.stages import split_model

if __name__ == "__main__":
    run(split_model)
