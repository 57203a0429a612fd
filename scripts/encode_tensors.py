"""Encode a shard's bundles of tensors with a codec at an operating point."""

from nnrd.core.program import run
from nnrd.stages import encode_tensors

if __name__ == "__main__":
    run(encode_tensors)
