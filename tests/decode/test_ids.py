"""Codes of objects: each distinct (type, id) has one, table rows first, then unknown ids in order."""

import numpy as np
import pandas as pd

from kimono_explore.decode.ids import IdIndex
from kimono_explore.schema import OBJECT_TYPES

TEXT = "str"


def index(**ids: list[str | None]) -> IdIndex:
    return IdIndex({t: pd.Series(ids.get(t, []), dtype=TEXT) for t in OBJECT_TYPES.values()})


def texts(*values: str | None) -> pd.Series:
    return pd.Series(list(values), dtype=TEXT)


def test_codes_go_on_from_table_to_table() -> None:
    found = index(org=["o1", "o2"], person=["p1", "p2", "p3"], term=["t1"])
    assert found.size == 6
    types = texts("person", "org", "term", "person")
    assert found.codes(types, texts("p2", "o1", "t1", "p3")).tolist() == [3, 0, 5, 4]
    assert found.ids([5, 0, 3]).tolist() == ["t1", "o1", "p2"]
    assert found.texts([5, 0, 3]).to_pylist() == ["t1", "o1", "p2"]
    assert found.type_of([0, 1, 2, 4, 5]).tolist() == ["org", "org", "person", "person", "term"]
    assert found.kinds([0, 1, 2, 4, 5]).tolist() == [0, 0, 1, 1, 4]
    assert found.kinds([0]).dtype == np.int8


def test_the_last_table_counts() -> None:
    found = index(org=["o1"], grading_category=["g1", "g2"])
    assert found.size == 3
    assert found.codes(texts("grading_category"), texts("g2")).tolist() == [2]


def test_what_no_table_holds_has_no_code() -> None:
    found = index(org=["o1"], person=["o2"])
    assert found.codes(texts("org", "org", "org", "planet"), texts("o2", None, "o1", "o1")).tolist() == [-1, -1, 0, -1]


def test_a_repeated_id_has_one_code_and_a_missing_one_has_none() -> None:
    found = index(person=["a", None, "b", "a"])
    assert found.size == 2
    assert found.codes(texts("person", "person"), texts("b", "a")).tolist() == [1, 0]


def test_unknown_ids_get_codes_behind_those_of_their_table_sorted_and_once() -> None:
    found = index(org=["o1"], person=["z"])
    ends = found.add_unknown(
        (texts("org", "person", "org", "org", "planet"), texts("o9", "a", "o1", "o5", "x")),
        (texts("org", "person"), texts("o5", None)),
    )
    assert [codes.tolist() for codes in ends] == [[2, 4, 0, 1, -1], [1, -1]]
    assert found.size == 5
    assert found.ids(range(5)).tolist() == ["o1", "o5", "o9", "z", "a"]
    assert found.missing(range(5)).tolist() == [False, True, True, False, True]
    assert found.codes(texts("person", "org"), texts("z", "o9")).tolist() == [3, 2]


def test_an_id_is_looked_up_in_every_type() -> None:
    found = index(org=["b", "a"], person=["c", "a"], section=["d"])
    assert found.lookup("a") == [1, 3]
    assert found.lookup("b") == [0]
    assert found.lookup("d") == [4]
    assert found.lookup("A") == []
    assert found.lookup("zz") == []
    found.add_unknown((texts("section"), texts("c")))
    assert found.lookup("c") == [2, 5]


def test_no_codes_are_none() -> None:
    found = index()
    assert found.size == 0
    assert found.lookup("a") == []
    assert found.ids([]).tolist() == []
    assert found.codes(texts(), texts()).tolist() == []
