"""How a search is read if no object has all its words: "smith, j", "grade 9 lincoln", a typo."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import pyarrow.compute as pc

from kimono_explore.display import display_label
from kimono_explore.roster.text import fold, fold_all
from kimono_explore.schema import GRADE_COLUMNS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

FOLDED = "translate(lower(strip_accents(concat_ws(chr(10), {}))), 'øłđðı’', 'olddi''')"
"""Names without accents, in SQL: as `fold` does it, but for a few letters."""
_GRADE = re.compile(r"(?:\bgrade (?P<after>\S+)|\b(?P<before>\d{1,2})(?:st|nd|rd|th) grade)\b")
_KINDERGARTEN = {"k", "kg", "kindergarten", "0", "00"}
_SHORTEST_WORD = 4
_WORDS = """
select distinct {more} word from (select {more} unnest(string_split(translate({words}, chr(10), ' '), ' ')) as word
from {source}) where length(word) >= {shortest} and regexp_full_match(word, '[\\p{{L}}''-]+')
"""
_NEAREST = """
select word from {source} where abs(length(word) - length($word)) <= $most and word <> $word
and damerau_levenshtein(word, $word) <= $most
order by damerau_levenshtein(word, $word), -jaro_winkler_similarity(word, $word), word limit 1
"""


class Name(NamedTuple):
    """A last name, and how the first one begins: "smith, j"."""

    last: str
    first: str


class Place(NamedTuple):
    """A grade as it may be written, and words of the label of an org, if any: "grade 9 lincoln"."""

    grades: tuple[str, ...]
    org: tuple[str, ...]


def parse_search(text: str) -> Name | Place | None:
    """The name or place that a search describes; None if it is only words.

    Examples
    --------
    >>> parse_search("Smith, J")
    Name(last='smith', first='j')
    >>> parse_search("grade 9 Lincoln")
    Place(grades=('9', '09'), org=('lincoln',))
    """
    plain = fold(text)
    last, comma, first = (part.strip() for part in plain.partition(","))
    if comma and last:
        return Name(last, first)
    found = _GRADE.search(plain)
    if found is None:
        return None
    grade = found["after"] or found["before"]
    rest = f"{plain[: found.start()]} {plain[found.end() :]}"
    return Place(_spellings(grade), tuple(rest.split()))


def words_to_mark(text: str) -> list[str]:
    """The words of a search, as they stand in a folded text that it found.

    Examples
    --------
    >>> words_to_mark("Smith, José")
    ['smith', 'jose']
    """
    words = (word.strip(",") for word in fold(text).split())
    return list(dict.fromkeys(word for word in words if word))


def _spellings(grade: str) -> tuple[str, ...]:
    if grade in _KINDERGARTEN:
        return ("K", "KG", "0", "00")
    plain = grade.lstrip("0").upper()
    return (plain, plain.zfill(2)) if plain.isdigit() else (grade.upper(),)


def people_named(persons: pd.DataFrame, who: Name) -> NDArray[np.bool_]:
    """Which people have this last name (alone, or before a space or hyphen) and a first name that begins like this."""
    last, first = fold_all(persons["name_last"]), fold_all(persons["name_first"])
    begins = pc.match_substring_regex(last, f"^{re.escape(who.last)}($|[ -])")
    return pc.and_(begins, pc.starts_with(first, who.first)).to_numpy(zero_copy_only=False)


def orgs_named(orgs: pd.DataFrame, words: tuple[str, ...]) -> list[str]:
    """The ids of the orgs whose label has all the words."""
    labels = fold_all(display_label("orgs", orgs)).to_pylist()
    return [
        id
        for id, label in zip(orgs["id"].tolist(), labels, strict=True)
        if isinstance(id, str) and all(word in label for word in words)
    ]


def people_at(persons: pd.DataFrame, orgs: pd.DataFrame, links: pd.DataFrame, where: Place) -> NDArray[np.bool_]:
    """Which people are in the grade, by a column of theirs or a membership, and belong to an org of that name."""
    of_people = links[(links["relation"] == "member_of").to_numpy(dtype=bool)]
    ids = persons["id"]
    graded = of_people.loc[of_people["grade"].astype("str").str.upper().isin(where.grades), "source_id"]
    found = ids.isin(graded.dropna())
    for column in GRADE_COLUMNS:
        if column in persons:
            found |= persons[column].astype("str").str.strip().str.upper().isin(where.grades)
    if where.org:
        there = of_people.loc[of_people["target_id"].isin(orgs_named(orgs, where.org)), "source_id"]
        found &= ids.isin(there.dropna())
    return found.to_numpy(dtype=bool)


def words_query(words: str, source: str, more: str = "") -> str:
    """A query for the distinct words of letters in an SQL text of a source; ``more`` adds columns."""
    return _WORDS.format(words=words, source=source, shortest=_SHORTEST_WORD - 1, more=more)


def nearest_word_query(source: str) -> str:
    """A query for the word of a source nearest to ``$word``, with at most ``$most`` letters different."""
    return _NEAREST.format(source=source)


def typos_allowed(word: str) -> int:
    """How many letters of a word may be wrong: none in a short word, two in a long one, else one."""
    return 0 if len(word) < _SHORTEST_WORD else 1 if len(word) < _SHORTEST_WORD + 2 else 2
