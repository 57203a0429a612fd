"""Decode a model's weights and evaluate it on a shard of a dataset."""

from nnrd.core.program import run
from nnrd.stages import infer_weights

if __name__ == "__main__":
    run(infer_weights)
