"""Say what a run will cost before it is made."""

from nnrd.core.program import run
from nnrd.stages import estimate_cost

if __name__ == "__main__":
    run(estimate_cost)
