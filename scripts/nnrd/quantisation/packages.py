"""OpenVINO and NNCF, imported so that they neither send anything to anyone nor print."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from pathlib import Path
from types import ModuleType

from nnrd.core.extras import needed

TELEMETRY = "openvino_telemetry"


def load(name: str, what: str = "") -> ModuleType:
    """Return ``openvino``, ``nncf`` or a module of theirs; ``what`` needs it, for people.

    Raises UserError where it is not installed.

    Both tell Intel that they are used, by a package of its own, and do without where there is
    none: so there is none in this process, unless it was imported before.
    """
    sys.modules.setdefault(TELEMETRY, None)  # type: ignore[arg-type]  # as the import system has it
    with needed(what):
        return import_module(name)


class _Told(logging.Handler):
    """Keeps what a logger says."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        self.lines.append(record.getMessage())


@contextmanager
def told() -> Iterator[list[str]]:
    """Yield what NNCF says in the block, which it says to nobody else; its bars are not shown.

    Its bars go to standard output, which nobody else may write to in the block.
    """
    logger, handler = logging.getLogger("nncf"), _Told()
    kept, level = logger.handlers[:], logger.level
    logger.setLevel(logging.INFO)
    logger.handlers[:] = [handler]
    try:
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            yield handler.lines
    finally:
        logger.handlers[:] = kept
        logger.setLevel(level)
