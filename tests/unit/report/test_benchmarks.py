"""Where the time of a run went is read from the benchmark files of that run."""

import os

import pytest

from nnrd import UserError
from nnrd.core import program
from nnrd.core.files import write_record
from nnrd.report import benchmarks
from nnrd.stages import summarise_benchmarks

HEADER = "s\th:m:s\tmax_rss\tcpu_time\n"


def write(folder, name, start, wall, cpu="NA"):
    path = folder / "benchmarks" / f"{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{HEADER}{wall}\t0:00:01\t50.0\t{cpu}\n")
    os.utime(path, (start + wall, start + wall))


def times(folder, name, at, threads=1, **seconds):
    path = folder / f"results/{name}.times.json"
    rows = [{"item": item, "rec_size": 9, "checksum": "0"} | seconds for item in "ab"]
    write_record(path, {"threads": threads, "isolated": False, "made": {}, "rows": rows})
    os.utime(path, (at, at))


def summary(folder):
    return benchmarks.summarise(folder / "benchmarks", folder / "results")


def test_codec_and_inference_are_what_the_stopwatches_say(tmp_path):
    """A job's imports, its reading and writing, are the workflow's; so is a scored point."""
    write(tmp_path, "fetch_asset/a", 1000, 500)  # does not count
    write(tmp_path, "encode_tensors/x/0-of-2", 2000, 30, "20.0")
    write(tmp_path, "encode_tensors/x/1-of-2", 2000, 30, "25.0")
    write(tmp_path, "infer_features/x/0-of-2", 2000, 30)
    write(tmp_path, "write_provenance", 2030, 10)
    times(tmp_path, "x/bitstreams/0-of-2", 2030, enc_time=4.0)
    times(tmp_path, "x/bitstreams/1-of-2", 2030, threads=2, enc_time=1.0)
    step = {"dec_time": 0.5, "pre_time": 0.25, "run_time": 3.0, "post_time": 0.25}
    times(tmp_path, "x/predictions/0-of-2", 2029, **step)
    times(tmp_path, "earlier/predictions/0-of-1", 1990, **step)  # of another run
    found = summary(tmp_path)
    assert (found.span, found.codec, found.inference) == (40, 2 * (4 + 2 + 0.5), 2 * 3.5)
    encode = found.rules[0]
    assert (encode.name, encode.jobs, encode.wall, encode.processor) == (
        "encode_tensors",
        2,
        60,
        45,
    )
    assert {rule.name for rule in found.rules[1:]} == {"infer_features", "write_provenance"}


def test_the_rest_is_told_apart(tmp_path):
    write(tmp_path, "encode_tensors/x/0-of-1", 2000, 30)
    write(tmp_path, "score_point/x", 2030, 7)
    times(tmp_path, "x/bitstreams/0-of-1", 2030, enc_time=10.0)
    rest = summary(tmp_path).rest(cores=2)
    assert rest == benchmarks.Rest(timed=1, beside=10, other=1, seconds=7, idle=2 * 37 - 37)


def test_the_program_says_the_share_of_the_cores(tmp_path, capsys):
    write(tmp_path, "encode_tensors/x", 2000, 40)
    times(tmp_path, "x/bitstreams/0-of-1", 2040, enc_time=15.0)
    program.run(summarise_benchmarks, [str(tmp_path / "benchmarks"), "--cores", "2"])
    *_, cores, share, rest = capsys.readouterr().out.splitlines()
    assert cores == "40 s on 2 cores, 80 core-seconds;"
    assert share.endswith("30 in codecs and 0 in inference: 38%")
    assert "10 s beside these steps in their 1 jobs (10.00 s each), 0 s in 0 other" in rest


def test_earlier_runs_do_not_count(tmp_path):
    write(tmp_path, "encode_tensors/old", 1000, 30)
    write(tmp_path, "encode_tensors/new", 5000, 10)
    write(tmp_path, "score_point/new", 5015, 10)
    times(tmp_path, "old/bitstreams/0-of-1", 1030, enc_time=9.0)
    times(tmp_path, "new/bitstreams/0-of-1", 5010, enc_time=3.0)
    found = summary(tmp_path)
    assert (found.span, found.codec) == (25, 6)


def test_without_benchmarks_a_user_error(tmp_path):
    with pytest.raises(UserError, match="no benchmark files"):
        benchmarks.summarise(tmp_path, tmp_path)
