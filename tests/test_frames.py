"""Tables with the dtypes that the library promises, from lists, Arrow and pandas."""

import datetime as dt

import pandas as pd
import pyarrow as pa
import pytest

from kimono_explore.frames import frame, put_together, to_arrow, to_pandas, to_series
from kimono_explore.schema import LINK_COLUMNS, TABLES


def dtypes(df: pd.DataFrame, *names: str) -> list[str]:
    return [str(df[name].dtype) for name in names]


def test_an_empty_table_has_its_columns_in_order() -> None:
    for name, columns in TABLES.items():
        df = frame(name)
        assert df.columns.tolist() == [column.name for column in columns]
        assert len(df) == 0
    assert frame("links").columns.tolist() == [column.name for column in LINK_COLUMNS]
    assert frame("problems").columns.tolist() == ["table", "id", "column", "value", "problem"]
    assert frame("something else").columns.tolist() == []


def test_each_kind_has_its_dtype() -> None:
    persons = frame(
        "persons", {"id": ["p"], "dob": [dt.date(2012, 5, 1)], "aup": [True], "created_at": ["2026-08-17T12:00:00Z"]}
    )
    assert dtypes(persons, "id", "dob", "aup", "created_at", "email") == [
        "str",
        "datetime64[us]",
        "boolean",
        "datetime64[us, UTC]",
        "str",
    ]
    assert persons.iloc[0][["id", "dob", "aup"]].tolist() == ["p", pd.Timestamp("2012-05-01"), True]
    assert persons["created_at"][0] == pd.Timestamp("2026-08-17T12:00:00Z")
    assert persons[["email", "name_last"]].isna().to_numpy().all()


def test_extra_columns_follow_sorted_and_keep_their_types() -> None:
    extras = {
        "z": [1, None],
        "b": ["x", None],
        "a": [None, None],
        "c": [1.5, None],
        "d": [True, None],
        "id": ["1", "2"],
    }
    df = frame("terms", extras)
    assert df.columns[-5:].tolist() == ["a", "b", "c", "d", "z"]
    assert dtypes(df, "a", "b", "c", "d", "z") == ["str", "str", "Float64", "boolean", "Int64"]
    assert df["z"].tolist() == [1, pd.NA]
    assert df["c"][0] == 1.5
    assert df.index.equals(pd.RangeIndex(2))


def test_categories_of_links_are_fixed_or_sorted() -> None:
    df = frame(
        "links", {"relation": ["in_term", "child_of"], "status": ["Ended", None], "stated_by": ["both", "source"]}
    )
    assert df["relation"].cat.categories.tolist()[:2] == ["child_of", "offered_by"]
    assert df["relation"].tolist() == ["in_term", "child_of"]
    assert df["status"].cat.categories.tolist() == ["Ended"]
    assert df["status"].cat.codes.tolist() == [0, -1]
    assert df["stated_by"].cat.categories.tolist() == ["source", "target", "both"]
    assert df["grade"].cat.categories.tolist() == []
    several = to_series("links", "grade", pa.chunked_array([["b", "a"], [None, "b"]]))
    assert several.cat.categories.tolist() == ["a", "b"]
    assert several.astype("object").fillna("-").tolist() == ["b", "a", "-", "b"]
    assert to_series("links", "relation", pa.array(["unknown"])).isna().tolist() == [True]


def test_a_table_goes_to_arrow_and_back() -> None:
    start = {"id": ["a", None], "start_date": [dt.date(2026, 8, 17), None], "ext_weeks": [36, 18]}
    df = frame("terms", start)
    table = to_arrow("terms", df)
    assert [table.schema.field(name).type for name in ("id", "start_date", "created_at", "ext_weeks")] == [
        pa.string(),
        pa.date32(),
        pa.timestamp("us", "UTC"),
        pa.int64(),
    ]
    pd.testing.assert_frame_equal(to_pandas("terms", table), df)
    links = frame("links", {"relation": ["in_term"], "primary": [None]})
    assert to_arrow("links", links).schema.field("relation").type == pa.string()
    pd.testing.assert_frame_equal(to_pandas("links", to_arrow("links", links)), links)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (pa.array(["a"]), "str"),
        (pa.array(["a"], pa.large_string()), "str"),
        (pa.array([True]), "boolean"),
        (pa.array([dt.date(2026, 8, 17)]), "datetime64[us]"),
        (pa.array([7], pa.int32()), "Int64"),
        (pa.array([0.5]), "Float64"),
        (pa.chunked_array([["a"], ["b"]]), "str"),
        (pa.array([None]), "str"),
    ],
)
def test_undeclared_columns_keep_their_kind(values: pa.Array, dtype: str) -> None:
    series = to_series("terms", "new", values)
    assert (str(series.dtype), len(series)) == (dtype, len(values))


def test_columns_are_put_together_in_their_order() -> None:
    columns = {"z": pd.Series(["1"]), "name": pd.Series(["2"]), "a": pd.Series(["3"]), "id": pd.Series(["4"])}
    assert put_together("orgs", columns).columns.tolist() == ["id", "name", "z", "a"]
    assert len(put_together("orgs", {})) == 0


def test_texts_stand_for_dates_and_times() -> None:
    df = frame(
        "terms",
        {"start_date": pd.Series(["2026-08-17", None], dtype="str"), "end_date": pa.array(["2027-06-04", None])},
    )
    assert df["start_date"].tolist() == [pd.Timestamp("2026-08-17"), pd.NaT]
    assert df["end_date"][0] == pd.Timestamp("2027-06-04")
    with pytest.raises(pa.ArrowInvalid):
        frame("terms", {"start_date": ["soon"]})
