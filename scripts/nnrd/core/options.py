"""Words of a command line that give something a name: ``NAME=VALUE``."""

from nnrd.core.errors import UserError


def named_rate(text: str) -> tuple[str, float]:
    """Return name and bit/s of ``1gbps=1000000000``; UserError where it is not so."""
    name, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not name or not 0 < number < float("inf"):
        raise UserError(f"rate {text}: write NAME=BIT/S, such as 1gbps=1000000000")
    return name, number


def named_shape(text: str) -> tuple[str, list[int]]:
    """Return the name and dimensions in ``name=1,3,300,300``; UserError where it is not so."""
    name, _, dims = text.rpartition("=")
    try:
        shape = [int(dim) for dim in dims.split(",")]
    except ValueError:
        shape = [0]
    if not name or min(shape) < 1:
        raise UserError(f"shape {text}: write NAME=1,3,300,300, with dimensions from 1")
    return name, shape
