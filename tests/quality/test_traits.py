"""What some objects share and few others have: links, the day of creation, a series of numbers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from builders import Item, course, link, make, school, section, student, term

from kimono_explore.files.snapshot import PARTS
from kimono_explore.quality.context import CheckContext
from kimono_explore.quality.engines import make_engine
from kimono_explore.quality.traits import Traits

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_HOMES = pd.DataFrame(columns=["type", "id", "value"], dtype="str")


def shared(
    ids: Sequence[str], *items: Item, type: str = "section", homes: pd.DataFrame = NO_HOMES, all: bool = False
) -> list[tuple[str, list[str]]]:
    roster, engine = make(*items), make_engine("polars")
    frames = {name: engine.bring(name, getattr(roster, name)) for name in PARTS}
    context = CheckContext(engine, frames, roster.rollups, date(2026, 10, 5))
    objects = pd.DataFrame({"type": type, "id": list(ids)}, dtype="str")
    found = Traits(context, objects, homes).shared(type, ids, all=all)
    return [(group.words, sorted(group.ids)) for group in found]


def sections(ids: str, *relations: str) -> list[Item]:
    """Sections that are named by a letter, and their links."""
    links = [link(f"{id} {relation}") for id in ids for relation in relations]
    return [*(section(id) for id in ids), *links]


@pytest.mark.parametrize(("others", "words"), [("uvw", ["of the term fall"]), ("tuvw", [])])
def test_half_of_those_with_a_value_must_fail(others: str, words: list[str]) -> None:
    items = [term("fall"), *sections("abc" + others, "in_term fall")]
    assert [said for said, _ in shared("abc", *items)] == words


def test_two_objects_may_share_something_by_chance() -> None:
    items = [term("fall"), *sections("ab", "in_term fall")]
    assert shared("ab", *items) == []


def test_of_equal_groups_the_term_comes_before_the_course() -> None:
    items = [term("fall"), course("art"), *sections("abc", "of_course art", "in_term fall")]
    assert shared("abc", *items) == [("of the term fall", ["a", "b", "c"])]


def test_the_largest_group_comes_first_and_the_rest_is_looked_at_again() -> None:
    items = [term("fall"), course("art"), *sections("abcd", "in_term fall"), *sections("efg", "of_course art")]
    assert shared("abcdefg", *items) == [
        ("of the term fall", ["a", "b", "c", "d"]),
        ("of the course art", ["e", "f", "g"]),
    ]
    assert shared("abcdefg", *items, all=True) == []


def test_a_target_that_was_not_delivered_is_named_by_its_id() -> None:
    assert shared("abc", *sections("abc", "of_course ghost")) == [("of the course ghost", ["a", "b", "c"])]


def test_repeated_links_count_once() -> None:
    items = [term("fall"), *sections("abc", "in_term fall", "in_term fall")]
    assert shared("abc", *items) == [("of the term fall", ["a", "b", "c"])]


def test_the_day_of_creation_whatever_the_time() -> None:
    days = {
        "a": "2026-09-01T06:00:00Z",
        "b": "2026-09-01T07:00:00Z",
        "c": "2026-09-01T23:59:59Z",
        "d": "2026-09-02T00:00:00Z",
        "e": None,
    }
    items = [student(id, created_at=day) for id, day in days.items()]
    assert shared("abcde", *items, type="person") == [("created on 2026-09-01", ["a", "b", "c"])]


@pytest.mark.parametrize(
    ("last", "words"),
    [("s12", ["with the ids s1 to s12"]), ("s13", [])],  # three numbers may span fewer than twelve
)
def test_numbers_of_a_series_stand_close_together(last: str, words: list[str]) -> None:
    ids = ["s1", "s6", last]
    assert [said for said, _ in shared(ids, *map(section, ids))] == words


@pytest.mark.parametrize(("intact", "count"), [(3, 1), (4, 0)])
def test_few_numbers_in_between_are_intact(intact: int, count: int) -> None:
    failing = ["s1", "s5", "s9"]
    between = [f"s{number}" for number in (2, 3, 4, 6)[:intact]]
    far = [f"s{number}" for number in range(100, 120)]
    assert len(shared(failing, *map(section, failing + between + far))) == count


def test_missing_objects_share_the_org_that_refers_to_them() -> None:
    homes = pd.DataFrame({"type": "person", "id": ["x", "y", "z"], "value": "north"})
    items = [school("north"), student("ana"), link("ana member_of north")]
    assert shared("xyz", *items, type="person", homes=homes) == [("at north", ["x", "y", "z"])]
    more = [item for n in range(3) for item in (student(f"b{n}"), link(f"b{n} member_of north"))]
    assert shared("xyz", *items, *more, type="person", homes=homes) == []
