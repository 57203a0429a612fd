"""How far something has come, on a terminal and in a log."""

import io

import pytest

from nnrd.core import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "expected"), [
    (Terminal(), "\r\x1b[K1 of 3 images\r\x1b[K2 of 3 images\r\x1b[K"),
    (io.StringIO(), "1 of 3 images\n2 of 3 images\n"),
])  # fmt: skip
def test_a_count(monkeypatch, stream, expected):
    monkeypatch.setattr(progress, "PERIOD", {True: 0, False: 0})
    count = progress.Count("images", stream, of=3)
    count.more()
    count.more()
    count.end()
    assert stream.getvalue() == expected and count.done == 2


def test_a_log_is_told_every_ten_seconds(monkeypatch):
    now, stream = [0.0], io.StringIO()
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    count = progress.Count("items", stream)
    for _ in range(25):
        now[0] += 1
        count.more()
    assert stream.getvalue() == "10 items\n20 items\n"
