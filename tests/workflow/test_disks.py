"""A disk that is full or read-only, a limit on files: one line, nothing half-written, and on we go.

The folder that a job writes into lies on a small file system of its own; once it does not any more,
the next run makes what an undisturbed one has.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from nnrd.assets.cache import default_folder

from .conftest import DATASET, ITEMS, MODEL, Checkout
from .made import contents, differences, temporary, without_times
from .test_kills import PLAIN

POINT = f"results/features/{MODEL}/{ITEMS}/rank84/nnc/qp=-10"


class Place(NamedTuple):
    """What is made, the folder that it is made in, and how much that takes (bytes)."""

    target: str
    folder: str
    size: int


SHARD = "0-of-2"
# What is made of others comes first: what is made again here leaves it older.
PLACES = {
    "plot_points": Place("results/plots/small/accuracy_bytes.png", "results/plots/small", 16_384),
    "tabulate_points": Place("results/tables/small/points.csv", "results/tables/small", 4_096),
    "infer_features": Place(f"{POINT}/predictions/{SHARD}.json", f"{POINT}/predictions", 4_096),
    "encode_tensors": Place(f"{POINT}/bitstreams/{SHARD}", f"{POINT}/bitstreams", 8_192),
    "extract_features": Place(
        f"results/features/{MODEL}/{ITEMS}/rank84/tensors/{SHARD}",
        f"results/features/{MODEL}/{ITEMS}/rank84/tensors",
        100_000,
    ),
    "extract_weights": Place(
        "results/weights/mobilenet_v2/tensors/0-of-1",
        "results/weights/mobilenet_v2/tensors",
        1_000_000,
    ),
    "split_model": Place(
        f"results/split/{MODEL}/rank84/part1.onnx", f"results/split/{MODEL}", 100_000
    ),
    "convert_model": Place(f"results/models/{MODEL}.onnx", "results/models", 1_000_000),
    "index_dataset": Place(f"results/datasets/{ITEMS}.json", "results/datasets", 0),
    "fetch_asset": Place(f"resources/{DATASET}", "resources", 100_000),
}


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """Put a file system of its own over a folder; skip where this is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", *options, folder], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(scope="module")
def used(finished: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A finished checkout in which each test makes one thing again."""
    return finished.copy_to(tmp_path_factory.mktemp("disks") / "checkout")


def make(checkout: Checkout, *targets: str, wrap: tuple[str, ...] = ()):
    """Run plainly for some targets; ``wrap`` stands before the command."""
    return subprocess.run(
        [*wrap, *PLAIN, *targets],
        cwd=checkout.folder, capture_output=True, text=True, timeout=600,
    )  # fmt: skip


def lose(checkout: Checkout, target: str) -> None:
    """Remove what is to be made, with all that its job makes."""
    path = checkout.folder / target
    for each in path.parent.glob(f"{path.name.partition('.')[0]}*"):
        shutil.rmtree(each) if each.is_dir() else each.unlink()
    shutil.rmtree(checkout.folder / "logs", ignore_errors=True)


def said_once(done: subprocess.CompletedProcess, checkout: Checkout, words: str) -> None:
    """Hold that a run failed in one line of its job's."""
    said = failed(done, checkout, words)
    assert any(line.startswith("error: ") and words in line for line in said.splitlines()), said
    assert "Traceback" not in said, said


def failed(done: subprocess.CompletedProcess, checkout: Checkout, words: str) -> str:
    """Hold that a run failed with these words; return all that it and its jobs said."""
    logs = "".join(log.read_text() for log in (checkout.folder / "logs").rglob("*.log"))
    said = done.stdout + done.stderr + logs
    assert done.returncode != 0 and words in said, said
    return said


def made_again(used: Checkout, place: Place, before: dict[str, object]) -> None:
    """Hold that the next run makes what was there before."""
    done = make(used, place.target)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not differences(contents(used, without_times), before) and not temporary(used)


@pytest.mark.slow
@pytest.mark.fault("read-only")
@pytest.mark.parametrize("rule", ["plot_points", "encode_tensors"])
def test_results_that_cannot_be_written(used, rule):
    before, place = contents(used, without_times), PLACES[rule]
    lose(used, place.target)
    results = used.folder / "results"
    with mounted(results, "--bind", "-o", "ro", results):
        said_once(make(used, place.target), used, "Read-only file system")
    made_again(used, place, before)


@pytest.mark.slow
@pytest.mark.fault("a limit on")
@pytest.mark.parametrize(
    ("limit", "words", "holds"),
    [
        ("--fsize=8192", "File too large", said_once),
        # A job needs five, so Snakemake itself has too few, and says so in a traceback of its own.
        ("--nofile=12", "Too many open files", failed),
    ],
    ids=["the size of a file, as a quota", "open files"],
)
def test_a_limit_of_the_system(used, limit, words, holds):
    before, place = contents(used, without_times), PLACES["encode_tensors"]
    lose(used, place.target)
    holds(make(used, place.target, wrap=("prlimit", limit)), used, words)
    made_again(used, place, before)


@pytest.mark.slow
@pytest.mark.fault("disk full")
@pytest.mark.parametrize("rule", PLACES)
def test_a_disk_that_fills_up(used, rule):
    before, place = contents(used, without_times), PLACES[rule]
    folder = used.folder / place.folder
    lose(used, place.target)
    with mounted(folder, "-t", "tmpfs", "-o", f"size={max(place.size, 4096)}", "tmpfs"):
        if not place.size:  # too little for anything
            (folder / ".filler").write_bytes(bytes(4096))
        done = make(used, place.target)
        said_once(done, used, "No space left on device")
        left = [path for path in folder.rglob("*") if path.is_file() and path.name != ".filler"]
        assert not left
    made_again(used, place, before)


@pytest.mark.slow
@pytest.mark.fault("a cache that is read-only")
@pytest.mark.parametrize("is_warm", [True, False], ids=["warm", "cold"])
def test_a_cache_that_cannot_be_written(used, tmp_path, is_warm):
    """What it has it serves; else one line says so, and another cache helps."""
    before, place = contents(used, without_times), PLACES["fetch_asset"]
    cache, source = tmp_path / "cache", default_folder() if is_warm else tmp_path / "empty"
    source.mkdir(exist_ok=True)
    lose(used, place.target)
    with mounted(cache, "--bind", "-o", "ro", source):
        done = make(used, place.target, wrap=("env", f"NNRD_CACHE={cache}"))
    if is_warm:
        assert done.returncode == 0, done.stdout + done.stderr
    else:
        said_once(done, used, "set NNRD_CACHE to a folder of your own")
        assert not (used.folder / place.target).exists()
    made_again(used, place, before)


NO_LOCKS = """
#include <cerrno>
extern "C" int flock(int, int) { errno = ENOLCK; return -1; }
"""


@pytest.fixture
def without_locks(tmp_path: Path) -> tuple[str, ...]:
    """A command's beginning by which it sees file systems that cannot lock."""
    (tmp_path / "shim.cpp").write_text(NO_LOCKS)
    command = ["c++", "-shared", "-fPIC", "-o", "shim.so", "shim.cpp"]
    if subprocess.run(command, cwd=tmp_path, capture_output=True).returncode:
        pytest.skip("no C++ compiler that makes shared libraries")
    return ("env", f"LD_PRELOAD={tmp_path}/shim.so")


@pytest.mark.slow
def test_file_systems_that_cannot_lock(used, without_locks, tmp_path, fault):
    """A run needs no locks; a cache does before it downloads, and says so."""
    before, place = contents(used, without_times), PLACES["encode_tensors"]
    lose(used, place.target)
    fault("no locks: a run")
    done = make(used, place.target, wrap=without_locks)
    assert done.returncode == 0, done.stdout + done.stderr
    fault("no locks: a cold cache")
    place = PLACES["fetch_asset"]
    lose(used, place.target)
    done = make(used, place.target, wrap=(*without_locks, f"NNRD_CACHE={tmp_path}/cache"))
    said_once(done, used, "set NNRD_CACHE to a folder that can be locked")
    fault("no locks: a warm cache")
    done = make(used, place.target, wrap=without_locks)
    assert done.returncode == 0, done.stdout + done.stderr
    made_again(used, place, before)
