"""What a point of a table is called: in a legend, on an axis, in a line of text."""

from collections.abc import Mapping
from typing import Any

from nnrd.core.options import json_object

UNQUANTISED = "unquantised"  # the codec that only takes a model into another runtime
AT, LONGEST = "at ", 40  # what names of tensors begin with, and characters of them that are shown


def operating_point(codec: str, parameters: str) -> str:
    """Return a codec and its parameters as short text: ``nnc qp −38``.

    Raises UserError where ``parameters`` are no JSON object.
    """
    given = (f"{key} {value}" for key, value in json_object(parameters).items())
    return " ".join([codec, ", ".join(given)]).strip().replace("-", "−")


def curve(row: Mapping[str, Any]) -> str:
    """Return what joins points to a curve: the codec, with what of its parameters is no number.

    A curve over a quantisation parameter has an order; one over backends has none.
    """
    given = json_object(row["parameters"]).values()
    return " ".join([row["codec"], *(_word(value) for value in given if _is_word(value))])


def _is_word(value: Any) -> bool:
    return isinstance(value, str | dict | list)


def _word(value: Any) -> str:
    """Return a parameter's value as a legend has it, lists and mappings without punctuation."""
    if isinstance(value, list):
        return " ".join(map(_word, value))
    if isinstance(value, dict):
        return " ".join(f"{key} {_word(one)}" for key, one in value.items())
    return str(value)


def named_split(row: Mapping[str, Any], longest: int | None = LONGEST) -> str | None:
    """Return what a cut at named tensors is called, at so many characters; None of a rank."""
    name = str(row.get("split_name"))
    if not name.startswith(AT):
        return None
    return name if longest is None or len(name) <= longest else f"{name[:longest]}…"


def place(row: Mapping[str, Any], longest: int | None = LONGEST) -> str:
    """Return where a point is split: ``before rank 84``, or ``at`` the names of tensors."""
    return named_split(row, longest) or f"before rank {row['split']:.0f}"
