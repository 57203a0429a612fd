"""Reading the tables that `nnrd.stages.tabulate_splits` wrote."""

from pathlib import Path

import pandas as pd

from nnrd.core.errors import UserError

NEEDED = (
    *("input", "rank", "node_name", "op_type", "branches", "bytes"),
    *("plain_branches", "plain_bytes", "plain_captured", "plain_selected"),
)


def read(path: Path) -> pd.DataFrame:
    """Return a table, of one input or of several; UserError where the file is none."""
    try:
        found = pd.read_csv(path)
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: not a table: {str(error).splitlines()[0]}") from None
    for column in NEEDED:
        if column not in found:
            raise UserError(f"{path}: not a table of splits: column {column!r} is missing")
    return found


def first_input(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the first input."""
    return found[found.input == found.input[0]].reset_index(drop=True)
