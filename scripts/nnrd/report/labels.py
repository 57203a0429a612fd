"""What a point of a table is called: in a legend, on an axis, in a line of text."""

from collections.abc import Mapping
from typing import Any

from nnrd.core.options import json_object

AT, LONGEST = "at ", 40  # what names of tensors begin with, and characters of them that are shown


def operating_point(codec: str, parameters: str) -> str:
    """Return a codec and its parameters as short text: ``nnc qp −38``.

    Raises UserError where ``parameters`` are no JSON object.
    """
    given = (f"{key} {value}" for key, value in json_object(parameters).items())
    return " ".join([codec, ", ".join(given)]).strip().replace("-", "−")


def named_split(row: Mapping[str, Any], longest: int | None = LONGEST) -> str | None:
    """Return what a cut at named tensors is called, at so many characters; None of a rank."""
    name = str(row.get("split_name"))
    if not name.startswith(AT):
        return None
    return name if longest is None or len(name) <= longest else f"{name[:longest]}…"


def place(row: Mapping[str, Any], longest: int | None = LONGEST) -> str:
    """Return where a point is split: ``before rank 84``, or ``at`` the names of tensors."""
    return named_split(row, longest) or f"before rank {row['split']:.0f}"
