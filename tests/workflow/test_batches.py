"""A large study is planned and made in parts, with equal tables."""

import shutil
from pathlib import Path

import pytest

from .conftest import Checkout

TABLES = ("points.csv", "items.csv", "small/points.csv", "weights/items.csv")
TARGETS = [f"results/tables/{name}" for name in TABLES]


def batch(number: int) -> list[str]:
    return ["--batch", f"tabulate_points={number}/3", "--", *TARGETS]


def scored(checkout: Checkout) -> set[str]:
    return {
        str(p.relative_to(checkout.folder)) for p in checkout.folder.glob("results/**/point.json")
    }


def test_three_batches_give_the_tables_of_one_run(checkout, finished):
    """The steps stay, for times differ from run to run; records and tables are made in parts."""
    for name in scored(checkout):
        (checkout.folder / name).unlink()
    shutil.rmtree(checkout.folder / "results/tables")
    refused = checkout.run(*batch(3))
    assert refused.returncode != 0 and "not all previous batches" in refused.stdout + refused.stderr
    counts = []
    for number in (1, 2, 3):
        done = checkout.run(*batch(number))
        assert done.returncode == 0, done.stdout + done.stderr
        counts.append(len(scored(checkout)))
        assert all((checkout.folder / file).exists() == (number == 3) for file in TARGETS)
    assert counts == [3, 6, 9] and scored(checkout) == scored(finished)
    for file in TARGETS:
        assert (checkout.folder / file).read_bytes() == (finished.folder / file).read_bytes(), file
    assert not checkout.plan().rules.keys() - {
        "tabulate_latency",
        "plot_points",
        "write_provenance",
    }


def test_an_edit_runs_in_its_batches_what_it_runs_at_once(checkout):
    checkout.edit("config/config.yaml", "- -10\n", "- -10\n        - -14\n")
    plain = checkout.plan()
    parts = [checkout.plan("--batch", f"tabulate_points={number}/3") for number in (1, 2)]
    made = [name for part in parts for name in part.outputs]
    assert len(made) == len(set(made)) == 2 * (2 * 2 + 1)  # shards' encoding and inference, score
    behind = ("results/tables", "results/plots", "results/provenance")
    assert set(made) == {name for name in plain.outputs if not name.startswith(behind)}


@pytest.mark.slow(minutes=4)
def test_a_hundred_thousand_points_are_planned_in_batches(tmp_path: Path):
    """Each within a minute and 2 GB; the last one makes the tables, of records that are there."""
    import bench_dag

    bench_dag.prepare(tmp_path, 100_000)
    for number in (1, 20):
        bench_dag.touch_records(tmp_path, f"{number}/20")
        found = bench_dag.plan(tmp_path, "--batch", f"tabulate_points={number}/20")
        print(f"batch {number} of 20: {found}")
        assert found.cpu_seconds < 60 and found.megabytes < 2000
