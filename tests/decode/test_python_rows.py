"""The tolerant decoder: odd rows, object by object."""

from typing import Any

import pytest

from kimono_explore.decode.notes import Notes
from kimono_explore.decode.python_rows import PythonRows
from kimono_explore.schema import REFERENCES

Told = list[tuple[str | None, str | None, str | None, str]]


class Read:
    """Some objects of a table, read."""

    def __init__(self, table: str, *objects: dict[str, Any]) -> None:
        notes = Notes(table)
        rows = PythonRows(table, notes)
        page = rows.read_page(objects, range(10, 10 + len(objects)))
        self.columns = {name: values.to_pylist() for name, values in page.columns.items()}
        self.kinds, self.sent = dict(page.kinds), rows.sent
        self.links = page.links.to_pylist()
        self.told: Told = [problem[1:] for problem in notes.problems]
        notes.report_numbers()
        self.numbers = {p.column: p.value for p in notes.problems[len(self.told) :]}


def test_values_find_their_columns_wherever_they_stand() -> None:
    read = Read(
        "persons",
        {"$sys": {"id": "p1", "person_type": "student"}, "name": {"first": "Ana"}, "email": "a@example.org"},
        {"id": "p2", "$sys": None, "person_type": "teacher", "name": None},
    )
    assert read.columns == {
        "id": ["p1", "p2"],
        "person_type": ["student", "teacher"],
        "name_first": ["Ana", None],
        "email": ["a@example.org", None],
    }
    assert read.told == []
    assert read.links == []


def test_what_nobody_declared_is_kept_as_text() -> None:
    read = Read(
        "terms",
        {"id": "t1", "$ext": {"weeks": 36, "open": None}, "color": "red", "$sys": {"batch": 4.5, "id": "t1"}},
        {"id": "t2", "$ext": None, "color": ["red"]},
    )
    assert read.columns == {
        "id": ["t1", "t2"],
        "ext_weeks": ["36", None],
        "ext_open": [None, None],
        "color": ["red", '["red"]'],
        "sys_batch": ["4.5", None],
    }
    assert read.kinds == {"ext_weeks": {int}, "color": {str, list}, "sys_batch": {float}}
    assert read.told == []


def test_ids_of_any_kind() -> None:
    read = Read(
        "orgs",
        {"id": 7},
        {"id": ["x"]},
        {"name": "nobody"},
        {"$sys": {"id": "a"}, "id": "b"},
        {"$sys": {"id": "a"}, "id": "a"},
        {"$sys": {"id": "a"}, "id": ""},
        {"$sys": {"id": 7}, "id": "7"},
    )
    assert read.columns["id"] == ["7", '["x"]', None, "a", "a", "a", "7"]
    assert read.told == [
        ('["x"]', "id", '["x"]', "an id that is not a text; kept as text"),
        (None, "id", None, "no id: the row is kept, and nothing can refer to it"),
        ("a", "id", "b", "$sys.id and id differ; $sys.id is used"),
    ]
    assert read.numbers == {"id": "2"}


def test_what_does_not_fit_is_noted() -> None:
    second = "a second value for the column; the first is kept"
    read = Read(
        "persons",
        {"id": "p1", "dob": "2/30", "name": "Ana", "$sys": {"type": "term", "local": 1}},
        {"id": "p2", "$sys": {"person_type": "student", "type": "RDM:STUDENT"}, "person_type": "teacher"},
        {"id": "p3", "$sys": {"type": ""}, "address_city": "Lima"},
        {"id": "p4", "$sys": "x", "address_city": None},
        {"id": "p5", "$sys": {"type": "robot"}},
    )
    assert read.told == [
        ("p1", "dob", "2/30", "not a date"),
        ("p1", "name", "Ana", "not an object"),
        ("p1", "type", "term", "an object of another type than the list's"),
        ("p2", "person_type", "teacher", second),
        ("p3", "address_city", "Lima", "a key named like a column of the table; left out"),
        ("p4", "$sys", "x", "not an object"),
        ("p5", "type", "robot", "an object of another type than the list's"),
    ]
    assert read.columns["person_type"] == [None, "student", None, None, None]
    assert read.columns["name"] == ["Ana", None, None, None, None]
    assert read.columns["$sys"] == [None, None, None, "x", None]


def test_a_second_undeclared_value_is_noted() -> None:
    read = Read("terms", {"id": "t1", "$ext": {"a": "x"}, "ext_a": "y"})
    assert read.columns["ext_a"] == ["x"]
    assert read.told == [("t1", "ext_a", "y", "a second value for the column; the first is kept")]


def test_references_become_links() -> None:
    read = Read(
        "sections",
        {"id": "s1", "$course": {"id": "c1", "type": "course"}, "$terms": [{"id": 5}, "t2"], "$org": None},
        {"id": "s2", "$students": [], "$terms": {"id": "t3", "type": "org"}},
    )
    made = [
        (link["near"], REFERENCES[link["reference"]].key, link["far_type"], link["far_id"], link["role"])
        for link in read.links
    ]
    assert made == [
        (10, "$course", "course", "c1", None),
        (10, "$terms", "term", "5", None),
        (10, "$terms", "term", "t2", None),
        (11, "$terms", "org", "t3", None),
    ]
    assert read.sent == {"sections.$course", "sections.$terms", "sections.$students"}
    assert read.told == [("s1", "$terms", "t2", "a bare id in place of a reference; taken as the id")]
    assert read.numbers == {"$terms": "1"}


def test_references_that_point_nowhere_are_noted() -> None:
    read = Read(
        "sections",
        {"id": "s1", "$course": {}},
        {"$course": {"id": "c1"}},
        {"id": "s3", "$course": {"id": "c3"}, "$terms": [{}, {"id": "t3"}]},
        {"$terms": [{"id": "t4"}, {"id": "t5"}]},
    )
    assert [link["far_id"] for link in read.links] == ["c3", "t3"]
    assert [told[2] for told in read.told if told[1] == "$terms"] == ["{}", '{"id":"t4"}', '{"id":"t5"}']
    assert [told[1:] for told in read.told if told[1] == "$course"] == [
        ("$course", "{}", "a reference without an id"),
        ("$course", '{"id":"c1"}', "a reference from a row without an id; left out"),
    ]


@pytest.mark.parametrize(
    ("person_type", "membership", "role"),
    [
        ("student", {}, "student"),
        ("Staff", {}, "teacher"),
        ("student", {"type": "TeacherMembership"}, "teacher"),
        ("teacher", {"type": "StudentMembership"}, "student"),
        ("student", {"role": "Aide", "type": "TeacherMembership"}, "aide"),
        (None, {"type": "staff"}, "teacher"),
    ],
)
@pytest.mark.parametrize("key", ["$sections", "$schools"])
def test_a_role_is_the_memberships_own_then_its_types_then_the_persons(
    person_type: str | None, membership: dict[str, Any], role: str, key: str
) -> None:
    read = Read("persons", {"id": "p1", "person_type": person_type, key: [{"id": "x", "$membership": membership}]})
    assert [link["role"] for link in read.links] == [role]


def test_without_any_role_a_person_in_a_section_is_taken_for_a_student() -> None:
    read = Read("persons", {"id": "p1", "$sections": [{"id": "s1"}], "$schools": [{"id": "o1"}]})
    assert [link["role"] for link in read.links] == ["student", None]
    text = "neither the person nor the membership has the role student or teacher; student assumed"
    assert read.told == [("p1", "$sections", None, text)]


def test_a_membership_says_more_of_a_link() -> None:
    fields = {
        "id": "m1",
        "status": "Active",
        "primary": True,
        "grade": 7,
        "start_date": "2026-08-17",
        "end_date": "soon",
    }
    read = Read("sections", {"id": "s1", "$teachers": [{"id": "p1", "$membership": fields}]})
    link = read.links[0]
    assert {key: link[key] for key in ("membership_id", "status", "primary", "grade", "role", "end_date")} == {
        "membership_id": "m1",
        "status": "Active",
        "primary": True,
        "grade": "7",
        "role": "teacher",
        "end_date": None,
    }
    assert str(link["start_date"]) == "2026-08-17"
    assert read.told == [("s1", "$teachers.end_date", "soon", "not a date")]
    assert read.numbers == {"$teachers.grade": "1"}
