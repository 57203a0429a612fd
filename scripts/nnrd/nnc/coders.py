"""Which coder does the work: nnrd's own where it was built, else NNCodec's. The bytes are equal."""

import sys
from functools import cache
from importlib import util

from nnrd.core.errors import UserError
from nnrd.nnc.coder import Coder

NAMES = ("native", "nncodec")


def find(name: str | None = None) -> Coder:
    """Return the module `by_native` or `by_nncodec`; None takes the faster one that is there.

    UserError for another name, or where ``native`` is asked for and was not built.
    """
    name = name or _default()
    if name not in NAMES:
        raise UserError(f"coder {name!r}: it is one of {', '.join(NAMES)}")
    if name == "native":
        if not _is_built():
            raise UserError("coder native: it was not built (python setup.py build_ext --inplace)")
        from nnrd.nnc import by_native

        return by_native
    from nnrd.nnc import by_nncodec

    return by_nncodec


def in_use(name: str | None = None) -> str:
    """Return the coder's name for a table's row: ``native`` or ``nncodec`` and its version."""
    name = name or _default()
    find(name)
    if name == "native":
        return name
    from importlib.metadata import version

    return f"nncodec {version('nncodec')}"


@cache
def _default() -> str:
    if _is_built():
        return "native"
    print("nnrd: its own NNC coder was not built; NNCodec's is used, slower", file=sys.stderr)
    return "nncodec"


@cache
def _is_built() -> bool:
    return util.find_spec("nnrd.nnc._native") is not None
