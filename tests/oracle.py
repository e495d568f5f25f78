"""What makes a roster wrong, spelled out in plain pandas: the second opinion that planted flaws are tested against.

Each rule gives the (table, id) of every failing object.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kimono_explore.schema import OBJECT_TYPES, RELATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kimono_explore.roster.roster import Roster

    Failing = list[tuple[str, str | None]]
    Rule = Callable[["View"], Failing]

TABLE_OF = {t: table for table, t in OBJECT_TYPES.items()}
ENDS = {
    "child_of": {("org", "org"), ("term", "term")},
    "offered_by": {("course", "org")},
    "of_course": {("section", "course")},
    "held_at": {("section", "org")},
    "in_term": {("section", "term")},
    "member_of": {("person", "org")},
    "student_in": {("person", "section")},
    "teacher_in": {("person", "section")},
    "graded_in": {("grading_category", "section")},
    "graded_for": {("grading_category", "term"), ("grading_category", "org")},
}
RULES: dict[str, Rule] = {}


class View:
    """A roster as the rules look at it: links as plain rows, and who exists."""

    def __init__(self, roster: Roster, as_of: str) -> None:
        self.roster, self.as_of = roster, pd.Timestamp(as_of)
        self.links = roster.links.astype(
            dict.fromkeys(("source_type", "target_type", "relation", "stated_by", "role"), "str")
        )
        self.ids = {t: set(roster.table(t)["id"].dropna()) for t in TABLE_OF}
        exists = [(s, t) for s, t in zip(self._known("source"), self._known("target"), strict=True)]
        self.links = self.links.assign(
            near=np.array([s for s, _ in exists], dtype=bool), far=np.array([t for _, t in exists], dtype=bool)
        )
        self.valid = self.links[self.links["near"] & self.links["far"]]

    def _known(self, end: str) -> list[bool]:
        pairs = zip(self.links[f"{end}_type"], self.links[f"{end}_id"], strict=True)
        return [id in self.ids[kind] for kind, id in pairs]

    def of(self, relation: str) -> pd.DataFrame:
        right = self.valid[self.valid["relation"] == relation]
        fits = [pair in ENDS[relation] for pair in zip(right["source_type"], right["target_type"], strict=True)]
        return right[np.array(fits, dtype=bool)]

    def persons(self, *kinds: str) -> pd.DataFrame:
        return self.roster.persons[self.roster.persons["person_type"].isin(kinds)]

    def schools(self) -> pd.DataFrame:
        return self.roster.orgs[self.roster.orgs["org_type"] == "school"]

    def one(self, relation: str) -> dict[str, str]:
        links = self.of(relation).drop_duplicates("source_id")
        return dict(zip(links["source_id"], links["target_id"], strict=True))

    def many(self, relation: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for source, target in zip(self.of(relation)["source_id"], self.of(relation)["target_id"], strict=True):
            found.setdefault(source, set()).add(target)
        return found


def rule(check: str) -> Callable[[Rule], Rule]:
    def keep(function: Rule) -> Rule:
        RULES[check] = function
        return function

    return keep


def rows(table: str, df: pd.DataFrame, where: Iterable[bool] | None = None) -> Failing:
    chosen = df if where is None else df[np.array(list(where), dtype=bool)]
    return [(table, None if pd.isna(id) else id) for id in chosen["id"]]


def sources(links: pd.DataFrame) -> Failing:
    ends = zip(links["source_type"], links["source_id"], strict=True)
    return [(TABLE_OF[kind], id) for kind, id in ends]


def without(table: str, df: pd.DataFrame, ids: Iterable[str]) -> Failing:
    return rows(table, df[df["id"].notna() & ~df["id"].isin(set(ids))])


def plain(text: object) -> str:
    if not isinstance(text, str):
        return ""
    marks = unicodedata.normalize("NFKD", text.casefold())
    return "".join("".join(c for c in marks if not unicodedata.combining(c)).split())


def cells(table: str, column: str, wrong: Callable[[str], bool], *kinds: str) -> Rule:
    def found(view: View) -> Failing:
        df = view.roster.tables[table]
        df = df[df["person_type"].isin(kinds)] if kinds else df
        return rows(table, df, [isinstance(v, str) and wrong(v) for v in df[column]])

    return found


def missing(column: str, *kinds: str) -> Rule:
    return lambda view: rows("persons", view.persons(*kinds)[view.persons(*kinds)[column].isna()])


def shared(df: pd.DataFrame, *columns: str) -> pd.DataFrame:
    known = df.dropna(subset=columns[:1])
    return known[known.duplicated(list(columns), keep=False)]


RULES["missing_id"] = lambda view: [
    f for name, df in view.roster.tables.items() for f in rows(name, df[df["id"].isna()])
]
RULES["student_missing_state_id"] = missing("state_id", "student")
RULES["teacher_without_email"] = missing("email", "teacher")
RULES["student_without_dob"] = missing("dob", "student")
RULES["duplicate_state_id"] = lambda view: rows("persons", shared(view.roster.persons, "state_id"))
RULES["duplicate_email"] = lambda view: rows("persons", shared(view.roster.persons, "email"))
RULES["invalid_email"] = cells("persons", "email", lambda v: not re.fullmatch(r"[\w.]+@[\w.]+\.\w+", v, re.ASCII))
RULES["invalid_phone"] = cells("persons", "phone", lambda v: len(re.sub(r"\D", "", v)) != 10)
RULES["invalid_postal_code"] = cells("persons", "address_postal_code", lambda v: not re.fullmatch(r"\d{5}", v))
RULES["unknown_state"] = cells("persons", "address_state", lambda v: v != "MN")
RULES["unexpected_sex"] = cells("persons", "sex", lambda v: v not in "FMX")
RULES["unknown_org_type"] = cells("orgs", "org_type", lambda v: v not in ("lea", "school"))


@rule("duplicate_id")
def _(view: View) -> Failing:
    times = Counter(id for df in view.roster.tables.values() for id in df["id"].dropna())
    return [f for name, df in view.roster.tables.items() for f in rows(name, df, [times[id] > 1 for id in df["id"]])]


@rule("duplicate_local_id")
def _(view: View) -> Failing:
    roster = view.roster
    courses = view.of("offered_by")[["source_id", "target_id"]].merge(
        roster.courses, left_on="source_id", right_on="id"
    )
    sections = roster.sections.assign(
        org=roster.sections["id"].map(view.one("held_at")), term=roster.sections["id"].map(view.one("in_term"))
    )
    return [
        *rows("persons", shared(roster.persons, "local_id", "person_type")),
        *rows("orgs", shared(roster.orgs, "local_id")),
        *rows("courses", shared(courses, "local_id", "target_id").drop_duplicates("id")),
        *rows("sections", shared(sections.dropna(subset=["org", "term"]), "local_id", "org", "term")),
    ]


@rule("missing_local_id")
def _(view: View) -> Failing:
    tables = {name: view.roster.tables[name] for name in ("orgs", "persons", "courses", "sections")}
    return [f for name, df in tables.items() for f in rows(name, df[df["local_id"].isna()])]


@rule("possible_duplicate_person")
def _(view: View) -> Failing:
    persons = view.roster.persons
    names = persons["name_first"].map(plain) + "|" + persons["name_last"].map(plain)
    known = persons.assign(key=names).dropna(subset=["dob"])
    return rows("persons", shared(known[known["key"] != "|"], "key", "dob"))


@rule("student_and_staff")
def _(view: View) -> Failing:
    students, others = view.persons("student"), view.persons("teacher", "staff")
    found: set[str] = set()
    for column in ("email", "state_id", "local_id"):
        both = set(students[column].dropna()) & set(others[column].dropna())
        found |= set(view.roster.persons.loc[view.roster.persons[column].isin(both), "id"])
    return [("persons", id) for id in sorted(found)]


def orphan(relation: str) -> Rule:
    def found(view: View) -> Failing:
        links = view.links[(view.links["relation"] == relation) & ~(view.links["near"] & view.links["far"])]
        held = [
            (s_type, s) if near else (t_type, t)
            for s_type, s, t_type, t, near in zip(
                links["source_type"],
                links["source_id"],
                links["target_type"],
                links["target_id"],
                links["near"],
                strict=True,
            )
        ]
        return [(TABLE_OF[kind], id) for kind, id in sorted(set(held))]

    return found


for relation in RELATIONS:
    RULES[f"orphan_{relation}"] = orphan(relation)

MEMBERSHIPS = ["member_of", "student_in", "teacher_in"]


@rule("one_sided_membership")
def _(view: View) -> Failing:
    links = view.valid[view.valid["relation"].isin(MEMBERSHIPS)]
    return sources(links[links["stated_by"] != "both"])


@rule("parent_child_mismatch")
def _(view: View) -> Failing:
    return sources(view.of("child_of")[view.of("child_of")["stated_by"] != "both"])


@rule("duplicate_membership")
def _(view: View) -> Failing:
    links = view.valid[view.valid["relation"].isin(MEMBERSHIPS)]
    return sources(links[links.duplicated(["relation", "source_id", "target_id"])])


@rule("student_and_teacher_of_section")
def _(view: View) -> Failing:
    ends = ["source_id", "target_id"]
    return sources(view.of("student_in").merge(view.of("teacher_in")[ends].drop_duplicates(), on=ends))


@rule("wrong_target_type")
def _(view: View) -> Failing:
    kinds = zip(view.links["relation"], view.links["source_type"], view.links["target_type"], strict=True)
    wrong = [(s, t) not in ENDS[relation] for relation, s, t in kinds]
    return sources(view.links[np.array(wrong, dtype=bool)])


@rule("section_org_not_in_course")
def _(view: View) -> Failing:
    offers, org, course = view.many("offered_by"), view.one("held_at"), view.one("of_course")
    both = [id for id in view.roster.sections["id"] if id in org and offers.get(course.get(id, ""))]
    return [("sections", id) for id in both if org[id] not in offers[course[id]]]


def outside(relation: str) -> Rule:
    def found(view: View) -> Failing:
        schools, org, links = view.many("member_of"), view.one("held_at"), view.of(relation)
        pairs = zip(links["source_id"], links["target_id"], strict=True)
        return [("persons", p) for p, s in pairs if s in org and org[s] not in schools.get(p, set())]

    return found


RULES["student_outside_school"] = outside("student_in")
RULES["teacher_outside_school"] = outside("teacher_in")


def cycle(kind: str) -> Rule:
    def found(view: View) -> Failing:
        links = view.of("child_of")
        links = links[links["source_type"] == kind]
        parent = dict(zip(links["source_id"], links["target_id"], strict=True))
        looping = []
        for start in parent:
            at, steps = parent[start], 0
            while at != start and at in parent and steps < 50:
                at, steps = parent[at], steps + 1
            looping += [start] if at == start else []
        return [(TABLE_OF[kind], id) for id in looping]

    return found


RULES["org_cycle"] = cycle("org")
RULES["term_cycle"] = cycle("term")
RULES["school_without_parent"] = lambda view: without("orgs", view.schools(), view.of("child_of")["source_id"])
RULES["no_lea"] = lambda view: [] if (view.roster.orgs["org_type"] == "lea").any() else [("orgs", None)]


def school_without(role: str) -> Rule:
    def found(view: View) -> Failing:
        members = view.of("member_of")
        return without("orgs", view.schools(), members.loc[members["role"] == role, "target_id"])

    return found


RULES["school_without_students"] = school_without("student")
RULES["school_without_teachers"] = school_without("teacher")


def lacking(table: str, relation: str, end: str, *kinds: str) -> Rule:
    def found(view: View) -> Failing:
        df = view.persons(*kinds) if kinds else view.roster.tables[table]
        return without(table, df, view.of(relation)[f"{end}_id"])

    return found


RULES["section_without_teacher"] = lacking("sections", "teacher_in", "target")
RULES["section_without_students"] = lacking("sections", "student_in", "target")
RULES["section_without_course"] = lacking("sections", "of_course", "source")
RULES["section_without_term"] = lacking("sections", "in_term", "source")
RULES["section_without_org"] = lacking("sections", "held_at", "source")
RULES["course_without_sections"] = lacking("courses", "of_course", "target")
RULES["course_without_org"] = lacking("courses", "offered_by", "source")
RULES["term_without_sections"] = lacking("terms", "in_term", "target")
RULES["student_without_school"] = lacking("persons", "member_of", "source", "student")
RULES["student_without_sections"] = lacking("persons", "student_in", "source", "student")
RULES["teacher_without_school"] = lacking("persons", "member_of", "source", "teacher")
RULES["teacher_without_sections"] = lacking("persons", "teacher_in", "source", "teacher")
RULES["category_without_section"] = lacking("grading_categories", "graded_in", "source")


@rule("person_without_name")
def _(view: View) -> Failing:
    persons = view.roster.persons
    return rows("persons", persons[persons["name_first"].isna() & persons["name_last"].isna()])


@rule("bad_value")
def _(view: View) -> Failing:
    problems = view.roster.problems.dropna(subset=["id"])
    return list(zip(problems["table"], problems["id"], strict=True))


@rule("load_problem")
def _(view: View) -> Failing:
    problems = view.roster.problems
    return [(table, None) for table in problems.loc[problems["id"].isna(), "table"]]


def text_rule(wrong: Callable[[str], bool], *columns: str) -> Rule:
    def found(view: View) -> Failing:
        failing: Failing = []
        for name, df in view.roster.tables.items():
            texts = [c for c in df.columns if (c in columns if columns else pd.api.types.is_string_dtype(df[c]))]
            bad = [False] * len(df)
            for column in texts:
                bad = [so_far or (isinstance(v, str) and wrong(v)) for so_far, v in zip(bad, df[column], strict=True)]
            failing += rows(name, df, bad)
        return failing

    return found


def untidy(text: str) -> bool:
    return text != text.strip() or any(unicodedata.category(c) in ("Cc", "Cf") for c in text)


def shouting(name: str) -> bool:
    return len(name) > 2 and name.isupper() and name != name.lower()


RULES["untrimmed_text"] = text_rule(untidy)
RULES["broken_encoding"] = text_rule(lambda v: "\ufffd" in v or bool(re.search("[ÃÂ][\x80-\xbf]", v)))
PLACEHOLDER = re.compile(r"(test|unknown|none|null|n/?a|tbd|tba|dummy|sample|student|x{2,})", re.IGNORECASE)
RULES["placeholder_name"] = text_rule(lambda v: bool(PLACEHOLDER.fullmatch(v)), "name_first", "name_last")
RULES["shouting_name"] = text_rule(shouting, "name_first", "name_last")


@rule("implausible_age")
def _(view: View) -> Failing:
    persons = view.roster.persons.dropna(subset=["dob"])
    age = (view.as_of - persons["dob"]).dt.days / 365.25
    student = persons["person_type"] == "student"
    return rows("persons", persons[(student & ~age.between(3, 22)) | (~student & ~age.between(16, 90))])


@rule("grad_year_against_dob")
def _(view: View) -> Failing:
    students = view.persons("student").dropna(subset=["dob", "grad_year"])
    age = students["grad_year"].astype(int) - students["dob"].dt.year
    return rows("persons", students[~age.between(16, 21)])


@rule("school_year_outlier")
def _(view: View) -> Failing:
    usual = pd.concat([df["school_year"] for df in view.roster.tables.values()]).mode().iloc[0]
    return [f for name, df in view.roster.tables.items() for f in rows(name, df[df["school_year"] != usual])]


@rule("term_without_dates")
def _(view: View) -> Failing:
    terms = view.roster.terms
    return rows("terms", terms[terms["start_date"].isna() | terms["end_date"].isna()])


RULES["term_ends_before_start"] = lambda view: rows("terms", view.roster.terms.query("end_date < start_date"))
RULES["term_too_long"] = lambda view: [
    ("terms", id)
    for id, days in zip(
        view.roster.terms["id"], (view.roster.terms["end_date"] - view.roster.terms["start_date"]).dt.days, strict=True
    )
    if days > 400
]


@rule("no_current_term")
def _(view: View) -> Failing:
    terms = view.roster.terms
    return [] if ((terms["start_date"] <= view.as_of) & (view.as_of <= terms["end_date"])).any() else [("terms", None)]


@rule("child_term_outside_parent")
def _(view: View) -> Failing:
    terms, parent = view.roster.terms.set_index("id"), view.one("child_of")
    failing: Failing = []
    for id, term in terms.iterrows():
        above = terms.loc[parent[str(id)]] if str(id) in parent else None
        if above is not None and (term["start_date"] < above["start_date"] or term["end_date"] > above["end_date"]):
            failing.append(("terms", str(id)))
    return failing


@rule("sibling_terms_overlap")
def _(view: View) -> Failing:
    used, parents = set(view.of("in_term")["target_id"]), view.one("child_of")
    for id in list(used):
        for _ in range(10):
            id = parents.get(id, id)
            used.add(id)
    terms = view.roster.terms.dropna(subset=["start_date", "end_date"])
    terms = terms[terms["id"].isin(used)]
    # Terms without a parent are siblings, too: two school years must not overlap either.
    parent = terms["id"].map(view.one("child_of")).fillna("")
    found: set[str] = set()
    for _, group in terms.query("start_date <= end_date").groupby(parent):
        for i, one in enumerate(group.itertuples()):
            for other in list(group.itertuples())[i + 1 :]:
                if one.start_date <= other.end_date and other.start_date <= one.end_date:
                    found |= {one.id, other.id}
    return [("terms", id) for id in sorted(found)]


def counts(relation: str, end: str, table: str, wrong: Callable[[int], bool]) -> Rule:
    def found(view: View) -> Failing:
        times = view.of(relation).groupby(f"{end}_id").size()
        return [(table, str(id)) for id, n in times.items() if wrong(n)]

    return found


RULES["oversize_section"] = counts("student_in", "target", "sections", lambda n: n > 60)
RULES["undersize_section"] = counts("student_in", "target", "sections", lambda n: n < 4)
RULES["student_overload"] = counts("student_in", "source", "persons", lambda n: n > 12)
RULES["teacher_overload"] = counts("teacher_in", "source", "persons", lambda n: n > 12)


@rule("same_title_sections")
def _(view: View) -> Failing:
    sections = view.roster.sections
    org, term = sections["id"].map(view.one("held_at")), sections["id"].map(view.one("in_term"))
    return rows(
        "sections", shared(sections.assign(org=org, term=term).dropna(subset=["org", "term"]), "title", "org", "term")
    )


# Memberships as of a day, in plain Python, a membership at a time.

GONE, TO_COME = {"historical", "inactive", "tobedeleted"}, {"future"}


class Membership:
    """A membership with its section's days, and whether it is current on the day."""

    def __init__(self, row: Any, days: dict[str, tuple[Any, Any]], as_of: pd.Timestamp) -> None:
        self.person, self.target, self.relation, self.role = row.source_id, row.target_id, row.relation, row.role
        self.status = row.status.strip().lower() if isinstance(row.status, str) else ""
        self.primary = not pd.isna(row.primary) and bool(row.primary)
        self.secondary = not pd.isna(row.primary) and not row.primary
        self.start, self.end = row.start_date, row.end_date
        self.first, self.last = days.get(row.target_id, (pd.NaT, pd.NaT))
        begins = self.first if pd.isna(self.start) else self.start
        ends = self.last if pd.isna(self.end) else self.end
        seat = self.relation != "member_of"
        begun = pd.isna(begins) or begins <= as_of or (seat and (pd.isna(self.first) or self.first > as_of))
        self.over = not pd.isna(self.last) and self.last < as_of
        self.current = self.status not in GONE | TO_COME and begun and not (not pd.isna(ends) and ends < as_of)


def memberships(view: View, *relations: str) -> list[Membership]:
    return [m for m in every_membership(view) if m.relation in relations]


@cache
def every_membership(view: View) -> list[Membership]:
    terms = view.roster.terms.dropna(subset=["id"])
    spans = {t.id: (t.start_date, t.end_date) for t in terms.itertuples() if not t.end_date < t.start_date}
    days = {}
    for section, used in view.many("in_term").items():
        known = [spans[t] for t in used if t in spans]
        starts, ends = [s for s, _ in known if not pd.isna(s)], [e for _, e in known if not pd.isna(e)]
        days[section] = (min(starts, default=pd.NaT), max(ends, default=pd.NaT))
    return [Membership(row, days, view.as_of) for relation in MEMBERSHIPS for row in view.of(relation).itertuples()]


def each(wrong: Callable[[Membership, pd.Timestamp], bool], *relations: str) -> Rule:
    def found(view: View) -> Failing:
        return [("persons", m.person) for m in memberships(view, *(relations or MEMBERSHIPS)) if wrong(m, view.as_of)]

    return found


MONTH = pd.Timedelta(days=30)
SEATS = ("student_in", "teacher_in")
RULES["enrollment_outside_terms"] = each(
    lambda m, _: m.start < m.first - MONTH or m.end > m.last + MONTH or m.end < m.first or m.start > m.last, *SEATS
)
RULES["ended_but_active"] = each(lambda m, day: m.status == "active" and m.end < day and not m.over)
RULES["future_but_active"] = each(
    lambda m, day: m.status == "active" and m.start > day and (m.relation == "member_of" or m.first <= day)
)
RULES["current_but_inactive"] = each(
    lambda m, day: (
        m.status in {"historical", "inactive", "future"}
        and m.start <= day
        and (m.last if pd.isna(m.end) else m.end) >= day
    )
)
RULES["membership_far_ahead"] = each(lambda m, day: m.start > day + pd.Timedelta(days=366))
RULES["enrollment_without_end"] = each(lambda m, _: pd.isna(m.end), *SEATS)
RULES["unknown_membership_status"] = each(lambda m, _: m.status not in {"", "active", *GONE, *TO_COME})


@rule("membership_before_birth")
def _(view: View) -> Failing:
    born = view.roster.persons.dropna(subset=["id"]).drop_duplicates("id").set_index("id")["dob"]
    return [("persons", m.person) for m in memberships(view, *MEMBERSHIPS)
            if m.start < born[m.person] or m.end < born[m.person]]  # fmt: skip


@rule("enrollment_without_start")
def _(view: View) -> Failing:
    return sources(view.links[view.links["relation"].isin(SEATS) & view.links["start_date"].isna()])


@rule("membership_ends_before_start")
def _(view: View) -> Failing:
    return sources(
        view.links[view.links["relation"].isin(MEMBERSHIPS) & (view.links["end_date"] < view.links["start_date"])]
    )


@rule("seated_after_leaving_school")
def _(view: View) -> Failing:
    held, found = view.one("held_at"), set()
    schools = memberships(view, "member_of")
    now = {(m.person, m.target) for m in schools if m.current}
    once = {(m.person, m.target) for m in schools if not m.current}
    for m in memberships(view, "student_in"):
        key = (m.person, held.get(m.target))
        if m.current and not m.over and key in once - now:
            found.add(key)
    return [("persons", person) for person, _ in sorted(found)]


@rule("two_schools_at_once")
def _(view: View) -> Failing:
    schools, students = set(view.schools()["id"]), set(view.persons("student")["id"])
    held: dict[str, list[Membership]] = {}
    for m in memberships(view, "member_of"):
        if m.target in schools and m.person in students and m.status not in GONE and not m.secondary:
            held.setdefault(m.person, []).append(m)
    return [
        ("persons", person)
        for person, of in held.items()
        if any(
            a.target != b.target and not a.end < b.start and not b.end < a.start
            for i, a in enumerate(of)
            for b in of[i + 1 :]
        )
    ]


def gone(view: View, table: str) -> set[str]:
    df = view.roster.tables[table]
    return set(df.loc[df["ext_status"].isin(["inactive", "tobedeleted"]), "id"]) if "ext_status" in df else set()


def seated(relation: str) -> Rule:
    def found(view: View) -> Failing:
        closed = gone(view, "sections") if relation == "teacher_in" else set()
        seats = [m for m in memberships(view, relation) if m.current and not m.over and m.target not in closed]
        return [("persons", id) for id in sorted({m.person for m in seats} & gone(view, "persons"))]

    return found


RULES["enrolled_inactive_student"] = seated("student_in")
RULES["inactive_teacher_of_section"] = seated("teacher_in")


@rule("enrollment_in_inactive_section")
def _(view: View) -> Failing:
    used = {m.target for m in memberships(view, *SEATS) if m.current and not m.over}
    return [("sections", id) for id in sorted(used & gone(view, "sections"))]


def enrolled(relation: str, *kinds: str) -> Rule:
    def found(view: View) -> Failing:
        who = set(view.persons(*kinds)["id"])
        role = relation.removesuffix("_in")
        return [
            ("persons", m.person) for m in memberships(view, relation) if m.person in who and m.role in (role, None)
        ]

    return found


RULES["student_as_teacher"] = enrolled("teacher_in", "student")
RULES["teacher_as_student"] = enrolled("student_in", "teacher", "staff")


@rule("section_without_one_primary_teacher")
def _(view: View) -> Failing:
    posts = [m for m in memberships(view, "teacher_in") if m.current or m.over]
    primary = Counter(section for section, _ in {(m.target, m.person) for m in posts if m.primary})
    return [("sections", id) for id in sorted({m.target for m in posts}) if primary[id] != 1]


@rule("student_without_one_primary_school")
def _(view: View) -> Failing:
    students = set(view.persons("student")["id"])
    members = [m for m in memberships(view, "member_of") if m.current and m.person in students]
    primary = Counter(person for person, _ in {(m.person, m.target) for m in members if m.primary})
    return [("persons", id) for id in sorted({m.person for m in members}) if primary[id] != 1]


# Grades: what is said of a student, and what it may be.

YEARS = {"PK": -1, "TK": 0, "KG": 0, **{f"{n:02d}": n for n in range(1, 14)}}


def grade_of(view: View) -> dict[str, Any]:
    """The grade of each student: that of a current membership, else ``ext_grade``."""
    rows = view.of("member_of")
    live = [m.current for m in memberships(view, "member_of")]
    placed = {
        row.source_id: row.grade
        for row, now in zip(rows.itertuples(), live, strict=True)
        if now and not pd.isna(row.grade)
    }
    students = view.persons("student").dropna(subset=["id"])
    return {id: placed.get(id, own) for id, own in zip(students["id"], students["ext_grade"], strict=True)}


def graded(wrong: Callable[[Any, Any, pd.Timestamp], bool]) -> Rule:
    """Students whose grade stands for a number, tested with their row."""

    def found(view: View) -> Failing:
        grades = grade_of(view)
        people = view.persons("student").dropna(subset=["id"])
        return [("persons", p.id) for p in people.itertuples()
                if grades[p.id] in YEARS and wrong(YEARS[grades[p.id]], p, view.as_of)]  # fmt: skip

    return found


def ends(day: pd.Timestamp) -> int:
    return int(day.year) + (1 if day.month > 6 else 0)


RULES["missing_grade"] = lambda view: [("persons", id) for id, grade in grade_of(view).items() if pd.isna(grade)]
RULES["unknown_grade"] = lambda view: [
    ("persons", id) for id, grade in grade_of(view).items() if isinstance(grade, str) and grade not in YEARS
]
RULES["grade_against_age"] = graded(
    lambda grade, p, day: (
        not pd.isna(p.dob)
        and not grade + 4 <= day.year - p.dob.year - ((day.month, day.day) < (p.dob.month, p.dob.day)) <= grade + 9
    )
)
RULES["grade_against_grad_year"] = graded(
    lambda grade, p, day: not pd.isna(p.grad_year) and abs(int(p.grad_year) - (ends(day) + 12 - grade)) > 1
)


@rule("graduated_but_enrolled")
def _(view: View) -> Failing:
    seated = {m.person for m in memberships(view, "student_in") if m.current and not m.over}
    students = view.persons("student").dropna(subset=["grad_year"])
    early = students[students["grad_year"].astype(int) < ends(view.as_of)]
    return [("persons", id) for id in early["id"] if id in seated]


def not_among(relation: str, table: str) -> Rule:
    def found(view: View) -> Failing:
        df, grades = view.roster.tables[table], grade_of(view)
        if "ext_grades" not in df:
            return []
        lists = {
            id: said.split(",") for id, said in zip(df["id"], df["ext_grades"], strict=True) if isinstance(said, str)
        }
        return [
            ("persons", m.person)
            for m in memberships(view, relation)
            if m.current and not m.over and m.target in lists and not (relation == "member_of" and m.secondary)
            and grades.get(m.person) in YEARS and grades[m.person] not in lists[m.target]
        ]  # fmt: skip

    return found


RULES["grade_not_of_school"] = not_among("member_of", "orgs")
RULES["grade_not_of_section"] = not_among("student_in", "sections")


# What is missing, of students and of schools.

RULES["student_without_email"] = missing("email", "student")
RULES["student_without_sex"] = missing("sex", "student")
RULES["student_without_address"] = missing("address_line1", "student")
RULES["student_without_phone"] = missing("phone", "student")
RULES["school_without_sections"] = lambda view: without("orgs", view.schools(), view.of("held_at")["target_id"])
RULES["school_without_courses"] = lambda view: without("orgs", view.schools(), view.of("offered_by")["target_id"])
RULES["object_without_name"] = lambda view: [
    f
    for table, column in (("orgs", "name"), ("terms", "name"), ("courses", "title"), ("sections", "title"))
    for f in rows(table, view.roster.tables[table], view.roster.tables[table][column].isna())
]


@rule("school_without_terms")
def _(view: View) -> Failing:
    in_term = set(view.of("in_term")["source_id"])
    terms: dict[str, bool] = {}
    for section, school in view.one("held_at").items():
        terms[school] = terms.get(school, False) or section in in_term
    return [("orgs", id) for id in view.schools()["id"] if terms.get(id) is False]


@rule("lea_without_schools")
def _(view: View) -> Failing:
    leas, parents = view.roster.orgs[view.roster.orgs["org_type"] == "lea"], view.one("child_of")
    return without("orgs", leas, [parents[id] for id in view.schools()["id"] if id in parents])


@rule("small_school")
def _(view: View) -> Failing:
    kinds = dict(zip(view.roster.persons["id"], view.roster.persons["person_type"], strict=True))
    people: dict[str, dict[str, set[str]]] = {id: {"student": set(), "staff": set()} for id in view.schools()["id"]}
    for m in memberships(view, "member_of"):
        if m.current and m.target in people:
            people[m.target]["student" if kinds[m.person] == "student" else "staff"].add(m.person)
    courses = Counter(org for orgs in view.many("offered_by").values() for org in orgs)
    return [
        ("orgs", id)
        for id, of in people.items()
        if of["student"] and (len(of["student"]) < 20 or 0 < len(of["staff"]) < 5 or 0 < courses[id] < 5)
    ]


# Ids and texts, a sign at a time.


def bare(id: str) -> str:
    parts = "".join(c if c.isalnum() else " " for c in id.lower()).split()
    return "-".join(parts).lstrip("0")


@rule("alike_ids")
def _(view: View) -> Failing:
    found: Failing = []
    for table, df in view.roster.tables.items():
        ids = set(df["id"].dropna())
        times = Counter(bare(id) for id in ids)
        found += [(table, id) for id in ids if times[bare(id)] > 1]
    return found


RULES["id_with_spaces"] = lambda view: [
    f for name, df in view.roster.tables.items() for f in rows(name, df, [" " in str(id) for id in df["id"]])
]
RULES["refused_id"] = lambda view: [
    (name, id)
    for name in ("orgs", "persons", "courses", "sections")
    for id in view.roster.tables[name]["id"].dropna()
    if " " not in id and not (id.isascii() and id.replace("-", "").isalnum())
]


@rule("email_elsewhere")
def _(view: View) -> Failing:
    known = view.persons("student")
    known = known[known["email"].str.count("@") == 1]
    domains = [email.split("@")[1] for email in known["email"]]
    times = Counter(domains)
    return rows("persons", known, [times[domain] < len(domains) / 20 for domain in domains])


def damaged(text: str) -> bool:
    months = [f"{pd.Timestamp(2026, month, 1):%b}" for month in range(1, 13)]
    left, _, right = text.partition("-")
    number, _, power = text.partition("E+")
    shortened = power.isdigit() and number.replace(".", "").isdigit()
    return (
        shortened
        or text.startswith("#")
        or (left.isdigit() and right in months)
        or (left in months and right.isdigit())
    )


RULES["spreadsheet_damage"] = text_rule(damaged)
RULES["name_too_long"] = text_rule(lambda name: len(name) > 60, "name_first", "name_last")
RULES["line_break"] = lambda view: [
    (name, id)
    for name in ("orgs", "terms", "courses", "sections", "persons")
    for id, *names in view.roster.tables[name]
    .filter(regex="^(id|name|name_first|name_last|title)$")
    .itertuples(index=False)
    if any("\n" in str(text) for text in (id, *names))
]


# Structure and freshness.


@rule("term_of_another_school")
def _(view: View) -> Failing:
    parents = {child: parent for child, parent in view.one("child_of").items() if child in view.ids["term"]}
    kinds = dict(zip(view.roster.terms["id"], view.roster.terms["term_type"], strict=True))
    schools, terms = view.one("held_at"), view.many("in_term")

    def line(term: str) -> list[str]:
        found = [term]
        while parents.get(found[-1], found[0]) not in found:
            found.append(parents[found[-1]])
        return found

    used: dict[str, list[str]] = {term: [] for term in kinds}
    for term, held in used.items():
        for section, own in terms.items():
            if section in schools and any(near in line(term) or term in line(near) for near in own):
                held.append(schools[section])
    owner = {}
    for term, held in used.items():
        school, times = Counter(held).most_common(1)[0] if held else ("", 0)
        if len(held) >= 5 and times >= 0.9 * len(held):
            owner[term] = school
    places = [(s, schools[s], t) for s, own in terms.items() if s in schools for t in own if t in owner]
    settled = Counter((school, kinds[t]) for _, school, t in places if owner[t] == school)
    return [("sections", s) for s, school, t in places if owner[t] != school and settled[school, kinds[t]] >= 5]


@rule("parent_of_wrong_type")
def _(view: View) -> Failing:
    order = {"lea": 0, "school": 1, "school_year": 0, "semester": 1, "quarter": 2, "grading_period": 3}
    kinds = {**dict(zip(view.roster.orgs["id"], view.roster.orgs["org_type"], strict=True)),
             **dict(zip(view.roster.terms["id"], view.roster.terms["term_type"], strict=True))}  # fmt: skip
    terms = set(view.roster.terms["id"])
    failing: Failing = []
    for child, parent in view.one("child_of").items():
        lower, upper = order.get(kinds[child]), order.get(kinds[parent])
        if lower is None or upper is None:
            continue
        if lower < upper or (lower == upper and child in terms):
            failing.append(("terms" if child in terms else "orgs", child))
    return failing


@rule("section_over_two_years")
def _(view: View) -> Failing:
    terms = view.roster.terms.set_index("id")
    failing: Failing = []
    for section, used in view.many("in_term").items():
        known = [t for t in used if not terms.loc[t, "end_date"] < terms.loc[t, "start_date"]]
        span = max(terms.loc[known, "end_date"]) - min(terms.loc[known, "start_date"])
        if len(used) > 1 and span.days > 366:
            failing.append(("sections", section))
    return failing


@rule("school_below_school")
def _(view: View) -> Failing:
    schools = set(view.schools()["id"])
    return [("orgs", child) for child, parent in view.one("child_of").items() if {child, parent} <= schools]


RULES["same_name_terms"] = lambda view: rows("terms", shared(view.roster.terms, "name"))


@rule("created_on_one_day")
def _(view: View) -> Failing:
    terms = view.roster.terms.set_index("id")["start_date"]
    used = {term for terms in view.many("in_term").values() for term in terms}
    this_year = [terms[term] for term in used if view.as_of - terms[term] < pd.Timedelta(days=366)]
    found: Failing = []
    for table, df in view.roster.tables.items():
        days = Counter(time.date() for time in df["created_at"].dropna())
        day, times = days.most_common(1)[0] if days else (None, 0)
        late = this_year and day is not None and pd.Timestamp(day) > min(this_year) + pd.Timedelta(days=30)
        if late and days.total() >= 20 and times > days.total() / 2:
            found.append((table, None))
    return found


@rule("stale_roster")
def _(view: View) -> Failing:
    newest = max(df["updated_at"].max() for df in view.roster.tables.values() if len(df))
    return [("persons", None)] if (view.as_of.tz_localize("UTC") - newest).days > 90 else []
