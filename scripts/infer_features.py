"""Decode a shard's bitstreams and run part II of the split model on them."""

from nnrd.core.program import run
from nnrd.stages import infer_features

if __name__ == "__main__":
    run(infer_features)
