"""One transfer of one file over HTTPS, in a thread that who waits for it can leave alone."""

import email.utils
import http.client
import re
import ssl
import threading
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from nnrd.assets.network import check_address
from nnrd.core.errors import UserError
from nnrd.core.scratch import named

CHUNK = 1 << 18
HOPS = 10  # redirections
REDIRECTIONS = (301, 302, 303, 307, 308)
STRONG_AGE = 60.0  # seconds that Last-Modified must lie before Date (RFC 9110, 8.8.2.2)


class CutShortError(ConnectionError):
    """The server closed the connection before all bytes were there."""


class StaleError(ConnectionError):
    """The server's answer does not go on where our part ends."""


def forget(part: Path) -> None:
    """Remove a part, and what was noted beside it."""
    part.unlink(missing_ok=True)
    note_of(part).unlink(missing_ok=True)


def note_of(part: Path) -> Path:
    """Return where a part's validator is noted; there is none where it cannot be gone on with."""
    return part.with_suffix(".validator")


class Transfer(threading.Thread):
    """Append to a part what is missing of a URL's file.

    A thread, since a server, or the name server, can hold back any single call for as long as it
    likes. Who is not content sets ``stopped``; then nothing is written any more.

    Attributes:
        reached: set when the server is reached.
        answered: set when it has answered; then ``first`` is the number of bytes that were there
            before, and ``total`` that of the whole file, None where the server does not say.
        done: bytes that are there.
        error: what ended it, None where all is there.

    """

    def __init__(self, url: str, part: Path, max_bytes: int, silence: float) -> None:
        super().__init__(daemon=True)
        self.url, self.part, self.max_bytes, self.silence = url, part, max_bytes, silence
        self.first = self.done = 0
        self.total: int | None = None
        self.error: BaseException | None = None
        self.reached, self.answered, self.stopped = (threading.Event() for _ in range(3))

    def run(self) -> None:
        """Do it."""
        try:
            self._run()
        except UserError as error:  # what is there is not what was asked for
            if not self.stopped.is_set():
                forget(self.part)
            self.error = error
        except Exception as error:
            self.error = error

    def _run(self) -> None:
        note, headers = note_of(self.part), {"User-Agent": "nnrd"}
        have = self.part.stat().st_size if self.part.exists() and note.exists() else 0
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": note.read_text()}
        with self._open(headers) as response:
            self.first = self.done = self._begin(response, have)
            self.total = self._total(response.headers)
            self.answered.set()
            self._receive(response)
        if self.total is not None and self.done != self.total and not self.stopped.is_set():
            reason = f"the connection ended after {self.done} of {self.total} bytes"
            raise CutShortError(reason)

    def _open(self, headers: dict[str, str]) -> http.client.HTTPResponse:
        """Return the answer, after redirections, none of which may leave https."""
        opener, url = _opener(self.reached), self.url
        for _ in range(HOPS):
            request = urllib.request.Request(url, headers=headers)
            try:
                return opener.open(request, timeout=self.silence)
            except urllib.error.HTTPError as error:
                if error.code not in REDIRECTIONS:
                    raise
                error.close()
                url = next_address(url, error.headers)
        raise UserError(f"redirected more than {HOPS} times")

    def _begin(self, response: http.client.HTTPResponse, have: int) -> int:
        """Return where the answer begins; where not at the end of our part, that is dropped."""
        if response.status == http.client.PARTIAL_CONTENT:
            if not have or not _goes_on(response.headers, have, note_of(self.part).read_text()):
                forget(self.part)
                raise StaleError("the server sent another part of the file than was asked for")
            return have
        if response.status != http.client.OK:
            raise UserError(f"HTTP {response.status}, which has no file")
        if not self.stopped.is_set():
            forget(self.part)
            if validator := _validator(response.headers):
                note_of(self.part).write_text(validator)
        return 0

    def _total(self, headers: Message) -> int | None:
        length = headers.get("Content-Length")
        if length is None or headers.get("Transfer-Encoding"):
            return None
        if not re.fullmatch(r"[0-9]{1,18}", length):
            raise UserError(f"the server's Content-Length is {length[:20]!a}, not a number")
        total = self.first + int(length)
        self._refuse_larger(total)
        return total

    def _receive(self, response: http.client.HTTPResponse) -> None:
        if self.stopped.is_set():
            return
        with self.part.open("ab") as written:
            # read1: as soon as there is anything, so that `done` tells how fast it comes.
            while chunk := response.read1(CHUNK):
                if self.stopped.is_set():
                    return
                self._refuse_larger(self.done + len(chunk))
                with named(self.part):
                    written.write(chunk)
                    written.flush()
                self.done += len(chunk)

    def _refuse_larger(self, size: int) -> None:
        if size > self.max_bytes:
            raise UserError(f"the server sends {size} bytes or more; {self.max_bytes} are expected")


def next_address(url: str, headers: Message) -> str:
    """Return where a redirection leads; UserError where that is not https, as what went before."""
    try:
        found = urljoin(url, headers.get("Location", ""))
        check_address(found)
    except (ValueError, UserError) as error:
        raise UserError(f"redirected to no address that can be had: {error}") from None
    if urlsplit(url).scheme == "https" and urlsplit(found).scheme != "https":
        raise UserError(f"redirected from https to {found}")
    return found


def _goes_on(headers: Message, have: int, validator: str) -> bool:
    """Whether a partial answer begins at ``have`` and is of the file that the part is of."""
    kind = "ETag" if validator.startswith('"') else "Last-Modified"
    begins = headers.get("Content-Range", "").startswith(f"bytes {have}-")
    return begins and headers.get(kind, validator) == validator


def _validator(headers: Message) -> str | None:
    """Return a strong validator: what differs whenever a byte of the file does; or None."""
    tag = headers.get("ETag", "")
    if re.fullmatch(r'"[!#-~]*"', tag):
        return tag
    found = [headers.get(name, "") for name in ("Last-Modified", "Date")]
    try:
        modified, now = (email.utils.parsedate_to_datetime(date) for date in found)
        strong = (now - modified).total_seconds() >= STRONG_AGE
    except (ValueError, TypeError):  # no dates, or only one of them with a time zone
        return None
    return found[0] if strong else None


def _opener(reached: threading.Event) -> urllib.request.OpenerDirector:
    """Return an opener that follows no redirection and says when it has reached a server."""

    class Plain(http.client.HTTPConnection):
        def connect(self) -> None:
            super().connect()
            reached.set()

    class Secure(http.client.HTTPSConnection, Plain):
        """In the middle of its `connect` is that of `Plain`; what follows is TLS."""

    class PlainHandler(urllib.request.HTTPHandler):
        def http_open(self, request):
            return self.do_open(Plain, request)

    class SecureHandler(urllib.request.HTTPSHandler):
        def https_open(self, request):
            return self.do_open(Secure, request, context=ssl.create_default_context())

    class NoRedirection(urllib.request.HTTPRedirectHandler):
        def http_error_302(self, req, fp, code, msg, headers):  # the names of its parent
            return None

        http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    return urllib.request.build_opener(PlainHandler, SecureHandler, NoRedirection)
