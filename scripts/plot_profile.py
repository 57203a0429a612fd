"""Draw one of the plots of what a study's models cost."""

from nnrd.core.program import run
from nnrd.stages import plot_profile

if __name__ == "__main__":
    run(plot_profile)
