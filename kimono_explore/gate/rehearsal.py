"""What a downstream system would do with a new roster: who loses which class, what is created again, what is refused."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd

from kimono_explore.compare import compare
from kimono_explore.display import display_label, listed, plural, printable
from kimono_explore.errors import expect
from kimono_explore.gate.measures import schools
from kimono_explore.gate.refusals import refused
from kimono_explore.gate.targets import READ, TARGETS, rules_of
from kimono_explore.html import render
from kimono_explore.roster.open import read_source
from kimono_explore.roster.roster import Roster

if TYPE_CHECKING:
    from kimono_explore.compare import Comparison

CREATED, LOSES = "created empty", "loses members"
_MEMBERS = {"student_in": "students", "teacher_in": "teachers"}
_TEXT_COLUMNS = ["section_id", "new_id", "label", "school", "what"]


def rehearse(
    old: Roster | str | os.PathLike[str],
    new: Roster | str | os.PathLike[str],
    target: Literal["clever", "google", "sds", "canvas", "apple"],
) -> Rehearsal:
    """Show what a downstream system would do with a new roster. Nothing is sent.

    These systems identify a class by its id. A class that comes back under a new id is closed or left behind, and
    created again without the work that was in it. What each system does, and what it refuses, follows from its
    published rules, which are listed with their sources in ``.rules``.

    Parameters
    ----------
    old, new : Roster, str or path
        The roster that the target has, and the one that it is to receive. A path is a snapshot folder or a OneRoster
        bundle.
    target : {"clever", "google", "sds", "canvas", "apple"}
        Clever, Google Classroom, Microsoft School Data Sync, Canvas or Apple School Manager.

    Returns
    -------
    Rehearsal

    Raises
    ------
    BundleError
        A path is not a snapshot or a OneRoster bundle.
    ValueError
        The target is unknown.

    Examples
    --------
    >>> later = kx.Roster(**roster.tables, links=roster.links)
    >>> later.sections = roster.sections.iloc[1:]
    >>> rehearsal = kx.rehearse(roster, later, target="canvas")
    >>> rehearsal.classes[["section_id", "what"]].values.tolist() == [[roster.sections["id"][0], "closed"]]
    True
    >>> kx.rehearse(roster, roster, target="canvas").classes.empty
    True
    """
    for given in (old, new):
        expect("rehearse", given, Roster, str, os.PathLike)
    if target not in tuple(TARGETS):
        raise ValueError(printable(f"Unknown target {target!r}. Choose one of: {', '.join(TARGETS)}."))
    before, after = (given if isinstance(given, Roster) else read_source(given) for given in (old, new))
    return rehearse_compared(compare(before, after, match="auto"), before, after, target)


def rehearse_compared(diff: Comparison, old: Roster, new: Roster, target: str) -> Rehearsal:
    """The same for two rosters that were compared with ``match="auto"``."""
    rules = rules_of(target)
    lost = _lost_enrollments(old, new)
    return Rehearsal(
        target,
        _classes(diff, old, new, lost, TARGETS[target].what),
        _students(old, lost),
        refused(new, rules),
        pd.DataFrame(
            [(rule.id, rule.says, rule.source, READ) for rule in rules],
            columns=["rule", "says", "source", "read"],
            dtype="str",
        ),
        complete=new.incomplete.empty,
    )


@dataclass(frozen=True, repr=False, eq=False)
class Rehearsal:
    """What a target would do with a new roster.

    Attributes
    ----------
    target : str
        Such as ``"canvas"``.
    classes : pandas.DataFrame
        One row per section that is closed, left open, created empty, or loses members: section_id, new_id (the id under
        which it comes back), label, school, what, students, teachers (how many it had, will have, or loses). A section
        under a new id has two rows: the old one is closed or left open, and the new one is created empty.
    students : pandas.DataFrame
        One row per student who loses a class, or whose class is left behind: person_id, label, school, classes.
    refused : pandas.DataFrame
        One row for each rule that an object of the new roster breaks: table, id, label, rule, column (or relation),
        value, source.
    rules : pandas.DataFrame
        The target's published rules: rule, says, source, read (the day on which it was read).
    complete : bool
        Whether the new roster was loaded in full. Data missing from an incomplete load is unknown, but a target that
        receives such a load treats it as deleted.
    """

    target: str
    classes: pd.DataFrame
    students: pd.DataFrame
    refused: pd.DataFrame
    rules: pd.DataFrame
    complete: bool = True

    def count(self, what: str) -> int:
        """Count sections by outcome: ``"closed"``, ``"left open"``, ``"created empty"`` or ``"loses members"``."""
        return int((self.classes["what"] == what).sum())

    @property
    def headline(self) -> str:
        """What the target would do, in one sentence."""
        name, what, does, _ = TARGETS[self.target]
        ended, created, losing = (self.count(fate) for fate in (what, CREATED, LOSES))
        objects = len(self.refused[["table", "id", "label"]].drop_duplicates())
        effects = [
            f"{does} {_classes_in_words(ended)}" if ended else "",
            _creates(created, alone=not ended) if created else "",
            f"removes members from {_classes_in_words(losing)}" if losing else "",
            f"refuses {plural(objects, 'object')}" if objects else "",
        ]
        sentence = f"{name} {listed(filter(None, effects)) or f'{does} no class and refuses nothing'}"
        if count := len(self.students):
            sentence += f"; {plural(count, 'student')} {'loses' if count == 1 else 'lose'} a class"
        return sentence if self.complete else f"{sentence}; the load was not complete"

    def __repr__(self) -> str:
        return f"<Rehearsal: {self.headline}>"

    def _repr_html_(self) -> str:
        by_school = self.classes.assign(school=self.classes["school"].fillna("no school")).groupby(["school", "what"])
        rows = by_school.agg(classes=("what", "size"), students=("students", "sum")).reset_index().to_dict("records")
        facts = {"rows": rows, "rules": self.rules.to_dict("records"), "means": TARGETS[self.target].means}
        return render("rehearsal.html", headline=self.headline, **facts)


def _creates(count: int, *, alone: bool) -> str:
    noun = ("class" if count == 1 else "classes") if alone else "one" if count == 1 else "ones"
    return f"creates {count:,} new empty {noun}"


def _classes_in_words(count: int) -> str:
    return "1 class" if count == 1 else f"{count:,} classes"


def _enrollments(roster: Roster) -> pd.DataFrame:
    """Students and teachers of sections, where both ends were delivered: source_id, relation, target_id."""
    links = roster.links[["source_id", "relation", "target_id"]].astype("str")
    known = links["source_id"].isin(roster.persons["id"].dropna()) & links["target_id"].isin(
        roster.sections["id"].dropna()
    )
    return links[known & links["relation"].isin(list(_MEMBERS))].drop_duplicates()


def _lost_enrollments(old: Roster, new: Roster) -> pd.DataFrame:
    """The enrollments that the new roster does not have under the same ids."""
    matched = _enrollments(old).merge(_enrollments(new), how="left", indicator="side")
    return matched[matched["side"] == "left_only"].drop(columns="side")


def _classes(diff: Comparison, old: Roster, new: Roster, lost: pd.DataFrame, ended: str) -> pd.DataFrame:
    """The sections that are no longer there (``ended`` says what becomes of them), created again, or losing members."""
    recreated = diff.recreated("sections")
    old_ids, new_ids = (set(side.sections["id"].dropna()) for side in (old, new))
    closed = _section_rows(old, old_ids - new_ids, _enrollments(old), ended)
    closed["new_id"] = closed["section_id"].map(dict(zip(recreated["old_id"], recreated["new_id"], strict=True)))
    created = _section_rows(new, set(recreated["new_id"]), _enrollments(new), CREATED)
    losing = _section_rows(old, set(lost["target_id"]) & new_ids, lost, LOSES)
    parts = [part for part in (closed, created, losing) if len(part)]
    found = pd.concat(parts or [closed], ignore_index=True)[[*_TEXT_COLUMNS, "students", "teachers"]]
    found = found.astype({**dict.fromkeys(_TEXT_COLUMNS, "str"), "students": "int64", "teachers": "int64"})
    return found.sort_values(["school", "what", "label", "section_id"], ignore_index=True)


def _section_rows(roster: Roster, ids: set[str], enrollments: pd.DataFrame, what: str) -> pd.DataFrame:
    """Some sections with their names and schools, and how many of these enrollments each has."""
    rows = roster.sections[roster.sections["id"].isin(ids)].drop_duplicates("id")
    counts = enrollments.groupby(["target_id", "relation"]).size()
    found = {
        "section_id": rows["id"],
        "new_id": pd.Series(float("nan"), index=rows.index, dtype="str"),
        "label": display_label("sections", rows),
        "school": rows["id"].map(_schools_by(roster, "held_at")),
        "what": what,
    }
    for relation, name in _MEMBERS.items():
        of_relation = counts[counts.index.get_level_values("relation") == relation].droplevel("relation")
        found[name] = rows["id"].map(of_relation).fillna(0).astype("int64")
    return pd.DataFrame(found)


def _schools_by(roster: Roster, relation: str) -> pd.Series:
    """The names of the schools that each object is linked to."""
    links = roster.links[roster.links["relation"] == relation][["source_id", "target_id"]].drop_duplicates()
    names = links.assign(name=links["target_id"].map(schools(roster))).dropna().sort_values("name")
    return names.groupby("source_id")["name"].agg(", ".join).astype("str")


def _students(old: Roster, lost: pd.DataFrame) -> pd.DataFrame:
    """The students who lose a class: one row each, with the names of the classes."""
    columns = ["person_id", "label", "school", "classes"]
    sections, persons = (
        old.tables[table].dropna(subset=["id"]).drop_duplicates("id") for table in ("sections", "persons")
    )
    labels = pd.Series(display_label("sections", sections).to_numpy(), index=sections["id"].to_numpy(), dtype="str")
    enrollments = lost[lost["relation"] == "student_in"]
    enrollments = enrollments.assign(
        name=enrollments["target_id"].map(labels).fillna(enrollments["target_id"])
    ).sort_values("name")
    classes = enrollments.groupby("source_id")["name"].agg(", ".join)
    rows = persons[persons["id"].isin(classes.index)]
    found = pd.DataFrame({
        "person_id": rows["id"], "label": display_label("persons", rows),
        "school": rows["id"].map(_schools_by(old, "member_of")), "classes": rows["id"].map(classes),
    })  # fmt: skip
    return found[columns].astype("str").sort_values(["school", "label", "person_id"], ignore_index=True)
