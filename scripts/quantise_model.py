"""Turn a model's graphs into what a codec of whole models makes of them, such as INT8."""

from nnrd.core.program import run
from nnrd.stages import quantise_model

if __name__ == "__main__":
    run(quantise_model)
