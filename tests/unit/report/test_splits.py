"""Published tables of splits beside ours: reasons, plots, pages."""

import argparse
import importlib
import json
import re

import pandas as pd
import pytest
from small_models import FLOAT, MODELS, constant, model, node

import nnrd.split
from nnrd import UserError
from nnrd.datasets import published
from nnrd.report.plots import style
from nnrd.report.splits import comparison, pages, plots, tables

RATES = {"500mbps": 500e6, "1gbps": 1e9}
HEADER = "node,node_name,size_mbytes,branches,latency_ms_1gbps"


def run(stage, *arguments):
    module = importlib.import_module(f"nnrd.stages.{stage}")
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    module.main(parser.parse_args(list(map(str, arguments))))


@pytest.fixture
def ours():
    """A table with sizes of some MB."""
    table = nnrd.split.table(MODELS["constants"](), first=0)
    return table.assign(plain_bytes=table.plain_bytes * 10_000 + 4_321)


def theirs(ours, **changed):
    """Return a published table that ours equals but for what a test changes."""
    rows = []
    for row in ours[ours["rank"] > 0].itertuples():
        found = {"node": row.rank, "node_name": row.node_name, "branches": row.plain_branches}
        found["size_mbytes"] = round(row.plain_bytes / 1e6, 2)
        for name, rate in RATES.items():
            found[f"latency_ms_{name}"] = round(row.plain_bytes * 8e3 / rate, 2)
        rows.append(found | {key: change(found) for key, change in changed.items()})
    return rows


def without_sizes(ours):
    return ours.assign(bytes=pd.array([pd.NA] * len(ours), dtype="Int64"))


def differences(rows, ours):
    return list(comparison.ranks(rows, ours, RATES).difference)


def test_equal_tables_have_no_difference(ours):
    assert set(differences(theirs(ours), ours)) == {""}
    empty = {"branches": lambda row: None, "latency_ms_1gbps": lambda row: None}
    assert set(differences(theirs(ours, **empty), ours)) == {""}


@pytest.mark.parametrize(
    ("column", "change", "said"),
    [
        ("node", lambda row: row["node"] + 1, r"rank: their file has 1 node more before /three"),
        ("node", lambda row: row["node"] + 5, r"rank: their file has 5 nodes more before /three"),
        ("branches", lambda row: row["branches"] + 1, "branches: not explained"),
        ("size_mbytes", lambda row: row["size_mbytes"] + 3, "size: not explained"),
        ("latency_ms_1gbps", lambda row: row["latency_ms_1gbps"] + 1, "latency: not explained"),
    ],
)
def test_a_difference_has_a_reason_or_is_not_explained(ours, column, change, said):
    found = differences(theirs(ours, **{column: change}), ours)
    assert all(text.startswith(said) for text in found), found


def test_a_rank_that_is_shifted_unlike_the_others_is_not_explained(ours):
    rows = theirs(ours)
    rows[-1] = rows[-1] | {"node": rows[-1]["node"] + 2}
    assert differences(rows, ours)[-1] == "rank: not explained"


def test_a_latency_of_the_rounded_size_is_told_from_others(ours):
    of_rounded = {
        f"latency_ms_{name}": lambda row, rate=rate: round(row["size_mbytes"] * 8e9 / rate, 2)
        for name, rate in RATES.items()
    }
    found = differences(theirs(ours, **of_rounded), ours)
    assert set(found) == {"latency: theirs is of the rounded size"}


def test_numbers_in_the_names_of_constants(ours):
    assert ours.op_type[1] == "Constant"
    table = ours.replace({"node_name": {"/three": "/Constant_3"}})
    rows = theirs(table)
    rows[0] = rows[0] | {"node_name": "/Constant_5"}
    said = "name: constants are numbered, and their file has 2 nodes more before it"
    assert differences(rows, table)[0] == said
    rows[0] = rows[0] | {"node_name": "/Other_5"}
    assert differences(rows, table)[0] == "name: not explained"


def test_branches_within_a_control_flow_node_are_counted():
    table = nnrd.split.table(MODELS["branch"](), first=0)
    inside = table.plain_captured
    assert inside.max() > 0
    rows = theirs(table)
    for row in rows:
        row["branches"] -= int(inside[row["node"]])
    for text, count in zip(differences(rows, table), inside[1:], strict=True):
        assert text == (f"branches: {count} of ours are read only within the body of a "
                        "control-flow node" if count else "")  # fmt: skip


def test_sizes_behind_a_threshold_follow_from_values():
    nodes = [constant("zero", 0.0), node("Neg", "x", "a"), node("Greater", "a zero", "b")]
    nodes += [node("NonZero", "b", "c"), node("Neg", "c", "y")]
    small = model(nodes, {"x": (FLOAT, [6])}, {"y": (7, None)})
    table = nnrd.split.table(small)
    assert table.plain_selected.tolist() == [0, 0, 0, 1]
    table = nnrd.split.table(small, first=0).assign(plain_bytes=10_000, bytes=10_000)
    rows = theirs(table, size_mbytes=lambda row: 0.02)
    said = differences(rows, table)
    assert said[-1].startswith("size: 1 of the branches follow from what passes a threshold")
    assert said[0].startswith("size: not explained")


def test_the_anchor_is_the_input_or_an_image_of_bytes(ours):
    anchor = {"node": 0, "node_name": "anchor", "branches": None}
    size = int(ours.plain_bytes[0])
    for mbytes, said in (
        (round(size / 1e6, 2), ""),
        (round(size / 4e6, 2), "size: theirs is a quarter of ours"),
        (9.0, "size: not explained"),
    ):
        rows = [anchor | {"size_mbytes": mbytes}, *theirs(ours)]
        found = comparison.ranks(rows, ours, RATES).iloc[0]
        assert found.rank_ours == 0 and found.branches_ours == 1
        assert found.difference == said or (found.difference.startswith(said) and said)


def test_another_model_is_refused(ours):
    with pytest.raises(UserError, match="is it another model"):
        comparison.ranks(theirs(ours, node_name=lambda row: "elsewhere"), ours, RATES)
    rows = theirs(ours)
    rows[1]["node_name"], rows[1]["node"] = "elsewhere", 99
    with pytest.raises(UserError, match="node 99 of the published table is not in this model"):
        comparison.ranks(rows, ours, RATES)


def test_largest_numbers_of_branches(ours):
    most = int(ours.plain_branches.max())
    rows = [{"model": "theirs", "ours": "m", "max_branches": count} for count in (most, 9)]
    found = comparison.branches(rows, {"m": ours})
    assert found.difference.tolist() == ["", "not explained"]
    assert found.nodes_ours.tolist() == [len(MODELS["constants"]().graph.node)] * 2
    with pytest.raises(UserError, match="no table of m "):
        comparison.branches(rows, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the table is empty"),
        ("node,node_name,size_mbytes\n1,a,2\n", "column 'branches' is missing"),
        (f"{HEADER},latency_ms_1gbps\n1,a,2,3,4,5\n", "column 'latency_ms_1gbps' is .* twice"),
        (f"\ufeff{HEADER}\n1,a,2,3\n", r"t.csv:2: other than 5 cells"),
        (f"{HEADER}\n1,a,2,3\n", r"t.csv:2: other than 5 cells"),
        (f"{HEADER}\n1,a,2,3,4,5\n", r"t.csv:2: other than 5 cells"),
        (f"{HEADER}\n1,a,2,3,4\nx,a,2,3,4\n", r"t.csv:3: node: 'x' is no whole number from 0"),
        (f"{HEADER}\n1,a,2,3.5,4\n", r"t.csv:2: branches: '3.5' is no whole number"),
        (f"{HEADER}\n1,a,nan,3,4\n", r"t.csv:2: size_mbytes: 'nan' is no number from 0"),
        (f"{HEADER}\n1,a,-2,3,4\n", r"t.csv:2: size_mbytes: '-2' is no number from 0"),
        (f"{HEADER}\n1,a,,3,4\n", r"t.csv:2: node and size_mbytes have to be given"),
        (f"{HEADER}_\n1,a,2,3,4\n", "unknown rate '1gbps_'; did you mean 1gbps"),
    ],
)
def test_a_published_table_is_checked_cell_by_cell(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(UserError, match=message) as error:
        published.read_ranks(tmp_path / "t.csv", RATES)
    assert "\n" not in str(error.value)


def test_a_published_table_of_models_is_checked(tmp_path):
    file = tmp_path / "t.csv"
    for text, message in (
        ("model,max_branches\na,1\n", "column 'ours' is missing or given twice"),
        ("model,ours,max_branches\na,b,1\n", "t.csv:2: ours: unknown model 'b'"),
        ("model,ours,max_branches\na,m,\n", "t.csv:2: max_branches has to be given"),
    ):
        file.write_text(text)
        with pytest.raises(UserError, match=message):
            published.read_branches(file, ["m"])
    for path, message in ((tmp_path, "not a table"), (tmp_path / "absent", "no such table")):
        with pytest.raises(UserError, match=message):
            published.read_branches(path, ["m"])


@pytest.fixture
def written(ours, tmp_path):
    """Our tables of one and of two inputs, and published ones, as files."""
    ours.insert(0, "input", "p.png (3×4×8)")
    ours.to_csv(tmp_path / "m.csv", index=False)
    two = pd.concat([ours, ours.assign(input="q.png (3×4×4)")])
    two.to_csv(tmp_path / "two.csv", index=False)
    pd.DataFrame(theirs(ours)).to_csv(tmp_path / "tr.csv", index=False)
    row = {"model": ["theirs"], "ours": ["m"], "max_branches": [3]}
    pd.DataFrame(row).to_csv(tmp_path / "all.csv", index=False)
    return tmp_path


@pytest.mark.parametrize(
    ("how", "splits", "more"),
    [
        ("ranks", "m.csv", ["--published", "tr.csv", "--rates", "500mbps=5e8", "1gbps=1e9"]),
        ("branches", "m.csv", ["--published", "all.csv"]),
        ("inputs", "two.csv", ["--ranks", "1", "5"]),
    ],
)
def test_compare_splits_writes_tables_and_plots(written, monkeypatch, how, splits, more):
    monkeypatch.chdir(written)
    out = ["--table", "o.csv", "o.html", "--plot", "o.png", "o.svg", "o.pdf"]
    run("compare_splits", how, "--splits", splits, *more, "--title", "<a>", *out)
    found = pd.read_csv("o.csv")
    page = (written / "o.html").read_text()
    assert page.count("<tr") == len(found) + 1 and "&lt;a&gt;" in page
    assert all((written / f"o.{suffix}").stat().st_size > 1000 for suffix in ("png", "svg", "pdf"))


def test_compare_splits_refuses_in_one_line(written, monkeypatch):
    monkeypatch.chdir(written)
    ranks = ["ranks", "--splits", "m.csv"]
    for arguments, message in (
        ([*ranks, "--table", "o.csv"], "ranks needs --published"),
        ([*ranks, "two.csv", "--table", "o.csv"], "ranks are of one model"),
        ([*ranks, "--table", "o.txt"], "tables end in .csv, .html"),
        (["inputs", "--splits", "absent.csv", "--table", "o.csv"], "absent.csv: not a table"),
        (["inputs", "--splits", "all.csv", "--table", "o.csv"], "not a table of splits"),
        (["inputs", "--splits", "m.csv", "--ranks", "99", "--table", "o.csv"], "no rank 99"),
    ):
        with pytest.raises(UserError, match=message):
            run("compare_splits", *arguments)
    assert not (written / "o.csv").exists()
    with pytest.raises(UserError, match="plots end in"):
        run("plot_splits", "m.csv", "--out", "o.gif")


def test_inputs_are_sorted_by_aspect_then_by_size(written):
    found = comparison.inputs(pd.read_csv(written / "two.csv"), [1, 5])
    assert found["shape"].tolist() == ["3×4×4"] * 2 + ["3×4×8"] * 2  # the squarest first
    table = tables.read(written / "m.csv")
    shapes = ("3×10×20", "3×100×200", "3×9×18")
    several = pd.concat([table.assign(input=f"random input ({shape})") for shape in shapes])
    found = comparison.inputs(several, [1])
    assert found["shape"].tolist() == ["3×9×18", "3×10×20", "3×100×200"]


def test_cuts_at_tensors_stand_beside_the_ranks(written):
    table = tables.read(written / "two.csv")
    at = table[table["rank"] == 3].assign(node_name="at fpn", op_type="tensors", bytes=7)
    found = comparison.inputs(pd.concat([table, at], ignore_index=True), [1])
    assert found[found["split"] == "at fpn"]["bytes"].tolist() == [7, 7]
    assert len(found) == 4 and all(name[0] == "1" for name in found[found.bytes != 7]["split"])
    at = at.assign(part1_bytes=2049, part2_bytes=1024)
    found = comparison.inputs(pd.concat([table, at], ignore_index=True), [1])
    assert (
        found[found["split"] == "at fpn"][["part1_kib", "part2_kib"]].values.tolist()
        == [[3, 1]] * 2
    )
    assert found[found["split"] != "at fpn"].part1_kib.isna().all()


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_the_same_table_gives_the_same_plot(ours, tmp_path, suffix):
    for name in "ab":
        style.save(plots.ranks(ours, "title"), [tmp_path / f"{name}.{suffix}"])
    first, second = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in "ab")
    assert first == second


def test_branches_have_whole_ticks(ours):
    _, branches = plots.ranks(ours.assign(plain_branches=1, branches=1), "title").axes
    assert all(tick == int(tick) for tick in branches.get_yticks())


def test_sizes_that_need_inference_are_said(ours):
    size, _ = plots.ranks(without_sizes(ours), "title").axes
    assert [text.get_text() for text in size.texts] == ["sizes need inference"]


def test_page_has_a_tab_a_model_and_the_library_once(ours):
    found = pages.splits({"one": ours, "two": without_sizes(ours)}, RATES, "</script>")
    (content,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', found, re.S)
    data = json.loads(content.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    text = json.dumps(data)
    assert text.count('"TabPanel"') == 2 and "two: sizes need inference" in text
    assert "min_interval" in text and "@latency_ms_1gbps" in text
    assert not re.search(r'<(script|link)[^>]*(src|href)="http', found)
    assert 500_000 < len(found) < 3_000_000
    # Random ids would make another page of the same tables.
    assert not re.search(r"\b[a-f0-9]{8}(-[a-f0-9]{4}){3}-[a-f0-9]{12}\b", found)
