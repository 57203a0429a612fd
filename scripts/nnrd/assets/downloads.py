"""Download files over HTTPS, going on where a broken transfer stopped."""

import hashlib
import http.client
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from nnrd.core.errors import UserError
from nnrd.core.progress import Progress

CHUNK = 1 << 18
TIMEOUT = 30.0  # seconds without a byte
ATTEMPTS = 4
LOOPBACK = ("127.0.0.1", "::1", "localhost")
BROKEN = (
    urllib.error.URLError,
    http.client.HTTPException,
    ssl.SSLError,
    ConnectionError,
    TimeoutError,
)


class _CutShortError(ConnectionError):
    """The server closed the connection before all bytes were there."""


def https(url: str, parts: Path, attempts: int = ATTEMPTS, wait: float = 1.0) -> Path:
    """Download ``url`` into the folder ``parts`` and return the complete file's path.

    The unfinished file stays there under a name made of the URL, and the next call asks the
    server for the rest, if the server can tell that its file is still the same (ETag or
    Last-Modified); otherwise it starts afresh. Two processes must not do this at once.

    Args:
        url: an https address (http only to this machine itself).
        parts: a folder that lasts.
        attempts: how often a broken transfer is taken up.
        wait: seconds before the second attempt; doubles with each.

    Raises:
        UserError: another kind of address, or one that could not be had.

    """
    _check(url)
    parts.mkdir(parents=True, exist_ok=True)
    part = parts / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.part"
    for attempt in range(attempts):
        try:
            _go_on(url, part)
            return part
        except urllib.error.HTTPError as error:
            _refuse_final(url, part, error)
            reason = f"HTTP {error.code} {error.reason}"
        except BROKEN as error:
            reason = str(getattr(error, "reason", None) or error or type(error).__name__)
        if attempt + 1 < attempts:
            time.sleep(wait * 2**attempt)
    raise UserError(f"{url}: {reason} ({attempts} attempts; what is there is kept)")


def forget(part: Path) -> None:
    """Remove what ``https`` returned, and what it noted beside it."""
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def _check(url: str) -> None:
    address = urlsplit(url)
    if address.scheme != "https" and address.hostname not in LOOPBACK:
        raise UserError(f"{url}: only https is downloaded")
    if not address.hostname:
        raise UserError(f"{url}: has no host")


def _refuse_final(url: str, part: Path, error: urllib.error.HTTPError) -> None:
    """Raise what another attempt cannot mend; 416 says that our part is not of this file."""
    if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and part.exists():
        forget(part)
    elif error.code < 500 and error.code not in (408, 429):
        raise UserError(f"{url}: HTTP {error.code} {error.reason}") from error


def _go_on(url: str, part: Path) -> None:
    note = _note(part)
    have = part.stat().st_size if part.exists() and note.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "nnrd"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", note.read_text())
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        if response.status != http.client.PARTIAL_CONTENT:
            have = 0
            forget(part)
            _write_note(note, response.headers)
        _receive(url, response, part, have)


def _receive(url: str, response: http.client.HTTPResponse, part: Path, have: int) -> None:
    length = response.headers.get("Content-Length")
    total = have + int(length) if length else None
    with Progress(url) as progress, part.open("ab") as written:
        progress.begin(have, total)
        while chunk := response.read(CHUNK):
            written.write(chunk)
            have += len(chunk)
            progress.to(have)
        if total is not None and have != total:
            raise _CutShortError(f"the connection ended after {have} of {total} bytes")


def _note(part: Path) -> Path:
    return part.with_suffix(".validator")


def _write_note(note: Path, headers: http.client.HTTPMessage) -> None:
    tag = headers.get("ETag", "")
    validator = headers.get("Last-Modified", "") if tag.startswith("W/") or not tag else tag
    if validator:
        note.write_text(validator)
