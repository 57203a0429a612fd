"""Addresses, what a transfer may take, and how it shows that there is no network."""

import errno
import re
import socket
import time
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from nnrd.core.errors import UserError

LARGEST = 4 << 30  # bytes of a package of which the sheet does not say how many it has
LOOPBACK = ("127.0.0.1", "::1", "localhost")
WORDS = re.compile(
    r"Temporary failure (in name resolution|resolving)|Name or service not known"
    r"|EAI_AGAIN|ENOTFOUND|Could not resolve|Network is unreachable|ENETUNREACH"
    r"|No route to host|EHOSTUNREACH"
)
UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)


@dataclass(frozen=True)
class Limits:
    """What a transfer may take; times in seconds, rates in bytes a second."""

    connect: float = 4.0  # until the server is reached
    silence: float = 15.0  # without a byte; then the transfer is taken up again
    window: float = 30.0  # over which the rate is watched
    rate: float = 4000.0  # the least
    start: float = 60.0  # of the whole, beside what the bytes take at the least rate
    attempts: int = 4
    wait: float = 1.0  # before the second attempt; doubles with each

    def total(self, size: int) -> float:
        """Return how long ``size`` bytes may take in all, with all attempts."""
        return self.start + size / self.rate


class TooSlowError(Exception):
    """A transfer that would not end in the time that it may take."""


class Pace:
    """Whether bytes come as fast as `Limits` ask; of one transfer, all its attempts together."""

    def __init__(
        self, limits: Limits, max_bytes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits, self.clock = limits, clock
        self.seconds = limits.total(max_bytes)
        self.end = clock() + self.seconds
        self.begin(0)

    def begin(self, done: int) -> None:
        """Begin to watch, at an attempt's first byte; ``done`` are there."""
        self.since, self.had = self.clock(), done

    def check(self, done: int) -> None:
        """Raise TooSlowError where too few bytes came in the last window, or the time is over."""
        now = self.clock()
        if now > self.end:
            raise TooSlowError(f"took more than {self.seconds:.0f} s")
        window = self.limits.window
        if now - self.since < window:
            return
        if done - self.had < self.limits.rate * window:
            came = f"{done - self.had} bytes in {now - self.since:.0f} s"
            raise TooSlowError(f"too slow: {came}, fewer than {self.limits.rate:.0f} a second")
        self.begin(done)


def check_address(url: str) -> None:
    """Raise UserError for what is no https address, or http to another machine than this."""
    try:
        address = urlsplit(url)
        host, _ = address.hostname, address.port
        (host or "").encode("idna")
    except ValueError as error:  # also UnicodeError
        raise UserError(f"{url!a}: not an address ({error})") from None
    if re.search(r"[^!-~]", url):
        reason = "a space, or a sign that is not ASCII; write it percent-encoded"
        raise UserError(f"{url!a}: has {reason}")
    if address.scheme != "https" and host not in LOOPBACK:
        raise UserError(f"{url}: only https is downloaded")
    if not host:
        raise UserError(f"{url}: has no host")
    if "@" in address.netloc:
        raise UserError(f"{url}: a user name cannot stand in an address")


def no_network(error: BaseException) -> str | None:
    """Return how an error says that there is no network; None where it says something else."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, socket.gaierror) and reason.errno == socket.EAI_NONAME:
        return f"no network, or no such host ({reason.strerror})"
    if isinstance(reason, socket.gaierror) or getattr(reason, "errno", None) in UNREACHABLE:
        return f"no network ({getattr(reason, 'strerror', reason)})"
    return None


def is_cut_off(routes: Path = Path("/proc/net")) -> bool:
    """Return whether this machine has no route to any other; False where that cannot be known."""
    try:
        four = (routes / "route").read_text().splitlines()[1:]
        six = (routes / "ipv6_route").read_text().splitlines()
    except OSError:
        return False
    return not [line for line in four + six if line.split()[:1] and not _is_own(line.split())]


def _is_own(words: list[str]) -> bool:
    """Whether a line of the kernel's routes leads to this machine only."""
    return "lo" in (words[0], words[-1])
