"""``nnrd advise``: what it prints of a table, and how it refuses."""

import pandas as pd
import pytest
from point_tables import on_two_providers, points

from nnrd import cli


@pytest.fixture
def advise(tmp_path, capsys):
    """Return what asks for advice about a table; the answer, or the one line of a refusal."""

    def ask(table, *words, rate="1Mbit"):
        file = tmp_path / "points.csv"
        table.to_csv(file, index=False)
        try:
            cli.main(["advise", "--rate", rate, *words, str(file)])
        except SystemExit as stopped:
            assert "\n" not in str(stopped).strip()
            return str(stopped)
        return capsys.readouterr().out

    return ask


def line(answer, start):
    (found,) = [text for text in answer.splitlines() if text.startswith(start)]
    return found


def test_the_answer(advise):
    """Worked out in test_advice.py: at 1 Mbit/s nnc at 5 takes 24 + 0.8 ms."""
    answer = advise(points(), "--max-loss", "1")
    assert line(answer, "s: m on 1 items of d, at 1 Mbit/s, round trip 0 ms")
    assert line(answer, "loss allowed: 1 point of F1 (%)")
    assert line(answer, "all on the device").split()[-3:] == ["60.0", "0", "0"]
    assert line(answer, "item sent, stored").split()[-3:] == ["25.0", "1,000", "0"]
    best = line(answer, "split before rank 5, nnc").split()
    assert best[5:] == ["24.8", "100", "0.5", "(at", "most", "0.8)", "*"]
    assert "* Fastest that is sure to be within the loss: split before rank 5, nnc" in answer
    assert "+ " not in answer
    assert "Splitting pays from 22.2 kbit/s to 1.03 Mbit/s, of what is sure" in answer
    assert "By the mean loss it pays from 14.3 kbit/s to 1.03 Mbit/s." in answer


def test_what_was_not_measured_is_said(advise):
    answer = advise(on_two_providers(), "--max-loss", "1")
    assert line(answer, "all on the device").split()[4:6] == ["not", "measured"]
    assert "* Fastest that is sure to be within the loss: split before rank 5, nnc" in answer


def test_what_is_only_by_the_mean_is_said(advise):
    answer = advise(points().drop(columns="F1_low"), "--max-loss", "1", rate="20kbit")
    assert "* Fastest that is sure to be within the loss: all on the device (60.0 ms)." in answer
    assert "+ Fastest by the mean loss" in answer and "split before rank 9, nnc (52.0 ms)" in answer
    assert "No split is sure to be within the loss: 1 items are too few to tell." in answer


def test_circumstances(advise):
    """Four times as slow and 10 ms there and back: 40 + 16 + 10 + 8, nothing to encode."""
    answer = advise(points(), "--round-trip", "10ms", "--device-slowdown", "4")
    assert line(answer, "all on the device").split()[4] == "240.0"
    assert line(answer, "split before rank 5, raw").split()[5] == "74.0"
    assert "the device 4 times as slow" in answer and "round trip 10 ms" in answer


def test_several_studies(advise):
    weights = points().assign(study="w", split=None, sent="weights").iloc[:1]
    answer = advise(pd.concat([points(), weights, points().assign(study="t")]))
    assert "s: m on" in answer and "\nt: m on" in answer
    assert answer.splitlines()[-1] == "w: nothing is split: there are no latencies to compare"


def test_times_that_were_not_taken_alone_are_called_so(advise):
    assert "isolated=true" not in advise(points())
    assert "isolated=true" in advise(points().assign(isolated=False))


def test_a_split_that_never_pays(advise):
    slow = points()
    slow.loc[3:, "run_time"] *= 1000
    answer = advise(slow)
    assert "Splitting pays at no rate" in answer
    assert line(answer, "item sent, stored").endswith("*")


def test_intervals_of_the_items_beside_it(advise, tmp_path):
    items = [points().assign(item=name) for name in ("a", "b")]
    pd.concat(items).to_csv(tmp_path / "items.csv", index=False)
    assert "60.0 to 60.0" in line(advise(points()), "all on the device")


REFUSED = {
    "a rate of zero": (points(), ["--rate", "0"], "rate '0': write bits a second"),
    "a rate in bytes": (points(), ["--rate", "5MB"], "rate '5MB': write bits a second"),
    "a round trip of minus": (points(), ["--round-trip=-1ms"], "duration '-1ms': write 10ms"),
    "a loss below 0": (points(), ["--max-loss=-1"], "largest loss: -1 is below 0"),
    "a loss that is nan": (points(), ["--max-loss=nan"], "largest loss: nan is below 0"),
    "a device without time": (points(), ["--device-slowdown", "0"], "slow-down: 0 is not above 0"),
    "a metric that is none": (points(), ["--metric", "f1"], "unknown metric 'f1'; known: AP"),
    "no anchor": (points().iloc[1:], [], "s: no row of the anchor"),
    "no splits": (points().iloc[:3], [], "s: nothing is split"),
    "no rows": (points().iloc[:0], [], "has no rows"),
    "no times": (points().drop(columns="part1_time"), [], "no column part1_time"),
    "no study": (points().drop(columns="study"), [], "no column study: not a table of points"),
    "a task that is none": (points().assign(task="x"), [], "unknown task 'x'"),
    "text for a time": (points().assign(run_time="long"), [], "column run_time: holds"),
    "bytes beyond all measure": (points().assign(rec_size=1e300), [], "column rec_size: holds"),
    "parameters that are none": (points().assign(parameters="{"), [], "not JSON"),
    "splits that are no ranks": (points().assign(split="x"), [], "column split: holds"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_one_line_for_what_cannot_be_answered(advise, case):
    table, words, reason = REFUSED[case]
    assert reason in advise(table, *words)


def test_a_file_that_is_no_table(tmp_path):
    for name, content in {"a": b"", "b": b"\xff\xfe\x00", "c": b'x\n"', "d": b"1\n"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SystemExit, match=r"not a table|no column study"):
            cli.main(["advise", "--rate", "1Mbit", str(tmp_path / name)])
    with pytest.raises(SystemExit, match="No such file"):
        cli.main(["advise", "--rate", "1Mbit", str(tmp_path / "missing.csv")])


ODD = {
    "all times a thousand times as long": {"pre_time": 1e3, "run_time": 1e3, "enc_time": 1e3},
    "no time at all": {"pre_time": 0.0, "run_time": 0.0, "post_time": 0.0, "enc_time": 0.0},
    "nan everywhere": {"enc_time": float("nan"), "dec_time": float("nan")},
    "no bytes": {"rec_size": 0},
    "accuracies that are missing": {"F1_low": float("nan")},
}


@pytest.mark.parametrize("rate", ["1", "50Mbit", "1e300"])
@pytest.mark.parametrize("case", ODD)
def test_absurd_numbers_are_answered(advise, case, rate):
    answer = advise(points().assign(**ODD[case]), rate=rate)
    assert "Fastest that is sure" in answer and "nan" not in answer
