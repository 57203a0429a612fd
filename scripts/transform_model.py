"""Change a model between its source and the codec: its tensors, and the structure behind them."""

from nnrd.core.program import run
from nnrd.stages import transform_model

if __name__ == "__main__":
    run(transform_model)
