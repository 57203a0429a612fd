"""Take a model's tensors, which are what is compressed, as one bundle."""

from nnrd.core.program import run
from nnrd.stages import extract_weights

if __name__ == "__main__":
    run(extract_weights)
