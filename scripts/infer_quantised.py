"""Run a model as a codec of whole models made it on a shard of a dataset."""

from nnrd.core.program import run
from nnrd.stages import infer_quantised

if __name__ == "__main__":
    run(infer_quantised)
