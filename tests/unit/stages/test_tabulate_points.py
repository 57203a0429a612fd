"""Tables of any length: records travel by a list in a file, and figures have six digits."""

import argparse
import csv
import tracemalloc
from pathlib import Path

import pytest

from nnrd.core import lineage
from nnrd.core.files import write_record
from nnrd.stages import join_tables, tabulate_points

THIRD = 1 / 3
POINT = {
    **{"task": "classification", "model": "m", "dataset": "d", "split": 2, "codec": "nnc"},
    **{"metric_name": "top1", "anc_perf": 95.0, "rec_perf": THIRD * 100, "anc_size": 123_456_789},
    **{"rec_size": 98_765_432, "compress_ratio": 0.8, "enc_time": THIRD, "dec_time": 1e-5 * THIRD},
    **{"items": 27, "threads": 1, "isolated": False, "runtime": "onnx"},
}


def stage(module, *words, **options):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    given = [w for name, value in options.items() for w in (f"--{name}", str(value))]
    module.main(parser.parse_args([*words, *given]))


def tabulate(count: int, item_count: int = 2) -> None:
    """Make so many records, and their tables."""
    names = [Path(f"results/features/m/d/rank2/nnc/qp={n}/point.json") for n in range(count)]
    for number, name in enumerate(names):
        name.parent.mkdir(parents=True, exist_ok=True)
        point = POINT | {"parameters": {"qp": number}}
        made = {step: [{"host": "h"}] for step in ("source", "encoded", "inferred")}
        items = [
            {"item": f"image_{n}", "run_time": THIRD, "anc_size": 7} for n in range(item_count)
        ]
        write_record(name, {"point": point, "items": items, "made": made} | lineage.of([], []))
    Path("list.txt").write_text("\n".join(map(str, names)))
    made = {"points": "points.csv", "items": "items.csv"}
    stage(
        tabulate_points, "--sums", study="s", records="list.txt", uncompressed="input_size", **made
    )
    stage(join_tables, "points.csv", "--sums", out="all.csv")


@pytest.mark.parametrize(
    "count", [3, 2000, pytest.param(30_000, marks=pytest.mark.slow(minutes=2))]
)
def test_many_points_are_tabulated(tmp_path, monkeypatch, count):
    monkeypatch.chdir(tmp_path)
    tabulate(count)
    with Path("all.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == count and rows[-1]["parameters"] == f'{{"qp":{count - 1}}}'
    sums = lineage.read_record(lineage.beside("points.csv"))
    assert len(sums["inputs"]) == count and list(sums["files"]) == ["points.csv"]


def test_figures_have_six_digits_and_sizes_all_of_theirs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tabulate(1)
    with Path("points.csv").open() as lines:
        (row,) = csv.DictReader(lines)
    assert (row["rec_perf"], row["enc_time"], row["dec_time"]) == (
        "33.3333",
        "0.333333",
        "3.33333e-06",
    )
    assert (row["anc_size"], row["rec_size"], row["items"]) == ("123456789", "98765432", "27")
    with Path("items.csv").open() as lines:
        assert next(csv.DictReader(lines))["run_time"] == "0.333333"


def test_a_table_takes_no_more_memory_the_longer_it_is(tmp_path, monkeypatch):
    """20,000 rows took 16 MB; 4,000 points of 27 images took 336, which grew with the points."""
    monkeypatch.chdir(tmp_path)
    tabulate(1, item_count=400)  # imports
    tracemalloc.start()
    try:
        tabulate(50, item_count=400)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3e6
