"""The project's own small studies on a real SLURM: equal results, retries, lost nodes, Ctrl-C."""

import json

import pandas
from workflow.conftest import Checkout

from .conftest import PICTURE, TABLES, Cluster
from .lab import wait_for

STUDIES = ("small", "weights")
FEATURES = "features/ssdlite300_mobilenet_v2"
ANCHOR = "anchor/ssdlite300_mobilenet_v2"
POINT = f"results/{FEATURES}/demo_images-2/rank84/raw/default"
SMALL = ["--", "results/tables/small/points.csv"]  # what a test makes again
RULES = ("index_dataset", "convert_model", "split_model", "extract_features", "extract_outputs")
RULES += ("infer_anchor", "infer_files", "encode_tensors", "infer_features")
RULES += ("extract_weights", "infer_weights")
OVER_MEMORY = {"OUT_OF_MEMORY", "FAILED", "CANCELLED"}  # which of them is up to SLURM's version
RESULTS = ("**/bitstreams/**/*", "**/predictions/*.json", "models/*", "split/**/*.onnx")
RECORDS = (".times.json", ".sums.json")  # of how a file was made
# What is measured anew by each run, and what depends on how many cores a job was given.
TIMES = ("_time", "threads")


def results(checkout: Checkout) -> dict[str, bytes]:
    folder = checkout.folder / "results"
    files = {file for pattern in RESULTS for file in folder.glob(pattern) if file.is_file()}
    files = {file for file in files if not file.name.endswith(RECORDS)}
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def table(checkout: Checkout, study: str) -> pandas.DataFrame:
    found = pandas.read_csv(checkout.folder / f"results/tables/{study}/points.csv")
    return found[[column for column in found if not column.endswith(TIMES)]]


def test_results_equal_those_of_a_local_run(cluster: Cluster, local: Checkout):
    ours, theirs = results(cluster.checkout), results(local)
    assert sorted(ours) == sorted(theirs) and len(ours) > 10
    assert [name for name in ours if ours[name] != theirs[name]] == []
    for study in STUDIES:
        pandas.testing.assert_frame_equal(
            table(cluster.checkout, study), table(local, study), check_exact=True
        )


def test_jobs_go_to_the_nodes_that_they_ask_for(cluster: Cluster):
    for rule in ("infer_features", "infer_weights", "infer_anchor", "extract_features"):
        nodes = {node for state, node in cluster.states(rule).values() if state == "COMPLETED"}
        assert nodes == {"g1"}, rule
    coding = {node for _, node in cluster.states("encode_tensors").values()}
    assert coding and coding <= {"n1", "n2"}


def test_a_failed_job_was_submitted_again(cluster: Cluster):
    states = [state for state, _ in cluster.states("encode_tensors").values()]
    assert states.count("FAILED") == 1 and states.count("COMPLETED") == 3


def test_a_job_over_its_memory_gets_more(cluster: Cluster):
    states = [state for state, _ in cluster.states("infer_weights").values()]
    assert states.count("COMPLETED") == 1
    assert set(states) - {"COMPLETED"} and set(states) <= {*OVER_MEMORY, "COMPLETED"}


def test_what_a_queue_sees(cluster: Cluster):
    """A point is two jobs: what codes it, and what decodes, runs and scores it."""
    names = [name for state, name in cluster.lab.jobs("%T", "%k") if state == "COMPLETED"]
    counted = {rule: sum(rule in name for name in names) for rule in RULES}
    once = dict.fromkeys(RULES, 1)
    shared = {"index_dataset": 2, "infer_anchor": 2}  # of two studies
    assert counted == once | shared | {"encode_tensors": 3, "infer_features": 2}
    assert len(names) == sum(counted.values())


def test_a_second_run_does_nothing(cluster: Cluster):
    before = len(cluster.lab.jobs("%i"))
    assert "Nothing to be done" in cluster.run("--", *TABLES, PICTURE)
    assert len(cluster.lab.jobs("%i")) == before


def test_jobs_of_a_lost_node_run_elsewhere(cluster: Cluster):
    cluster.forget(FEATURES)
    process = cluster.start("--", f"{POINT}/point.json")
    lab = cluster.lab
    wait_for(lambda: ["R", "g1"] in lab.jobs("%t", "%N"))
    lab.crash("g1")
    wait_for(lambda: "NODE_FAIL" in [state for (state,) in lab.jobs("%T")])
    lab.boot("g1")
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said


def test_an_interrupted_run_leaves_no_job_and_goes_on(cluster: Cluster, local: Checkout):
    cluster.forget(FEATURES)
    process = cluster.start(*SMALL)
    wait_for(lambda: ["R"] in cluster.lab.jobs("%t"))
    cluster.interrupt(process)
    cluster.run(*SMALL)
    assert results(cluster.checkout) == results(local)


def test_times_to_publish_are_measured_on_a_node_of_ones_own(cluster: Cluster):
    cluster.forget(FEATURES, ANCHOR)
    before = {number for (number,) in cluster.lab.jobs("%i")}
    cluster.run("--config", "isolated=true", "--", f"{POINT}/point.json")
    record = json.loads((cluster.checkout.folder / f"{POINT}/point.json").read_text())
    jobs = {number: shared for number, shared in cluster.lab.jobs("%i", "%h")}
    assert {jobs[number] for number in jobs.keys() - before} == {"NO"}
    assert record["point"]["isolated"]


def test_another_scheduler_by_three_commands(cluster: Cluster, local: Checkout):
    """With the profile for schedulers without a plug-in: a failed job, Ctrl-C, equal results."""
    cluster.forget(FEATURES, ANCHOR)
    (cluster.checkout.folder / "failed_once").unlink()
    process = cluster.start(*SMALL, profile="cluster-generic")
    wait_for(lambda: ["R"] in cluster.lab.jobs("%t"))
    cluster.interrupt(process)
    before = {number for (number,) in cluster.lab.jobs("%i")}
    cluster.run(*SMALL, profile="cluster-generic")
    jobs = cluster.lab.jobs("%i", "%T", "%j")
    states = [state for number, state, _ in jobs if number not in before]
    assert states.count("FAILED") == 1 and set(states) == {"FAILED", "COMPLETED"}
    assert results(cluster.checkout) == results(local)
