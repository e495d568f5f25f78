"""Both sides of a link become one row: who states it, in which order, and what is said where the two differ."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from builders import ids_of, said

from kimono_explore.decode.links import _pair_memberships, merge_sides, sort_links
from kimono_explore.schema import LINK_COLUMNS

IDS = ids_of(
    orgs=["district", "school"],
    persons=["ana", "ben", "cleo"],
    courses=["algebra"],
    sections=["algebra-1", "algebra-2"],
    terms=["year", "fall"],
)
ENDS = ["source_id", "relation", "target_id", "stated_by"]


def sentences(links: pd.DataFrame) -> list[str]:
    return [" ".join(row) for row in links[ENDS].astype("str").itertuples(index=False)]


def test_nothing_stated_is_an_empty_table() -> None:
    links, problems = merge_sides(IDS, {})
    assert links.columns.tolist() == [column.name for column in LINK_COLUMNS]
    assert (len(links), problems) == (0, [])


def test_a_link_is_one_row_that_says_who_states_it() -> None:
    raw = said(
        ("persons.$sections", 0, "algebra-1", {"role": "student"}),
        ("persons.$sections", 1, "algebra-1", {"role": "student"}),
        ("sections.$students", 0, "ana", {}),
        ("sections.$students", 0, "cleo", {}),
    )
    links, problems = merge_sides(IDS, raw)
    assert sentences(links) == [
        "ana student_in algebra-1 both",
        "ben student_in algebra-1 source",
        "cleo student_in algebra-1 target",
    ]
    assert links["source_type"].tolist() == ["person"] * 3
    assert links["target_type"].tolist() == ["section"] * 3
    assert problems == []
    assert raw == {}


def test_links_are_ordered_by_relation_then_as_both_ends_stand_in_their_tables() -> None:
    raw = said(
        ("sections.$course", 1, "algebra", {}),
        ("sections.$course", 0, "algebra", {}),
        ("sections.$terms", 0, "fall", {}),
        ("sections.$terms", 0, "year", {}),
        ("orgs.$children", 0, "school", {}),
    )
    assert sentences(merge_sides(IDS, raw)[0]) == [
        "school child_of district target",
        "algebra-1 of_course algebra source",
        "algebra-2 of_course algebra source",
        "algebra-1 in_term year source",
        "algebra-1 in_term fall source",
    ]


def test_ids_that_no_table_holds_come_last_and_sorted() -> None:
    raw = said(*(("sections.$students", 0, far, {}) for far in ("zoe", "cleo", "amy", "ana")))
    assert merge_sides(IDS, raw)[0]["source_id"].tolist() == ["ana", "cleo", "amy", "zoe"]


@pytest.mark.parametrize(
    ("role", "relation"),
    [("student", "student_in"), ("teacher", "teacher_in"), (None, "student_in"), ("aide", "teacher_in")],
)
def test_the_role_decides_the_relation_of_a_person_to_a_section(role: str | None, relation: str) -> None:
    raw = said(
        ("persons.$sections", 2, "algebra-2", {"role": role}),
        ("persons.$schools", 2, "school", {"role": "teacher"}),
    )
    links = merge_sides(IDS, raw)[0]
    assert sentences(links) == ["cleo member_of school source", f"cleo {relation} algebra-2 source"]
    assert links["role"].astype("object").where(links["role"].notna(), None).tolist() == ["teacher", role]


def test_relations_stay_apart_where_both_ends_are_the_same() -> None:
    raw = said(("sections.$students", 0, "ana", {}), ("sections.$teachers", 0, "ana", {}))
    assert sentences(merge_sides(IDS, raw)[0]) == ["ana student_in algebra-1 target", "ana teacher_in algebra-1 target"]


def test_the_two_ends_of_a_link_are_not_exchanged() -> None:
    raw = said(("orgs.$parent", 0, "school", {}), ("orgs.$parent", 1, "district", {}))
    assert sentences(merge_sides(IDS, raw)[0]) == ["district child_of school source", "school child_of district source"]


@pytest.mark.parametrize("target_first", [False, True])
def test_what_one_side_lacks_the_other_fills_in(target_first: bool) -> None:
    fall = dt.date(2026, 8, 17)
    raw = said(
        ("persons.$sections", 0, "algebra-1", {"role": "student", "status": "Active", "membership_id": "m1"}),
        ("sections.$students", 0, "ana", {"grade": "07", "primary": True, "start_date": fall}),
    )
    if target_first:
        raw = {table: raw[table] for table in ("sections", "persons")}
    links, problems = merge_sides(IDS, raw)
    row = links.iloc[0]
    assert row[["status", "membership_id", "grade", "primary"]].tolist() == ["Active", "m1", "07", True]
    assert row["start_date"] == pd.Timestamp(fall)
    assert pd.isna(row["end_date"])
    assert problems == []


def test_a_difference_is_found_in_any_pair_and_the_source_is_kept() -> None:
    raw = said(
        ("persons.$sections", 0, "algebra-1", {"role": "student", "status": "Active"}),
        ("persons.$sections", 1, "algebra-1", {"role": "student", "status": "Active"}),
        ("persons.$sections", 2, "algebra-2", {"role": "student", "status": "Active"}),
        ("sections.$students", 0, "ana", {"status": "Active"}),
        ("sections.$students", 0, "ben", {"status": "Future"}),
        ("sections.$students", 1, "cleo", {"status": "Ended"}),
    )
    links, problems = merge_sides(IDS, raw)
    assert links["status"].tolist() == ["Active"] * 3
    assert [tuple(problem) for problem in problems] == [
        ("persons", "ben", "status", "Future", "the two sides of student_in to algebra-1 differ: Active is kept"),
        ("persons", "cleo", "status", "Ended", "the two sides of student_in to algebra-2 differ: Active is kept"),
    ]


def test_differences_of_several_columns_are_each_told() -> None:
    raw = said(
        ("orgs.$parent", 1, "district", {"primary": True, "membership_id": "m1"}),
        ("orgs.$children", 0, "school", {"primary": False, "membership_id": "m2"}),
    )
    problems = merge_sides(IDS, raw)[1]
    assert [(p.table, p.id, p.column, p.value) for p in problems] == [
        ("orgs", "school", "membership_id", "m2"),
        ("orgs", "school", "primary", "False"),
    ]


def test_a_person_twice_in_a_section_is_paired_by_membership() -> None:
    raw = said(
        ("persons.$sections", 0, "algebra-1", {"role": "student", "membership_id": "m1", "status": "Ended"}),
        ("persons.$sections", 0, "algebra-1", {"role": "student", "membership_id": "m2", "status": "Active"}),
        ("sections.$students", 0, "ana", {"membership_id": "m2", "status": "Future"}),
        ("sections.$students", 0, "ana", {"membership_id": "m1", "status": "Ended"}),
        ("persons.$sections", 1, "algebra-1", {"role": "student", "status": "Active"}),
        ("sections.$students", 0, "ben", {"status": "Active"}),
    )
    links, problems = merge_sides(IDS, raw)
    assert sentences(links) == ["ana student_in algebra-1 both"] * 2 + ["ben student_in algebra-1 both"]
    assert links["membership_id"].fillna("-").tolist() == ["m1", "m2", "-"]
    assert links["status"].tolist() == ["Ended", "Active", "Active"]
    assert [(p.id, p.column, p.value) for p in problems] == [("ana", "status", "Future")]


def test_statements_without_a_partner_stay() -> None:
    raw = said(
        ("sections.$students", 0, "ana", {"membership_id": "m3"}),
        ("sections.$students", 0, "ana", {"membership_id": "m1"}),
        ("sections.$students", 0, "ana", {"membership_id": "m2"}),
        ("persons.$sections", 0, "algebra-1", {"role": "student", "membership_id": "m2"}),
        ("persons.$sections", 0, "algebra-1", {"role": "student", "membership_id": "m4"}),
        ("sections.$students", 1, "ana", {"membership_id": "m5"}),
        ("sections.$students", 1, "ana", {"membership_id": "m6"}),
    )
    links = merge_sides(IDS, raw)[0]
    assert links[["membership_id", "stated_by"]].astype("str").agg(" ".join, axis=1).tolist() == [
        "m2 both",
        "m4 source",
        "m3 target",
        "m1 target",
        "m5 target",
        "m6 target",
    ]


@pytest.mark.parametrize(
    ("mine", "theirs", "pairs"),
    [
        (["a"], ["a"], [(0, 0)]),
        (["a"], ["b"], []),
        (["a", "b"], ["b", "a"], [(0, 1), (1, 0)]),
        (["a", None], [None, "a"], [(0, 1), (1, 0)]),
        ([None, "a"], ["a", "b"], [(1, 0), (0, 1)]),
        ([None, None], [None], [(0, 0)]),
        ([None], ["a", "b"], [(0, 0)]),
        (["x", "y"], ["a", None, None], [(0, 1), (1, 2)]),
        (["x", "y"], ["y", "x", None], [(0, 1), (1, 0)]),
        (["a", "a"], ["a"], [(0, 0)]),
        ([None], [], []),
    ],
)
def test_equal_membership_ids_are_paired_first(
    mine: list[str | None], theirs: list[str | None], pairs: list[tuple[int, int]]
) -> None:
    assert _pair_memberships(mine, theirs) == pairs


def test_sorting_gives_the_order_of_merging() -> None:
    raw = said(
        ("sections.$students", 1, "zoe", {"membership_id": "m1"}),
        ("sections.$students", 1, "ben", {"membership_id": "m2"}),
        ("sections.$students", 1, "ben", {"membership_id": "m3"}),
        ("sections.$students", 0, "ben", {"membership_id": "m4"}),
        ("terms.$parent", 1, "year", {}),
    )
    links = merge_sides(IDS, raw)[0]
    assert links["membership_id"].fillna("-").tolist() == ["-", "m4", "m2", "m3", "m1"]
    shuffled = links.iloc[[4, 2, 3, 0, 1]]
    assert sort_links(shuffled, IDS)["membership_id"].fillna("-").tolist() == ["-", "m4", "m2", "m3", "m1"]
    pd.testing.assert_frame_equal(sort_links(shuffled, IDS), links)


def test_many_links_are_paired_as_few_are() -> None:
    names = [f"p{n:03}" for n in range(200)]
    mine = [("persons.$sections", n, "s", {"role": "student", "grade": str(n % 3)}) for n in range(200)]
    theirs = [("sections.$students", 0, name, {"grade": str(n % 3 + n // 199)}) for n, name in enumerate(names)]
    links, problems = merge_sides(ids_of(persons=names, sections=["s"]), said(*mine, *theirs))
    assert links["source_id"].tolist() == names
    assert (links["stated_by"] == "both").all()
    assert np.array_equal(links["grade"].astype("int"), np.arange(200) % 3)
    assert [(p.id, p.value) for p in problems] == [("p199", "2")]
