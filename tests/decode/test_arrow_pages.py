"""The rows that Arrow reads, page by page: what is taken, what is left to the tolerant decoder, and in which form."""

import pyarrow as pa
import pytest

from kimono_explore.decode.arrow_rows import ArrowPage, ArrowRows
from kimono_explore.schema import REFERENCES

PLAIN = [b'{"id": "%d"}' % n for n in range(8)]


def read(table: str, *rows: bytes) -> ArrowPage:
    """A page with some rows behind eight plain ones."""
    return ArrowRows(table).read_page([*PLAIN, *rows])


def values(page: ArrowPage, column: str, start: int = 8) -> list[object]:
    return page.columns[column].to_pylist()[start:]


def test_a_school_year_is_asked_for_as_a_number_wherever_it_stands() -> None:
    rows = ArrowRows("terms").parse([b'{"$sys": {"school_year": 2026}}', b'{"school_year": 2027}'])
    assert [row["school_year"] for row in rows.to_pylist()] == [None, 2027]
    assert rows.field("school_year").type == pa.int64()
    assert rows.field("$sys").field("school_year").to_pylist() == [2026, None]


@pytest.mark.parametrize(
    ("odd", "of", "taken"), [(1, 4, 0), (1, 5, 4), (2, 8, 0), (2, 9, 7), (0, 1, 1), (1, 1, 0), (0, 0, 0)]
)
def test_a_page_with_a_quarter_of_odd_rows_is_left_to_the_patient_way(odd: int, of: int, taken: int) -> None:
    page = ArrowRows("orgs").read_page([*[b"7"] * odd, *PLAIN[: of - odd]])
    assert len(page.positions) == taken
    assert page.odd == [n for n in range(of) if n not in page.positions]
    assert page.columns["id"].to_pylist() == [str(n) for n in range(taken)]


def test_rows_that_arrow_refuses_are_taken_out_one_by_one() -> None:
    page = read("orgs", b'{"id": "a", "name": []}', b'{"id": "b"}', b'{"id": "c", "name": {}}', b'{"id": "d"}')
    assert page.positions == [*range(8), 9, 11]
    assert page.odd == [8, 10]
    assert values(page, "id") == ["b", "d"]


@pytest.mark.parametrize(
    "row",
    [
        b'{"name": "nobody"}',
        b'{"id": "", "$sys": {"id": ""}}',
        b'{"$sys": {"id": "a"}, "id": "b"}',
        b'{"$sys": {"id": "a"}, "label": "beside"}',
        b'{"$sys": {"id": "a"}, "id": "b", "label": "beside"}',
        b'{"$sys": {"label": "x"}, "label": "beside"}',
        b'{"$sys": {"id": "a", "type": 5}}',
        b'{"$sys": {"id": "a"}, "org_type": "lea", "label": "beside"}',
        b'{"id": "a", "$ext": {"gpa": 3.0}}',
        b'{"id": "a", "$ext": {"list": [1]}}',
        b'{"id": "a", "$children": [{}]}',
        b'{"id": "a", "$children": [{"id": "b", "type": "robot"}]}',
        b'{"id": "a", "$children": [{"id": "b", "$org": {"id": "c"}}]}',
        b'{"id": "a", "$children": [{"id": "b", "$membership": {"type": "x"}}]}',
        b'{"id": "a", "$children": [{"id": "b", "$membership": {"$sys": {"id": "m"}}}]}',
        b'{"id": "a", "$children": [{"id": "b", "$membership": {"role": 5}}]}',
        b'{"id": "a", "$children": [{"id": "b", "$membership": {"start_date": 2026}}]}',
    ],
)
def test_a_row_that_says_two_things_or_too_little_is_odd(row: bytes) -> None:
    page = read("orgs", b'{"id": "usual", "name": "Oak"}', row)
    assert page.odd == [9]
    assert page.positions == list(range(9))
    assert values(page, "name") == ["Oak"]


def test_values_are_found_in_sys_and_beside_a_missing_one() -> None:
    page = read(
        "orgs",
        b'{"$sys": {"id": "a", "label": "A", "org_type": "lea"}, "name": "Oak"}',
        b'{"id": "b", "$sys": null, "label": "B", "org_type": "school"}',
        b'{"id": "", "$sys": {"id": "c"}}',
        b'{"id": "d", "$sys": {"id": ""}}',
    )
    assert page.odd == []
    assert values(page, "id") == ["a", "b", "c", "d"]
    assert values(page, "label") == ["A", "B", None, None]
    assert values(page, "org_type") == ["lea", "school", None, None]
    assert values(page, "name") == ["Oak", None, None, None]


def test_what_nobody_declared_keeps_its_kind() -> None:
    page = read(
        "terms",
        b'{"id": "a", "$ext": {"n": 1, "since": "2026-01-01T06:00:00Z", "none": null}, "open": true, "gpa": 3.5}',
        b'{"id": "b", "$ext": {"n": "one"}, "at": "2026-01-01 06:00:00", "$sys": {"id": "b", "batch": "x"}}',
        b'{"id": "c", "$ext": {"n": false}}',
    )
    assert page.odd == []
    assert {name: held.to_pylist()[8:] for name, held in page.extras.items()} == {
        "ext_n": ["1", "one", "false"],
        "ext_since": ["2026-01-01T06:00:00Z", None, None],
        "ext_none": [None, None, None],
        "open": [True, None, None],
        "gpa": [3.5, None, None],
        "at": [None, "2026-01-01 06:00:00", None],
        "sys_batch": [None, "x", None],
    }
    assert page.extra_kinds == {
        "ext_n": {int, str, bool},
        "ext_since": {str},
        "ext_none": set(),
        "open": {bool},
        "gpa": {float},
        "at": {str},
        "sys_batch": {str},
    }
    assert page.numbers == []


def test_two_undeclared_values_of_one_name_are_odd() -> None:
    page = read("terms", b'{"id": "a", "$ext": {"x": "1"}}', b'{"id": "b", "ext_x": "2"}', b'{"id": "c"}')
    assert page.odd == [8, 9]
    assert values(page, "id") == ["c"]


def test_numbers_in_place_of_text_are_counted_with_the_smallest() -> None:
    page = read(
        "courses", b'{"id": "a", "local_id": 7}', b'{"id": "b", "local_id": 12}', b'{"id": "c", "local_id": "3"}'
    )
    assert values(page, "local_id") == ["7", "12", "3"]
    assert [tuple(found) for found in page.numbers] == [("local_id", 2, "12")]


def test_objects_of_another_type_are_named() -> None:
    page = read(
        "terms",
        b'{"$sys": {"id": "a", "type": "RDM:TERM"}}',
        b'{"$sys": {"id": "b", "type": "org"}}',
        b'{"$sys": {"id": "c", "type": ""}}',
        b'{"$sys": {"id": "d", "type": "robot"}}',
    )
    assert page.types == [(9, "org"), (11, "robot")]


def test_references_are_stated_by_row_and_key() -> None:
    page = read(
        "sections",
        b'{"id": "a", "$course": {"$sys": {"id": "c1", "type": "course"}}, "$terms": [{"id": "t1"}, {"id": "t2"}]}',
        b'{"id": "b", "$terms": [], "$org": null}',
        b'{"id": "c", "$terms": [{"id": "t3", "type": "org"}], "$teachers": [{"id": "p", "$membership": {"id": "m", "grade": 7}}]}',
    )
    stated = {REFERENCES[found.reference].key: found for found in page.stated}
    assert list(stated) == ["$terms", "$course", "$teachers"]
    assert stated["$terms"].near.tolist() == [8, 8, 10]
    assert stated["$terms"].columns["far_id"].to_pylist() == ["t1", "t2", "t3"]
    assert stated["$terms"].columns["far_type"].to_pylist() == ["term", "term", "org"]
    assert stated["$course"].near.tolist() == [8]
    assert stated["$course"].columns["far_id"].to_pylist() == ["c1"]
    assert stated["$course"].columns["role"].to_pylist() == [None]
    assert {name: stated["$teachers"].columns[name].to_pylist() for name in ("membership_id", "grade", "role")} == {
        "membership_id": ["m"],
        "grade": ["7"],
        "role": ["teacher"],
    }
    assert [tuple(found) for found in page.numbers] == [("$teachers.grade", 1, "7")]


def test_a_person_in_a_section_has_the_memberships_role_or_the_persons() -> None:
    page = read(
        "persons",
        b'{"id": "a", "person_type": "Staff", "$sections": [{"id": "s1"}, {"id": "s2", "$membership": {"role": "Student"}}]}',
        b'{"id": "b", "$sections": [{"id": "s1"}]}',
        b'{"id": "c", "$schools": [{"id": "o1"}]}',
    )
    assert page.odd == [9]  # nothing says what b is
    stated = {REFERENCES[found.reference].key: found for found in page.stated}
    assert stated["$sections"].columns["role"].to_pylist() == ["teacher", "student"]
    assert stated["$schools"].near.tolist() == [9]
    assert stated["$schools"].columns["role"].to_pylist() == [None]


def test_so_many_keys_are_read_with_their_numbers_in_quotes() -> None:
    keys = [f"k{n}" for n in range(52)]
    texts = [b'{"id": "t%d", "%s": "x"}' % (n, key.encode()) for n, key in enumerate(keys)]
    numbers = [b'{"id": "n%d", "%s": 1}' % (n, key.encode()) for n, key in enumerate(keys)]
    page = ArrowRows("terms").read_page([*texts, *numbers])
    assert len(page.odd) == 1
    assert page.odd == [103]


def test_school_years_may_be_numbers_and_texts() -> None:
    rows = [b'{"id": "a", "$sys": {"school_year": 2026}}', b'{"id": "b", "$sys": {"school_year": "2027"}}']
    page = read("terms", *rows)
    assert page.odd == []
    assert values(page, "school_year") == ["2026", "2027"]
    assert page.numbers == []


def test_numbers_within_references_are_read_as_text() -> None:
    page = read("orgs", b'{"id": "a", "$children": [{"id": 5}, {"id": "x"}]}')
    assert page.odd == []
    assert page.stated[0].columns["far_id"].to_pylist() == ["5", "x"]
    assert [tuple(found) for found in page.numbers] == [("$children", 1, "5")]


def test_beside_an_odd_value_the_others_of_its_name_and_place_are_kept() -> None:
    page = read("terms", b'{"id": "a", "$ext": {"list": [1], "n": "x"}}', b'{"id": "b", "$ext": {"n": "y"}}')
    assert page.odd == [8]
    assert page.extras["ext_n"].to_pylist()[8:] == ["y"]
