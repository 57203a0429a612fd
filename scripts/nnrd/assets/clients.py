"""Run a machine's package client, bounded in bytes and time, and say what went wrong in a line."""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from nnrd.assets import network
from nnrd.assets.network import LARGEST, Limits, Pace, TooSlowError
from nnrd.assets.resolving import Asking
from nnrd.core.errors import UserError
from nnrd.core.progress import Progress

POLL = 0.05  # seconds between two looks at a client
PATIENCE = 0.5  # seconds that a client has to end when it is told to; what it leaves is temporary
# A client has no transfer to show while it reads an index and when it is done with its file.
LIMITS = Limits(window=60.0)
COPIES = 3  # of a package that a client may have at once: coming in, in its cache, delivered
# Without network a name server does not answer; by default one waits for it ten seconds a time.
RESOLVER = "RES_OPTIONS"
ENVIRONMENT = {RESOLVER: "timeout:1 attempts:1"}
# Seconds after which none of the name servers has answered: three are asked, one second each.
SILENCE = 2.75


@dataclass(frozen=True)
class Client:
    """How to run a client, and how to tell what it does.

    Attributes:
        what: the source that it fetches, for the reader.
        folder: where it runs.
        watched: where its download grows.
        delivered: where the complete package is in the end.
        reason: its output's lines → the line that says what went wrong.
        environment: variables that it is given.
        max_bytes: bytes that the package may have.
        limits: times and rates.

    """

    what: str
    folder: Path
    watched: Path
    delivered: Path
    reason: Callable[[list[str]], str]
    environment: dict[str, str] = field(default_factory=dict)
    max_bytes: int = LARGEST
    limits: Limits = LIMITS


def run(client: Client, command: Sequence[str]) -> None:
    """Run a client, telling how many bytes are there.

    Raises:
        UserError: it fails, in its own words or with "no network"; it is too slow, or its
            package too large, and was ended for that.

    """
    environment = {**ENVIRONMENT, **os.environ, **client.environment}
    with tempfile.TemporaryFile(dir=client.folder.parent) as messages:
        with Progress(client.what) as progress:
            process = subprocess.Popen(
                command,
                cwd=client.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=messages,
                stderr=subprocess.STDOUT,
            )
            _watch(process, client, progress)
            progress.to(_size(client.delivered) or progress.done)
        if process.returncode:
            raise UserError(f"{client.what}: {_reason(client, messages)}")


def _watch(process: subprocess.Popen, client: Client, progress: Progress) -> None:
    pace, asking = Pace(client.limits, client.max_bytes), Asking(process.pid)
    try:
        while process.poll() is None:
            progress.to(max(progress.done, _size(client.watched)))
            pace.check(progress.done)
            if RESOLVER not in os.environ and asking.seconds() > SILENCE:
                raise UserError(f"{client.what}: no network (no name server answers)")
            if progress.done > COPIES * client.max_bytes:
                raise UserError(f"{client.what}: has more than {client.max_bytes} bytes; stopped")
            time.sleep(POLL)
    except TooSlowError as error:
        raise UserError(f"{client.what}: {error}") from None
    finally:
        _end(process)


def _end(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _reason(client: Client, messages: IO[bytes]) -> str:
    messages.seek(0)
    said = messages.read().decode(errors="replace")
    if re.search(r"No space left|ENOSPC", said):
        return f"no space left on the disk of {client.folder.parent}"
    if found := network.WORDS.search(said):
        return f"no network ({found.group()})"
    return client.reason([line.strip() for line in said.splitlines() if line.strip()])


def last_line(lines: list[str], start: str, otherwise: str) -> str:
    """Return the last line that begins with ``start``, without it; else the last, else a word."""
    matching = [line.removeprefix(start) for line in lines if line.startswith(start)]
    return (matching or lines or [otherwise])[-1]


def _size(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).stat().st_size
            except FileNotFoundError:
                continue  # the client has moved it on
    return total
