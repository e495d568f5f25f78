"""Which edits would clear findings: one function a kind of edit, each with the evidence that it asks for.

A rule proposes something only where the roster itself says what is right, such as the other sections of a course that
are all in one term. Everything else is for people to find out.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import pandas as pd

from kimono_explore.display import FIELD_WORDS, cell_text, display_label, plural
from kimono_explore.quality.checks.values import SPACE, UNSEEN
from kimono_explore.schema import OBJECT_TYPES, TABLE_OF, TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from kimono_explore.roster.roster import Roster

_SHARE = 0.9
"""Evidence is what this share of those alike says."""
_ALIKE = 3
"""Of fewer, nothing follows."""


_STANDS_FOR = {
    "child_of": "parent",
    "offered_by": "school",
    "of_course": "course",
    "held_at": "school",
    "in_term": "term",
    "member_of": "school",
    "student_in": "section",
    "teacher_in": "section",
    "graded_in": "section",
    "graded_for": "term or school",
}
"""What the target of a relation is to its source."""
_LISTED_AS = {"student_in": "student", "teacher_in": "teacher", "member_of": "member", "child_of": "child"}
"""What the source of a relation is to its target."""


class Edit(NamedTuple):
    """One edit in the source system.

    Attributes
    ----------
    kind : {"change", "remove", "add"}
    table, id : str
        The object of which a person speaks.
    text, why : str
        What to do, and what says so.
    place : str
        The table whose rows are edited: one of the six, or ``"links"``.
    rows : tuple of int
        Their positions; empty for something new.
    cells : mapping
        The new values of the rows' cells, or of the new row; for a link the row that it is like is among ``rows``.
    checks : tuple of str
        The checks of which findings led to it.
    touched : frozenset of str
        The ids of the objects that it concerns.
    """

    kind: str
    table: str
    id: str
    text: str
    why: str
    place: str
    rows: tuple[int, ...]
    cells: Mapping[str, object]
    checks: tuple[str, ...]
    touched: frozenset[str]


class Evidence:
    """A roster and what fails in it, as the rules ask for it.

    Parameters
    ----------
    roster : Roster
    failures : mapping of str to pandas.DataFrame
        For each check that failed, its failing rows.
    """

    def __init__(self, roster: Roster, failures: Mapping[str, pd.DataFrame]) -> None:
        self.roster, self.links, self._failures = roster, roster.links, failures
        self._ends: dict[tuple[str, str], dict[Hashable, np.ndarray]] = {}

    def failing(self, *checks: str) -> Iterator[tuple[str, pd.Series]]:
        """The failing rows of some checks, each with its check; of an id that stands once in its table."""
        for check in checks:
            for _, row in self._failures.get(check, pd.DataFrame()).iterrows():
                if isinstance(row["id"], str):
                    yield check, row

    @cached_property
    def ids(self) -> dict[str, frozenset[str]]:
        """The ids of each type of object."""
        return {type: frozenset(self.roster.tables[name]["id"].dropna()) for name, type in OBJECT_TYPES.items()}

    def at(self, relation: str, side: str, id: str) -> np.ndarray:
        """The positions in ``links`` of a relation's links that have an id on one side."""
        key = relation, side
        if key not in self._ends:
            rows = np.flatnonzero((self.links["relation"] == relation).to_numpy())
            ids = self.links[f"{side}_id"].iloc[rows]
            self._ends[key] = {id: rows[np.asarray(places)] for id, places in ids.groupby(ids).indices.items()}
        return self._ends[key].get(id, np.array([], dtype=np.int64))

    def like(self, relation: str, target: str) -> int:
        """The position of a link that another one to the target would be like."""
        here = self.at(relation, "target", target)
        here = here if len(here) else np.flatnonzero((self.links["relation"] == relation).to_numpy())
        stated = self.links["stated_by"].iloc[here]
        return int(here[(stated == stated.mode().iloc[0]).to_numpy()][0])

    def far(self, relation: str, side: str, id: str) -> list[str]:
        """The ids on the other side of an object's links, as far as they were delivered, without repeats."""
        other = "target" if side == "source" else "source"
        links = self.links.iloc[self.at(relation, side, id)]
        known = [
            far for type, far in zip(links[f"{other}_type"], links[f"{other}_id"], strict=True) if far in self.ids[type]
        ]
        return list(dict.fromkeys(known))

    def name(self, table: str, id: str) -> str:
        """An object as a person calls it."""
        label = self._names[table].get(id)
        return label if isinstance(label, str) else id

    @cached_property
    def _names(self) -> dict[str, dict[Hashable, object]]:
        return {
            name: dict(zip(df["id"], display_label(name, df), strict=True)) for name, df in self.roster.tables.items()
        }

    def row_of(self, table: str, id: str) -> int | None:
        """The row of an id, if there is exactly one."""
        rows = self._rows[table].get(id)
        return int(rows[0]) if rows is not None and len(rows) == 1 else None

    @cached_property
    def _rows(self) -> dict[str, dict[Hashable, np.ndarray]]:
        tables = self.roster.tables.items()
        return {
            name: {id: np.asarray(rows) for id, rows in df["id"].groupby(df["id"]).indices.items()}
            for name, df in tables
        }

    def person_type(self, id: str) -> str | None:
        row = self.row_of("persons", id)
        return None if row is None else self.roster.persons["person_type"].iloc[row]


def find_edits(evidence: Evidence) -> list[Edit]:
    """What the rules propose; of edits of one row, the first."""
    edits: list[Edit] = []
    taken: set[tuple[str, int]] = set()
    for rule in _RULES:
        for edit in rule(evidence):
            rows = set() if edit.kind == "add" else {(edit.place, row) for row in edit.rows}
            if not rows & taken:
                taken |= rows
                edits.append(edit)
    return edits


# Cells


def _trim(evidence: Evidence) -> Iterator[Edit]:
    for check, row in evidence.failing("untrimmed_text"):
        yield from _rewritten(evidence, check, row, _trimmed, "without the spaces around it and unseen characters")


def _decode(evidence: Evidence) -> Iterator[Edit]:
    for check, row in evidence.failing("broken_encoding"):
        yield from _rewritten(evidence, check, row, _decoded, "read as UTF-8, which it is")


def _trimmed(text: str) -> str:
    return re.sub(f"^{SPACE}+|{SPACE}+$", "", re.sub(UNSEEN, lambda found: "" if found[0] > " " else " ", text))


def _decoded(text: str) -> str:
    for encoding in ("cp1252", "latin-1"):
        try:
            return text.encode(encoding).decode()
        except UnicodeError:
            continue
    return text


def _rewritten(
    evidence: Evidence, check: str, row: pd.Series, rewrite: Callable[[str], str], how: str
) -> Iterator[Edit]:
    table, id = row["table"], row["id"]
    place = evidence.row_of(table, id) if table in TABLES else None
    if place is None:
        return
    df = evidence.roster.tables[table]
    names = [name for name in df.columns if name not in ("id", "description") and isinstance(df[name].iloc[place], str)]
    cells = {name: rewrite(old) for name in names if rewrite(old := df[name].iloc[place]) != old}
    shown = [name for name in cells if name != "label"] or list(cells)
    if cells:
        text = f"Write the {_listed(_in_words(name) for name in shown)} of {_trimmed(evidence.name(table, id))} {how}"
        why = "; ".join(f"{_in_words(name)}: {cells[name]}" for name in shown)
        yield Edit("change", table, id, text, why, table, (place,), cells, (check,), frozenset({id}))


def _school_year(evidence: Evidence) -> Iterator[Edit]:
    for check, row in evidence.failing("school_year_outlier"):
        place = evidence.row_of(row["table"], row["id"])
        if place is not None:
            text = f"Set the school year of {evidence.name(row['table'], row['id'])} to {row['usual']}"
            why = f"It is {row['school_year']}, and {row['usual']} is that of nearly all others."
            cells = {"school_year": row["usual"]}
            yield Edit(
                "change", row["table"], row["id"], text, why, row["table"], (place,), cells, (check,), frozenset({row["id"]})
            )  # fmt: skip


# What was not delivered


def _not_delivered(evidence: Evidence) -> Iterator[Edit]:
    checks = [f"orphan_{relation}" for relation in evidence.links["relation"].cat.categories]
    gone: dict[tuple[str, str], list[tuple[str, pd.Series]]] = {}
    for check, row in evidence.failing(*checks):
        gone.setdefault((row["missing_type"], row["missing_id"]), []).append((check, row))
    for (type, missing), findings in gone.items():
        near = _near_miss(evidence, type, missing)
        alone = len(findings) == 1 and near is None
        edits = list(_of_one(evidence, *findings[0], missing)) if alone else []
        yield from edits or _of_all(evidence, type, missing, findings, near)


def _of_all(
    evidence: Evidence, type: str, missing: str, findings: Sequence[tuple[str, pd.Series]], near: str | None
) -> Iterator[Edit]:
    """Deliver the object; or, where its id is another's but for case, zeros or signs, write that one's id."""
    touched = frozenset({row["id"] for _, row in findings})
    checks = tuple(dict.fromkeys(check for check, _ in findings))
    table, noun = TABLE_OF[type], type.replace("_", " ")
    if near is None:
        text = f"Deliver {noun} {missing}"
        count = len(findings)
        why = f"{plural(count, 'link')} of {plural(len(touched), 'object')} {'leads' if count == 1 else 'lead'} to it."
        yield Edit("add", table, missing, text, why, table, (), {"id": missing}, checks, touched)
        return
    text = f"Refer to {evidence.name(table, near)} as {near!r}, not as {missing!r}"
    why = f"No {noun} has the id {missing!r}; {near!r} differs in case, leading zeros, spaces or punctuation only."
    for side in ("source", "target"):
        rows = [at for name in {row["relation"] for _, row in findings} for at in evidence.at(name, side, missing)]
        if rows:
            cells = {f"{side}_id": near}
            yield Edit("change", table, near, text, why, "links", tuple(map(int, rows)), cells, checks, touched)


def _of_one(evidence: Evidence, check: str, row: pd.Series, missing: str) -> Iterator[Edit]:
    """The only link to what was not delivered: let it lead to what the roster says, or take it away if there is another."""
    relation, id, table = row["relation"], row["id"], row["table"]
    places = [*evidence.at(relation, "target", missing), *evidence.at(relation, "source", missing)]
    side = "source" if (evidence.links["source_id"].iloc[places] == id).any() else "target"
    others = evidence.far(relation, side, id)
    if others:
        type = row["missing_type"].replace("_", " ")
        text = f"Take the {type} {missing} off {evidence.name(table, id)}"
        why = f"It was not delivered, nothing else names it, and there {_another(relation, side, others)}."
        yield Edit("remove", table, id, text, why, "links", tuple(map(int, places)), {}, (check,), frozenset({id}))
    elif relation in ("in_term", "of_course", "held_at") and side == "source":
        for target, why in _what_a_section_has(evidence, relation, id):
            text = _assigned(evidence, relation, id, target)
            checks = (check, f"section_without_{relation.rpartition('_')[2]}")
            cells = {
                "target_id": target,
                "stated_by": evidence.links["stated_by"].iloc[evidence.like(relation, target)],
            }
            yield Edit(
                "change", table, id, text, why, "links", tuple(map(int, places)), cells, checks, frozenset({id})
            )  # fmt: skip


def _another(relation: str, side: str, others: Sequence[str]) -> str:
    noun = _STANDS_FOR[relation] if side == "source" else _LISTED_AS.get(relation, "object")
    return f"is another {noun}" if len(others) == 1 else f"are {plural(len(others), f'other {noun}')}"


def _near_miss(evidence: Evidence, type: str, missing: str) -> str | None:
    folded = evidence.__dict__.setdefault("_folded", {})
    if type not in folded:
        known: dict[str, list[str]] = {}
        for id in evidence.ids[type]:
            known.setdefault(_fold(id), []).append(id)
        folded[type] = known
    near = folded[type].get(_fold(missing), []) if _fold(missing) else []
    return near[0] if len(near) == 1 else None


def _fold(id: str) -> str:
    return re.sub(r"[\W_]+", "", id.casefold()).lstrip("0")


# Sections that lack something


def _lacking(evidence: Evidence) -> Iterator[Edit]:
    for relation, check in (
        ("in_term", "section_without_term"),
        ("of_course", "section_without_course"),
        ("held_at", "section_without_org"),
    ):
        for _, row in evidence.failing(check):
            if len(evidence.at(relation, "source", row["id"])):
                continue  # it names something that was not delivered
            for target, why in _what_a_section_has(evidence, relation, row["id"]):
                like = evidence.like(relation, target)
                cells = {"source_id": row["id"], "target_id": target}
                text = _assigned(evidence, relation, row["id"], target)
                yield Edit(
                    "add", "sections", row["id"], text, why, "links", (like,), cells, (check,),
                    frozenset({row["id"], target}),
                )  # fmt: skip


def _assigned(evidence: Evidence, relation: str, section: str, target: str) -> str:
    table = {"in_term": "terms", "of_course": "courses", "held_at": "orgs"}[relation]
    return f"Set the {_STANDS_FOR[relation]} of {evidence.name('sections', section)} to {evidence.name(table, target)}"


def _what_a_section_has(evidence: Evidence, relation: str, section: str) -> Iterator[tuple[str, str]]:
    """The term, course or school that everything says a section has, and what says so."""
    if relation == "of_course":
        yield from _course_of(evidence, section)
        return
    if relation == "in_term":
        courses = evidence.far("of_course", "source", section)
        alike = [id for course in courses for id in evidence.far("of_course", "target", course) if id != section]
        said = [tuple(evidence.far("in_term", "source", id)) for id in alike]
        why = "all {n} other sections of its course are in it"
    else:
        people = [p for seat in ("teacher_in", "student_in") for p in evidence.far(seat, "target", section)]
        said = [tuple(evidence.far("member_of", "source", person)) for person in people]
        why = "all {n} of its people are there"
    if len(said) >= _ALIKE and len(set(said)) == 1 and len(said[0]) == 1:
        yield said[0][0], why.format(n=len(said)).capitalize() + "."


def _course_of(evidence: Evidence, section: str) -> Iterator[tuple[str, str]]:
    """The only course of the school by whose title the section's begins."""
    title = evidence.name("sections", section).casefold()
    offered = [
        course
        for school in evidence.far("held_at", "source", section)
        for course in evidence.far("offered_by", "target", school)
        if title.startswith(evidence.name("courses", course).casefold())
    ]
    longest = max((len(evidence.name("courses", course)) for course in offered), default=0)
    best = {course for course in offered if len(evidence.name("courses", course)) == longest}
    if len(best) == 1 and longest >= _ALIKE:
        yield best.pop(), "It is the course of its school by whose title the section's begins."


def _parent(evidence: Evidence) -> Iterator[Edit]:
    orgs = evidence.roster.orgs
    schools = orgs.loc[orgs["org_type"] == "school", "id"].dropna()
    parents = [parent for school in schools for parent in evidence.far("child_of", "source", school)]
    if len(parents) < _ALIKE or len(set(parents)) > 1:
        return
    like = evidence.like("child_of", parents[0])
    for check, row in evidence.failing("school_without_parent"):
        if len(evidence.at("child_of", "source", row["id"])):
            continue
        text = f"Put {evidence.name('orgs', row['id'])} under {evidence.name('orgs', parents[0])}"
        why = f"All {len(parents)} other schools are."
        yield Edit(
            "add", "orgs", row["id"], text, why, "links", (like,), {"source_id": row["id"]}, (check,),
            frozenset({row["id"], parents[0]}),
        )  # fmt: skip


# Links


def _state_both(evidence: Evidence) -> Iterator[Edit]:
    for check, row in evidence.failing("one_sided_membership", "parent_child_mismatch"):
        member = check == "one_sided_membership"
        relation, far = (row["relation"], row["target_id"]) if member else ("child_of", row["parent_id"])
        places = [
            int(at)
            for at in evidence.at(relation, "source", row["id"])
            if evidence.links["target_id"].iloc[at] == far and evidence.links["stated_by"].iloc[at] != "both"
        ]
        table = TABLE_OF[row["target_type"]] if member else row["table"]
        one, other = evidence.name(row["table"], row["id"]), evidence.name(table, far)
        says, lacks = (one, other) if row["stated_by"] == "source" else (other, one)
        if places:
            text = f"List {says} on the record of {lacks}, too"
            why = f"Only the record of {says} names {lacks}, though both sides are sent."
            touched = frozenset({row["id"], far})
            yield Edit(
                "change", row["table"], row["id"], text, why, "links", tuple(places), {"stated_by": "both"}, (check,), touched
            )  # fmt: skip


def _once(evidence: Evidence) -> Iterator[Edit]:
    for check, row in evidence.failing("duplicate_membership"):
        at = [
            int(at)
            for at in evidence.at(row["relation"], "source", row["id"])
            if evidence.links["target_id"].iloc[at] == row["target_id"]
        ]
        mine = evidence.links.iloc[at]
        order = mine.assign(at=at).sort_values(
            ["start_date", "end_date", "at"], ascending=[True, False, True], na_position="first"
        )
        place = evidence.name(TABLE_OF[row["target_type"]], row["target_id"])
        text = f"Keep one of the {len(at)} memberships of {evidence.name('persons', row['id'])} in {place}"
        yield Edit(
            "remove", "persons", row["id"], text, "They overlap; the longest stays.", "links",
            tuple(order["at"].tolist()[1:]), {}, (check,), frozenset({row["id"], row["target_id"]}),
        )  # fmt: skip


def _one_role(evidence: Evidence) -> Iterator[Edit]:
    for check, row in evidence.failing("student_and_teacher_of_section"):
        kind = evidence.person_type(row["id"])
        if kind not in ("student", "teacher", "staff"):
            continue
        relation = "teacher_in" if kind == "student" else "student_in"
        role = relation.removesuffix("_in")
        name, section = evidence.name("persons", row["id"]), evidence.name("sections", row["section_id"])
        yield _taken_away(
            evidence, relation, row["id"], row["section_id"], (check, "teacher_as_student", "student_as_teacher"),
            f"Take {name} off the {role}s of {section}", f"{name} is a {kind.replace('staff', 'member of staff')}.",
        )  # fmt: skip


def _wrong_type(evidence: Evidence) -> Iterator[Edit]:
    for check, row in evidence.failing("wrong_target_type"):
        relation, table = row["relation"], row["table"]
        others = [id for id in evidence.far(relation, "source", row["id"]) if id != row["target_id"]]
        if others:
            wanted, what = _STANDS_FOR[relation], evidence.name(TABLE_OF[row["target_type"]], row["target_id"])
            text = f"Take the {row['target_type']} {what} off the {wanted} of {evidence.name(table, row['id'])}"
            why = f"It is not a {wanted}, and there {_another(relation, 'source', others)}."
            yield _taken_away(evidence, relation, row["id"], row["target_id"], (check,), text, why, table)


def _two_schools(evidence: Evidence) -> Iterator[Edit]:
    for check, row in evidence.failing("two_schools_at_once"):
        schools = {row["school_id"], row["other_school_id"]}
        seats = [s for relation in ("student_in", "teacher_in") for s in evidence.far(relation, "source", row["id"])]
        held = [school for seat in seats for school in evidence.far("held_at", "source", seat)]
        if len(held) >= _ALIKE and len(set(held) & schools) == 1 and not set(held) - schools:
            (stays,) = set(held)
            (goes,) = schools - {stays}
            name = evidence.name("persons", row["id"])
            text = f"End the membership of {name} in {evidence.name('orgs', goes)}"
            why = f"All {len(held)} sections of {name} are at {evidence.name('orgs', stays)}."
            checks = (check, "student_without_one_primary_school")
            yield _taken_away(evidence, "member_of", row["id"], goes, checks, text, why)


def _elsewhere(evidence: Evidence) -> Iterator[Edit]:
    """Somebody in a single section of another school, whose others are at their own, and whose mates are all of that school."""
    for relation, kind in (("student_in", "student"), ("teacher_in", "teacher")):
        for check, row in evidence.failing(f"{kind}_outside_school"):
            own = set(evidence.far("member_of", "source", row["id"]))
            seats = [s for s in evidence.far(relation, "source", row["id"]) if s != row["section_id"]]
            at_home = [bool(own & set(evidence.far("held_at", "source", seat))) for seat in seats]
            mates = [m for m in evidence.far(relation, "target", row["section_id"]) if m != row["id"]]
            there = [row["section_org_id"] in evidence.far("member_of", "source", mate) for mate in mates]
            if len(at_home) >= _ALIKE and all(at_home) and there and np.mean(there) >= _SHARE:
                name, section = evidence.name("persons", row["id"]), evidence.name("sections", row["section_id"])
                text = f"Take {name} off the {kind}s of {section}"
                why = (
                    f"The section is at another school, where its other {kind}s belong; "
                    f"the {len(seats)} other sections of {name} are at their own school."
                )
                yield _taken_away(evidence, relation, row["id"], row["section_id"], (check,), text, why)


def _taken_away(
    evidence: Evidence,
    relation: str,
    source: str,
    target: str,
    checks: tuple[str, ...],
    text: str,
    why: str,
    table: str = "persons",
) -> Edit:
    links = evidence.links
    at = [int(at) for at in evidence.at(relation, "source", source) if links["target_id"].iloc[at] == target]
    return Edit("remove", table, source, text, why, "links", tuple(at), {}, checks, frozenset({source, target}))


def _primary(evidence: Evidence) -> Iterator[Edit]:
    for check, relation, side, role in (
        ("section_without_one_primary_teacher", "teacher_in", "target", "teacher"),
        ("student_without_one_primary_school", "member_of", "source", "school"),
    ):
        for _, row in evidence.failing(check):
            at = evidence.at(relation, side, row["id"])
            if len(at) == 1:
                name = evidence.name(row["table"], row["id"])
                text, why = f"Make the only {role} of {name} the primary one", f"There is no other {role}."
                far = evidence.far(relation, side, row["id"])
                yield Edit(
                    "change", row["table"], row["id"], text, why, "links", (int(at[0]),), {"primary": True}, (check,),
                    frozenset({row["id"], *far}),
                )  # fmt: skip


def _days(evidence: Evidence) -> Iterator[Edit]:
    """Days of an enrollment that are not those which nearly all others of its section have."""
    checks = ("membership_before_birth", "membership_far_ahead", "membership_ends_before_start",
              "enrollment_outside_terms", "enrollment_without_start", "enrollment_without_end")  # fmt: skip
    links = evidence.links
    for _, row in evidence.failing(*checks):
        relation = row.get("relation", "student_in")
        if relation not in ("student_in", "teacher_in"):
            continue
        mates = evidence.at(relation, "target", row["target_id"])
        mine = [int(at) for at in mates if links["source_id"].iloc[at] == row["id"]]
        others = links.iloc[[at for at in mates if at not in mine]]
        days = others[["start_date", "end_date"]].dropna().value_counts()
        if len(mine) != 1 or len(others) < _ALIKE or not len(days) or days.max() < _SHARE * len(others):
            continue
        start, end = cast("tuple[pd.Timestamp, pd.Timestamp]", days.index[0])
        cells = {
            name: day
            for name, day in (("start_date", start), ("end_date", end))
            if links[name].iloc[mine[0]] is pd.NaT or links[name].iloc[mine[0]] != day
        }
        name, section = evidence.name("persons", row["id"]), evidence.name("sections", row["target_id"])
        told = _listed(f"the {_in_words(key)} to {cell_text(day)}" for key, day in cells.items())
        text = f"Set {told} for {name} in {section}"
        why = f"{days.max()} of {len(others)} others of the section have it."
        yield Edit("change", "persons", row["id"], text, why, "links", tuple(mine), cells, (*checks, "future_but_active"),
                   frozenset({row["id"], row["target_id"]}))  # fmt: skip


def _in_words(name: str) -> str:
    return FIELD_WORDS.get(name, name.removeprefix("ext_").replace("_", " "))


def _listed(words: Iterable[str]) -> str:
    listed = list(words)
    return " and ".join(filter(None, [", ".join(listed[:-1]), listed[-1]])) if listed else ""


_RULES: tuple[Callable[[Evidence], Iterator[Edit]], ...] = (
    _trim,
    _decode,
    _school_year,
    _not_delivered,
    _lacking,
    _parent,
    _state_both,
    _once,
    _one_role,
    _wrong_type,
    _two_schools,
    _elsewhere,
    _primary,
    _days,
)
