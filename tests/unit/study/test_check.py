"""Every kind of damage to every kind of file: who reads it refuses, and `nnrd check` names it."""

import shutil
import time
import tracemalloc
from pathlib import Path

import pytest
from damages import DAMAGES, TORN, flip, gone, more, places, torn
from small_run import CONFIG, Run, prepare

from nnrd import UserError
from nnrd.core import program
from nnrd.core.files import read_record, write_record
from nnrd.report.plots import style
from nnrd.stages import check_results
from nnrd.study import config
from nnrd.study.check import DAMAGED, MISSING, STALE, WHOLE, WRONG, Check
from nnrd.study.repair import repair

AT = places(
    *("net", "pictures", "rank2", ("nnc/qp=-30", "nnc/qp=6"), "small"),
    items=("set_00_0", "set_02_2"),
    net="resources/net/net.onnx",
    images=("resources/pictures/set_00_0.png", "resources/pictures/set_02_2.png"),
)
SHARD = "0-of-2"


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder in which the study was made."""
    folder = tmp_path_factory.mktemp("small") / "run"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Run(prepare()).all()
    return folder


@pytest.fixture
def run(done, tmp_path, monkeypatch):
    """The study in a copy of the folder, to be damaged."""
    shutil.copytree(done, tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run")
    return Run(config.load(CONFIG, "config.yaml", Path()))


def wrong(run):
    """Return what the check finds that is not whole: states by path."""
    findings = Check(run.settings, Path()).findings()
    assert all(finding.reason and finding.made for finding in findings if finding.state in WRONG)
    return {finding.path: finding.state for finding in findings if finding.state != WHOLE}


def test_all_of_a_run_is_whole(run):
    assert wrong(run) == {}


# Who reads what.
READERS = {
    "index_dataset": lambda run: run.index_dataset(),
    "convert_model": lambda run: run.convert_model(),
    "split_model": lambda run: run.split_model(),
    "infer_anchor": lambda run: run.infer_anchor(SHARD),
    "extract_features": lambda run: run.extract_features(SHARD),
    "encode_tensors": lambda run: run.encode_tensors(run.points[0], SHARD),
    "infer_features": lambda run: run.infer_features(run.points[0], SHARD),
    "score_point": lambda run: run.score_point(run.points[0]),
    "score_anchor": lambda run: run.score_point(run.study.anchor),
    "tabulate_points": lambda run: run.tabulate_points(),
    "tabulate_latency": lambda run: run.tabulate_latency(),
    "join_tables": lambda run: run.join_tables(),
    "plot_points": lambda run: style.read_points(Path(AT["table"])),
    "plot_latency": lambda run: style.read_points(Path(AT["latency"])),
    "plot_all": lambda run: style.read_points(Path(AT["joined"])),
}


@pytest.mark.fault("damage")
@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_refused_by_its_reader_and_named_by_the_check(run, name):
    row = DAMAGES[name]
    row.damage(AT)
    found = wrong(run)
    assert found == row.states(AT), found
    refused(run, row.readers)


def refused(run, readers):
    """Hold that who reads what is damaged refuses it, in one line with what to do."""
    for reader in readers:
        with pytest.raises(UserError) as caught:
            READERS[reader](run)
        assert "\n" not in str(caught.value)
        assert "nnrd check --repair" in str(caught.value), caught.value


# Of every kind of file, a damage that its readers and the check have to see.
KINDS = [
    *("a file of a model, one bit", "the sums of an asset", "an image, one bit", "the index"),
    *("a model", "the facts of a model", "part I", "part II", "a split's record"),
    *("a bundle, one bit", "times of the source", "an output of the whole model, one bit"),
    *("a bitstream, one bit", "sizes in times, edited", "predictions", "the anchor's predictions"),
    *("the anchor's record", "a point's record", "a table, cut", "the sums of a table"),
    *("the joined table", "a picture", "the provenance"),
]


@pytest.mark.fault("power cut")
@pytest.mark.parametrize("manner", TORN)
@pytest.mark.parametrize("name", KINDS)
def test_a_torn_file_is_refused_by_its_reader_and_named_by_the_check(run, name, manner):
    row = DAMAGES[name]
    torn(next(iter(row.found)), manner)(AT)
    assert wrong(run) == row.states(AT)
    refused(run, row.readers)


@pytest.mark.fault("deleted")
@pytest.mark.parametrize("name", KINDS)
def test_a_deleted_file_is_missed_by_the_check(run, name):
    """Snakemake sees by itself what is not there, so not every reader has to."""
    path = next(iter(DAMAGES[name].found))
    gone(path)(AT)
    assert wrong(run)[path.format_map(AT)] == MISSING


def test_what_was_made_from_something_older_is_stale(run):
    """The bitstreams were made again after the rest, such as by a run that was broken off."""
    run.encode_tensors(run.points[0], SHARD)
    assert wrong(run) == {f"{AT['predicted']}.times.json": STALE, AT["record"]: STALE}
    with pytest.raises(UserError, match=r"was made from another .*bitstreams/0-of-2\.times\.json"):
        run.score_point(run.points[0])
    run.infer_features(run.points[0], SHARD)
    run.score_point(run.points[0])
    assert set(wrong(run).values()) == {STALE}  # the tables
    run.tabulate_points()
    run.tabulate_latency()
    run.join_tables()
    assert wrong(run) == {"results/provenance.json": STALE}
    run.write_provenance()
    assert wrong(run) == {}


def test_what_was_made_from_a_damaged_file_is_stale_once_that_is_whole(run):
    """Of a forged index, which no job refuses that makes a prediction: the older records know."""
    times = f"{AT['predicted']}.times.json"
    DAMAGES["the index, forged"].damage(AT)
    run.infer_features(run.points[0], SHARD)
    assert wrong(run)[AT["index"]] == DAMAGED
    with pytest.raises(UserError, match="nnrd check --repair"):
        run.score_point(run.points[0])
    check = Check(run.settings, Path())
    repair(check, [f for f in check.findings() if f.path == AT["index"]], Made(run))
    assert wrong(run) == {times: STALE}
    run.infer_features(run.points[0], SHARD)
    run.score_point(run.points[0])
    run.report()
    assert wrong(run) == {}


def test_deleted_tensors_are_not_missed(run):
    """With ``keep_tensors: false`` a run deletes them."""
    kept = (AT["tensors"], AT["outputs"])
    for folder in kept:
        shutil.rmtree(folder)
    assert wrong(run) == dict.fromkeys(kept, MISSING)
    run.settings.config["keep_tensors"] = False
    assert wrong(run) == {}


def test_of_a_study_that_is_not_to_be_made_nothing_is_missed(run):
    studies = CONFIG["studies"] | {"other": CONFIG["studies"]["small"] | {"splits": [3]}}
    given = config.load(CONFIG | {"studies": studies}, "config.yaml", Path())
    assert {finding.state for finding in Check(given, Path()).findings()} == {WHOLE}


class Made:
    """Stands for the workflow: makes what it is told, and notes it."""

    def __init__(self, run: Run) -> None:
        self.run, self.names = run, []

    def __call__(self, names) -> None:
        self.names += names
        for name in names:
            self.make(name)

    def make(self, name: str) -> None:
        jobs = {
            "resources/net": lambda: self.run.fetch_asset("net"),
            "resources/net.sums.json": lambda: self.run.fetch_asset("net"),
            AT["facts"]: self.run.convert_model,
            f"{AT['parts']}/split.json": self.run.split_model,
            "resources/pictures": lambda: self.run.fetch_asset("pictures"),
            AT["index"]: self.run.index_dataset,
            AT["onnx"]: self.run.convert_model,
            f"{AT['parts']}/part1.onnx": self.run.split_model,
            AT["tensors"]: lambda: self.run.extract_features(SHARD),
            AT["outputs"]: lambda: self.run.extract_outputs(SHARD),
            AT["bits"]: lambda: self.run.encode_tensors(self.run.points[0], SHARD),
            f"{AT['predicted']}.json": lambda: self.run.infer_features(self.run.points[0], SHARD),
            AT["record"]: lambda: self.run.score_point(self.run.points[0]),
            AT["table"]: self.run.tabulate_points,
            AT["joined"]: self.run.join_tables,
            AT["picture"]: lambda: Path(AT["picture"]).write_text(AT["picture"]),
        }
        jobs[name]()


def files():
    folders = (Path("results"), Path("resources"))
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


# What is damaged, and the one thing that is made again. All else keeps its content and its time.
REPAIRS = {
    "a file of a model, one bit": "resources/net",
    "an image missing": "resources/pictures",
    "two images swapped": "resources/pictures",
    "the sums of an asset": "resources/net.sums.json",
    "a model": AT["onnx"],
    "the facts of a model": AT["facts"],
    "the facts of a model, forged": AT["facts"],
    "a split's record": f"{AT['parts']}/split.json",
    "the index": AT["index"],
    "part I": f"{AT['parts']}/part1.onnx",
    "a bundle, one bit": AT["tensors"],
    "two bundles swapped": AT["tensors"],
    "an output of the whole model, one bit": AT["outputs"],
    "a bitstream missing": AT["bits"],
    "a bitstream too many": AT["bits"],
    "the bitstreams of another QP": AT["bits"],
    "a picture": AT["picture"],
}


@pytest.mark.parametrize("name", REPAIRS)
def test_a_repair_makes_again_what_is_wrong_and_nothing_else(run, name):
    """What was measured stays as it was, and nothing that was made from it is outdated."""
    contents = {path: path.read_bytes() for path in files()}
    begun = time.time_ns()
    DAMAGES[name].damage(AT)
    check, make = Check(run.settings, Path()), Made(run)
    assert repair(check, check.findings(), make) == [REPAIRS[name]] == make.names
    assert wrong(run) == {}
    assert {path: path.read_bytes() for path in files()} == contents
    assert not [path for path in files() if path.stat().st_mtime_ns >= begun]


def test_the_program_prints_a_line_a_file_and_ends_with_1(run, capsys):
    program.run(check_results, [])
    assert capsys.readouterr().out.endswith(" whole, 0 missing, 0 damaged, 0 stale, 0 nobody's\n")
    flip("{stream}")(AT)
    Path(AT["record"]).unlink()
    more("results/notes.txt", "{index}")(AT)
    with pytest.raises(SystemExit, match=r"error: 2 files or folders are not .*--repair` mends"):
        program.run(check_results, [])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"missing  {AT['record']}: ")
    assert lines[1].startswith(
        f"damaged  {AT['stream']}: its SHA-256 is not that in {AT['encoded']}"
    )
    assert lines[2].startswith("nobody's results/notes.txt: ")
    assert lines[3].endswith("1 missing, 1 damaged, 0 stale, 1 nobody's")


def test_of_many_files_some_are_listed_and_all_if_asked(run, capsys):
    shutil.rmtree("results")
    for words, more_than in (([], 0), (["--all"], check_results.SHOWN)):
        with pytest.raises(SystemExit):
            program.run(check_results, words)
        said = capsys.readouterr().out
        assert ("more, which --all lists" in said) is not bool(words)
        assert len(said.splitlines()) > more_than


def test_a_check_keeps_nothing_of_what_was_measured(run):
    """It has one record whole at a time: those of many points would not fit into memory."""
    names = [str(path) for path in Path("results/features").rglob("*.json")]
    for name in names:
        write_record(name, read_record(name) | {"measured": [n / 7 for n in range(50_000)]})
    tracemalloc.start()
    try:
        Check(run.settings, Path()).findings()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(names) > 10 and peak < 12e6
