"""How many faults the tests injected, and how many were survived: counted from what ran.

A test whose every case injects one fault says so with a marker, and a case of a parametrized test
is a fault of its own::

    @pytest.mark.fault("damage")            # "damage: a bundle, one bit", "damage: a bundle, cut"

One that injects several says each as it does, through the fixture ``fault``::

    fault("SIGKILL of Snakemake", random=True)   # at a moment drawn by chance

A fault is survived where every test that injected it passed; what was left out counts nowhere.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

PROPERTY, KILL = "fault", "random kill"
WORKFLOW = "tests/workflow/"  # where faults are injected into whole runs
Fault = Callable[..., None]


class Faults:
    """The plug-in of pytest: takes what reports say and prints the count as one line."""

    def __init__(self) -> None:
        self.passed: dict[str, bool] = {}  # by fault
        self.whole: set[str] = set()  # those of whole runs
        self.kills: list[bool] = []  # whether each was survived

    @pytest.fixture
    def fault(self, record_property: Callable[[str, Any], None]) -> Iterator[Fault]:
        """Give the function by which a test says that it injects a fault now."""

        def inject(name: str, random: bool = False) -> None:
            record_property(PROPERTY, name)
            if random:
                record_property(KILL, name)

        yield inject

    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Take a marked test as it begins: its fault is named by the marker and the case."""
        case = getattr(item, "callspec", None)
        for marker in item.iter_markers(PROPERTY):
            name = ": ".join([*marker.args, *([case.id] if case else [])])
            item.user_properties.append((PROPERTY, name))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a test injected, once it is known whether it passed."""
        if report.when != "call" or (report.skipped and not hasattr(report, "wasxfail")):
            return
        names = [name for key, name in report.user_properties if key == PROPERTY]
        for name in names:
            self.passed[name] = self.passed.get(name, True) and report.passed
        if report.nodeid.startswith(WORKFLOW):
            self.whole.update(names)
        self.kills += [report.passed for key, _ in report.user_properties if key == KILL]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the count, and by name what was not survived."""
        if not self.passed:
            return
        survived = sum(self.passed.values())
        words = f"faults: {len(self.passed)} distinct injected, {survived} survived"
        words += f" ({len(self.whole)} in whole runs of the workflow)"
        if self.kills:
            words += f"; random kills: {sum(self.kills)} of {len(self.kills)}"
        terminalreporter.section("faults")
        terminalreporter.line(words)
        for name in [name for name, passed in self.passed.items() if not passed]:
            terminalreporter.line(f"not survived: {name}")
