"""Which coder nnrd.nnc works with, and how the work is shared out."""

import importlib.util
import os
import threading
import time

import numpy as np
import pytest

from nnrd import BitstreamError, UserError, nnc
from nnrd.nnc import coders, processes, threads


def built():
    return importlib.util.find_spec("nnrd.nnc._native") is not None


def test_a_worker_that_is_killed_is_an_error():
    parent = os.getpid()

    def task(index):
        if os.getpid() != parent:
            os._exit(9)  # as the kernel ends a process that takes too much memory
        time.sleep(0.05)

    with pytest.raises(RuntimeError, match="exit code 9"):
        processes.run(task, [1] * 20, workers=2)


def test_a_workers_error_is_raised_here():
    def task(index):
        raise BitstreamError(f"piece {index}")

    for run in (processes.run, threads.run):
        with pytest.raises(BitstreamError, match="piece"):
            run(task, [1, 1, 1], workers=2)


def test_the_calling_thread_begins_with_the_small_pieces():
    begun = []
    threads.run(begun.append, [10, threads.SMALL, 20, 9000], workers=1)
    assert begun == [2, 0, 3, 1]


def test_threads_begin_the_largest_first():
    begun = []
    assert threads.run(lambda i: begun.append(i) or -i, [1, 3, 2], workers=1) == [0, -1, -2]
    assert begun == [1, 2, 0]
    assert threads.run(lambda i: -i, [1, 3, 2], workers=2) == [0, -1, -2]


def test_a_piece_that_the_others_would_wait_for_is_shared():
    both = threading.Barrier(2, timeout=20)  # passed when two threads are in parts at once

    def part(i, n):
        both.wait()
        return i, n

    found = threads.run(lambda i: threads.shared(part, 9000) if i == 0 else i, [9000, 9], workers=2)
    assert found == [[(0, 2), (1, 2)], 1]


@pytest.mark.parametrize(("sizes", "workers"), [([9000, 9000, 9000], 2), ([9000, 5000], 1)])
def test_a_piece_like_the_others_is_not_shared(sizes, workers):
    found = threads.run(lambda i: threads.shared(lambda *n: n, sizes[i]), sizes, workers)
    assert found == [[(0, 1)]] * len(sizes)
    assert threads.shared(lambda *n: n, 10**9) == [(0, 1)]  # outside a pool


def test_the_error_of_a_part_is_raised_here():
    def fails(i, n):
        raise BitstreamError(f"part {i} of {n}")

    with pytest.raises(BitstreamError, match=r"part \d of 2"):
        threads.run(lambda i: threads.shared(fails, 9000), [9000, 1], workers=2)


def test_coder_is_chosen_in_one_place(monkeypatch, capsys):
    assert nnc.coder_in_use("nncodec") == "nncodec 2.1.3"
    assert nnc.coder_in_use() == ("native" if built() else "nncodec 2.1.3")
    with pytest.raises(UserError, match="coder 'fast': it is one of native, nncodec"):
        nnc.encode({}, coder="fast")
    monkeypatch.setattr(coders, "_is_built", lambda: False)
    with pytest.raises(UserError, match="coder native: it was not built"):
        nnc.encode({}, coder="native")
    coders._default.cache_clear()
    capsys.readouterr()
    assert nnc.coder_in_use() == nnc.coder_in_use() == "nncodec 2.1.3"
    assert capsys.readouterr().err.count("was not built") == 1
    coders._default.cache_clear()


@pytest.mark.parametrize("coder", [None, "nncodec"])
def test_codebook_with_dq_below_the_range_is_refused(coder):
    tensors = {"a": np.ones((2, 2), np.float32)}
    with pytest.raises(UserError, match="tensor a: a codebook with DQ needs a qp of -124 at least"):
        nnc.encode(tensors, qp=-125, codebook_mode=1, coder=coder)
