"""Words looked up in names, titles, addresses and ids."""

import numpy as np
import pandas as pd
import pytest
from builders import course, make, school, section, student, teacher

from kimono_explore.frames import frame
from kimono_explore.roster.search import SearchIndex, rank_results, shown


def rows(*items: object, words: list[str]) -> dict[str, list[int]]:
    index = SearchIndex(make(*items).tables)  # type: ignore[arg-type]
    return {name: found.tolist() for name, found in index.rows(words).items() if len(found)}


PEOPLE = (
    student("a1", name_first="Ana", name_last="Núñez", email="ana@example.org", label="Ana Núñez"),
    student("b2", name_first="Ben", name_last="Ano", local_id="0042", state_id="S-7"),
    teacher("c3", label="Mr. Banana"),
    course("d4", title="Banach"),
    section("anaconda", title=None),
)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["ana"], {"persons": [0, 2], "courses": [0], "sections": [0]}),
        (["nunez"], {"persons": [0]}),
        (["ban"], {"persons": [2], "courses": [0]}),
        (["ana", "example"], {"persons": [0]}),
        (["ana", "ben"], {}),
        (["0042"], {"persons": [1]}),
        (["s-7"], {"persons": [1]}),
        (["d4"], {"courses": [0]}),
        (["anaconda"], {"sections": [0]}),
        (["mr."], {"persons": [2]}),
        (["zz"], {}),
        ([], {}),
    ],
)
def test_every_word_must_occur_somewhere(words: list[str], found: dict[str, list[int]]) -> None:
    assert rows(*PEOPLE, words=words) == found


def test_ids_are_compared_without_case_and_accents() -> None:
    assert rows(student("ABC-É9", name_first=None, name_last=None), words=["abc-e9"]) == {"persons": [0]}
    assert rows(student("xyz", name_first=None, name_last=None), words=["yz"]) == {"persons": [0]}


def test_a_text_of_one_letter_is_found() -> None:
    assert rows(student("x", name_first=None, name_last=None, local_id="7"), words=["7"]) == {"persons": [0]}


def test_the_rows_of_a_long_table_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kimono_explore.roster.search._AT_A_TIME", 2)
    people = [student(f"p{n}", name_first="Odd" if n % 2 else "Even") for n in range(5)]
    assert rows(*people, words=["odd"]) == {"persons": [1, 3]}
    assert rows(*people, words=["p4"]) == {"persons": [4]}


def test_what_is_shown_of_an_object() -> None:
    made = make(*PEOPLE, school("s", local_id="9"))
    assert shown("persons", made.persons).fillna("-").to_numpy().tolist() == [
        ["person", "a1", "Ana Núñez", "-", "ana@example.org"],
        ["person", "b2", "Ben Ano", "0042", "student"],
        ["person", "c3", "Mr. Banana", "-", "teacher"],
    ]
    assert shown("orgs", made.orgs).to_numpy().tolist() == [["org", "s", "s", "9", "school"]]
    assert shown("courses", made.courses).fillna("-").to_numpy().tolist() == [["course", "d4", "Banach", "-", "-"]]
    assert shown("orgs", made.orgs).columns.tolist() == ["type", "id", "label", "local_id", "detail"]


def part(*labels: str | None) -> pd.DataFrame:
    df = shown("orgs", frame("orgs", {"id": [str(n) for n in range(len(labels))]}))
    return df.assign(label=pd.Series(list(labels), dtype="str"))


def test_labels_that_begin_with_the_words_come_first() -> None:
    found = rank_results([part("Old Ana", "Ana B", None), part("Anastasia", "Ana")], ["ana"], 3)
    assert found["label"].tolist() == ["Ana B", "Anastasia", "Ana"]
    assert found.attrs["found"] == 5
    assert found.columns.tolist() == ["type", "id", "label", "local_id", "detail"]
    assert found.index.tolist() == [0, 1, 2]
    both = rank_results([part("B ana b", "ÁNA  b", "ana bc")], ["ana", "b"], 9)
    assert both["label"].tolist() == ["ÁNA  b", "ana bc", "B ana b"]


def test_nothing_found_is_an_empty_table() -> None:
    found = rank_results([], ["ana"], 3)
    assert (len(found), found.attrs["found"]) == (0, 0)
    assert found.columns.tolist() == ["type", "id", "label", "local_id", "detail"]
    assert np.array_equal(found.index, [])


def test_one_table_alone_can_be_searched() -> None:
    index = SearchIndex({"orgs": make(school(), school("other", name="Oak"), school("third", name="Oakley")).orgs})
    assert {name: rows.tolist() for name, rows in index.rows(["oak"]).items()} == {"orgs": [1, 2]}
