"""Write down what it takes to make the results again: commit, packages, machine, config, sums."""

from nnrd.core.program import run
from nnrd.stages import write_provenance

if __name__ == "__main__":
    run(write_provenance)
