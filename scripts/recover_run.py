"""Put right what a run left behind that was killed here: jobs, temporary files, its lock."""

from nnrd.core.program import run
from nnrd.stages import recover_run

if __name__ == "__main__":
    run(recover_run)
