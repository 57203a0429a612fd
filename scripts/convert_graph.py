"""Export one of the graphs of a model that consists of several; say what the file holds."""

from nnrd.core.program import run
from nnrd.stages import convert_graph

if __name__ == "__main__":
    run(convert_graph)
