"""Draw one of the plots from a study's table of points."""

from nnrd.core.program import run
from nnrd.stages import plot_points

if __name__ == "__main__":
    run(plot_points)
