"""Whether this machine can get an asset, asked before any work and without the network."""

import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nnrd.assets.cache import Cache, default_folder
from nnrd.assets.network import is_cut_off
from nnrd.assets.rows import AssetFile, by_package
from nnrd.core.errors import UserError


def missing(rows: Sequence[dict[str, Any]], root: Path) -> str | None:
    """Return why the asset of these rows of the sheet cannot be had; None if nothing says so.

    ``root`` is the folder that relative paths are from. What has been fetched before is there.
    Asked after are files of this machine, Debian packages, which need clients that other machines
    do not have, and package lists, and addresses where there is no route to any. What the other
    clients can get is not known, for their mirrors may be on this machine.
    """
    files = [AssetFile(**row) for row in rows]
    for row in files:
        if row.only.startswith("@") and not (root / row.only[1:]).is_file():
            return f"only: {row.only[1:]}: there is no such file"
    if (root / "resources" / rows[0]["asset"]).exists():
        files = [row for row in files if _is_own(row)]  # which may change, and are fetched again
    cache = Cache(default_folder())
    for package, wanted in by_package(row for row in files if not _is_kept(row, cache)).items():
        check = CHECKS.get(wanted[0].scheme)
        reason = check(package.partition(":")[2], root) if check else None
        if reason:
            return reason
    return None


def _is_own(row: AssetFile) -> bool:
    return row.scheme == "file" and not row.sha256


def _is_kept(row: AssetFile, cache: Cache) -> bool:
    if _is_own(row):
        return False
    try:
        sha256 = row.sha256 or (cache.seen(row.source) or ("",))[0]
        return bool(sha256) and cache.entry(sha256).is_file()
    except (OSError, UserError):  # not ours to read, or damaged: who fetches it says so
        return False


def _local(path: str, root: Path) -> str | None:
    return None if (root / path).is_file() else f"file:{path}: there is no such file"


def _debian(package: str, root: Path) -> str | None:
    for client in ("apt-get", "apt-cache", "dpkg-deb"):
        if not shutil.which(client):
            return f"{client}, of Debian's package clients, is not on this machine"
    if _is_listed(package):
        return None
    return f"apt-get has no {package} (apt-get update, or another Debian release)"


def _is_listed(package: str) -> bool:
    # "--" keeps a name from being read as an option.
    command = ["apt-cache", "--no-all-versions", "show", "--", package]
    return subprocess.run(command, capture_output=True).returncode == 0


def _address(rest: str, root: Path) -> str | None:
    if urllib.request.getproxies() or not is_cut_off():
        return None
    return f"https:{rest}: no network: this machine has no route to any other"


CHECKS: dict[str, Callable[[str, Path], str | None]] = {
    "file": _local,
    "deb": _debian,
    "https": _address,
}
