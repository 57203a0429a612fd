"""Times of steps, and what a process says of itself."""

import json
import platform
import time

import pytest

from nnrd.runtime.environment import made_by, processor
from nnrd.runtime.stopwatch import Stopwatch


def test_a_step_that_is_timed_again_adds_up():
    watch = Stopwatch()
    for _ in range(2):
        with watch("run_time"):
            time.sleep(0.01)
    with watch("post_time"):
        pass
    assert list(watch.seconds) == ["run_time", "post_time"]
    assert watch.seconds["run_time"] >= 0.02 > watch.seconds["post_time"] >= 0


def test_a_step_that_fails_is_not_counted():
    watch = Stopwatch()
    with pytest.raises(ValueError, match="boom"), watch("run_time"):
        raise ValueError("boom")
    assert watch.seconds == {}


def test_what_made_a_result():
    made = json.loads(json.dumps(made_by()))
    assert made["packages"]["python"] == platform.python_version()
    assert made["host"] == platform.node() and made["processor"] == processor()
