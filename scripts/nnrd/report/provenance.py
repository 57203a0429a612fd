"""What it takes to make a result again, and to tell whether it was made the same way."""

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from importlib.metadata import distributions
from typing import Any

from nnrd.core.files import checksum
from nnrd.runtime.cuda import has_cuda
from nnrd.runtime.environment import processor


def gather(
    config: Mapping[str, Any],
    assets: Mapping[str, str],
    records: Iterable[tuple[str, Mapping[str, Any]]],
    results: Iterable[str],
) -> dict[str, Any]:
    """Return the provenance of results.

    ``config``: the configuration with its defaults filled in; ``assets``: the sums of the files
    that were fetched; ``records``: of each record of a point, of which there may be many, its path
    and what made each of its steps; ``results``: files whose SHA-256 is taken. ``environments``
    lists every machine with its packages once, and ``records`` says by their numbers which of
    them made a row's steps.
    """
    environments: dict[str, tuple[int, Any]] = {}
    made_by = {
        file: {
            step: [_number(environments, made) for made in found] for step, found in steps.items()
        }
        for file, steps in records
    }
    return {
        "commit": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain")),
        "python": platform.python_version(),
        "packages": {
            found.metadata["Name"]: found.version
            for found in sorted(distributions(), key=lambda d: d.metadata["Name"].lower())
        },
        "machine": _machine(),
        "config": config,
        "assets": assets,
        "environments": [made for _, made in environments.values()],
        "records": made_by,
        "results": {str(path): checksum(path) for path in results},
    }


def _number(environments: dict[str, tuple[int, Any]], made: Any) -> int:
    """Return an environment's number, which it gets where it is new; found by its text."""
    text = json.dumps(made, sort_keys=True)
    return environments.setdefault(text, (len(environments), made))[0]


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
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "cuda": has_cuda(),
    }
