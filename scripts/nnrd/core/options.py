"""Words of a command line that hold more than a word: JSON objects, ``NAME=VALUE``."""

from typing import Any

from nnrd.core import links
from nnrd.core.errors import UserError
from nnrd.core.written import json_once


def json_object(text: str) -> dict[str, Any]:
    """Return the JSON object in a word; UserError where it is none, or a key is given twice."""
    try:
        found = json_once(text)
    except UserError as error:
        raise UserError(f"{text:.60}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{text:.60}: not JSON ({str(error).splitlines()[0]})") from None
    if not isinstance(found, dict):
        raise UserError(f"{text:.60}: not a JSON object")
    return found


def named_rate(text: str) -> tuple[str, float]:
    """Return name and bit/s of ``1gbps=1000000000``; UserError where it is not so."""
    name, _, value = text.partition("=")
    try:
        number = links.rate(value)
    except UserError:
        number = 0.0
    if not name or not number:
        raise UserError(f"rate {text:.60}: write NAME=BIT/S, such as 1gbps=1000000000")
    return name, number


def named_shape(text: str) -> tuple[str, list[int]]:
    """Return the name and dimensions in ``name=1,3,300,300``; UserError where it is not so."""
    name, _, dims = text.rpartition("=")
    try:
        shape = [int(dim) for dim in dims.split(",")]
    except ValueError:
        shape = [0]
    if not name or min(shape) < 1:
        raise UserError(f"shape {text:.60}: write NAME=1,3,300,300, with dimensions from 1")
    return name, shape


def whole_number(text: str) -> int:
    """Return a whole number from 1; UserError where it is none."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**31):
        raise UserError(f"{text!r:.60} is no whole number from 1")
    return int(text)
