"""Rates and durations as people write them."""

import pytest

from nnrd import UserError
from nnrd.core import links


@pytest.mark.parametrize(
    ("text", "rate", "shown"),
    [
        ("50Mbit", 50e6, "50 Mbit/s"),
        ("1Gbit", 1e9, "1 Gbit/s"),
        ("500000000", 500e6, "500 Mbit/s"),
        (500000000, 500e6, "500 Mbit/s"),
        ("1.5 Gbit/s", 1.5e9, "1.5 Gbit/s"),
        ("100kbps", 100e3, "100 kbit/s"),
        ("5e8", 500e6, "500 Mbit/s"),
        ("12345678bits", 12345678.0, "12.3 Mbit/s"),
        ("1", 1.0, "1 bit/s"),
    ],
)
def test_rates(text, rate, shown):
    assert links.rate(text) == rate
    assert links.shown(rate) == shown


BAD = ["0", "0.5", "-1", "50MB", "50Mb", "", "nan", "inf", "1e999", "Mbit", "5 0Mbit", "x\ny", "½"]


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_rate(text):
    with pytest.raises(UserError, match=r"^rate .*: write bits a second, such as 50Mbit"):
        links.rate(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("10ms", 0.01), ("0.01", 0.01), ("2 s", 2.0), ("500us", 5e-4), (0, 0.0)]
)
def test_durations(text, seconds):
    assert links.duration(text) == pytest.approx(seconds, abs=0)


@pytest.mark.parametrize("text", ["-1ms", "10m", "nan", "1e999", "ten"])
def test_what_is_no_duration(text):
    with pytest.raises(UserError, match=r"^duration .*: write 10ms"):
        links.duration(text)


def test_latency():
    assert links.latency_ms(1000, 1e6) == 8.0  # 8,000 bits over 1,000 bits a millisecond
