"""Put what was measured of a study's models into its two tables."""

from nnrd.core.program import run
from nnrd.stages import tabulate_profile

if __name__ == "__main__":
    run(tabulate_profile)
