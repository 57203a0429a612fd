"""Whether this machine can get an asset, asked before any work and without the network."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from nnrd.assets.cache import Cache, default_folder


def missing(rows: Sequence[dict], root: Path) -> str | None:
    """Return why the asset of these rows of the sheet cannot be had; None if nothing says so.

    ``root`` is the checkout. Only Debian packages are asked after: they need clients that other
    machines do not have, and package lists. What has been fetched before is there.
    """
    packages = {row["source"].partition("#")[0]: row for row in rows}
    debian = {source: row for source, row in packages.items() if source.startswith("deb:")}
    if not debian or (root / "resources" / rows[0]["asset"]).exists():
        return None
    for client in ("apt-get", "apt-cache", "dpkg-deb"):
        if not shutil.which(client):
            return f"{client}, of Debian's package clients, is not on this machine"
    cache = Cache(default_folder())
    for source, row in debian.items():
        package = source.removeprefix("deb:")
        if not cache.entry(row.get("sha256", "")).is_file() and not _is_listed(package):
            return f"apt-get has no {package} (apt-get update, or another Debian release)"
    return None


def _is_listed(package: str) -> bool:
    # "--" keeps a name from being read as an option.
    command = ["apt-cache", "--no-all-versions", "show", "--", package]
    return subprocess.run(command, capture_output=True).returncode == 0
