"""Tabulate what crosses every split of an ONNX model, on some items of a dataset of images."""

from nnrd.core.program import run
from nnrd.stages import tabulate_images

if __name__ == "__main__":
    run(tabulate_images)
