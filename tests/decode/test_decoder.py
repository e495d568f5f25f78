"""Pages put together: rows that came again, rows that are gone, and both ways to decode in one page."""

import json

import pytest

from kimono_explore.decode.decoder import Decoded, Decoder
from kimono_explore.schema import REFERENCES


def decode(table: str, *pages: list[object]) -> Decoded:
    decoder = Decoder(table)
    for page in pages:
        decoder.add([row if isinstance(row, bytes) else json.dumps(row).encode() for row in page])
    return decoder.finish()


def told(decoded: Decoded) -> list[tuple[object, ...]]:
    return [problem[1:] for problem in decoded.problems]


def column(decoded: Decoded, name: str) -> list[object]:
    return decoded.columns.column(name).to_pylist()


def links(decoded: Decoded) -> list[tuple[int, str, str]]:
    far = decoded.links.table.column("far_id").to_pylist()
    keys = [REFERENCES[n].key for n in decoded.links.reference]
    return sorted(zip(decoded.links.near.tolist(), keys, far, strict=True))


def org(id: str, name: str, *children: str) -> dict[str, object]:
    return {"id": id, "name": name, "$children": [{"id": child} for child in children]}


AGAIN = "rows that came again, unchanged, were dropped: the data moved while it was read; value counts them"


def test_rows_that_came_again_unchanged_are_dropped_with_their_links() -> None:
    a, b, c = org("a", "A", "x"), org("b", "B", "y"), org("c", "C", "z")
    found = decode("orgs", [a, b], [b, c, a])
    assert column(found, "id") == ["a", "b", "c"]
    assert links(found) == [(0, "$children", "x"), (1, "$children", "y"), (2, "$children", "z")]
    assert told(found) == [(None, None, "2", AGAIN)]


def test_rows_of_one_id_that_differ_are_kept_and_each_variant_once() -> None:
    first, second, third = org("a", "A", "x"), org("a", "B", "y"), org("a", "C")
    found = decode("orgs", [first, second], [second, first, third, org("b", "B", "z")])
    assert column(found, "name") == ["A", "B", "C", "B"]
    assert links(found) == [(0, "$children", "x"), (1, "$children", "y"), (3, "$children", "z")]
    assert told(found) == [
        (None, None, "2", AGAIN),
        ("a", "id", "a", "the id came 3 times with different content; all are kept"),
    ]


def test_the_second_variant_that_comes_again_is_dropped() -> None:
    found = decode("orgs", [org("a", "A"), org("a", "B"), org("a", "B")])
    assert column(found, "name") == ["A", "B"]
    assert told(found) == [
        (None, None, "1", AGAIN),
        ("a", "id", "a", "the id came 2 times with different content; all are kept"),
    ]


def test_rows_without_an_id_are_not_repeats() -> None:
    found = decode("orgs", [{"name": "A"}, {"name": "A"}])
    assert column(found, "name") == ["A", "A"]
    assert [problem[3] for problem in told(found)] == ["no id: the row is kept, and nothing can refer to it"] * 2


def test_odd_rows_stand_where_they_came() -> None:
    page = [org("a", "A", "x"), {"id": "b", "name": 7, "$children": ["y"], "$ext": {"n": 1}}, org("c", "C", "z")] + [
        org(f"d{n}", "D") for n in range(9)
    ]
    found = decode("orgs", page, page[1:3])
    assert column(found, "id")[:3] == ["a", "b", "c"]
    assert column(found, "name")[:4] == ["A", "7", "C", "D"]
    assert column(found, "ext_n")[:3] == [None, 1, None]
    assert links(found) == [(0, "$children", "x"), (1, "$children", "y"), (2, "$children", "z")]
    assert found.sent == {"orgs.$children"}
    assert (None, None, "2", AGAIN) in told(found)


def test_what_is_no_row_is_noted_and_left_out() -> None:
    found = decode("orgs", [org("a", "A"), b"7", b"<p>", b'{"id": "b", "name": NaN}', org("c", "C")])
    assert column(found, "id") == ["a", "b", "c"]
    assert column(found, "name") == ["A", "nan", "C"]
    texts = told(found)
    assert texts[0] == (None, None, "7", "a row of page is not an object; left out")
    assert texts[1][:3] == (None, None, "<p>")
    assert str(texts[1][3]).startswith("a row of page cannot be read; left out (")
    assert texts[2] == (
        "b",
        None,
        None,
        "the row holds what JSON or UTF-8 does not allow (NaN, half of a character, other bytes): replaced",
    )


def test_of_a_row_that_cannot_be_read_the_beginning_is_kept() -> None:
    found = decode("orgs", [b"<" + b"x" * 20_000])
    assert found.problems[0].value == "<" + "x" * 9_999


def test_rows_that_are_gone_are_named_by_page_and_position() -> None:
    decoder = Decoder("orgs")
    for names in ("ab", "cd"):
        decoder.add([json.dumps(org(name, name)).encode() for name in names])
    decoder.note_gone([])
    decoder.note_gone([(1, 0), (0, 1), (1, 2), (1, 3)])
    assert [(p.id, p.problem) for p in decoder.finish().problems] == [
        (id, "a row that was deleted while the list was read; kept") for id in ("c", "b", None, None)
    ]


@pytest.mark.parametrize(
    ("values", "column_is"),
    [
        ([1, 2], [1, 2]),
        ([1, 2.5], [1.0, 2.5]),
        ([True, False], [True, False]),
        ([True, 1], ["true", "1"]),
        ([1, "a"], ["1", "a"]),
        ([2**70, 1], ["1180591620717411303424", "1"]),
        ([None, None], [None, None]),
        ([1.5, None], [1.5, None]),
    ],
)
def test_an_extra_column_has_the_type_of_all_its_values(values: list[object], column_is: list[object]) -> None:
    rows = [{"id": str(n), "$ext": {"x": value}} for n, value in enumerate(values)]
    for found in (decode("terms", rows), decode("terms", rows[:1], rows[1:])):
        assert column(found, "ext_x") == column_is
        assert [type(value) for value in column(found, "ext_x")] == [type(value) for value in column_is]


def test_an_extra_column_of_one_page_is_empty_in_the_others() -> None:
    found = decode("terms", [{"id": "a"}], [{"id": "b", "new": "x"}], [{"id": "c"}])
    assert column(found, "new") == [None, "x", None]


@pytest.mark.parametrize(
    ("person_type", "membership", "role"),
    [
        ("student", {}, "student"),
        ("Staff", {}, "teacher"),
        ("student", {"role": "Teacher"}, "teacher"),
        ("student", {"type": "TeacherMembership"}, "teacher"),
        ("teacher", {"type": "StudentMembership"}, "student"),
    ],
)
@pytest.mark.parametrize("odd", [False, True])
def test_a_role_is_the_memberships_before_the_persons_on_both_ways(
    person_type: str, membership: dict[str, str], role: str, odd: bool
) -> None:
    section = {"id": "s", "type": "section", "$membership": {**membership, "status": "Active"}}
    person = {"id": "p", "$sys": {"person_type": person_type}, "$sections": [section], **({"dob": 7} if odd else {})}
    others = [{"id": f"q{n}", "$sys": {"person_type": "student"}} for n in range(9)]
    found = decode("persons", [person, *others])
    assert found.links.table.column("role").to_pylist() == [role]
    assert found.links.table.column("status").to_pylist() == ["Active"]


def test_values_that_do_not_fit_are_told_with_the_ids_of_their_rows() -> None:
    section = {"id": "s", "type": "section", "$membership": {"role": "student", "start_date": "soon"}}
    person = {
        "id": "p",
        "dob": "2/30",
        "$sections": [{"id": "r", "type": "section", "$membership": {"role": "student"}}],
    }
    found = decode("persons", [person, {"id": "q", "dob": "2012-05-01", "$sections": [section]}])
    assert told(found) == [("p", "dob", "2/30", "not a date"), ("q", "$sections.start_date", "soon", "not a date")]
    assert [str(value) for value in column(found, "dob")] == ["None", "2012-05-01"]


@pytest.mark.parametrize("odd", [{}, {"dob": 7}])
def test_numbers_where_text_was_expected_are_counted_on_both_ways(odd: dict[str, object]) -> None:
    rows = [{"id": f"p{n}", "email": "x", "local_id": 12 + n, **odd} for n in range(2)]
    found = decode("persons", [*rows, *({"id": f"q{n}", "local_id": "x"} for n in range(18))])
    assert column(found, "local_id")[:3] == ["12", "13", "x"]
    assert [problem[:3] for problem in told(found) if problem[1] == "local_id"] == [(None, "local_id", "2")]


def test_a_page_is_put_together_when_the_next_but_one_comes() -> None:
    decoder = Decoder("orgs")
    counts = []
    for n in range(4):
        decoder.add([json.dumps(org(f"a{n}", "A")).encode()])
        counts.append(len(decoder._pages))
    assert counts == [0, 0, 1, 2]
    assert decoder.finish().columns.num_rows == 4


def test_an_object_of_another_type_is_told() -> None:
    found = decode("terms", [{"$sys": {"id": "a", "type": "term"}}, {"$sys": {"id": "b", "type": "RDM:LEA"}}])
    assert told(found) == [("b", "type", "RDM:LEA", "an object of another type than the list's")]


@pytest.mark.parametrize("mixed", [False, True], ids=["all accepted", "beside an odd row"])
def test_an_empty_role_says_nothing(mixed: bool) -> None:
    teacher = {"id": "p1", "$sys": {"person_type": "teacher"}, "$sections": [{"id": "s1", "$membership": {"role": ""}}]}
    if mixed:
        teacher["$schools"] = ["odd"]
    table = decode("persons", [teacher]).links.table.to_pylist()
    assert [link["role"] for link in table if link["far_id"] == "s1"] == ["teacher"]
