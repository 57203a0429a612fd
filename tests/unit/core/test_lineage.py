"""Records say what they were made from and what was made with them; a change is one line."""

import pytest

from nnrd import UserError
from nnrd.core import lineage
from nnrd.core.files import read_record, write_record


def refused(function, *given):
    with pytest.raises(UserError) as caught:
        function(*given)
    assert "\n" not in str(caught.value) and "`nnrd check --repair`" in str(caught.value)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path):
    """A folder with its sums beside it; Snakemake's mark of the time is none of its files."""
    (tmp_path / "a/deep").mkdir(parents=True)
    for name in ("one", "deep/two", "deep/.three", ".snakemake_timestamp"):
        (tmp_path / "a" / name).write_text(name)
    lineage.write_beside(tmp_path / "a")
    return tmp_path / "a"


def test_a_folder_has_its_sums_beside_it(folder):
    record = read_record(folder.with_name("a.sums.json"))
    assert list(record["files"]) == ["deep/.three", "deep/two", "one"] and record["inputs"] == {}
    lineage.verify_beside(folder)
    (folder / ".snakemake_timestamp").write_text("later")
    lineage.verify_beside(folder)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("one", "owe", "one: damaged"),
        ("deep/two", None, "two: missing"),
        ("deep/more", "more", "more: does not belong here"),
    ],
)
def test_a_folder_that_was_altered_is_refused(folder, name, content, said):
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    assert f"{folder}/" in (told := refused(lineage.verify_beside, folder)) and said in told


def test_what_has_no_record_is_a_users_own(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n")
    lineage.verify_beside(tmp_path / "t.csv")


def test_a_table_names_what_it_was_made_from(tmp_path):
    table, source = tmp_path / "t.csv", tmp_path / "source"
    table.write_text("a,b\n")
    source.write_text("x")
    lineage.write_beside(table, [source])
    lineage.verify_beside(table)
    record = read_record(lineage.beside(table))
    assert record["inputs"] == lineage.sums([source])
    table.write_text("a,c\n")
    assert "t.csv: damaged" in refused(lineage.verify_beside, table)


def test_a_file_is_the_one_that_a_record_is_of_with_its_external_data(tmp_path):
    model, data, record = (tmp_path / name for name in ("m.onnx", "m.onnx.data", "m.json"))
    for file in (model, data):
        file.write_text(file.name)
    write_record(record, lineage.of([model, data], []))
    lineage.verify_made(model, record)
    assert "says nothing of m.onnx.data.x" in refused(
        lineage.verify_made, tmp_path / "m.onnx.data.x", record
    )
    data.write_text("other")
    assert "m.onnx.data: damaged" in refused(lineage.verify_made, model, record)


def test_records_must_have_been_made_from_what_is_there(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for file in (first, second):
        file.write_text(file.name)
    records = {tmp_path / "made": lineage.of([], [first])}
    lineage.verify_origin(records, lineage.sums([first, second]), [first])
    told = refused(lineage.verify_origin, records, {}, [second])
    assert "second: what is beside it was made from another" in told
    told = refused(lineage.verify_origin, records, {str(first): "0"})
    assert f"made: was made from another {first}" in told
