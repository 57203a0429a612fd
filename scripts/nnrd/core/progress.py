"""How far something long has come, told so that it reads well on a terminal and in a log."""

import sys
import time
from typing import TextIO

PERIOD = {True: 0.2, False: 10.0}  # seconds between two lines: terminal, log file


class Progress:
    """Bytes done, bytes in all where known, and speed, on standard error.

    A terminal gets one line that is rewritten; a log file gets a line every ten seconds and
    one at the end. Use it as a context manager.
    """

    def __init__(self, what: str, total: int | None = None, stream: TextIO | None = None):
        self.what, self.total, self.stream = what, total, stream or sys.stderr
        self.terminal = self.stream.isatty()
        self.done = self.first = 0
        self.start = self.last = time.monotonic()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind, *_: object) -> None:
        if self.done or self.terminal:  # where nothing came, the error says why
            self._write(end="\n", note="" if kind is None else ", stopped")

    def begin(self, done: int, total: int | None) -> None:
        """Say where a (resumed) transfer starts, so that the speed is of what is new."""
        self.done = self.first = done
        self.total, self.start = total, time.monotonic()

    def to(self, done: int) -> None:
        """Say how many bytes are there by now."""
        self.done = done
        now = time.monotonic()
        if now - self.last >= PERIOD[self.terminal]:
            self.last = now
            self._write(end="" if self.terminal else "\n")

    def _write(self, end: str, note: str = "") -> None:
        seconds = max(time.monotonic() - self.start, 1e-3)
        size = megabytes(self.done) + (f" of {megabytes(self.total)}" if self.total else "")
        speed = megabytes((self.done - self.first) / seconds)
        line = f"{self.what}: {size}, {speed}/s, {seconds:.0f} s{note}"
        clear = "\r\x1b[K" if self.terminal else ""
        self.stream.write(f"{clear}{line}{end}")
        self.stream.flush()


def megabytes(count: float) -> str:
    """Return a number of bytes as text in MB (10^6 bytes), kB below 0.1 MB."""
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


class Count:
    """Things done so far, ``of`` how many where that is known.

    A terminal gets one line that is rewritten, a log file a line every ten seconds.
    """

    def __init__(self, what: str, stream: TextIO | None = None, of: int | None = None):
        self.what, self.of, self.stream = what, of, stream or sys.stderr
        self.terminal = self.stream.isatty()
        self.done, self.last = 0, time.monotonic()

    def more(self) -> None:
        """Say that one more is done."""
        self.done += 1
        now = time.monotonic()
        if now - self.last >= PERIOD[self.terminal]:
            self.last = now
            known = f" of {self.of}" if self.of else ""
            start, end = ("\r\x1b[K", "") if self.terminal else ("", "\n")
            print(f"{start}{self.done}{known} {self.what}", file=self.stream, end=end, flush=True)

    def end(self) -> None:
        """Take the line from a terminal, where others will be written."""
        if self.terminal:
            print("\r\x1b[K", file=self.stream, end="", flush=True)
