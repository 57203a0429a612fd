"""Join the tables of several studies into one."""

from nnrd.core.program import run
from nnrd.stages import join_tables

if __name__ == "__main__":
    run(join_tables)
