"""The count of faults is of what ran: cases by name, failed ones not survived, none left out."""

from types import SimpleNamespace

import pytest
from faults import Faults


@pytest.fixture
def counted():
    """Take reports of a made-up run, and give back the lines of its summary."""
    faults, lines = Faults(), []

    def report(nodeid, *found, outcome="passed", **more):
        faults.pytest_runtest_logreport(
            SimpleNamespace(
                **{"when": "call", "nodeid": nodeid, "user_properties": list(found), **more},
                **{"passed": outcome == "passed", "skipped": outcome == "skipped"},
            )
        )

    def summary():
        faults.pytest_terminal_summary(
            SimpleNamespace(section=lambda title: None, line=lines.append)
        )
        return lines

    return report, summary


def test_each_fault_is_counted_once_and_fails_with_any_of_its_tests(counted):
    report, summary = counted
    report("tests/unit/a", ("fault", "one"))
    report("tests/workflow/b", ("fault", "one"), ("fault", "two"))
    report("tests/workflow/c", ("fault", "two"), ("other", "x"), outcome="failed")
    report("tests/unit/d", ("fault", "three"), outcome="skipped")
    report("tests/unit/e", ("fault", "four"), outcome="skipped", wasxfail="known")
    assert summary() == [
        "faults: 3 distinct injected, 1 survived (2 in whole runs of the workflow)",
        "not survived: two",
        "not survived: four",
    ]


def test_each_random_kill_counts(counted):
    report, summary = counted
    kill = [("fault", "kill"), ("random kill", "kill")]
    report("tests/workflow/a", *kill, *kill)
    report("tests/workflow/a", *kill, when="teardown")
    report("tests/workflow/b", *kill, outcome="failed")
    assert summary()[0].endswith("; random kills: 2 of 3")


def test_nothing_is_said_where_no_fault_was_injected(counted):
    report, summary = counted
    report("tests/unit/a")
    assert summary() == []


def test_a_marked_case_is_a_fault_by_its_name():
    marker = SimpleNamespace(args=("disk full",))
    item = SimpleNamespace(iter_markers=lambda name: [marker], user_properties=[])
    Faults().pytest_runtest_call(item)
    item.callspec = SimpleNamespace(id="export")
    Faults().pytest_runtest_call(item)
    assert item.user_properties == [("fault", "disk full"), ("fault", "disk full: export")]
