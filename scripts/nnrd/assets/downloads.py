"""Download files over HTTPS: bounded in bytes and time, going on where a transfer broke."""

import http.client
import re
import ssl
import time
import urllib.error
from pathlib import Path

from nnrd.assets.cache import key
from nnrd.assets.network import LARGEST, Limits, Pace, TooSlowError, check_address, no_network
from nnrd.assets.transfer import Transfer, forget, note_of
from nnrd.core.errors import UserError
from nnrd.core.progress import Progress

POLL = 0.05  # seconds between two looks at a transfer
LONGEST = 200  # characters of a server's words that are repeated
BROKEN = (
    urllib.error.URLError,
    http.client.HTTPException,
    ssl.SSLError,
    ConnectionError,
    TimeoutError,
)


def https(url: str, parts: Path, max_bytes: int = LARGEST, limits: Limits | None = None) -> Path:
    """Download ``url`` into the folder ``parts`` and return the complete file's path.

    The unfinished file stays there under the name that its lock has in the cache, which removes it
    when nobody goes on with it. The next call asks the server for the rest, if the server can tell
    that its file is still the same: by a strong ETag, or a Last-Modified that is old enough to be
    one. Otherwise nothing is kept. Two processes must not do this at once.

    Args:
        url: an https address (http only to this machine itself).
        parts: a folder that lasts.
        max_bytes: bytes that the file may have; a server that sends more is stopped there.
        limits: times and rates.

    Raises:
        UserError: another kind of address, or one that could not be had within the limits.

    """
    check_address(url)
    limits = limits or Limits()
    parts.mkdir(parents=True, exist_ok=True)
    part = parts / f"{key(url)}.part"
    try:
        _download(url, part, max_bytes, limits)
    except UserError as error:
        raise UserError(f"{url}: {error}{_kept(part)}") from None
    return part


def _kept(part: Path) -> str:
    """Say how much a later call can go on with; remove what it cannot."""
    size = part.stat().st_size if part.exists() and note_of(part).exists() else 0
    if not size:
        forget(part)
        return ""
    return f"; its first {size} bytes are kept, the next run goes on there"


def _download(url: str, part: Path, max_bytes: int, limits: Limits) -> None:
    pace = Pace(limits, max_bytes)
    for attempt in range(limits.attempts):
        try:
            _watch(Transfer(url, part, max_bytes, limits.silence), limits, pace)
            return
        except TooSlowError as error:
            raise UserError(str(error)) from None
        except BROKEN as error:
            reason = _reason(error)
            _refuse_final(error, reason, part)
        if attempt + 1 < limits.attempts:
            time.sleep(limits.wait * 2**attempt)
    raise UserError(f"{reason} ({limits.attempts} attempts)")


def _watch(transfer: Transfer, limits: Limits, pace: Pace) -> None:
    """Run a transfer and look at the clock meanwhile; raise what it raises."""
    begun, answered, ended = time.monotonic(), False, False
    pace.begin(0)
    with Progress(transfer.url) as progress:
        transfer.start()
        try:
            while not ended:  # looked at once more when it has ended
                transfer.join(POLL)
                ended = not transfer.is_alive()
                if not answered and transfer.answered.is_set():
                    answered = True
                    progress.begin(transfer.first, transfer.total)
                    pace.begin(transfer.first)
                if not transfer.reached.is_set() and time.monotonic() - begun > limits.connect:
                    raise UserError(f"no network, or no answer within {limits.connect:g} s")
                pace.check(transfer.done)
                progress.to(transfer.done)
        finally:
            transfer.stopped.set()
        if transfer.error:
            raise transfer.error


def _reason(error: BaseException) -> str:
    """Return what went wrong, in one line that a terminal cannot take for a command."""
    if isinstance(error, urllib.error.HTTPError):
        text = f"HTTP {error.code} {error.reason}"
    else:
        text = str(getattr(error, "reason", None) or error or type(error).__name__)
    return re.sub(r"[^ -~]+", " ", text)[:LONGEST]


def _refuse_final(error: BaseException, reason: str, part: Path) -> None:
    """Raise what another attempt cannot mend; 416 says that our part is not of this file."""
    if missing := no_network(error):
        raise UserError(missing) from error
    if isinstance(getattr(error, "reason", None), ssl.SSLCertVerificationError):
        raise UserError(reason) from error
    if not isinstance(error, urllib.error.HTTPError):
        return
    if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and part.exists():
        forget(part)
    elif error.code < 500 and error.code not in (408, 429):
        raise UserError(reason) from error
