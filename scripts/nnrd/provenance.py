"""What it takes to make a result again, and to tell whether it was made the same way."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import distributions
from pathlib import Path

from nnrd.inference import has_cuda


def gather(config: dict, assets: dict, results: Iterable[Path], providers: Iterable[str]) -> dict:
    """Return the provenance of results.

    ``config``: the configuration with its defaults filled in; ``assets``: the sums of the
    files that were fetched; ``results``: files whose SHA-256 is taken; ``providers``: ONNX
    Runtime's execution providers as the table of points has them.
    """
    return {
        "commit": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "python": platform.python_version(),
        "packages": {
            found.metadata["Name"]: found.version
            for found in sorted(distributions(), key=lambda d: d.metadata["Name"].lower())
        },
        "machine": _machine(),
        "providers": sorted(set(providers)),
        "config": config,
        "assets": assets,
        "results": {str(path): _sha256(path) for path in results},
    }


def _git(*arguments: str) -> str | None:
    """Return what git says; None outside a repository, or without git."""
    try:
        said = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return said.stdout.strip()


def _machine() -> dict:
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "cuda": has_cuda(),
    }


def _processor() -> str:
    """Return the processor's name; Linux's platform.processor() is often empty."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _sha256(path: Path) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
