"""Count the parameters of a model, in all and by part."""

from nnrd.core.program import run
from nnrd.stages import count_parameters

if __name__ == "__main__":
    run(count_parameters)
