"""The table without a browser: pages, sorting, filters, and what the page may ask for, beside plain pandas."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimono_explore.widgets.bins import make_bins
from kimono_explore.widgets.table import PAGE, DataTable, sort_positions
from kimono_explore.widgets.words import value_words

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\u202eabc",
    "a\x00b",
    "\ud800",
    "👩‍🎓",
    "",
    " ",
]


def people(rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "id": [f"p{n:04}" for n in range(rows)],
            "school": pd.array(rng.choice(["Lincoln", "Pine", "Cedar", None], rows), dtype="str"),
            "grade": pd.array(rng.choice([str(n) for n in range(1, 13)], rows), dtype="str"),
            "sections": pd.array(np.where(rng.random(rows) < 0.1, None, rng.integers(0, 9, rows)), dtype="Int64"),
            "score": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(50, 20, rows)),
            "born": pd.Timestamp("2010-03-01") + pd.to_timedelta(rng.integers(0, 4000, rows), unit="D"),
            "active": rng.random(rows) < 0.5,
        }
    )


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict]]:
    messages: list[dict] = []
    monkeypatch.setattr(DataTable, "send", lambda self, message, buffers=None: messages.append(message))
    yield messages
    for message in messages:
        json.dumps(message, allow_nan=False)


def bar(table: DataTable, column: int, label: str) -> int:
    return [bar["label"] for bar in table.view["columns"][column]["bars"]].index(label)


def assert_counts(table: DataTable) -> None:
    """What stands in the headers, and is left, against conditions of plain pandas."""
    df = table.df
    left = eval(table.code, {"df": df, "pd": pd})
    assert len(left) == table.view["left"] == len(table.shown)
    assert sorted(left.index) == sorted(table.shown.index)
    for position, column in enumerate(table.view["columns"]):
        bins = table._bars.bins[position]
        name = f"df.iloc[:, {position}]"
        for number, counted in enumerate(column["bars"]):
            condition = bins.code(name, [number])
            assert counted["total"] == pd.Series(eval(condition, {"df": df, "pd": pd})).fillna(False).sum()
            assert counted["left"] == pd.Series(eval(condition, {"df": left, "pd": pd})).fillna(False).sum()
        if column["bars"]:
            assert sum(counted["total"] for counted in column["bars"]) == len(df)


# Pages


def test_pages_are_the_rows_in_order(sent: list[dict]) -> None:
    df = people(450)
    table = DataTable(df)
    rows = [row for start in (0, PAGE, 2 * PAGE) for row in table.page(start)["rows"]]
    assert [row[0] for row in rows] == df["id"].tolist()
    assert table.page(5_000) == {"start": 5_000, "at": [], "rows": []}
    table._hear(table, {"kind": "page", "request": 4, "start": 400}, [])
    assert [(m["request"], m["version"], len(m["rows"])) for m in sent if m.get("kind") == "page"] == [(4, 1, 50)]


def test_cells_are_text_and_what_is_missing_is_none() -> None:
    df = pd.DataFrame(
        {
            "a": [1, None, "x", True, [1, 2]],
            "b": [1.5, np.nan, 2, np.inf, 0.1],
            "c": pd.to_datetime(
                ["2026-01-02", None, "2026-01-02 03:04:05", "2026-01-03", "2026-01-04"], format="mixed"
            ),
            "d": [date(2026, 1, 2), None, pd.NA, {"k": 1}, np.float64(2)],
        }
    )
    assert DataTable(df).page(0)["rows"] == [
        ["1", "1.5", "2026-01-02", "2026-01-02"],
        [None, None, None, None],
        ["x", "2.0", "2026-01-02 03:04:05", None],
        ["True", "inf", "2026-01-03", "{'k': 1}"],
        ["[1, 2]", "0.1", "2026-01-04", "2.0"],
    ]


def test_words_are_marked_in_the_columns_that_were_searched() -> None:
    table = DataTable(people())
    table.fill(people(), marks={"school": ["pine"], "gone": ["x"]})
    assert [column["marks"] for column in table.view["columns"]] == [[], ["pine"], [], [], [], [], []]
    table.fill(people())
    assert all(column["marks"] == [] for column in table.view["columns"])


def test_hostile_texts_stay_text(sent: list[dict]) -> None:
    columns = dict.fromkeys(HOSTILE[:2], HOSTILE) | {"id": [f"<b>{n}</b>" for n in range(len(HOSTILE))]}
    df = pd.DataFrame(columns, dtype="object")  # pandas' own texts hold no halves of characters
    table = DataTable(df, label=HOSTILE[0])
    table.sort(0)
    table.choose(0, [0])
    json.dumps(table.view).encode("ascii")
    json.dumps(table.view, ensure_ascii=False).encode("utf-8")
    texts = {row[0] for row in DataTable(df).page(0)["rows"]}
    assert {"<script>alert(1)</script>", "\\u202eabc", "a\\x00b", "\\ud800", ""} <= texts
    assert_counts(table)


def test_an_empty_table_and_one_without_columns() -> None:
    for df in (pd.DataFrame(), pd.DataFrame({"a": [], "b": []}), pd.DataFrame(index=[1, 2]), people(0)):
        table = DataTable(df)
        assert table.page(0)["rows"] == [[] for _ in range(len(df))]
        table.choose(0, [0])
        table.sort(0)
        table.pick([0, 7])
        assert (table.filter, table.code, table.sentence) == ({}, "df", "")
    assert DataTable().view["total"] == 0


def test_names_and_index_that_are_there_twice() -> None:
    df = pd.DataFrame([["a", "x"], ["b", "y"], ["a", "y"]], columns=["n", "n"], index=[5, 5, 5])
    table = DataTable(df)
    table.choose(1, [bar(table, 1, "y")])
    assert table.page(0)["rows"] == [["b", "y"], ["a", "y"]]
    table.sort(0)
    assert table.page(0)["at"] == [2, 1]
    assert_counts(table)


def test_as_many_rows_as_a_state_has() -> None:
    rows = 600_000
    table = DataTable(pd.DataFrame({"id": np.arange(rows), "kind": np.arange(rows) % 3}))
    assert table.page(rows - 3)["at"] == [rows - 3, rows - 2, rows - 1]
    assert len(json.dumps(table.view)) < 20_000
    table.choose(1, [0])
    assert table.view["left"] == rows / 3
    table.pick([rows - 3])
    assert table.selected_rows == [rows - 3]


# Sorting


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("name", ["sections", "score", "born", "active", "school"])
def test_sorting_is_that_of_pandas(name: str, descending: bool) -> None:
    df = people()
    table = DataTable(df)
    table.sort(df.columns.get_loc(name), descending=descending)
    expected = df.sort_values(name, ascending=not descending, kind="stable", na_position="last")
    pd.testing.assert_frame_equal(table.shown, expected)
    table.sort(None)
    pd.testing.assert_frame_equal(table.shown, df)


def test_texts_are_sorted_as_people_do() -> None:
    names = pd.Series(["b", "Åkesson", None, "Zorn", "adams", "Adams", "Abel", "İ"])
    assert [names[n] for n in sort_positions(names)][:-1] == ["Abel", "Adams", "adams", "Åkesson", "b", "İ", "Zorn"]
    assert sort_positions(names)[-1] == 2
    assert sort_positions(names, descending=True)[-1] == 2


def test_grades_stand_in_their_order_and_are_taken_as_a_range() -> None:
    grades = pd.Categorical(["12", "9", "9", "KG", "10", None], ["KG", "9", "10", "11", "12"], ordered=True)
    table = DataTable(pd.DataFrame({"grade": grades}))
    assert table.view["columns"][0]["kind"] == "ordered"
    assert table.bars(0) == ["KG", "9", "10", "12", "missing"]
    table.choose(0, [1, 2, 3])
    assert table.sentence == "grade is 9 to 12"
    assert table.shown["grade"].tolist() == ["12", "9", "9", "10"]
    assert_counts(table)
    table.fill(table.df.iloc[:2], keep=True)
    assert (table.sentence, len(table.shown)) == ("grade is 9 to 12", 2)
    assert_counts(table)


def test_what_cannot_be_compared_is_sorted_as_text() -> None:
    mixed = pd.Series([2, "10", None, [1], {"a": 1}, 1.5, True])
    assert [str(mixed[n]) for n in sort_positions(mixed)] == ["1.5", "10", "2", "[1]", "True", "{'a': 1}", "None"]


def test_an_ordered_category_is_sorted_as_it_says() -> None:
    grades = pd.Series(["1", "K", "PK", "1"], dtype=pd.CategoricalDtype(["PK", "K", "1"], ordered=True))
    assert sort_positions(grades).tolist() == [2, 1, 0, 3]


# Filters


def test_a_filter_is_a_sentence_a_dict_and_code() -> None:
    df = people()
    table = DataTable(df)
    table.choose(1, [bar(table, 1, "Lincoln")])
    table.choose(2, [bar(table, 2, label) for label in table._bars.bins[2].labels[:2]])
    first, second = table._bars.bins[2].labels[:2]
    assert table.filter == {"school": ["Lincoln"], "grade": [first, second]}
    assert table.sentence == f"school is Lincoln; grade is {first} or {second}"
    expected = df[(df["school"] == "Lincoln") & df["grade"].isin([first, second])]
    pd.testing.assert_frame_equal(table.shown, expected)
    pd.testing.assert_frame_equal(eval(table.code), expected)


def test_neighbours_read_as_a_range() -> None:
    table = DataTable(pd.DataFrame({"n": range(9)}))
    table.choose(0, [3, 4, 5, 6, 7])
    assert (table.sentence, table.shown["n"].tolist()) == ("n is 3 to 7", [3, 4, 5, 6, 7])
    table.choose(0, [3, 4])
    assert table.sentence == "n is 3 or 4"
    table.choose(0, [1, 4, 6, 7, 8])
    assert table.sentence == "n is 1, 4 or 6 to 8"


@pytest.mark.parametrize("name", ["score", "born"])
def test_a_range_that_is_dragged_is_one_condition(name: str) -> None:
    table = DataTable(people())
    column = table.df.columns.get_loc(name)
    table._hear(table, {"kind": "filter", "column": column, "bars": [2, 3, 4, 5]}, [])
    edges = table._bars.bins[column].edges
    values = table.df[name]
    expected = table.df[(values >= edges[2]) & (values < edges[6])]
    pd.testing.assert_frame_equal(table.shown, expected)
    assert table.code.count(">=") == table.code.count("<") == 1
    first, last = (table.bars(column)[bar] for bar in (2, 5))
    assert table.sentence == f"{name} is {first.split(' to ')[0]} to {last.split(' to ')[-1]}"
    assert table.filter == {name: table.bars(column)[2:6]}
    assert_counts(table)


def test_missing_and_others_can_be_chosen() -> None:
    values = [f"v{n}" for n in range(30) for _ in range(30 - n)] + [None] * 4
    table = DataTable(pd.DataFrame({"v": values}))
    labels = table._bars.bins[0].labels
    assert labels == [f"v{n}" for n in range(8)] + ["another", "missing"]
    for chosen in ([8], [9], [0, 9], [8, 9], [0, 8, 9]):
        table.choose(0, chosen)
        assert_counts(table)
    assert table.sentence == "v is v0, another or missing"


@settings(max_examples=25)
@given(st.data())
def test_counts_of_all_headers_narrow_together(data: st.DataObject) -> None:
    table = DataTable(people(120))
    for column in data.draw(st.lists(st.integers(0, 6), max_size=3)):
        bars = len(table.view["columns"][column]["bars"])
        table.choose(column, data.draw(st.lists(st.integers(-1, bars), max_size=4)))
    assert_counts(table)
    table.clear()
    assert table.view["left"] == 120
    assert all(bar["left"] == bar["total"] for column in table.view["columns"] for bar in column["bars"])


FLOATS = st.floats(allow_nan=True, allow_infinity=True) | st.none()
TIMES = st.datetimes(pd.Timestamp("1700-01-01").to_pydatetime(), pd.Timestamp("2250-01-01").to_pydatetime()) | st.none()


@given(
    st.one_of(
        st.lists(FLOATS, max_size=30).map(lambda values: pd.Series(values, dtype="float64")),
        st.lists(st.integers(-(2**53), 2**53) | st.none(), max_size=30).map(
            lambda values: pd.Series(values, dtype="Int64")
        ),
        st.lists(TIMES, max_size=30).map(lambda values: pd.Series(values, dtype="datetime64[us]")),
        st.lists(TIMES, max_size=30).map(lambda v: pd.Series(v, dtype="datetime64[us]").dt.tz_localize("UTC")),
        st.lists(st.text(max_size=2) | st.none(), max_size=30).map(lambda values: pd.Series(values, dtype="str")),
        st.lists(st.sampled_from([1, "1", 1.0, True, None, "a", 2.5]), max_size=30).map(
            lambda values: pd.Series(values, dtype="object")
        ),
        st.lists(st.sampled_from([date(2026, 1, 1), (1, 2), None, "a"]), max_size=30).map(
            lambda values: pd.Series(values, dtype="object")
        ),
        st.lists(st.sampled_from(["a", "b", None]), max_size=30).map(
            lambda values: pd.Series(values, dtype="category")
        ),
        st.lists(st.sampled_from(["9", "KG", "12", None]), max_size=30).map(
            lambda values: pd.Series(pd.Categorical(values, ["KG", "9", "10", "12"], ordered=True))
        ),
        st.lists(st.booleans() | st.none(), max_size=30).map(lambda values: pd.Series(values, dtype="boolean")),
    ),
    st.data(),
)
def test_code_chooses_the_same_rows(values: pd.Series, data: st.DataObject) -> None:
    table = DataTable(pd.DataFrame({"v": values}))
    bars = len(table.view["columns"][0]["bars"])
    if bars:
        table.choose(0, data.draw(st.lists(st.integers(0, bars - 1), min_size=1, max_size=4)))
    assert_counts(table)


def test_few_bars_whatever_the_values() -> None:
    rng = np.random.default_rng(1)
    for values in (
        pd.Series(rng.normal(size=999)) * 1e300,
        pd.Series(rng.integers(0, 10**9, 999)),
        pd.Series([1e-300, 2e-300]),
        pd.Series([-np.inf, 1.0, np.inf]),
        pd.Series([np.finfo(float).min, np.finfo(float).max]),
        pd.to_datetime(pd.Series(["1900-01-01", "2100-01-01"])),
        pd.to_datetime(pd.Series(["2026-01-01 10:00:00", "2026-01-01 10:00:03"])),
    ):
        assert 1 <= len(make_bins(values).labels) <= 22


def test_ids_have_no_bars() -> None:
    column = DataTable(people()).view["columns"][0]
    assert (column["kind"], column["bars"], column["different"]) == ("different", [], 400)


# From A to Z

NAMES = ["Ada", "ångström", "Bo", "ﬁona", "Zoë", "李", "007", "", " Eve", "ß", "ı", "Ǆ", "e\u0301ve", "\u0301x"]


def named(names: list[str | None]) -> pd.DataFrame:
    """A table whose names have a picture from A to Z: some more than are told apart by value."""
    more = [f"{letter}{n}" for n in range(50) for letter in "ABCDE"]
    return pd.DataFrame({"name": pd.array([*names, *more], dtype="str"), "n": range(len(names) + len(more))})


@settings(max_examples=30)
@given(st.lists(st.none() | st.sampled_from(NAMES) | st.text(max_size=3), max_size=20), st.data())
def test_names_are_filtered_by_their_first_letter(names: list[str | None], data: st.DataObject) -> None:
    names = [None if name is None else name.encode("utf-8", "ignore").decode() for name in names]
    table = DataTable(named(names))
    assert table.view["columns"][0]["kind"] == "initial"
    table.choose(0, data.draw(st.lists(st.integers(0, len(table.bars(0)) - 1), min_size=1, max_size=4)))
    assert_counts(table)


def test_names_in_several_pieces_have_letters_too() -> None:
    pieces = pd.concat([named(["Ada", None]), named(["Zoë"])], ignore_index=True)
    table = DataTable(pieces)
    table.choose(0, [25])
    assert table.shown["name"].tolist() == ["Zoë"]
    assert_counts(table)


def test_a_filter_by_letters_is_read_as_one() -> None:
    table = DataTable(named([*NAMES, None]))
    assert table.bars(0) == [*"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "other", "missing"]
    table.choose(0, [0, 1, 2])
    assert table.sentence == "name begins with A to C"
    assert table.code == 'df[df[\'name\'].str.normalize("NFKD").str[:1].str.upper().isin(list("ABC"))]'
    assert {"Ada", "ångström", "Bo"} <= set(table.shown["name"])
    assert table.filter == {"name": ["A", "B", "C"]}
    table.choose(0, [25, 26])
    assert table.sentence == "name begins with Z or other"


@pytest.mark.parametrize("name", ["id", "local_id", "code", "number"])
def test_codes_have_no_picture_from_a_to_z(name: str) -> None:
    values = {"code": [f"P{n}" for n in range(300)], "number": [f"{n}{chr(65 + n % 26)}" for n in range(300)]}
    letters = [f"{chr(65 + n % 26)}{n}" for n in range(300)]
    df = pd.DataFrame({name: pd.array(values.get(name, letters), dtype="str")})
    assert DataTable(df).view["columns"][0]["kind"] == "different"


# Other rows of the same table


@settings(max_examples=25)
@given(st.data())
def test_other_rows_are_filtered_as_before(data: st.DataObject) -> None:
    """The condition on the new rows is the one that was chosen on the old ones."""
    df = people(150).assign(name=named([])["name"][:150])
    table = DataTable(df)
    column = data.draw(st.integers(1, df.shape[1] - 1))
    table.choose(column, data.draw(st.lists(st.integers(0, len(table.bars(column)) - 1), min_size=1, max_size=3)))
    table.sort(2, descending=True)
    code, words, ordered = table.code, table.sentence, table.view["ordered"]
    rows = data.draw(st.lists(st.integers(0, 399), max_size=60))
    other = people(400).assign(name=named([])["name"].repeat(2)[:400].tolist()).iloc[rows]
    other = other.astype(df.dtypes.to_dict()).assign(more=1)
    table.fill(other, keep=True)
    expected = eval(code, {"df": other, "pd": pd})
    assert sorted(table.shown["id"]) == sorted(expected["id"])
    assert (table.sentence, table.view["ordered"]) == (words, ordered)
    assert table.view["sort"] == [2, True]
    assert_counts(table)


def test_a_value_that_is_gone_is_still_chosen() -> None:
    table = DataTable(pd.DataFrame({"tenant": ["a", "b", None]}))
    table.choose(0, [bar(table, 0, "b"), bar(table, 0, "missing")])
    table.fill(pd.DataFrame({"tenant": ["a", "c"]}), keep=True)
    assert (table.view["left"], table.filter) == (0, {"tenant": ["b", "missing"]})
    table.fill(pd.DataFrame({"tenant": ["c", "b"]}), keep=True)
    assert table.shown["tenant"].tolist() == ["b"]
    table.fill(pd.DataFrame({"n": [1]}), keep=True)
    assert (table.view["left"], table.filter, table.view["sort"]) == (1, {}, None)
    table.fill(pd.DataFrame({"tenant": ["a"]}))
    assert table.filter == {}


# Picking, and what the page sends


def test_one_row_or_several_are_picked() -> None:
    table, many = DataTable(people(9)), DataTable(people(9), many=True)
    for one in (table, many):
        one.pick([3, 99, -1, 5])
    assert (table.selected_rows, many.selected_rows) == ([3], [3, 5])


def test_a_picked_row_that_is_filtered_away_is_not_picked() -> None:
    table = DataTable(pd.DataFrame({"k": ["a", "b", "a", "b"]}), many=True)
    table.pick([0, 1, 2])
    table.choose(0, [bar(table, 0, "b")])
    assert table.selected_rows == [1]
    table.fill(people(3))
    assert table.selected_rows == []


def test_a_row_picked_again_is_told_of_again() -> None:
    table, heard = DataTable(people(9)), []
    table.observe(lambda change: heard.append(change["new"]), "selected_rows")
    for _ in range(2):
        table._hear(table, {"kind": "pick", "filled": 1, "rows": [4]}, [])
    assert heard == [[4], [4]]


def test_a_click_on_rows_that_are_gone_picks_none() -> None:
    table = DataTable(people(9), many=True)
    table.fill(people(9))
    table._hear(table, {"kind": "pick", "filled": 1, "rows": [4]}, [])
    table._hear(table, {"kind": "range", "version": 1, "first": 0, "last": 4}, [])
    assert table.selected_rows == []


def test_a_range_is_of_the_rows_as_they_stand() -> None:
    table = DataTable(pd.DataFrame({"n": [5, 3, 4, 1]}), many=True)
    table._hear(table, {"kind": "sort", "column": 0, "descending": False}, [])
    table._hear(table, {"kind": "range", "version": table.view["version"], "first": 2, "last": 1}, [])
    assert table.selected_rows == [1, 2]


@pytest.mark.parametrize(
    "message",
    [
        None, "x", [], {}, {"kind": []}, {"kind": "page"}, {"kind": "page", "request": "1", "start": 0},
        {"kind": "page", "request": 1, "start": None}, {"kind": "sort", "column": "a"}, {"kind": "sort", "column": 99},
        {"kind": "filter", "column": 99, "bars": [0]}, {"kind": "filter", "column": 1, "bars": ["a", None, -3, 99]},
        {"kind": "pick", "filled": 1, "rows": ["a", -1, 99]}, {"kind": "pick"}, {"kind": "range", "first": 0, "last": 1},
        {"kind": "fill", "df": []},
    ],
)  # fmt: skip
def test_a_message_that_makes_no_sense_does_nothing(message: object, sent: list[dict]) -> None:
    table = DataTable(people(9), many=True)
    table._hear(table, message, [])
    assert (table.filter, table.selected_rows, len(table.shown), sent) == ({}, [], 9, [])


# Fewer columns


def test_a_table_with_fewer_columns_keeps_what_is_picked_sorted_and_filtered(sent: list[dict]) -> None:
    table = DataTable(people(), many=True)
    table.sort(2, descending=True)
    table.choose(1, [bar(table, 1, "Pine")])
    table.pick(table.shown.index[:2])
    before, ordered, picked = table.shown, table.view["ordered"], table.selected_rows
    table.show_columns([2, 0, 99, 2])
    assert [column["name"] for column in table.view["columns"]] == ["grade", "id"]
    assert table.page(0, 3)["rows"] == before[["grade", "id"]].iloc[:3].to_numpy().tolist()
    assert table.view["first"]["rows"][:3] == table.page(0, 3)["rows"]
    assert (table.view["ordered"], table.selected_rows) == (ordered, picked)
    pd.testing.assert_frame_equal(table.shown, before)
    # The page counts columns as it shows them, those behind them too.
    assert table.view["sort"] == [0, True]
    assert table.view["parts"] == [[2, "school is Pine"]]
    table._hear(None, {"kind": "filter", "column": 2, "bars": []}, None)
    assert (table.filter, table.view["left"]) == ({}, 400)
    table._hear(None, {"kind": "sort", "column": 1}, None)
    assert table.shown["id"].tolist() == sorted(table.df["id"])
    table._hear(None, {"kind": "sort", "column": 99}, None)
    table._hear(None, {"kind": "filter", "column": -1, "bars": [0]}, None)
    assert table.view["sort"] == [1, False]
    table.show_columns()
    assert [column["name"] for column in table.view["columns"]] == table.df.columns.tolist()
    assert table.view["sort"] == [0, False]
    table.fill(people(3))
    assert len(table.view["columns"]) == 7
    assert table.view["ordered"] > ordered


# Columns


def names_of(table: DataTable) -> list[str]:
    return [column["name"] for column in table.view["columns"]]


def ask(table: DataTable, name: str, **change: object) -> None:
    message = {"kind": "column", "filled": table.view["filled"], "at": table.df.columns.get_loc(name), **change}
    table._hear(table, message, [])


def test_columns_are_chosen_pinned_and_widened(sent: list[dict]) -> None:
    table = DataTable(people())
    version = table.view["version"]
    ask(table, "grade", width=240)
    assert [column["wide"] for column in table.view["columns"]] == [None, None, 240, None, None, None, None]
    assert table.view["version"] == version  # the page keeps its rows
    ask(table, "school", shown=False)
    ask(table, "born", pinned=True)
    ask(table, "score", pinned=True)
    assert names_of(table) == ["born", "score", "id", "grade", "sections", "active"]
    assert [column["pinned"] for column in table.view["columns"]] == [True, True, False, False, False, False]
    assert [column["name"] for column in table.view["menu"] if not column["shown"]] == ["school"]
    assert table.page(0, 1)["rows"][0][2] == "p0000"
    assert table.on_screen.columns.tolist() == names_of(table)
    table.sort(1)
    assert table.view["sort"] == [6, False]
    arrangement = {"hidden": ["school"], "pinned": ["born", "score"], "widths": {"grade": 240}}
    assert table.arrangement == arrangement == json.loads(json.dumps(arrangement))
    ask(table, "born", pinned=False)
    ask(table, "grade", width=None)
    ask(table, "school", shown=True)
    assert table.arrangement == {"shown": ["school"], "pinned": ["score"]}


def test_what_is_chosen_of_columns_stays_when_the_same_are_filled() -> None:
    table, other = DataTable(people()), DataTable(people(3))
    ask(table, "school", shown=False)
    table.fill(people(3))
    assert "school" not in names_of(table)
    table.fill(pd.DataFrame({"n": [1]}))
    assert (names_of(table), table.arrangement) == (["n"], {})
    table.fill(people(5))
    assert "school" not in names_of(table)
    other.arrangement = table.arrangement | {"pinned": ["gone", "grade"], "widths": {"grade": 9_999, "gone": 1}}
    assert names_of(other)[:3] == ["grade", "id", "sections"]
    assert other.arrangement == {"hidden": ["school"], "pinned": ["grade"], "widths": {"grade": 1_200}}
    other.arrangement = {}
    assert names_of(other) == other.df.columns.tolist()


def test_one_column_stays_and_a_chosen_one_comes_beside_those_that_are_offered() -> None:
    table = DataTable(people(4))
    table.show_columns([0, 1])
    ask(table, "grade", shown=True)
    assert names_of(table) == ["id", "school", "grade"]
    for name in ("id", "school", "grade"):
        ask(table, name, shown=False)
    assert names_of(table) == ["grade"]
    table.show_columns()
    assert names_of(table) == ["grade", "sections", "score", "born", "active"]


def test_names_that_are_there_twice_are_told_apart() -> None:
    table = DataTable(pd.DataFrame([[1, 2, 3]], columns=["n", "n", "<b>"]))
    table._hear(table, {"kind": "column", "filled": 1, "at": 1, "shown": False}, [])
    assert (table.arrangement, names_of(table)) == ({"hidden": ["n (2)"]}, ["n", "<b>"])


@pytest.mark.parametrize(
    "message",
    [{"at": 99, "shown": False}, {"at": -1, "pinned": True}, {"at": "0", "shown": False}, {"at": 0}, {"at": 0, "width": "x"},
     {"at": 0, "shown": "no"}, {"at": 0, "shown": False, "filled": 7}],
)  # fmt: skip
def test_a_message_about_no_column_does_nothing(message: dict) -> None:
    table = DataTable(people(4))
    table._hear(table, {"kind": "column", "filled": 1, **message}, [])
    assert (table.arrangement, len(names_of(table))) == ({}, 7)


def test_where_there_is_little_room_spare_columns_are_left_out_until_somebody_wants_them() -> None:
    table = DataTable(pd.DataFrame({"name": ["Ada"], "owner": ["Li"], "id": ["a"]}))
    table.spare = ("owner", "id")

    def shown() -> list[str]:
        return [column["name"] for column in table.view["columns"]]

    def hear(**message: object) -> None:
        table._hear(None, message, [])

    for width in (0, "wide", None, 1_080):
        hear(kind="room", width=width)
    assert shown() == ["name", "owner", "id"]
    hear(kind="room", width=840)
    assert shown() == ["name"]
    version = table.view["version"]
    hear(kind="room", width=700)
    assert table.view["version"] == version
    hear(kind="column", filled=table.view["filled"], at=2, shown=True)
    assert shown() == ["name", "id"]
    table.show_columns([1, 0])
    assert shown() == ["name", "id"]
    hear(kind="room", width=1_240)
    assert shown() == ["owner", "name", "id"]


def test_a_file_has_what_only_the_room_leaves_out_and_not_what_somebody_left_out(tmp_path: Path) -> None:
    table = DataTable(pd.DataFrame({"name": ["Ada"], "owner": ["Li"], "step": ["call"], "id": ["a"]}))
    table.spare = ("owner", "step", "id")

    def saved() -> str:
        table.to_csv(tmp_path / "saved.csv")
        return (tmp_path / "saved.csv").read_text(encoding="utf-8-sig").replace('"', "")

    table._hear(None, {"kind": "room", "width": 700}, [])
    assert names_of(table) == ["name"]
    assert saved() == "name,owner,step,id\nAda,Li,call,a\n"
    ask(table, "owner", shown=False)
    ask(table, "id", pinned=True)
    assert names_of(table) == ["name"]
    assert saved() == "id,name,step\na,Ada,call\n"
    with patch.object(table, "send") as send:
        table._hear(None, {"kind": "save", "as": "csv"}, [])
    assert send.call_args.kwargs["buffers"][0].decode("utf-8-sig").splitlines()[0] == '"id","name","step"'
    table.show_columns([0, 1])
    assert saved() == "name\nAda\n"


def test_where_there_is_room_for_none_what_is_offered_stays() -> None:
    table = DataTable(pd.DataFrame({"owner": ["Li"]}))
    table.spare = ("owner",)
    table._hear(None, {"kind": "room", "width": 700}, [])
    assert names_of(table) == ["owner"]


def test_values_are_called_otherwise_and_stay_as_they_are() -> None:
    df = pd.DataFrame({"kind": ["sync_event", "data_event", None, "data_event"], "n": [1, 2, 3, 4]})
    table = DataTable(df, values={"kind": value_words})
    assert [row[0] for row in table.page(0)["rows"]] == ["sync event", "data event", None, "data event"]
    assert [bar["label"] for bar in table.view["columns"][0]["bars"]] == ["data event", "sync event", "missing"]
    table.choose(0, [0])
    assert table.view["parts"] == [[0, "kind is data event"]]
    assert (table.filter, table.bars(0)[0]) == ({"kind": ["data_event"]}, "data_event")
    assert eval(table.code, {"df": df})["n"].tolist() == [2, 4]
    assert table.to_save["kind"].tolist() == ["data_event", "data_event"]
    assert "kind is data event" in table.as_html()
    assert "data_event" not in table.as_html()
    letters = DataTable(
        pd.DataFrame({"kind": [f"{chr(65 + n % 26)}{n}" for n in range(500)]}), values={"kind": value_words}
    )
    assert letters.view["columns"][0]["bars"][0]["label"] == "A"
