"""Tables of splits: read as `nnrd.stages.tabulate_splits` wrote them, and shown as pages."""

import re
from html import escape
from pathlib import Path

import pandas as pd

from nnrd.core.errors import UserError
from nnrd.core.lineage import verify_beside

NEEDED = (
    *("input", "rank", "node_name", "op_type", "branches", "bytes"),
    *("plain_branches", "plain_bytes", "plain_captured", "plain_selected"),
)

TABLE_PAGE = """<!doctype html>
<meta charset=utf-8>
<title>{title}</title>
<style>
body {{ font: 13px/1.4 sans-serif; margin: 1em }}
table {{ border-collapse: collapse }}
th, td {{ padding: .25em .6em; text-align: right; border-bottom: 1px solid #ddd }}
th {{ position: sticky; top: 0; background: #f4f4f4; vertical-align: bottom }}
th:last-child, td:last-child {{ text-align: left; min-width: 20em }}
</style>
<h1>{title}</h1>
{body}
"""


def read(path: Path) -> pd.DataFrame:
    """Return a table, of one input or of several.

    Raises UserError where the file is none, or was altered.
    """
    verify_beside(path)
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


def page(found: pd.DataFrame, title: str) -> str:
    """Return a table as an HTML page."""
    shown = found.rename(columns=lambda column: column.replace("_", " "))
    body = shown.to_html(index=False, border=0, na_rep="", float_format="{:g}".format)
    # Names of nodes may break behind their slashes.
    body = re.sub(r"(?<!<)/", "/<wbr>", body)
    return TABLE_PAGE.format(title=escape(title), body=body)
