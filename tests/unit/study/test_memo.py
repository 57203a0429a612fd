"""Hashes are remembered as long as nothing changed that they are made of."""

import pytest

from nnrd.study import memo


@pytest.fixture
def counted(monkeypatch):
    calls = []
    monkeypatch.setattr(memo, "source_hash", lambda *names: calls.append(names) or "abc")
    return calls


def test_a_hash_is_made_once(tmp_path, counted):
    for _ in range(2):
        assert memo.Memo(tmp_path / "m.json")("nnrd.stages.a", "nnrd.b:C") == "abc"
    assert counted == [("nnrd.stages.a", "nnrd.b:C")]


def test_a_change_of_the_sources_or_versions_forgets_all(tmp_path, counted, monkeypatch):
    memo.Memo(tmp_path / "m.json")("nnrd.stages.a")
    monkeypatch.setattr(memo, "_state", lambda: "another")
    memo.Memo(tmp_path / "m.json")("nnrd.stages.a")
    assert len(counted) == 2


def test_the_state_is_of_contents_and_versions(monkeypatch):
    before = memo._state()
    assert memo._state() == before
    monkeypatch.setattr(memo, "installed", lambda name: f"{name}==0")
    assert memo._state() != before


def test_a_plug_in_is_looked_at_each_time(tmp_path, counted):
    for _ in range(2):
        memo.Memo(tmp_path / "m.json")("nnrd.stages.a", "plug_in:Codec")
    assert len(counted) == 2


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"state": 1, "hashes": 2}', "\0"])
def test_a_file_that_is_damaged_is_made_again(tmp_path, counted, text):
    (tmp_path / "m.json").write_text(text)
    assert memo.Memo(tmp_path / "m.json")("nnrd.stages.a") == "abc"
