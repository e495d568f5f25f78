"""One file of a bundle on its way out: what each cell becomes, and what is told of it."""

from typing import Any

import pandas as pd
import pytest

from kimono_explore.files.oneroster.sheet import Notes, Sheet, blank, fold, one_line
from kimono_explore.files.oneroster.standard import STANDARD, Cell

Told = list[tuple[Any, ...]]


def column(*texts: str | None) -> pd.Series:
    return pd.Series(list(texts), dtype="object")


def told(notes: Notes) -> Told:
    df = notes.frame().astype(object)
    return [tuple(row) for row in df.where(df.notna(), None).to_numpy().tolist()]


def sheet(*ids: str | None, file: str = "courses", cells: tuple[Cell, ...] = STANDARD["1.1"]["courses"]) -> Sheet:
    return Sheet(file, "courses", column(*ids), cells, Notes())


def held(made: Sheet, name: str) -> list[object]:
    return made.columns[name].tolist()


def test_twenty_alike_are_told_one_by_one_and_more_are_counted() -> None:
    notes = Notes()
    for n in range(20):
        notes.add("orgs", f"o{n}", "name", "x", "odd")
    for n in range(21):
        notes.add("orgs", f"o{n}", "type", "x", "odd")
    notes.count("terms", "status", 3, "gone")
    notes.count("terms", "status", 0, "gone")
    rows = told(notes)
    assert rows[0] == ("terms", None, "status", "3", "gone; value counts them")
    assert rows[1:21] == [("orgs", f"o{n}", "name", "x", "odd") for n in range(20)]
    assert rows[21:] == [("orgs", None, "type", "21", "odd; value counts them")]


def test_words_are_compared_without_case_and_punctuation() -> None:
    assert fold("School-Year 2_A!") == "schoolyear2a"
    assert one_line("a\r\nb\x0bc\u2028\x85d") == "a b c d"
    assert blank(column(None, "", " \t", "a")).tolist() == [True, True, True, False]


def test_a_column_keeps_what_it_was_given_first() -> None:
    made = sheet("a", "b")
    made.put("title", column("x", None), "name")
    made.columns["title"] = column("y", "z")
    made.put("title", column("y", "z"))
    made.tell("title", pd.Series([True, False]), lambda value: f"was {value}")
    made.tell("title", pd.Series([False, True]), "was nothing")
    made.say(0, "other", "v", "said")
    made.out[1] = True
    rows = made.rows({"extra": column("e", "f")})
    assert rows.to_dict("records") == [{**dict.fromkeys(made.columns), "sourcedId": "a", "title": "y", "extra": "e"}]
    assert told(made.notes) == [("courses", "a", "name", "x", "was x"), ("courses", "a", "other", "v", "said")]


def test_empty_cells_are_filled_where_that_is_said() -> None:
    made = sheet("a", "b", "c", "d")
    made.put("title", column("own", None, None, None), "title")
    made.fill("title", pd.Series([True, True, True, False]), column("1", "2", None, "4"), "filled")
    assert held(made, "title") == ["own", "2", None, None]
    made.fill("title", pd.Series([True] * 4), "all", "by rule")
    assert held(made, "title") == ["own", "2", "all", "all"]
    made.rows()
    assert told(made.notes) == [
        ("courses", "b", "title", "2", "filled"),
        ("courses", "c", "title", "all", "by rule"),
        ("courses", "d", "title", "all", "by rule"),
    ]


def test_a_row_is_left_out_once_with_its_first_reason() -> None:
    made = sheet("a", "b", "c")
    made.put("title", column("x", "y", "z"), "name")
    made.leave_out(pd.Series([True, False, False]), "title", "first")
    made.leave_out(pd.Series([True, True, False]), "title", "second")
    assert made.out.tolist() == [True, True, False]
    assert told(made.notes) == [
        ("courses", "a", "name", "x", "first: the row is left out"),
        ("courses", "b", "name", "y", "second: the row is left out"),
    ]


WORDS = (
    Cell("sourcedId", "guid", required=True),
    Cell("type", "enum", enum=("district", "gradingPeriod")),
    Cell("kind", "enum", enum=("home",), extensible=True),
    Cell("flag", "boolean"),
    Cell("plain"),
    Cell("list", many=True, item="[a-z]+"),
    Cell("any", many=True),
    Cell("codes", many=True, same_length_as="any"),
    Cell("far", "guid", refers="orgs"),
)


def test_cells_are_made_to_fit() -> None:
    made = sheet("a", "b", "c", "d", "e", file="orgs", cells=WORDS)
    made.put("type", column("district", "lea", "Grading_Period", "odd", None))
    made.put("kind", column("home", "Home", "new one", "ext:own", " "))
    made.put("flag", column("true", "TRUE", "False", "maybe", None))
    made.put("plain", column("one", "two\nlines", " ", "a,b", None))
    made.put("list", column("a,b", "a, ,b", "a,B", "B", None))
    made.put("any", column("a,b", "a,,b", "a", " , ", None))
    made.put("codes", column("1,2", "1,2,3", "1", "1", "1"))
    made.put("far", column("x\ny", None, None, None, None))
    made.fit()
    assert held(made, "type") == ["district", "district", "gradingPeriod", None, None]
    assert held(made, "kind") == ["home", "home", "ext:new one", "ext:own", None]
    assert held(made, "flag") == ["true", "true", "false", None, None]
    assert held(made, "plain") == ["one", "two lines", " ", "a,b", None]
    assert held(made, "list") == ["a,b", "a,b", "a", None, None]
    assert held(made, "any") == ["a,b", "a,b", "a", None, None]
    assert held(made, "codes") == ["1,2", None, "1", "1", "1"]
    assert held(made, "far")[0] == "x\ny"
    made.rows()
    items = "the list holds items that the standard has no place for: left out"
    assert told(made.notes) == [
        ("courses", "c", "type", "Grading_Period", "Grading_Period is written as gradingPeriod"),
        ("courses", "d", "type", "odd", "is not one of district, gradingPeriod: left out"),
        ("courses", "b", "kind", "Home", "Home is written as home"),
        ("courses", "c", "kind", "new one", "new one is written as ext:new one"),
        ("courses", "e", "kind", " ", "is not one of home: left out"),
        ("courses", "b", "flag", "TRUE", "TRUE is written as true"),
        ("courses", "c", "flag", "False", "False is written as false"),
        ("courses", "d", "flag", "maybe", "is neither true nor false: left out"),
        ("courses", "b", "plain", "two\nlines", "line breaks are written as spaces"),
        ("courses", "b", "list", "a, ,b", items),
        ("courses", "c", "list", "a,B", items),
        ("courses", "d", "list", "B", items),
        ("courses", "b", "any", "a,,b", items),
        ("courses", "d", "any", " , ", items),
        ("courses", "b", "codes", "1,2,3", "not as many items as any: left out"),
    ]


REFERS = (
    Cell("sourcedId", "guid", required=True),
    Cell("school", "guid", required=True, refers="orgs", of_type="school"),
    Cell("terms", "guid", refers="terms", many=True),
)


def test_references_are_looked_for() -> None:
    made = sheet("a", "b", "c", "d", cells=REFERS)
    made.put("school", column("s1", "s1,s2", "l1", None), "held")
    made.put("terms", column("t1, t2,t1", "t9,t1,", "t9", None))
    made.refer("school", {"s1": "school", "s2": "school", "l1": "district"}, of_type="school")
    made.refer("terms", ["t1", "t2"])
    assert held(made, "school") == ["s1", "s1", None, None]
    assert held(made, "terms") == ["t1,t2", "t1", None, None]
    made.rows()
    assert told(made.notes) == [
        ("courses", "b", "held", "s2", "OneRoster allows only one; the first is written"),
        ("courses", "c", "held", "l1", "is not in orgs.csv with the type school: the reference is left out"),
        ("courses", "b", "terms", "t9", "is not in terms.csv: the reference is left out"),
        ("courses", "c", "terms", "t9", "is not in terms.csv: the reference is left out"),
    ]


def test_rows_without_what_is_required_are_left_out() -> None:
    long = "x" * 256
    made = sheet("a", None, "b:1", "a", "c", long, "x" * 255, cells=REFERS)
    made.put("school", column("s", "s", "s", "s", " ", "s", "s"))
    made.check_rows()
    assert made.out.tolist() == [False, True, True, True, True, True, False]
    text = "an id holds other characters than OneRoster allows (A-Z a-z 0-9 . - _ / @), or more than 255"
    assert told(made.notes) == [
        ("courses", None, "id", None, "an object without an id: the row is left out"),
        ("courses", "b:1", "id", "b:1", f"{text}: the row is left out"),
        ("courses", long, "id", long, f"{text}: the row is left out"),
        ("courses", "c", "school", " ", "courses.csv requires school and there is none that fits: the row is left out"),
        ("courses", "a", "id", "a", "an earlier row with this id is written: the row is left out"),
    ]


@pytest.mark.parametrize(
    ("place", "given", "word"), [("academicSessions", "quarter", "gradingPeriod"), ("orgs", "sea", "state")]
)
def test_synonyms_are_of_their_file(place: str, given: str, word: str) -> None:
    cells = STANDARD["1.1"][place]
    made = Sheet(place, "terms", column("a"), cells, Notes())
    made.put("type", column(given))
    made.fit()
    assert held(made, "type") == [word]
    made.rows()
    assert [row[4] for row in told(made.notes)] == ([] if given == "sea" else [f"{given} is written as {word}"])
