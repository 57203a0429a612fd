"""Score a point's predictions, and gather all that was measured of it into one record."""

from nnrd.core.program import run
from nnrd.stages import score_point

if __name__ == "__main__":
    run(score_point)
