"""Timing of steps, fed with what is absurd."""

import hashlib
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from nnrd.core.errors import UserError
from nnrd.profile import sampling
from nnrd.profile.sampling import Protocol, Step, Threads, busy_threads, sample, thread_times
from nnrd.profile.statistics import lost, summary

DATA = bytes(1 << 20)


def spin(seconds=0.005):
    """Work for so long on a core, however long that takes, without the interpreter's lock."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        hashlib.sha256(DATA)


def on(count):
    """Return what does the same work on so many threads, which stay alive, as a runtime's do."""
    pool, together = ThreadPoolExecutor(count), threading.Barrier(count)

    def work(_):
        together.wait()
        for _ in range(5):
            hashlib.sha256(DATA)

    return lambda _: list(pool.map(work, range(count)))


def told(steps, protocol):
    samples = sample(steps, None, protocol)
    return {
        name: summary(samples.wall[..., place], samples.cpu[..., place], samples.busy[place])
        | {"busy": samples.busy[place]}
        for place, name in enumerate(samples.names)
    }


def test_steps_pass_on_what_they_return_and_are_called_as_often_as_asked():
    seen = []
    steps = [Step("double", lambda x: 2 * x), Step("note", seen.append)]
    ticks = []
    samples = sample(steps, 21, Protocol(2, 3, 4), progress=lambda: ticks.append(1))
    assert seen == [42] * (2 + 3) * 4 and len(ticks) == 12
    assert samples.names == ("double", "note", "total")
    assert samples.wall.shape == samples.cpu.shape == (4, 3, 3)
    assert (samples.wall > 0).all()
    assert np.allclose(samples.wall[..., :2].sum(-1), samples.wall[..., 2])


def test_what_is_between_the_samples_is_in_no_time():
    samples = sample([Step("nothing", lambda x: x)], 0, Protocol(0, 5, 1), lambda: time.sleep(0.02))
    assert np.median(samples.wall) < 0.01


def test_a_step_that_sleeps_has_lost_all_its_time():
    found = told([Step("sleep", lambda _: time.sleep(0.02))], Protocol(1, 5, 2))
    assert found["sleep"]["lost"] > 0.95 and found["total"]["lost"] > 0.95
    assert found["sleep"]["mean"] >= 0.02 and found["sleep"]["cpu"] < 0.002


def test_steps_are_told_apart():
    steps = [Step("spin", lambda _: spin()), Step("sleep", lambda _: time.sleep(0.02))]
    found = told(steps, Protocol(1, 5, 1))
    assert found["sleep"]["lost"] > 0.95 and found["sleep"]["cpu"] < 0.002
    assert found["spin"]["cpu"] > 0.0049  # on a busy machine it has lost nearly as much


# The system counts a thread's time in ticks of some ms: in few short runs it may miss one.
@pytest.mark.parametrize("warm_up", [0, 30])
def test_a_step_on_two_threads_has_the_time_of_both(warm_up):
    """On a machine that is not free they get less; so the test says what holds on each."""
    found = told([Step("two", on(2))], Protocol(warm_up, 10, 1))["two"]
    assert 0 <= found["lost"] < 1
    assert found["cpu"] <= found["busy"] * found["mean"] * 1.05
    if warm_up:
        assert found["busy"] >= 2  # other tests leave threads in this process


def test_a_process_that_a_step_starts_is_in_its_cpu_time():
    code = "sum(range(2_000_000))"
    steps = [Step("start", lambda _: subprocess.run([sys.executable, "-S", "-c", code]))]
    assert told(steps, Protocol(0, 1, 1))["start"]["cpu"] > 0.01


def test_a_step_that_is_shorter_than_a_clock_takes_is_on_one_thread():
    found = told([Step("nothing", lambda x: x), Step("spin", lambda _: spin())], Protocol(1, 20, 1))
    assert found["nothing"]["busy"] == found["total"]["busy"] == 1


def test_steps_with_different_threads_expect_each_its_own():
    """1 s on two threads, then 3 s on one: 5 s of CPU time, of which nothing was lost."""
    times = np.array([[[[1.0, 2.0], [3.0, 3.0]]]])
    *steps, total = sampling._busy(times, [{"1": 1.0, "2": 1.0}, {"1": 3.0, "2": 0.0}])
    assert steps == [2, 1] and total == 1.25 and lost(4, 5, total) == 0


def test_threads_that_came_and_went_are_told_by_the_time_of_the_process():
    assert sampling._busy(np.array([[[[1.0, 2.9]]]]), [{}]) == (3, 3)


# Seconds that each thread ran; how many worked.
BUSY = [
    ([], 1),
    ([0.0, 0.0], 1),
    ([1.0, 1.0], 2),
    ([1.0, 0.1], 1),
    ([1.0, 0.9, 0.49, 0.5], 3),
]


@pytest.mark.parametrize(("ran", "count"), BUSY)
def test_threads_that_worked(ran, count):
    assert busy_threads(ran) == count


def test_time_in_the_queue_is_a_share_of_what_threads_could_have_run(tmp_path):
    def thread(number, ran, waited):
        folder = tmp_path / str(number)
        folder.mkdir(exist_ok=True)
        (folder / "schedstat").write_text(f"{ran * 10**9} {waited * 10**9} 7\n")

    thread(1, 10, 5)
    queue = Threads(tmp_path)
    with queue:
        thread(1, 12, 5)
        thread(2, 1, 1)
    assert queue.share() == 0.25
    with queue:  # goes on
        thread(1, 16, 5)
    assert queue.share() == 0.125


@pytest.mark.parametrize("text", ["", "1", "a b c"])
def test_a_system_that_does_not_tell_of_queues(tmp_path, text):
    (tmp_path / "1").mkdir()
    (tmp_path / "1/schedstat").write_text(text)
    queue = Threads(tmp_path)
    with queue:
        pass
    assert queue.share() is None and thread_times(tmp_path / "none") == {}


def test_two_who_want_one_core_queue_for_it():
    """Bound to one core with another thread that spins, a step waits for a part of its time."""
    import os

    if not hasattr(os, "sched_setaffinity") or not thread_times():
        pytest.skip("this system does not tell of queues")
    cores, ended = os.sched_getaffinity(0), threading.Event()

    def bother():
        while not ended.is_set():
            hashlib.sha256(DATA)

    os.sched_setaffinity(0, {min(cores)})
    other = threading.Thread(target=bother)
    other.start()
    try:
        samples = sample([Step("spin", lambda _: spin(0.02))], None, Protocol(0, 10, 1))
    finally:
        ended.set()
        other.join()
        os.sched_setaffinity(0, cores)
    assert samples.queued > 0.1


REFUSED = {
    "zero samples": {"samples": 0},
    "zero repeats": {"repeats": 0},
    "less than none": {"warm_up": -1},
}


@pytest.mark.parametrize("wrong", REFUSED.values(), ids=REFUSED)
def test_a_protocol_that_measures_nothing_is_refused(wrong):
    (name,) = wrong
    with pytest.raises(UserError, match=f"{name}: .* too few"):
        Protocol(**wrong)


@pytest.mark.parametrize("names", [[], ["a", "a"], ["total"]])
def test_steps_have_names_of_their_own(names):
    with pytest.raises(UserError, match="different names"):
        sample([Step(name, lambda x: x) for name in names], 0, Protocol(0, 1, 1))
