"""All objects of a type as a list to look through: one row each, with what its links say of it in words and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kimono_explore.display import in_grade_order
from kimono_explore.roster.search import shown
from kimono_explore.schema import GRADE_COLUMNS, OBJECT_TYPES, TABLE_OF

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kimono_explore.quality import Report
    from kimono_explore.roster.roster import Roster

NOT_DELIVERED = "not delivered"
"""What stands for an object that a link names and no table holds."""
_KINDS = ("person_type", "org_type", "term_type")
_ONCE = ("type", "label", "detail")  # said by other columns on screen


class _Linked(NamedTuple):
    """A column made of links: the names of what is at their other end, or how many there are."""

    name: str
    relations: tuple[str, ...]
    far: str
    near_is_source: bool = True
    counted: bool = False


_COLUMNS: dict[str, tuple[str | _Linked, ...]] = {
    "person": (
        _Linked("school", ("member_of",), "org"),
        "grade",
        "sex",
        _Linked("sections", ("student_in", "teacher_in"), "section", counted=True),
        "local_id",
    ),
    "section": (
        _Linked("course", ("of_course",), "course"),
        _Linked("school", ("held_at",), "org"),
        _Linked("term", ("in_term",), "term"),
        _Linked("students", ("student_in",), "person", near_is_source=False, counted=True),
        _Linked("teachers", ("teacher_in",), "person", near_is_source=False),
        "local_id",
    ),
    "course": (
        _Linked("school", ("offered_by",), "org"),
        _Linked("sections", ("of_course",), "section", near_is_source=False, counted=True),
        "local_id",
    ),
    "org": (
        _Linked("part of", ("child_of",), "org"),
        _Linked("people", ("member_of",), "person", near_is_source=False, counted=True),
        _Linked("courses", ("offered_by",), "course", near_is_source=False, counted=True),
        _Linked("sections", ("held_at",), "section", near_is_source=False, counted=True),
        "local_id",
    ),
    "term": (
        _Linked("part of", ("child_of",), "term"),
        "start_date",
        "end_date",
        _Linked("sections", ("in_term",), "section", near_is_source=False, counted=True),
    ),
    "grading_category": (
        _Linked("section", ("graded_in",), "section"),
        _Linked("term", ("graded_for",), "term"),
        _Linked("school", ("graded_for",), "org"),
    ),
}
"""What is listed of each type between its name and its findings."""


def listing(roster: Roster, type: str, report: Report | None = None) -> pd.DataFrame:
    """All objects of a type, one row each, in the order of their table.

    Parameters
    ----------
    roster : Roster
    type : str
        ``"person"``, ``"section"``, ...
    report : Report, optional
        Of `check`: a last but one column, findings, then counts what was found about each; missing where nothing was.

    Returns
    -------
    pandas.DataFrame
        type, label, detail as `Roster.search` gives them; name (of people "Last, First"), kind (where the type has
        kinds), what the links say, local_id, findings, id. Names of several are between commas, "not delivered"
        stands for what no table holds; grade is there where somebody has one.

    Examples
    --------
    >>> people = listing(roster, "person")
    >>> len(people) == len(roster.persons)
    True
    """
    name = TABLE_OF[type]
    df = roster.tables[name].reset_index(drop=True)
    found = shown(name, df)
    columns: dict[str, pd.Series] = {column: found[column] for column in _ONCE}
    columns["name"] = _names(df, found["label"])
    kind = next((column for column in _KINDS if column in df), None)
    if kind is not None:
        columns["kind"] = df[kind].astype("str")
    near = _rows_of(roster, type, df["id"])
    for column in _COLUMNS[type]:
        if isinstance(column, _Linked):
            columns[column.name] = _linked(roster, type, near, column)
        elif column == "grade":
            grades = _grades(roster, near, df)
            columns |= {} if grades is None else {"grade": grades}
        else:
            columns[column] = found[column] if column in found else df[column]
    columns.setdefault("local_id", found["local_id"])
    if report is not None:
        columns["findings"] = _findings(report, type, roster, near)
    columns["id"] = found["id"]
    return pd.DataFrame(columns)


def on_screen(listed: pd.DataFrame) -> pd.DataFrame:
    """The columns of a listing that are shown. They keep their names, so that a filter copied as Python fits the listing."""
    left_out = [*_ONCE, *(["local_id"] if listed["local_id"].isna().all() else [])]
    return listed.drop(columns=left_out)


class _Rows(NamedTuple):
    """The objects of a table as `Roster.index` numbers them: of each row its code, -1 where it has no id."""

    codes: NDArray[np.int64]
    many: int

    def take(self, values: pa.Array, dtype: str) -> pd.Series:
        """What each code has, for each row; missing where the row has none."""
        rows = pa.array(self.codes, mask=self.codes < 0)
        return pd.Series(values.take(rows).to_pandas(), dtype=dtype)


def _rows_of(roster: Roster, type: str, ids: pd.Series) -> _Rows:
    codes = roster.index.codes(pd.Series([type], dtype="str").repeat(len(ids)), ids).astype(np.int64)
    return _Rows(codes, roster.index.size)


def _names(df: pd.DataFrame, label: pd.Series) -> pd.Series:
    """The label, of people who have both names "Last, First"; the id where there is none."""
    plain = label.fillna(df["id"])
    if "name_last" not in df:
        return plain
    last, first = df["name_last"].str.strip().replace("", None), df["name_first"].str.strip().replace("", None)
    return (last + ", " + first).fillna(plain)


def _linked(roster: Roster, type: str, near: _Rows, column: _Linked) -> pd.Series:
    own, far = _ends(roster, type, column)
    # Each two objects once, however many links join them: 64 bits hold both codes.
    pairs = _distinct(own * near.many + far)
    own, far = np.divmod(pairs, max(1, near.many))
    if column.counted:
        counts = pa.array(np.bincount(own, minlength=near.many))
        return near.take(counts, "Int64").fillna(0).astype("int64")
    index = roster.index
    codes, places = np.unique(far, return_inverse=True)
    labels = pa.array(index.labels(codes), pa.string(), mask=index.missing(codes))
    return near.take(_joined(own, labels.take(pa.array(places)), near.many, NOT_DELIVERED), "str")


def _ends(roster: Roster, type: str, column: _Linked) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The codes of the near and the far ends of links; those that lack either are left out."""
    links, index = roster.links, roster.index
    here = links["relation"].isin(column.relations).to_numpy(dtype=bool)
    ends = ("source", index.source, "target", index.target)
    one, own, other, far = ends if column.near_is_source else (*ends[2:], *ends[:2])
    here = here & (links[f"{one}_type"] == type).to_numpy(dtype=bool)
    here &= (links[f"{other}_type"] == column.far).to_numpy(dtype=bool)
    here &= (own >= 0) & (far >= 0)
    return own[here].astype(np.int64), far[here].astype(np.int64)


def _distinct(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    ordered = np.sort(numbers)
    return ordered[np.diff(ordered, prepend=-1) > 0]


def _joined(own: NDArray[np.int64], texts: pa.StringArray, many: int, instead: str | None = None) -> pa.Array:
    """For each code its different texts in order, between commas; ``instead`` of what is missing, last."""
    words = pc.unique(texts.drop_null())
    words = words.take(pc.sort_indices(words))
    place = pc.fill_null(pc.index_in(texts, value_set=words, skip_nulls=True), len(words)).to_numpy(
        zero_copy_only=False
    )
    pairs = _distinct(own * (len(words) + 1) + place)
    own, place = np.divmod(pairs, len(words) + 1)
    words = pa.concat_arrays([words, pa.array([instead], pa.string())])
    ends = np.concatenate([[0], np.cumsum(np.bincount(own, minlength=many))])
    lists = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), words.take(pa.array(place)))
    return pc.if_else(pa.array(np.diff(ends) > 0), pc.binary_join(lists, ", "), None)


def _grades(roster: Roster, near: _Rows, df: pd.DataFrame) -> pd.Series | None:
    """The grade of each person, from their own columns or their memberships, in the order of grades; None: nobody's."""
    said = pd.Series(None, index=df.index, dtype="str")
    for column in GRADE_COLUMNS:
        if column in df:
            said = said.fillna(df[column].astype("str").str.strip().replace("", None))
    links, own = roster.links, roster.index.source
    if said.isna().any():
        graded = links["grade"].notna().to_numpy(dtype=bool) & (own >= 0)
        graded &= (links["source_type"] == "person").to_numpy(dtype=bool)
        texts = pa.array(links["grade"][graded].astype("str"), pa.string(), from_pandas=True)
        said = said.fillna(near.take(_joined(own[graded].astype(np.int64), texts, near.many), "str"))
    there = said.dropna().unique().tolist()
    return pd.Series(pd.Categorical(said, in_grade_order(there), ordered=True)) if there else None


def _findings(report: Report, type: str, roster: Roster, near: _Rows) -> pd.Series:
    """How many findings each object has; missing where it has none."""
    findings = report.findings
    mine = findings.loc[(findings["table"] == TABLE_OF[type]).to_numpy(dtype=bool), "id"]
    own = _rows_of(roster, type, mine).codes
    counts = np.bincount(own[own >= 0], minlength=near.many)
    return near.take(pa.array(counts, mask=counts == 0), "Int64")


def object_types(counts: dict[str, int]) -> list[str]:
    """The types of which there is an object, people first: what is listed first."""
    there = [OBJECT_TYPES[name] for name, rows in counts.items() if rows]
    return sorted(there, key=lambda kind: kind != "person")
