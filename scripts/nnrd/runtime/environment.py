"""What a process runs on and with: kept beside each result, so that it can be told what made it."""

import platform
import sys
from pathlib import Path
from typing import Any

from nnrd.core.packages import RESULT_PACKAGES, installed


def made_by() -> dict[str, Any]:
    """Return the versions of the imported packages that decide a result, and the machine."""
    found = (installed(name) for name in sorted(RESULT_PACKAGES) if name in sys.modules)
    pairs = dict(name.split("==") for name in found if name)
    packages = {"python": platform.python_version()} | pairs
    return {"packages": packages, "host": platform.node(), "processor": processor()}


def processor() -> str:
    """Return the processor's name; Linux's platform.processor() is often empty."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
