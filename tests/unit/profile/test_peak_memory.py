"""Peak memory of a block, what is free, and batches that do not fit."""

import mmap

import pytest

from nnrd.core.errors import UserError
from nnrd.profile import memory

MB = 1 << 20


def take(size):
    """Hold memory of so many bytes, all of it written to, and give it back to the system."""
    with mmap.mmap(-1, size) as held:
        for place in range(0, size, mmap.PAGESIZE):
            held[place] = 1


def test_a_peak_is_of_its_block_alone():
    with memory.peak() as large:
        take(200 * MB)
    with memory.peak() as small:
        take(20 * MB)
    assert large.exact and 195 * MB < large.bytes - large.before < 240 * MB
    if small.how.startswith("VmHWM"):
        assert small.exact and 15 * MB < small.bytes - small.before < 60 * MB
    assert large.gpu_bytes is None


def test_what_each_input_takes_is_neither_what_is_set_up_once_nor_what_is_kept():
    """Set up: 100 MB at the first run. Kept: what a run took at most, as ONNX Runtime's arena."""
    kept, arena = [], mmap.mmap(-1, 250 * MB)

    def freed(batch):
        if not kept:
            kept.append(bytes(100 * MB))
        take(60 * MB * batch)

    def held(batch):
        for place in range(0, 60 * MB * batch, mmap.PAGESIZE):
            arena[place] = 1

    with memory.peak() as can:
        pass
    if not can.exact:
        pytest.skip("this system does not let the peak be reset")
    for run in (freed, held):
        assert 50 * MB < memory.growth(run) < 70 * MB
    assert memory.growth(lambda batch: None) < 5 * MB


def status(root, highest, now):
    folder = root / "proc/self"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "status").write_text(f"Name:\tx\nVmHWM:\t{highest} kB\nVmRSS:\t{now} kB\n")


def test_a_peak_that_cannot_be_reset_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_reset", lambda folder: False)
    status(tmp_path, 1000, 500)
    with memory.peak(tmp_path) as same:
        pass
    assert (same.bytes, same.before, same.exact) == (1000 * 1024, 500 * 1024, False)
    assert same.how == "highest of the process, not reset"
    with memory.peak(tmp_path) as higher:
        status(tmp_path, 2000, 500)
    assert higher.exact and higher.bytes == 2000 * 1024


def test_a_system_that_does_not_tell(tmp_path):
    with memory.peak(tmp_path) as found:
        pass
    assert (found.bytes, found.before, found.exact) == (None, None, False)
    assert memory.available(tmp_path) is None
    assert memory.check(10**15, 10**6, "m", tmp_path) == 10**21


def write(root, path, text):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


FREE = ("proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:  8000 kB\n")
TWO = ("sys/fs/cgroup/memory.max", "3000000\n"), ("sys/fs/cgroup/memory.current", "1000000\n")
OLD = "sys/fs/cgroup/memory/memory.limit_in_bytes", "sys/fs/cgroup/memory/memory.usage_in_bytes"
LIMITS = {
    "the machine": ([FREE], 8000 * 1024),
    "a control group, version 2": ([FREE, *TWO], 2_000_000),
    "without a limit": ([FREE, (TWO[0][0], "max\n"), TWO[1]], 8000 * 1024),
    "version 1": ([FREE, (OLD[0], "5000000"), (OLD[1], "1000000")], 4_000_000),
    "version 1 without a limit": (
        [FREE, (OLD[0], "9223372036854771712"), (OLD[1], "1000")],
        8000 * 1024,
    ),
    "a group within, as SLURM makes them": (
        [
            FREE,
            *TWO,
            ("proc/self/cgroup", "0::/job_1/task\n"),
            ("sys/fs/cgroup/job_1/task/memory.max", "1500"),
            ("sys/fs/cgroup/job_1/task/memory.current", "500"),
        ],
        1000,
    ),
    "a job's group that lies above": (
        [
            FREE,
            ("proc/self/cgroup", "0::/job_1/task\n"),
            ("sys/fs/cgroup/job_1/memory.max", "1500"),
            ("sys/fs/cgroup/job_1/memory.current", "500"),
        ],
        1000,
    ),
    "more taken than allowed": ([FREE, (TWO[0][0], "10"), (TWO[1][0], "20")], 0),
}


@pytest.mark.parametrize(("files", "expected"), LIMITS.values(), ids=LIMITS)
def test_what_is_free(tmp_path, files, expected):
    for path, text in files:
        write(tmp_path, path, text)
    assert memory.available(tmp_path) == expected


def test_a_batch_that_does_not_fit_is_refused_before(tmp_path):
    write(tmp_path, *FREE)
    assert memory.check(1_000_000, 7, "the model", tmp_path) == 7_000_000
    message = (
        "the model: a batch of 8 needs about 8.0 MB, 8.2 MB are free; "
        "take a smaller batch or a shorter input"
    )
    with pytest.raises(UserError) as caught:
        memory.check(1_000_000, 8, "the model", tmp_path)
    assert str(caught.value) == message


ERRORS = [
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("CUDA out of memory. Tried to allocate\n2.00 GiB"),
    Exception("Failed to allocate memory for requested buffer of size 40960"),
    RuntimeError("std::bad_alloc"),
]


@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_running_out_of_memory_is_one_line(error):
    with pytest.raises(UserError) as caught, memory.fits("m at batch 64"):
        raise error
    text = str(caught.value)
    assert text.startswith("m at batch 64: does not fit in memory") and "\n" not in text


def test_a_real_allocation_that_no_machine_can_give():
    torch = pytest.importorskip("torch")
    with pytest.raises(UserError, match="does not fit in memory"), memory.fits("m"):
        torch.ones(1 << 50)
    with pytest.raises(UserError, match="does not fit in memory"), memory.fits("m"):
        bytearray(1 << 60)


@pytest.mark.parametrize("error", [ValueError("shapes differ"), UserError("a line"), KeyError("x")])
def test_other_errors_stay_what_they_are(error):
    with pytest.raises(type(error)) as caught, memory.fits("m"):
        raise error
    assert caught.value is error
