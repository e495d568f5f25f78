"""What checks derive from a roster: links that count, ids that were probably meant, what is above an object."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from builders import Item, course, lea, link, make, problem, school, section, student, term

from kimono_explore.files.snapshot import PARTS
from kimono_explore.quality.context import CheckContext, once, plain_id
from kimono_explore.quality.definition import NotApplicable
from kimono_explore.quality.engines import Engine, make_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kimono_explore.quality.definition import Frame


@pytest.fixture(params=["polars", "duckdb"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    engine = make_engine(request.param)
    yield engine
    engine.close()


def context(engine: Engine, *items: Item, without: tuple[str, ...] = ()) -> CheckContext:
    roster = make(*items, without=without)
    frames = {name: engine.bring(name, getattr(roster, name)) for name in PARTS}
    return CheckContext(engine, frames, roster.rollups, date(2026, 10, 5))


def rows(engine: Engine, frame: Frame, *columns: str) -> list[tuple[object, ...]]:
    df = engine.collect(frame.select(*columns))
    return sorted(df.astype(object).where(df.notna(), None).itertuples(index=False, name=None), key=str)


@pytest.mark.parametrize(
    ("id", "plain"),
    [
        ("A-12", "a-12"), ("a_12", "a-12"), (" a / 12 ", "a-12"), ("0012", "12"), ("a-0012", "a-0012"),
        ("-a.", "a"), ("000", ""), ("--", ""), ("\ufeffa\u00a012", "a-12"),
    ],
)  # fmt: skip
def test_a_plain_id(id: str, plain: str, engine: Engine) -> None:
    objects = context(engine, student(id)).raw("persons")
    assert rows(engine, objects.select(key=plain_id("id")), "key") == [(plain,)]


def test_an_id_that_was_probably_meant_is_the_only_one_alike(engine: Engine) -> None:
    items = [section("s"), student("0A1"), student("b_1"), student("b.1"), course("c1")]
    links = [link(f"{id} student_in s") for id in ("a1", "b-1", "c1")]
    found = context(engine, *items, *links)
    assert rows(engine, found.missing, "type", "id") == [("person", "a1"), ("person", "b-1"), ("person", "c1")]
    assert rows(engine, found.near_misses, "type", "id", "near_id") == [("person", "a1", "0A1")]


def test_links_with_a_missing_end_or_another_type_do_not_count(engine: Engine) -> None:
    items = [section("s"), section("t"), student("ana"), student("bo"), course("s")]
    links = [
        link("ana student_in s"), link("ana student_in s"), link("bo student_in s"), link("ghost student_in s"),
        link("ana student_in gone"), link("bo student_in t", types=("person", "course")),
    ]  # fmt: skip
    found = context(engine, *items, *links)
    assert rows(engine, found.link_counts("student_in", "target"), "id", "size") == [("s", 2)]
    assert rows(engine, found.link_counts("student_in", "source"), "id", "size") == [("ana", 1), ("bo", 1)]


def test_the_first_target_in_sort_order(engine: Engine) -> None:
    items = [section("s"), course("b"), course("c"), *(link(f"s of_course {id}") for id in ("c", "b", "a"))]
    assert rows(engine, context(engine, *items).first_target("of_course"), "id", "target") == [("s", "b")]


def test_what_is_above_an_org_in_a_ring_and_out_of_it(engine: Engine) -> None:
    items = [lea("a"), lea("b"), school("c"), link("a child_of b"), link("b child_of a"), link("c child_of a")]
    found = context(engine, *items)
    assert found.parents("org") == {"a": ["b"], "b": ["a"], "c": ["a"]}
    assert rows(engine, found.ancestors("org"), "id", "ancestor") == [
        ("a", "a"), ("a", "b"), ("b", "a"), ("b", "b"), ("c", "a"), ("c", "b"), ("c", "c"),
    ]  # fmt: skip


def test_a_section_runs_from_its_first_term_to_its_last(engine: Engine) -> None:
    items = [
        section("s"), section("t"), term("fall", "2026-08-17", "2026-12-18"), term("open", "2027-01-04", None),
        term("turned", "2028-01-01", "2020-01-01"), link("s in_term fall"), link("s in_term open"),
        link("s in_term turned"), link("t in_term turned"),
    ]  # fmt: skip
    found = context(engine, *items)
    (row,) = rows(engine, found.section_days, "id", "first_day", "last_day")
    assert row == ("s", pd.Timestamp("2026-08-17"), pd.Timestamp("2026-12-18"))
    assert found.in_session
    found.as_of = date(2026, 12, 19)
    del found.in_session
    assert not found.in_session


def test_what_a_check_needs_is_asked_for(engine: Engine) -> None:
    unread = [problem("persons", id, "dob", "31.31.", "not a date") for id in ("ana", "bo")]
    found = context(engine, student("ana", email="a@x.org"), *unread, without=("persons.$schools", "orgs.$persons"))
    found.require("persons.email")
    found.require("in_term")
    for need, said in (
        ("persons.dob", "none of the 2 values of dob in persons could be read"),
        ("persons.aup", "the tenant sends no aup in persons"),
    ):
        with pytest.raises(NotApplicable) as error:
            found.require(need)
        assert str(error.value) == said


def test_rows_of_one_id_count_once_and_those_without_one_each(engine: Engine) -> None:
    items = [student("ana", email="b"), student("ana", email="a"), student(None, email="c"), student(None, email="c")]
    found = once(context(engine, *items).raw("persons").select("id", "email"))
    assert rows(engine, found, "id", "email") == [("ana", "a"), (None, "c"), (None, "c")]
