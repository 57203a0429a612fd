"""Slow tests within a given time: the longest first, and what is left out is said.

A slow test may say how long it takes, where that is more than a minute:
``@pytest.mark.slow(minutes=5)``. What a test says of the faults that it injects is counted by
`faults`.
"""

import signal
import time

import pytest
from faults import Faults

BEGUN = time.monotonic()


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "run the longest tests first, and begin no slow one after so many minutes"
    parser.addoption("--minutes", type=float, help=words)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Faults(), "faults")
    # A shell has what it runs in the background ignore Ctrl-C, and nohup a terminal that closes; so
    # would all that tests start. A handler is not inherited.
    for number, handler in {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGHUP: lambda *_: None,
    }.items():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--minutes") is not None:
        items.sort(key=minutes, reverse=True)  # stable: those of a module stay together


def minutes(item: pytest.Item) -> float:
    """Return how long a test says that it takes."""
    marker = item.get_closest_marker("slow")
    return marker.kwargs.get("minutes", 1) if marker else 0


def pytest_runtest_setup(item: pytest.Item) -> None:
    limit = item.config.getoption("--minutes")
    if limit is not None and minutes(item) and time.monotonic() - BEGUN > 60 * limit:
        pytest.skip(f"left out: the {limit:g} minutes for slow tests are over")
