"""Export a model to ONNX, or take an ONNX file as it is; say what the file holds."""

from nnrd.core.program import run
from nnrd.stages import convert_model

if __name__ == "__main__":
    run(convert_model)
