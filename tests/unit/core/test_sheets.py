"""A sheet that is not right is refused by a line that names the file, and the line or column."""

import pytest

from nnrd import UserError
from nnrd.core import sheets

HEADER = "dataset\ttask\tformat\tannotations\titems\tfolder"
ROW = "mine\tasr\ttranscripts\ttable.tsv\t3\t/data/mine"


def row(old, new):
    return f"{HEADER}\n{ROW.replace(old, new, 1)}\n"


def read(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return sheets.read(path, "datasets")


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\n{ROW}\n",
        f"\ufeff{HEADER}\n{ROW}\n",
        f"{HEADER}\r\n{ROW}\r\n",
        f"# a comment\n\n{HEADER}\n# another\n{ROW}",
        row("mine", " mine "),
    ],
)
def test_a_sheet_as_programs_write_it(tmp_path, text):
    (found,) = read(tmp_path / "d.tsv", text)
    assert (found["dataset"], found["items"], found["folder"]) == ("mine", 3, "/data/mine")


@pytest.mark.parametrize("name", ["d $(touch pwned)", "it's", 'a "b"', "{x}", "a\\b", "ä\u2028ö"])
def test_any_name_of_a_folder_comes_back(tmp_path, name):
    (found,) = read(tmp_path / "d.tsv", row("/data/mine", name))
    assert found["folder"] == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "d.tsv: the sheet is empty"),
        ("\ufeff", "d.tsv: the sheet is empty"),
        ("# only this\n\n", "d.tsv: the sheet is empty"),
        (f"{HEADER}\tfolder\n{ROW}\t/other\n", "d.tsv: column 'folder' is given twice"),
        (f"{HEADER}\titems\n{ROW}\t4\n", "d.tsv: column 'items' is given twice"),
        (f"{HEADER}\tplace\n{ROW}\tx\n", "d.tsv: unknown column 'place'"),
        (f"{HEADER}\t\n{ROW}\tx\n", "d.tsv: unknown column ''"),
        (HEADER.replace("\titems", "") + "\n", "d.tsv: column 'items' is missing"),
        (f"{HEADER}\n{ROW}\tmore\n", "d.tsv:2: more cells than columns"),
        (row("3", "9" * 5000), "d.tsv:2: items: '999"),
        (row("3", "9" * 4000), "d.tsv:2: items: an integer of more than"),
        (row("3", "0"), "d.tsv:2: items: 0 is below 1"),
        (row("3", "3.0"), "d.tsv:2: items: '3.0' is not an integer"),
        (row("/data", "d\0"), "d.tsv:2: has a control character"),
        (row("/data", "d\x1b[2J"), "d.tsv:2: has a control character"),
        (row("mine", "m" * 300_000), "d.tsv:2: dataset: 'mmmm"),
        (b"\xff\xfe\x00", "d.tsv: not a table of tab-separated text"),
        (f"{HEADER}\n".encode("utf-16"), "d.tsv: not a table of tab-separated text"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, text, said):
    with pytest.raises(UserError) as caught:
        read(tmp_path / "d.tsv", text)
    message = str(caught.value)
    assert said in message and "\n" not in message and len(message) < 300


def test_what_is_no_file(tmp_path):
    for path, said in ((tmp_path, "is a folder"), (tmp_path / "x", "no such sheet")):
        with pytest.raises(UserError, match=said):
            sheets.read(path, "datasets")
    with pytest.raises(UserError, match="File name too long"):
        sheets.read(tmp_path / ("x" * 300), "datasets")
