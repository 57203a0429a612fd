"""Run part I of a split model on a shard of a dataset and keep the tensors that cross."""

from nnrd.core.program import run
from nnrd.stages import extract_features

if __name__ == "__main__":
    run(extract_features)
