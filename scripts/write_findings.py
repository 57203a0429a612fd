"""Say in sentences what a study's measurements show."""

from nnrd.core.program import run
from nnrd.stages import write_findings

if __name__ == "__main__":
    run(write_findings)
