"""What a process runs on and with: kept beside each result, so that it can be told what made it."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

from nnrd.core.packages import RESULT_PACKAGES


def made_by() -> dict[str, Any]:
    """Return the versions of the imported packages that decide a result, and the machine."""
    owners = packages_distributions()
    names = sorted({owners[name][0] for name in RESULT_PACKAGES & set(sys.modules) & set(owners)})
    packages = {"python": platform.python_version()} | {name: _version(name) for name in names}
    return {"packages": packages, "host": platform.node(), "processor": processor()}


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """Return the processor's name; Linux's platform.processor() is often empty."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
