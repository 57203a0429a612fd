"""Put a study's records into its two tables: points and items."""

from nnrd.core.program import run
from nnrd.stages import tabulate_points

if __name__ == "__main__":
    run(tabulate_points)
