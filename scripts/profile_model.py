"""Measure what one run of a model costs: time, memory, energy."""

from nnrd.core.program import run
from nnrd.stages import profile_model

if __name__ == "__main__":
    run(profile_model)
