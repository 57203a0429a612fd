"""`nnrd check` on a run, and its repair through Snakemake: what is wrong is made again, no more."""

import copy
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from damages import DAMAGES, PICTURES, TORN, Places, places, torn

from nnrd.study.check import DAMAGED, MISSING, NOBODYS, STALE

from .conftest import CONFIG, DATASET, ITEMS, MODEL, Checkout
from .made import contents, differences, without_times

# The shards of both splits; of four images, two each.
ITEMS_OF = {
    "0-of-2": ("imagenet_01_559.jpg", "motorcycle_left.png"),
    "1-of-2": ("imagenet_08_915.jpg", "voc.jpg"),
}
PLACES = [
    places(
        *(MODEL, ITEMS, split, ("nnc/qp=-10", "raw/default"), "small"),
        items=tuple(Path(name).stem for name in ITEMS_OF[shard]),
        net=f"resources/{net}",
        images=tuple(f"resources/{DATASET}/{name}" for name in ITEMS_OF[shard]),
        shard=shard,
    )
    for split, net in (
        ("rank50", f"{MODEL}/group1-shard1of5"),
        ("rank84", "mobilenet_v2/mobilenet_v2-b0353104.pth"),
    )
    for shard in ITEMS_OF
]
# The job that makes a file again: its rule and what it makes.
MADE_BY = {
    ("fetch_asset", "{asset}"): ["{net}", "{asset}/a.bin", "{asset}.sums.json"],
    ("fetch_asset", "{images}"): ["{image}", "{another_image}"],
    ("index_dataset", "{index}"): ["{index}"],
    ("convert_model", "{onnx}"): ["{onnx}", "{facts}"],
    ("split_model", "{parts}/part1.onnx"): [
        f"{{parts}}/{name}" for name in ("part1.onnx", "part2.onnx", "split.json")
    ],
    ("infer_anchor", "{anchored}.json"): ["{anchored}.json"],
    ("score_point", "{anchor}"): ["{anchor}"],
    ("extract_features", "{tensors}"): [
        *("{bundle}", "{another_bundle}", "{tensors}/x.safetensors", "{source}")
    ],
    ("extract_outputs", "{outputs}"): ["{output}", "{another_output}"],
    ("encode_tensors", "{bits}"): ["{stream}", "{another_stream}", "{bits}/x.bin", "{encoded}"],
    ("infer_features", "{predicted}.json"): ["{predicted}.json", "{predicted}.times.json"],
    ("score_point", "{record}"): ["{record}"],
    ("score_point", "{other_record}"): ["{other_record}"],
    ("tabulate_points", "{table}"): ["{table}", "{table}.sums.json"],
    ("tabulate_latency", "{latency}"): ["{latency}"],
    ("join_tables", "{joined}"): ["{joined}"],
    ("plot_points", "{picture}"): ["{picture}", PICTURES],
    ("write_provenance", "results/provenance.json"): ["results/provenance.json"],
}
# Files that hold times: these are lost, and what was reckoned with them is made anew.
SCORED = (("score_point", "{record}"),)
DECODED = (("infer_features", "{predicted}.json"), *SCORED)
ANEW = {
    "{source}": (
        *(("encode_tensors", "{bits}"), ("encode_tensors", "{other_bits}"), *DECODED),
        *(("infer_features", "{others}.json"), ("score_point", "{other_record}")),
    ),
    "{encoded}": DECODED,
    "{predicted}.times.json": SCORED,
}
REPORT = {
    "tabulate_points",
    "tabulate_latency",
    "join_tables",
    "plot_points",
    "draw_overlays",
    "write_provenance",
}
DRAWING = {"plot_points", "draw_overlays"}


class Hit(NamedTuple):
    """A damage and where it is done."""

    name: str
    at: Places

    def jobs(self) -> set[tuple[str, str]]:
        """Return the jobs that make again what is damaged."""
        found = DAMAGES[self.name].found
        jobs = (job for job, files in MADE_BY.items() if set(files) & set(found))
        return {(rule, output.format_map(self.at)) for rule, output in jobs}

    def anew(self) -> set[tuple[str, str]]:
        """Return the jobs that run behind them, with other times than before."""
        found = [jobs for file, jobs in ANEW.items() if file in DAMAGES[self.name].found]
        return {(rule, output.format_map(self.at)) for jobs in found for rule, output in jobs}

    def touched(self) -> set[tuple[str, str]]:
        """Return the jobs that no other damage of the same repair may be about."""
        chain = {("extract_features", self.at["tensors"])} if self.anew() else set()
        return self.jobs() | chain


def together(names: list[str]) -> list[list[Hit]]:
    """Return damages in as few groups as can be, each of them at a place of its own."""
    groups: list[list[Hit]] = []
    for hits in ([Hit(name, at) for at in PLACES] for name in names):
        free = [
            (group, hit)
            for group in groups
            for hit in hits
            if not hit.touched() & {job for other in group for job in other.touched()}
        ]
        group, hit = free[0] if free else ([], hits[0])
        if not free:
            groups.append(group)
        group.append(hit)
    return groups


LOSING = [name for name in DAMAGES if Hit(name, PLACES[0]).anew()]
GROUPS = [
    *together([name for name in DAMAGES if name not in LOSING]),
    *together(LOSING),
]
QUICK = [Hit(name, PLACES[0]) for name in ("two bitstreams swapped", "a table, one digit")]


def check(checkout: Checkout, *words: str) -> tuple[int, str]:
    """Return the exit code of ``nnrd check``, and what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "nnrd.cli", "check", *words],
        cwd=checkout.folder, capture_output=True, text=True, timeout=900,
        env={**os.environ, "PYTHONPATH": str(checkout.folder / "scripts")},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def named(said: str) -> dict[str, str]:
    """Return what the check calls the files that are not whole, by path."""
    lines = re.findall(rf"^({MISSING}|{DAMAGED}|{STALE}|{NOBODYS}) +(.+?): ", said, re.MULTILINE)
    return {path: state for state, path in lines}


def ran(checkout: Checkout) -> list[tuple[str, list[str]]]:
    """Return each job since the logs of Snakemake were removed: its rule and all that it made."""
    logs = [log.read_text() for log in (checkout.folder / ".snakemake/log").glob("*.log")]
    form = re.compile(r"^(?:local)?rule (\w+):\n((?:    .*\n)*)", re.MULTILINE)
    jobs = [
        (rule, re.search(r"output: (.*)", rest)) for log in logs for rule, rest in form.findall(log)
    ]
    found = [(rule, made[1].split(", ") if made else []) for rule, made in jobs]
    assert len(found) == len({str(job) for job in found}), "a job ran twice"
    return found


def test_a_finished_run_is_whole(finished):
    code, said = check(finished)
    assert code == 0, said
    assert re.search(r"^\d+ whole, 0 missing, 0 damaged, 0 stale, 0 nobody's$", said, re.MULTILINE)


def test_every_damage_is_repaired():
    assert sorted(hit.name for group in GROUPS for hit in group) == sorted(DAMAGES)


SLOW = [pytest.param(group, marks=pytest.mark.slow(minutes=1)) for group in GROUPS]


@pytest.mark.parametrize(
    "hits", [QUICK, *SLOW], ids=lambda hits: f"{hits[0].name} +{len(hits) - 1}"
)
def test_a_repair_runs_the_jobs_of_what_is_wrong_and_no_others(checkout, monkeypatch, fault, hits):
    monkeypatch.chdir(checkout.folder)
    lost = any(hit.anew() for hit in hits)
    as_read = without_times if lost else Path.read_bytes
    before = contents(checkout, as_read)
    for hit in hits:
        fault(f"damage: {hit.name}")
        DAMAGES[hit.name].damage(hit.at)
    found = {
        path: state for hit in hits for path, state in DAMAGES[hit.name].states(hit.at).items()
    }
    code, said = check(checkout)
    assert named(said) == found, said
    assert code == int(set(found.values()) != {NOBODYS})
    shutil.rmtree(checkout.folder / ".snakemake/log")
    code, said = check(checkout, "--repair")
    assert code == 0, said
    wanted = {job for hit in hits for job in hit.jobs() | hit.anew()}
    made = [{(rule, output) for output in outputs} for rule, outputs in ran(checkout)]
    assert wanted <= set().union(*made)
    beyond = {rule for job in made if not job & wanted for rule, _ in job}
    drawn = any(PICTURES in DAMAGES[hit.name].found for hit in hits)
    assert beyond <= ({"all", *REPORT} if lost else DRAWING if drawn else set())
    assert contents(checkout, as_read) == before
    code, said = check(checkout)
    assert code == 0 and named(said) == {p: s for p, s in found.items() if s == NOBODYS}, said
    assert checkout.plan("--rerun-triggers", "mtime").rules == {}


CUT = (
    *("{net}", "{image}", "{index}", "{onnx}", "{parts}/part1.onnx", "{bundle}", "{stream}"),
    *("{predicted}.json", "{record}", "{table}"),
)


@pytest.mark.slow(minutes=2)
@pytest.mark.parametrize("manner", TORN)
def test_what_a_power_cut_tore_is_found_and_made_again(checkout, monkeypatch, fault, manner):
    """All that was being written, at once."""
    monkeypatch.chdir(checkout.folder)
    before = contents(checkout, without_times)
    for path in CUT:
        fault(f"power cut: {path.strip('{}')} {manner}")
        torn(path, manner)(PLACES[0])
    code, said = check(checkout)
    assert code == 1
    assert {path.format_map(PLACES[0]) for path in CUT} <= named(said).keys(), said
    code, said = check(checkout, "--repair")
    assert code == 0, said
    assert not differences(contents(checkout, without_times), before)
    assert check(checkout)[0] == 0


# What is damaged before a point is added, and whether its jobs refuse that. What was forged with
# its checksum only the check sees; then the repair makes again what was made from it.
BEFORE = {"a bundle, one bit": True, "an asset and its sums, forged": False}


@pytest.mark.slow(minutes=2)
@pytest.mark.parametrize("name", BEFORE)
def test_a_point_that_is_added_after_the_damage_is_right_after_the_repair(
    checkout, tmp_path, monkeypatch, name
):
    whole = checkout.copy_to(tmp_path / "whole")
    config = copy.deepcopy(CONFIG)
    config["studies"]["small"]["codecs"][1]["nnc"]["qp"].append(6)
    for each in (whole, checkout):
        each.configure(config)
    monkeypatch.chdir(checkout.folder)
    DAMAGES[name].damage(PLACES[0])
    done = checkout.run()
    assert bool(done.returncode) == BEFORE[name]
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "error: " in line]
    assert bool(lines) == BEFORE[name] and all("`nnrd check --repair`" in line for line in lines)
    code, said = check(checkout)
    assert code == 1 and DAMAGES[name].states(PLACES[0]).items() <= named(said).items(), said
    code, said = check(checkout, "--repair")
    assert code == 0, said
    assert checkout.run().returncode == whole.run().returncode == 0
    tables = [without_times(c.folder / "results/tables/points.csv") for c in (checkout, whole)]
    assert tables[0] == tables[1] and '""qp"":6' in str(tables[0])
