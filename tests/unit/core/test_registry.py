"""Plug-ins are looked for once, not anew for each job of a plan."""

from importlib import metadata

import pytest

from nnrd import UserError
from nnrd.core import registry

PUBLISHED = "[nnrd.things]\nmine = things:Mine\n"


@pytest.fixture
def looks(monkeypatch) -> list[str]:
    """Return the list of the groups that were looked for, which grows."""
    found: list[str] = []

    of_metadata = metadata.entry_points

    def entry_points(group: str):
        found.append(group)
        return of_metadata(group=group)

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    return found


def test_a_plug_in_is_found_once_and_a_new_place_is_looked_at(tmp_path, monkeypatch, looks):
    known = registry.Registry("nnrd.things", "thing", {"own": "things:Own"}, "builtins:object")
    for _ in range(3):
        assert known.names() == ["own"] and known.target("own") == "things:Own"
        with pytest.raises(UserError, match="unknown thing 'mine'"):
            known.target("mine")
    assert looks == ["nnrd.things"]
    (tmp_path / "things-1.0.dist-info").mkdir()
    (tmp_path / "things-1.0.dist-info/METADATA").write_text("Name: things\nVersion: 1.0\n")
    (tmp_path / "things-1.0.dist-info/entry_points.txt").write_text(PUBLISHED)
    monkeypatch.syspath_prepend(tmp_path)
    for _ in range(3):
        assert known.target("mine") == "things:Mine"
    assert looks == ["nnrd.things"] * 2
