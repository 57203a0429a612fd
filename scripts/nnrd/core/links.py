"""Links: rates and durations as people write them, and how long bytes take."""

import math
import re
from typing import TYPE_CHECKING, TypeVar

from nnrd.core.errors import UserError

if TYPE_CHECKING:  # pandas takes half a second to import
    import pandas as pd

Size = TypeVar("Size", float, "pd.Series")

PREFIXES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
NUMBER = r"\s*(\d+(?:\.\d*)?(?:e[+-]?\d+)?)\s*"
RATE = re.compile(NUMBER + r"([kmgt]?)(?:bits?(?:/s)?|bps)?\s*", re.IGNORECASE)
DURATION = re.compile(NUMBER + r"(s|ms|us)?\s*", re.IGNORECASE)
SECONDS = {None: 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}


def latency_ms(size_bytes: Size, rate: float) -> Size:
    """Return the milliseconds that ``size_bytes`` take at ``rate`` bit/s: 8 · bytes / rate.

    (TR 26.847, clause 5.3.9.6: the data alone, on a link without loss and without waiting.)
    """
    return size_bytes * 8e3 / rate


def rate(text: str | float) -> float:
    """Return the bit/s of ``50Mbit``, ``1 Gbit/s``, ``100kbps`` or ``500000000``.

    Prefixes are powers of 1000. Raises UserError for anything else, such as bytes, and for a rate
    below 1 bit/s or without end.
    """
    found = RATE.fullmatch(str(text))
    if found:
        prefix = found[2].lower()
        value = float(found[1]) * PREFIXES["k" if prefix == "k" else prefix.upper()]
        if 1 <= value < math.inf:
            return value
    raise UserError(f"rate {text!r:.60}: write bits a second, such as 50Mbit, 1Gbit or 500000000")


def duration(text: str | float) -> float:
    """Return the seconds of ``10ms``, ``0.01s`` or ``0.01``; UserError for anything else."""
    found = DURATION.fullmatch(str(text))
    value = float(found[1]) * SECONDS[found[2] and found[2].lower()] if found else math.inf
    if not value < math.inf:
        raise UserError(f"duration {text!r:.60}: write 10ms, 0.01s or 0.01, a number of seconds")
    return value


def shown(rate: float) -> str:
    """Return a rate as a person reads it, to three digits: ``50 Mbit/s``."""
    prefix = next((p for p in reversed(PREFIXES) if rate >= PREFIXES[p]), "")
    return f"{float(f'{rate / PREFIXES[prefix]:.3g}'):g} {prefix}bit/s"
