"""JSON that a person may have written, in which a key that is given twice is a mistake."""

import json
from typing import Any

from nnrd.core.errors import UserError


def json_once(text: str) -> Any:
    """Return the value of JSON; UserError where an object has a key twice, of which one is lost.

    Raises ValueError or RecursionError as `json.loads` does.
    """
    return json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"key {twice!r:.60} is given twice")
    return found
