"""Make a page with a tab a model: bytes and branches over its ranks, to look around in."""

from nnrd.core.program import run
from nnrd.stages import draw_split_page

if __name__ == "__main__":
    run(draw_split_page)
