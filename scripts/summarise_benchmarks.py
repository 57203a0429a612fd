"""Say where the time of the last run went, and what share of the cores it used well."""

from nnrd.core.program import run
from nnrd.stages import summarise_benchmarks

if __name__ == "__main__":
    run(summarise_benchmarks)
