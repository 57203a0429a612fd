"""Items are drawn by a seed, over speakers and classes alike, and the same everywhere."""

import itertools
from collections import Counter
from dataclasses import replace

import pytest

from nnrd import UserError
from nnrd.datasets.index import EVERYTHING, Draw

NAMES = [f"{speaker}-{number:02}" for speaker in "abc" for number in range(20)]
KNOWN = ["a-18", "b-04", "c-11", "c-16"]


def speaker(name):
    return name[0]


def drawn(count, seed=0, group=speaker):
    return Draw(count, seed)(NAMES, str, group)


def test_it_is_not_the_first_by_name():
    """One speaker's first prompts are alike, and no measure of all of them."""
    found = drawn(6, group=lambda name: None)
    assert found == sorted(found) and found != NAMES[:6]
    assert len({speaker(name) for name in found}) > 1


@pytest.mark.parametrize("count", [1, 2, 3, 7, 30, 59])
def test_groups_are_drawn_alike(count):
    counts = [Counter(map(speaker, drawn(count)))[name] for name in "abc"]
    assert sum(counts) == count and max(counts) - min(counts) <= 1


def test_a_group_without_more_items_leaves_its_place_to_others():
    names = ["a-1", *(f"b-{number}" for number in range(9))]
    found = Draw(6)(names, str, speaker)
    assert Counter(map(speaker, found)) == {"a": 1, "b": 5}


def test_more_items_hold_all_of_fewer():
    draws = [set(drawn(count)) for count in range(1, 61)]
    assert all(fewer < more for fewer, more in itertools.pairwise(draws))


def test_another_seed_is_another_draw_and_the_same_is_the_same():
    assert drawn(9) == drawn(9) != drawn(9, seed=1)
    # Known for ever: another machine, version of Python or order of the rows draws the same.
    assert drawn(4) == Draw(4)(NAMES[::-1], str, speaker)[::-1] == KNOWN


@pytest.mark.parametrize("draw", [EVERYTHING, Draw(60), Draw(99, seed=3)])
def test_all_are_all(draw):
    assert draw(NAMES, str, speaker) == NAMES


def listed(tmp_path, *lines):
    (tmp_path / "names.txt").write_text("\n".join(lines))
    return Draw.of(tmp_path / "names.txt")


def test_a_selection_takes_the_named_items_in_their_own_order(tmp_path):
    draw = listed(tmp_path, "# perfect ones", "c-03.jpg", "", "a-07")
    assert draw(NAMES, str, speaker) == ["a-07", "c-03"]


def test_an_item_with_a_dot_in_its_name_is_not_another(tmp_path):
    assert listed(tmp_path, "x.y")(["x", "x.y"], str) == ["x.y"]
    assert listed(tmp_path, "x.y")(["x"], str) == ["x"]


def test_of_a_selection_some_are_drawn(tmp_path):
    names = [name for name in NAMES if name[-1] in "05"]
    some = replace(listed(tmp_path, *names), count=4)
    assert some(NAMES, str, speaker) == Draw(4)(names, str, speaker)


def test_a_name_that_no_item_has_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no item is called 'd-01' and 1 more") as caught:
        listed(tmp_path, "a-01", "d-01", "d-02.png")(NAMES, str)
    assert "\n" not in str(caught.value)


def test_items_of_another_draw_are_left_alone():
    """What is looked at is never what is scored."""
    scored = drawn(7)
    apart = Draw(50, seed=1, without=frozenset(scored))(NAMES, str, speaker)
    assert len(apart) == 50 and not {*apart} & {*scored}
    assert Draw(60, without=frozenset(scored))(NAMES, str, speaker) == [
        name for name in NAMES if name not in scored
    ]
