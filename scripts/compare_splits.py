"""Set published tables of splits beside ours, or inputs beside each other."""

from nnrd.core.program import run
from nnrd.stages import compare_splits

if __name__ == "__main__":
    run(compare_splits)
