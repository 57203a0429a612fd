"""Plot bytes and branches over all ranks of a model."""

from nnrd.core.program import run
from nnrd.stages import plot_splits

if __name__ == "__main__":
    run(plot_splits)
