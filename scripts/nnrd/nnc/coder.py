"""What does the work behind `nnrd.nnc`: levels to bytes and back."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from nnrd.nnc.options import Options
from nnrd.nnc.syntax import TensorUnit


class Coder(Protocol):
    """The functions of `by_native` and of `by_nncodec`, whose bytes are equal."""

    @property
    def run(self) -> Callable[..., list[Any]]:
        """Return what shares tasks out among workers: threads or processes."""

    @property
    def join(self) -> Callable[[list[Any]], bytes]:
        """Return what joins pieces of a stream: bytes, and data that `encode` returned."""

    def outputs(self, shapes: Sequence[tuple[int, ...]], dtypes: Sequence[type], /) -> list:
        """Return arrays for what is decoded."""

    def quantise(
        self, values: np.ndarray, qp: int, options: Options, dq: bool, /
    ) -> tuple[np.ndarray, int]:
        """Return (int32 levels, qp used); RuntimeError where they do not fit 32 bits."""

    def dequantise(self, levels: np.ndarray, qp: int, density: int, out: np.ndarray, /) -> Any:
        """Write the values of levels into ``out``, float32, and return it."""

    def encode(self, levels: np.ndarray, head: TensorUnit, qp: int, options: Options, /) -> Any:
        """Return the data of a unit, for `join`; levels of floats may be lost."""

    def size(
        self, levels: np.ndarray, dq: bool, flags: int, param_opt: bool, /, *, plain: bool = False
    ) -> int:
        """Return the bytes that levels would take; ``plain``: as profile 0 codes them."""

    def source(self, stream: memoryview, heads: Iterable[TensorUnit], /) -> np.ndarray:
        """Return a stream as the decoder takes it, uint8."""

    def decode(self, stream: np.ndarray, head: TensorUnit, density: int, levels: Any, /) -> int:
        """Fill ``levels`` and return the qp; RuntimeError or ValueError for damaged data."""
