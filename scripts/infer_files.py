"""Run a whole model on a shard of a dataset, nothing split and nothing compressed: the anchor."""

from nnrd.core.program import run
from nnrd.stages import infer_files

if __name__ == "__main__":
    run(infer_files)
