"""Where the time of a run went is read from the benchmark files of that run."""

import os

import pytest

from nnrd import UserError
from nnrd.report import benchmarks

HEADER = "s\th:m:s\tmax_rss\tcpu_time\n"


def write(folder, name, start, wall, cpu="NA"):
    path = folder / "benchmarks" / f"{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{HEADER}{wall}\t0:00:01\t50.0\t{cpu}\n")
    os.utime(path, (start + wall, start + wall))


def test_share_is_useful_time_over_the_cores_time(tmp_path):
    write(tmp_path, "fetch_asset/a", 1000, 500)  # does not count
    write(tmp_path, "encode_tensors/x/0-of-2", 2000, 30, "20.0")
    write(tmp_path, "encode_tensors/x/1-of-2", 2000, 30, "25.0")
    write(tmp_path, "write_provenance", 2030, 10)
    found = benchmarks.summarise(tmp_path / "benchmarks", cores=2)
    assert found.span == 40 and found.share == 60 / 80
    encode, provenance = found.rules
    assert (encode.name, encode.jobs, encode.wall, encode.processor) == (
        "encode_tensors",
        2,
        60,
        45,
    )
    assert (provenance.name, provenance.processor) == ("write_provenance", 0)


def test_earlier_runs_do_not_count(tmp_path):
    write(tmp_path, "encode_tensors/old", 1000, 30)
    write(tmp_path, "encode_tensors/new", 5000, 10)
    write(tmp_path, "score_point/new", 5015, 10)
    found = benchmarks.summarise(tmp_path / "benchmarks", cores=1)
    assert found.span == 25 and found.share == 10 / 25


def test_without_benchmarks_a_user_error(tmp_path):
    with pytest.raises(UserError, match="no benchmark files"):
        benchmarks.summarise(tmp_path, cores=1)
