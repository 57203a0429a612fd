"""List a dataset's items, having looked at each of them, with their checksums."""

from nnrd.core.program import run
from nnrd.stages import index_dataset

if __name__ == "__main__":
    run(index_dataset)
