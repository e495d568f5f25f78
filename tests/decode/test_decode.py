"""Objects as they come -> columns, links and problems: the odd, the wrong and the hostile."""

import datetime as dt
import json

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kimono_explore.api.pages import open_page
from kimono_explore.decode.decoder import Decoded, Decoder
from kimono_explore.errors import BadResponseError
from kimono_explore.frames import to_pandas
from kimono_explore.json_text import encode
from kimono_explore.load import assemble
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import OBJECT_TYPES, TABLES


def decode(table: str, *objects: object) -> tuple[pd.DataFrame, list[tuple[str | None, ...]], Decoded]:
    """The table, and the problems as (id, column, value, problem)."""
    decoder = Decoder(table)
    decoder.add([encode(item).encode() for item in objects])
    decoded = decoder.finish()
    return to_pandas(table, decoded.columns), [problem[1:] for problem in decoded.problems], decoded


def roster_of(**lists: list[object]) -> Roster:
    decoders = {name: Decoder(name) for name in TABLES}
    for name, objects in lists.items():
        decoders[name].add([encode(item).encode() for item in objects])
    return assemble({name: decoder.finish() for name, decoder in decoders.items()}, [], "test")


PERSON = {
    "$ext": {"grade": "05", "gpa": 3.5, "bus": None},
    "$sys": {
        "id": "007",
        "type": "person",
        "person_type": "Student",
        "school_year": "2027",
        "created_at": "2026-08-01T06:00:00.250Z",
    },
    "local_id": "00042",
    "name": {"last": "O'Neil", "first": "Þórr", "middle": None},
    "address": {"city": "Zürich", "postal_code": "02139"},
    "email": "a@example.org",
    "dob": "2015-02-03",
    "aup": True,
    "grad_year": "2033",
    "$schools": [],
    "$sections": [],
}


def test_an_object_becomes_a_row_of_typed_columns() -> None:
    df, problems, decoded = decode("persons", PERSON)
    row = df.loc[0]
    assert problems == []
    assert row[["id", "local_id", "name_last", "name_first", "address_postal_code"]].tolist() == [
        "007",
        "00042",
        "O'Neil",
        "Þórr",
        "02139",
    ]
    assert row["dob"] == pd.Timestamp(2015, 2, 3)
    assert row["created_at"] == pd.Timestamp(2026, 8, 1, 6, 0, 0, 250000, tz="UTC")
    assert row["aup"] is True or bool(row["aup"]) is True
    assert (row["ext_grade"], row["ext_gpa"]) == ("05", 3.5)
    assert pd.isna(row["ext_bus"])
    assert pd.isna(row["name_middle"])
    assert decoded.sent == {"persons.$schools", "persons.$sections"}


def test_dtypes_do_not_depend_on_what_came() -> None:
    empty, _, _ = decode("persons")
    full, _, _ = decode("persons", PERSON)
    assert empty.dtypes.to_dict() == full.dtypes[empty.columns].to_dict()
    assert str(full.dtypes["dob"]) == "datetime64[us]"
    assert str(full.dtypes["aup"]) == "boolean"


@pytest.mark.parametrize(
    "org",
    [
        {"id": "1", "name": "North"},
        {"$sys": {"id": "1"}, "name": "North"},
        {"$sys": None, "id": "1", "name": "North"},
        {"$sys": {"id": "1"}, "id": "1", "name": "North"},
        {"$sys": {}, "id": "1", "name": "North", "$ext": None},
    ],
)
def test_an_id_may_stand_in_sys_or_at_top_level(org: dict[str, object]) -> None:
    df, problems, _ = decode("orgs", org)
    assert df[["id", "name"]].values.tolist() == [["1", "North"]]
    assert problems == []


@pytest.mark.parametrize(
    ("table", "key", "value", "kept", "problem"),
    [
        ("persons", "email", ["a"], '["a"]', "a list where text was expected; kept as text"),
        ("persons", "dob", "31/02/2015", None, "not a date"),
        ("persons", "dob", 20150203, None, "not a date"),
        ("persons", "dob", "2015-02-30", None, "not a date"),
        ("persons", "aup", "maybe", None, "neither true nor false"),
        ("terms", "start_date", {"a": 1}, None, "not a date"),
    ],
)
def test_a_value_that_does_not_fit_is_in_problems_as_it_came(
    table: str, key: str, value: object, kept: str | None, problem: str
) -> None:
    df, problems, _ = decode(table, {"id": "1", key: value})
    cell = df.loc[0, key]
    assert (cell == kept) if kept is not None else pd.isna(cell)
    shown = value if isinstance(value, str) else encode(value)
    assert problems == [("1", key, shown, problem)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2015-02-03", dt.date(2015, 2, 3)),
        ("2015-02-03T00:00:00Z", dt.date(2015, 2, 3)),
        ("0001-01-01", dt.date(1, 1, 1)),
    ],
)
def test_dates_come_with_and_without_a_time(value: str, expected: dt.date) -> None:
    df, problems, _ = decode("terms", {"id": "1", "start_date": value})
    assert df.loc[0, "start_date"].date() == expected
    assert problems == []


def test_what_is_no_object_is_a_problem_and_not_a_row() -> None:
    df, problems, _ = decode("orgs", {"id": "1"}, "text", 5, None, [1])
    assert df["id"].tolist() == ["1"]
    assert [value for _, _, value, _ in problems] == ["text", "5", None, "[1]"]


def test_a_row_without_an_id_is_kept() -> None:
    df, problems, _ = decode("orgs", {"name": "North"}, {"id": "", "name": "South"}, {"id": 7, "name": "East"})
    assert df["name"].tolist() == ["North", "South", "East"]
    assert df["id"].fillna("-").tolist() == ["-", "-", "7"]
    assert [text.split(":")[0].split(";")[0] for *_, text in problems] == [
        "no id",
        "no id",
        "numbers or flags where text was expected, such as 7, kept as text",
    ]


def test_numbers_where_text_was_expected_are_one_problem_for_a_column() -> None:
    rows = [{"id": n, "local_id": 100 + n, "phone": 555, "state_id": "007"} for n in range(30)]
    df, problems, _ = decode("persons", *rows, {"id": "x", "local_id": "0099", "phone": True, "state_id": 7})
    assert df["id"].tolist() == [*(str(n) for n in range(30)), "x"]
    assert df["local_id"].tolist()[-2:] == ["129", "0099"]
    assert df["phone"].tolist()[-1] == "true"
    assert {(id, column, value) for id, column, value, _ in problems} == {
        (None, "id", "30"),
        (None, "local_id", "30"),
        (None, "phone", "31"),
        (None, "state_id", "1"),
    }
    told = {column: text for _, column, _, text in problems}
    assert "leading zeros may be lost" in told["local_id"]
    assert "such as 100," in told["local_id"]
    assert "leading zeros" not in told["phone"]


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (b'{"id": "x", "name": "\xff"}', "\ufffd"),
        (b'{"id": "x", "name": "a\\ud800"}', "a?"),
        (b'{"id": "x", "name": "b", "$ext": {"n": NaN}}', "b"),
    ],
)
def test_what_had_to_be_replaced_is_named(row: bytes, name: str) -> None:
    page = open_page(b'{"data": [{"id": "y", "name": "Oak"}, ' + row + b'], "paging": {"next": "p"}}', "orgs")
    assert page.more is True
    decoder = Decoder("orgs")
    decoder.add(page.rows)
    found = decoder.finish()
    assert found.columns.column("name").to_pylist() == ["Oak", name]
    assert [(p.id, p.problem.rsplit(" ", 1)[1]) for p in found.problems] == [("x", "replaced")]


@pytest.mark.parametrize("row", [b'{"id" 1}', b"{'id': 1}", b'{"id": 1', b"", b"nul"])
def test_a_page_with_a_row_that_is_not_json_is_broken(row: bytes) -> None:
    with pytest.raises(BadResponseError, match=r"orgs \(page 0\)"):
        open_page(b'{"data": [{"id": "\xff"}, ' + row + b', {"id": "z"}]}', "orgs (page 0)")


def test_extra_columns_take_the_type_that_their_values_share() -> None:
    df, _, _ = decode(
        "orgs",
        {"id": "1", "$ext": {"n": 1, "x": 1, "b": True, "m": 1, "o": {"k": [1]}}},
        {"id": "2", "$ext": {"n": 2, "x": 1.5, "b": False, "m": "1", "big": 2**80}},
    )
    assert df[["ext_n", "ext_x", "ext_b", "ext_m", "ext_o", "ext_big"]].dtypes.astype(str).tolist() == [
        "Int64",
        "Float64",
        "boolean",
        "str",
        "str",
        "str",
    ]
    assert df["ext_o"][0] == '{"k":[1]}'
    assert df["ext_big"][1] == str(2**80)


def test_unknown_keys_are_kept_under_their_own_names() -> None:
    df, problems, _ = decode(
        "persons", {"id": "1", "nickname": "Bo", "name": {"suffix": "Jr"}, "$sys": {"id": "1", "etag": "x"}}
    )
    assert df.loc[0, ["nickname", "name_suffix", "sys_etag"]].tolist() == ["Bo", "Jr", "x"]
    assert problems == []


def test_a_name_that_is_no_object_is_not_lost() -> None:
    df, problems, _ = decode("persons", {"id": "1", "name": "Ana Silva"})
    assert df.loc[0, "name"] == "Ana Silva"
    assert problems == [("1", "name", "Ana Silva", "not an object")]


def test_hostile_text_is_data() -> None:
    name = "<img src=x onerror=alert(1)>'; DROP TABLE--\u202e\u0000"
    df, problems, _ = decode("orgs", {"id": "1", "name": name})
    assert df.loc[0, "name"] == name
    assert problems == []


MEMBERSHIP = {"id": "m1", "status": "Active", "primary": True, "start_date": "2026-08-17"}
TARGET = {"id": "s1", "type": "Section", "label": "Art"}
SHAPES = {
    "flat": {**TARGET, "$membership": MEMBERSHIP},
    "wrapped": {"$sys": TARGET, "$membership": MEMBERSHIP},
    "wrapped, membership inside": {"$sys": TARGET, "$membership": {"$sys": {"id": "m1"}, **MEMBERSHIP, "id": None}},
    "rolled up": {
        "$sys": TARGET,
        "title": "Art",
        "$course": {"id": "c1"},
        "$org": {"id": "o1"},
        "$terms": [{"id": "t1"}],
        "$membership": MEMBERSHIP,
    },
    "membership": {"$sys": {"id": "m1", "type": "Membership"}, **MEMBERSHIP, "$section": TARGET},
    "membership of a wrapped": {**MEMBERSHIP, "$section": {"$sys": TARGET}},
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_reference_is_understood_in_every_shape(shape: dict[str, object]) -> None:
    roster = roster_of(persons=[{"id": "p1", "person_type": "student", "$sections": [shape]}])
    link = roster.links.loc[0]
    assert link[["source_id", "relation", "target_type", "target_id", "role"]].tolist() == [
        "p1",
        "student_in",
        "section",
        "s1",
        "student",
    ]
    assert (link["membership_id"], link["status"], link["stated_by"]) == ("m1", "Active", "source")
    assert bool(link["primary"]) is True
    assert link["start_date"] == pd.Timestamp(2026, 8, 17)


def test_a_rolled_up_term_keeps_its_dates_to_itself() -> None:
    term = {"$sys": {"id": "t1", "type": "term"}, "name": "Fall", "status": "open", "start_date": "2026-08-17"}
    link = roster_of(sections=[{"id": "s1", "$terms": [term]}]).links.loc[0]
    assert (link["relation"], link["target_id"]) == ("in_term", "t1")
    assert pd.isna(link["start_date"])
    assert pd.isna(link["status"])


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        (None, "an empty reference"),
        ({}, "a reference without an id"),
        (5, "not a reference"),
        ({"label": "Art"}, "a reference without an id"),
        ({"id": "s1", "type": "spaceship"}, "a reference to an unknown type"),
        ("s1", "a bare id in place of a reference; taken as the id"),
    ],
)
def test_an_odd_reference_is_a_problem(item: object, problem: str) -> None:
    roster = roster_of(persons=[{"id": "p1", "person_type": "teacher", "$schools": [], "$sections": [item]}])
    assert roster.problems["problem"].tolist() == [problem]
    assert roster.problems[["table", "id", "column"]].values.tolist() == [["persons", "p1", "$sections"]]
    taken = isinstance(item, str) or (isinstance(item, dict) and "id" in item)
    assert roster.links["target_id"].tolist() == (["s1"] if taken else [])


def test_types_come_in_any_case_and_staff_teach() -> None:
    people = [
        {"id": str(n), "$sys": {"person_type": kind}, "$sections": [{"id": "s1"}]}
        for n, kind in enumerate(["Student", "STUDENT", "student", "Staff", "teacher", "TEACHER"])
    ]
    links = roster_of(persons=people).links
    assert links["relation"].tolist() == ["student_in"] * 3 + ["teacher_in"] * 3


def test_a_person_of_unknown_type_is_not_guessed_in_silence() -> None:
    roster = roster_of(persons=[{"id": "p1", "$schools": [], "$sections": [{"id": "s1"}]}])
    assert roster.links["relation"].tolist() == ["student_in"]
    assert roster.problems["problem"].tolist() == [
        "neither the person nor the membership has the role student or teacher; student assumed"
    ]


def test_a_wrong_target_type_is_kept_as_stated() -> None:
    links = roster_of(sections=[{"id": "s1", "$course": {"id": "t1", "type": "term"}}]).links
    assert links[["relation", "target_type"]].values.tolist() == [["of_course", "term"]]


def test_one_reference_where_many_are_expected_and_the_reverse() -> None:
    links = roster_of(
        grading_categories=[{"id": "g1", "$schools": {"id": "o1"}}], sections=[{"id": "s1", "$org": [{"id": "o1"}]}]
    ).links
    assert links["relation"].tolist() == ["held_at", "graded_for"]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["1", "2026-01-01"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "$sys",
                    "$ext",
                    "name",
                    "type",
                    "label",
                    "$schools",
                    "$sections",
                    "$membership",
                    "$org",
                    "dob",
                    "person_type",
                ]
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("table", TABLES)
@given(rows=st.lists(JSON, max_size=5))
@example(rows=[{"id": "\ud800", "name": float("nan"), "$ext": {"\ud800": float("inf")}}])
@example(rows=[{"id": "1", "$ext": {"": 1}, "": 2}, {"id": "1", "$sys": {"id": 10**400}}])
@example(rows=[{"id": "a", "ext_x": 1, "$ext": {"x": 2}}, {"id": "a", "ext_x": 1, "$ext": {"x": 2}}])
def test_any_page_loads_and_loses_no_row(table: str, rows: list[object]) -> None:
    body = json.dumps({"data": rows}).encode()
    decoder = Decoder(table)
    decoder.add(open_page(body, "test").rows)
    lists = {name: Decoder(name).finish() for name in TABLES}
    lists[table] = decoder.finish()
    roster = assemble(lists, [], "test")
    kept = len(roster.tables[table])
    not_objects = (roster.problems["problem"].str.contains("is not an object")).sum()
    repeats = roster.problems["problem"].str.startswith("rows that came again")
    dropped = roster.problems.loc[repeats, "value"].astype(int).sum()
    assert kept + not_objects + dropped == len(rows)
    assert set(roster.links["source_type"].dropna()) <= set(OBJECT_TYPES.values())


@given(body=st.binary(max_size=60))
@example(body=b'{"data": [' * 5000)
@example(body=b"\xef\xbb\xbf[]")
@example(body=b'{"data": [{"id": "\xff\xfe"}]}')
def test_any_bytes_are_a_page_or_a_clear_error(body: bytes) -> None:
    try:
        page = open_page(body, "rostering/orgs (page 0)")
    except BadResponseError as error:
        assert str(error).startswith("rostering/orgs (page 0) answered with")
    else:
        assert page.more in (True, False, None)
