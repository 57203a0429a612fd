"""Decode a model's weights into the bundle of tensors that it is run with."""

from nnrd.core.program import run
from nnrd.stages import decode_weights

if __name__ == "__main__":
    run(decode_weights)
