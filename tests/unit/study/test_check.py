"""Every kind of damage to every kind of file: who reads it refuses, and `nnrd check` names it."""

import shutil
import time
from pathlib import Path

import pytest
from damages import DAMAGES, flip, more, places
from small_run import CONFIG, Run, prepare

from nnrd import UserError
from nnrd.core import program
from nnrd.report.plots import style
from nnrd.stages import check_results
from nnrd.study import config
from nnrd.study.check import MISSING, STALE, WHOLE, WRONG, Check
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
<<<<<<< HEAD
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
=======
def index(run):
    run.index_dataset()


def convert(run):
    run.convert_model()


def split(run):
    run.split_model()


def anchor(run):
    run.infer_anchor(SHARD)


def extract(run):
    run.extract_features(SHARD)


def encode(run):
    run.encode_tensors(run.points[0], SHARD)


def infer(run):
    run.infer_features(run.points[0], SHARD)


def score(run):
    run.score_point(run.points[0])


def score_anchor(run):
    run.score_point(run.study.anchor)


def tabulate(run):
    run.tabulate_points()


def latency(run):
    run.tabulate_latency()


def join(run):
    run.join_tables()


def plot(run):
    style.read_points(Path("results/tables/small/points.csv"))


def plot_latency(run):
    style.read_points(LATENCY)


def plot_all(run):
    style.read_points(Path("results/tables/points.csv"))


class Row(NamedTuple):
    """What is done, who reads it and must refuse, and what the check calls the files.

    Where no job reads a file, or it would make the file itself again, there is only the check.
    """

    damage: Callable[[], object]
    readers: tuple = ()
    found: dict = {}  # noqa: RUF012


def damaged(*paths):
    return dict.fromkeys(paths, DAMAGED)


NET, IMAGE = "resources/net/net.onnx", f"resources/pictures/{FIRST}.png"
BUNDLE, STREAM = f"{TENSORS}/{FIRST}.safetensors", f"{BITS}/{FIRST}.bin"
OUTPUTS = f"{ANCHOR}/outputs/0-of-2"
OUTPUT = f"{OUTPUTS}/{FIRST}.safetensors"
SOURCE, ENCODED = f"{TENSORS}.times.json", f"{BITS}.times.json"
ONNX, FACTS = "results/models/net.onnx", "results/models/net.json"
INDEX, RECORD, PLAN = "results/datasets/pictures.json", f"{POINT}/point.json", f"{SPLIT}/split.json"
TABLE, JOINED = "results/tables/small/points.csv", "results/tables/points.csv"
LATENCY = "results/tables/small/latency.csv"
PICTURE = "results/plots/small/accuracy_bytes.png"
USERS = (convert, anchor, extract, infer)
TABLES = {
    "a file of a model, one bit": Row(flip(NET), USERS, damaged(NET)),
    "a file of a model, cut": Row(cut(NET), (convert,), damaged(NET)),
    "a file of a model, missing": Row(gone(NET), (convert, anchor), {NET: MISSING}),
    "a file more in an asset": Row(
        more("resources/net/a.bin", NET), (convert,), damaged("resources/net/a.bin")
    ),
    "the sums of an asset": Row(
        flip("resources/net.sums.json"), (convert, anchor), damaged("resources/net.sums.json")
    ),
    "an asset and its sums, forged": Row(
        lambda: (flip(NET)(), _forge_sums()), (), damaged(NET, "resources/net.sums.json")
    ),
    "an image, one bit": Row(flip(IMAGE), (index, anchor, extract), damaged(IMAGE)),
    "two images swapped": Row(
        swapped(IMAGE, f"resources/pictures/{THIRD}.png"),
        (index, anchor, extract),
        damaged(IMAGE, f"resources/pictures/{THIRD}.png"),
    ),
    "an image missing": Row(gone(IMAGE), (index, anchor, extract), {IMAGE: MISSING}),
    "the index": Row(flip(INDEX), (anchor, extract, infer, score), damaged(INDEX)),
    "the index, forged": Row(
        forged(INDEX, lambda record: record["items"][0]["facts"].update(label=9)),
        (score,),
        damaged(INDEX),
    ),
    "a model": Row(flip(ONNX), (split, anchor), damaged(ONNX)),
    "a part in place of a model": Row(
        replaced((ONNX, f"{SPLIT}/part1.onnx")), (split, anchor), damaged(ONNX)
    ),
    "the facts of a model": Row(flip(FACTS), (split, anchor), damaged(FACTS)),
    "the facts of a model, forged": Row(
        forged(FACTS, lambda record: record.update(nodes=6)), (), damaged(FACTS)
    ),
    "part I": Row(flip(f"{SPLIT}/part1.onnx"), (extract,), damaged(f"{SPLIT}/part1.onnx")),
    "part II": Row(flip(f"{SPLIT}/part2.onnx"), (infer,), damaged(f"{SPLIT}/part2.onnx")),
    "both parts swapped": Row(
        swapped(f"{SPLIT}/part1.onnx", f"{SPLIT}/part2.onnx"),
        (extract, infer),
        damaged(f"{SPLIT}/part1.onnx", f"{SPLIT}/part2.onnx"),
    ),
    "a split's record": Row(flip(PLAN), (extract, infer, score), damaged(PLAN)),
    "a split's record, forged": Row(
        forged(PLAN, lambda record: record.update(branches=7)), (score,), damaged(PLAN)
    ),
    "a bundle, one bit": Row(flip(BUNDLE, 0.99), (encode,), damaged(BUNDLE)),
    "a bundle, cut": Row(cut(BUNDLE), (encode,), damaged(BUNDLE)),
    "a bundle missing": Row(gone(BUNDLE), (encode,), {BUNDLE: MISSING}),
    "a bundle too many": Row(
        more(f"{TENSORS}/x.safetensors", BUNDLE), (encode,), damaged(f"{TENSORS}/x.safetensors")
    ),
    "two bundles swapped": Row(
        swapped(BUNDLE, f"{TENSORS}/{THIRD}.safetensors"),
        (encode,),
        damaged(BUNDLE, f"{TENSORS}/{THIRD}.safetensors"),
    ),
    "times of the source": Row(flip(SOURCE), (encode, score), damaged(SOURCE)),
    "times of the source, forged": Row(forged(SOURCE, slower), (score,), damaged(SOURCE)),
    "the bundles of another shard with their times": Row(
        replaced(
            (TENSORS, TENSORS.replace("0-of", "1-of")), (SOURCE, SOURCE.replace("0-of", "1-of"))
        ),
        (score,),
        damaged(SOURCE),
    ),
    "an output of the whole model, one bit": Row(flip(OUTPUT), (infer,), damaged(OUTPUT)),
    "an output of the whole model missing": Row(gone(OUTPUT), (infer,), {OUTPUT: MISSING}),
    "two outputs swapped": Row(
        swapped(OUTPUT, f"{OUTPUTS}/{THIRD}.safetensors"),
        (infer,),
        damaged(OUTPUT, f"{OUTPUTS}/{THIRD}.safetensors"),
    ),
    "a bitstream, one bit": Row(flip(STREAM), (infer,), damaged(STREAM)),
    "a bitstream missing": Row(gone(STREAM), (infer,), {STREAM: MISSING}),
    "a bitstream too many": Row(more(f"{BITS}/x.bin", STREAM), (infer,), damaged(f"{BITS}/x.bin")),
    "two bitstreams swapped": Row(
        swapped(STREAM, f"{BITS}/{THIRD}.bin"), (infer,), damaged(STREAM, f"{BITS}/{THIRD}.bin")
    ),
    "the bitstreams of another QP": Row(
        replaced((BITS, OTHER_BITS)), (infer,), damaged(STREAM, f"{BITS}/{THIRD}.bin")
    ),
    "the bitstreams of another QP with their times": Row(
        replaced((BITS, OTHER_BITS), (ENCODED, f"{OTHER_BITS}.times.json")),
        (infer, score),
        damaged(ENCODED),
    ),
    "two bitstreams swapped with their sums": Row(
        lambda: (swapped(STREAM, f"{BITS}/{THIRD}.bin")(), forged(ENCODED, _swap_sums)()),
        (infer, score),
        damaged(ENCODED),
    ),
    "sizes in times, edited": Row(
        text(ENCODED, '"rec_size": ', '"rec_size": 1'), (infer, score), damaged(ENCODED)
    ),
    "sizes in times, forged": Row(forged(ENCODED, slower), (score,), damaged(ENCODED)),
    "predictions": Row(flip(f"{PREDICTED}.json"), (score,), damaged(f"{PREDICTED}.json")),
    "predictions, forged": Row(
        forged(f"{PREDICTED}.json", halved), (score,), damaged(f"{PREDICTED}.json")
    ),
    "predictions of another point": Row(
        replaced((f"{PREDICTED}.json", f"{OTHERS}.json")), (score,), damaged(f"{PREDICTED}.json")
    ),
    "predictions of another point with their times": Row(
        replaced(
            (f"{PREDICTED}.json", f"{OTHERS}.json"),
            (f"{PREDICTED}.times.json", f"{OTHERS}.times.json"),
        ),
        (score,),
        damaged(f"{PREDICTED}.json", f"{PREDICTED}.times.json"),
    ),
    "the anchor's predictions": Row(
        flip(f"{ANCHOR}/predictions/{SHARD}.json"),
        (score, score_anchor),
        damaged(f"{ANCHOR}/predictions/{SHARD}.json"),
    ),
    "the anchor's predictions, forged": Row(
        forged(f"{ANCHOR}/predictions/{SHARD}.json", halved),
        (score, score_anchor),
        damaged(f"{ANCHOR}/predictions/{SHARD}.json"),
    ),
    "the anchor's record": Row(
        text(f"{ANCHOR}/point.json", '"rec_perf": ', '"rec_perf": 1'),
        (score, tabulate),
        damaged(f"{ANCHOR}/point.json"),
    ),
    "the anchor's record, forged": Row(
        forged(f"{ANCHOR}/point.json", better), (tabulate,), damaged(f"{ANCHOR}/point.json")
    ),
    "a point's record": Row(flip(RECORD), (tabulate,), damaged(RECORD)),
    "a point's record, forged": Row(forged(RECORD, better), (), damaged(RECORD)),
    "two points' records swapped": Row(
        swapped(RECORD, f"{OTHER}/point.json"), (), damaged(RECORD, f"{OTHER}/point.json")
    ),
    "a table, one digit": Row(text(TABLE, "net", "nut"), (join, plot, latency), damaged(TABLE)),
    "a table, cut": Row(cut(TABLE), (join, plot), damaged(TABLE)),
    "the table of latencies": Row(text(LATENCY, "net", "nut"), (plot_latency,), damaged(LATENCY)),
    "a table missing": Row(gone(TABLE), (join,), {TABLE: MISSING}),
    "the sums of a table": Row(
        flip(f"{TABLE}.sums.json"), (join, plot), damaged(f"{TABLE}.sums.json")
    ),
    "the joined table": Row(text(JOINED, "net", "nut"), (plot_all,), damaged(JOINED)),
    "a picture": Row(flip(PICTURE), (), damaged(PICTURE)),
    "a picture missing": Row(gone(PICTURE), (), {PICTURE: MISSING}),
    "the provenance": Row(flip("results/provenance.json"), (), damaged("results/provenance.json")),
    "a point's record missing": Row(gone(RECORD), (tabulate,), {RECORD: MISSING}),
    "what nobody declares": Row(
        more("results/notes.txt", "records.txt"), (), {"results/notes.txt": NOBODYS}
    ),
>>>>>>> 723467b (The outputs of part II are held against the whole model's: normalised MSE of each, 0 without compression)
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_refused_by_its_reader_and_named_by_the_check(run, name):
    row = DAMAGES[name]
    row.damage(AT)
    found = wrong(run)
    assert found == row.states(AT), found
    for reader in row.readers:
        with pytest.raises(UserError) as caught:
            READERS[reader](run)
        assert "\n" not in str(caught.value)
        assert "nnrd check --repair" in str(caught.value), caught.value


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


def test_deleted_tensors_are_not_missed(run):
    """With ``keep_tensors: false`` a run deletes them."""
<<<<<<< HEAD
    shutil.rmtree(AT["tensors"])
    assert wrong(run) == {AT["tensors"]: MISSING}
=======
    for folder in (TENSORS, OUTPUTS):
        shutil.rmtree(folder)
    assert wrong(run) == {TENSORS: MISSING, OUTPUTS: MISSING}
>>>>>>> 723467b (The outputs of part II are held against the whole model's: normalised MSE of each, 0 without compression)
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
<<<<<<< HEAD
            AT["index"]: self.run.index_dataset,
            AT["onnx"]: self.run.convert_model,
            f"{AT['parts']}/part1.onnx": self.run.split_model,
            AT["tensors"]: lambda: self.run.extract_features(SHARD),
            AT["bits"]: lambda: self.run.encode_tensors(self.run.points[0], SHARD),
            f"{AT['predicted']}.json": lambda: self.run.infer_features(self.run.points[0], SHARD),
            AT["record"]: lambda: self.run.score_point(self.run.points[0]),
            AT["table"]: self.run.tabulate_points,
            AT["joined"]: self.run.join_tables,
            AT["picture"]: lambda: Path(AT["picture"]).write_text(AT["picture"]),
=======
            INDEX: self.run.index_dataset,
            ONNX: self.run.convert_model,
            f"{SPLIT}/part1.onnx": self.run.split_model,
            TENSORS: lambda: extract(self.run),
            BITS: lambda: encode(self.run),
            OUTPUTS: lambda: self.run.extract_outputs(SHARD),
            f"{PREDICTED}.json": lambda: infer(self.run),
            RECORD: lambda: score(self.run),
            TABLE: self.run.tabulate_points,
            JOINED: self.run.join_tables,
            PICTURE: lambda: Path(PICTURE).write_text(PICTURE),
>>>>>>> 723467b (The outputs of part II are held against the whole model's: normalised MSE of each, 0 without compression)
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
<<<<<<< HEAD
    "the sums of an asset": "resources/net.sums.json",
    "a model": AT["onnx"],
    "the facts of a model": AT["facts"],
    "the facts of a model, forged": AT["facts"],
    "a split's record": f"{AT['parts']}/split.json",
    "the index": AT["index"],
    "part I": f"{AT['parts']}/part1.onnx",
    "a bundle, one bit": AT["tensors"],
    "two bundles swapped": AT["tensors"],
    "a bitstream missing": AT["bits"],
    "a bitstream too many": AT["bits"],
    "the bitstreams of another QP": AT["bits"],
    "a picture": AT["picture"],
=======
    "a model": ONNX,
    "the index": INDEX,
    "part I": f"{SPLIT}/part1.onnx",
    "a bundle, one bit": TENSORS,
    "two bundles swapped": TENSORS,
    "a bitstream missing": BITS,
    "an output of the whole model, one bit": OUTPUTS,
    "a bitstream too many": BITS,
    "the bitstreams of another QP": BITS,
    "a picture": PICTURE,
>>>>>>> 723467b (The outputs of part II are held against the whole model's: normalised MSE of each, 0 without compression)
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
