"""The index of a roster: which links touch an object, and what it is called."""

import pytest
from builders import course, link, make, school, section, student, teacher

import kimono_explore as kx
from kimono_explore.roster.index import LinkIndex


def roster() -> kx.Roster:
    """Codes: school 0, (org) gone 1, ana 2, ben 3, x 4, course x 5, algebra-1 6."""
    return make(
        school(),
        student("ana", label="Ana S."),
        teacher("ben"),
        student("x"),
        course("x", title="Exploring"),
        section("algebra-1", title=None),
        link("ana member_of school"),
        link("ana student_in algebra-1"),
        link("x student_in algebra-1"),
        link("ben member_of gone"),
        link("ben teacher_in algebra-1"),
    )


def sentences(roster: kx.Roster, rows: object) -> list[str]:
    found = roster.links.iloc[rows]  # type: ignore[call-overload]
    return (found["source_id"] + " " + found["relation"].astype("str") + " " + found["target_id"]).tolist()


def test_links_are_found_from_both_ends() -> None:
    all = roster()
    index = LinkIndex(all.tables, all.links)
    assert index.source.tolist() == [index.code(id) for id in all.links["source_id"].replace("x", "person:x")]
    assert sentences(all, index.links_from([2])) == ["ana member_of school", "ana student_in algebra-1"]
    assert sentences(all, index.links_to([6])) == [
        "ana student_in algebra-1",
        "x student_in algebra-1",
        "ben teacher_in algebra-1",
    ]
    assert sentences(all, index.links_from([3, 0, 4])) == [
        "ben member_of gone",
        "ben teacher_in algebra-1",
        "x student_in algebra-1",
    ]
    assert sentences(all, index.links_to([1, 0])) == ["ben member_of gone", "ana member_of school"]
    assert index.links_from([]).tolist() == []
    assert index.links_from([5, 6]).tolist() == []


def test_an_object_is_found_by_id_and_type() -> None:
    index = roster().index
    assert index.code("ana") == 2
    assert index.code("person:ana") == 2
    assert index.code("person:x") == 4
    assert index.code("x", "course") == 5
    assert index.code("gone") == 1
    with pytest.raises(
        ValueError, match=r"^The id 'x' is used by objects of several types: person, course. Say which"
    ) as caught:
        index.code("x")
    assert str(caught.value).endswith("with type=.")
    with pytest.raises(KeyError, match=r"No object has the id 'nobody'; roster.search"):
        index.code("nobody")
    with pytest.raises(KeyError, match="No section has the id 'ana'"):
        index.code("ana", "section")
    with pytest.raises(KeyError, match="No object has the id 'planet:ana'"):
        index.code("planet:ana")


def test_an_id_with_a_colon_is_an_id_first() -> None:
    index = make(student("person:y"), student("y"), student("a:b")).index
    assert index.code("person:y") == 0
    assert index.code("a:b") == 2
    assert index.code("person:person:y") == 0


def test_a_name_says_the_type_where_an_id_is_shared() -> None:
    index = roster().index
    assert index.name(range(7)).tolist() == ["school", "gone", "ana", "ben", "person:x", "course:x", "algebra-1"]
    assert index.name([5, 2]).tolist() == ["course:x", "ana"]
    assert make(student("a"), school("b")).index.name([0, 1]).tolist() == ["b", "a"]


def test_a_label_is_the_label_else_the_name_else_the_id() -> None:
    labels = roster().index.labels(range(7)).tolist()
    assert labels == ["school", "gone", "Ana S.", "Ben Berg", "X Silva", "Exploring", "algebra-1"]
    assert roster().index.labels([6, 2]).tolist() == ["algebra-1", "Ana S."]


def test_a_repeated_id_has_several_rows_and_the_first_counts() -> None:
    index = make(student(None), student("a"), student("b"), student("a"), student("c")).index
    assert index.rows([0, 1, 2]).tolist() == [1, 2, 4]
    assert index.all_rows(0).tolist() == [1, 3]
    assert index.all_rows(1).tolist() == [2]
    assert index.all_rows(2).tolist() == [4]


def test_rows_of_what_no_table_holds() -> None:
    index = roster().index
    assert index.rows([1, 2, 3, 4, 5, 0]).tolist() == [-1, 0, 1, 2, 0, 0]
    assert index.all_rows(1).tolist() == []
    assert index.all_rows(3).tolist() == [1]
    assert index.all_rows(2).tolist() == [0]


def test_an_end_without_an_id_has_no_code() -> None:
    made = make(student("ana"), section("s"), link("ana student_in s"), link("ana student_in s"))
    made.links.loc[0, "target_id"] = None
    index = LinkIndex(made.tables, made.links)
    assert index.target.tolist() == [-1, index.code("s")]
    assert index.links_from([0]).tolist() == [0, 1]
    assert index.links_to([1]).tolist() == [1]
