"""How long intermediate data take over a link of some rate."""

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:  # pandas takes half a second to import
    import pandas as pd

Size = TypeVar("Size", float, "pd.Series")


def latency_ms(size_bytes: Size, rate: float) -> Size:
    """Return the milliseconds that ``size_bytes`` take at ``rate`` bit/s."""
    return size_bytes * 8e3 / rate
