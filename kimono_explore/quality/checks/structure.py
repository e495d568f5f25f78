"""Checks of shape: whether orgs, terms, courses, sections and people agree about where they belong."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import narwhals as nw
import networkx as nx
import pandas as pd

from kimono_explore.quality.context import stack
from kimono_explore.quality.current import day as day_of
from kimono_explore.quality.definition import Check, CheckResult, NotApplicable
from kimono_explore.schema import TABLE_OF

if TYPE_CHECKING:
    from kimono_explore.quality.context import CheckContext
    from kimono_explore.quality.definition import Frame

_AGREEMENT, _STRUCTURE = "Agreement", "Structure"
_FRESHNESS = "Freshness"
_ORGS = {"national": 0, "state": 1, "sea": 1, "local": 2, "district": 3, "lea": 3, "school": 4, "department": 5}
_TERMS = {"schoolyear": 0, "year": 0, "semester": 1, "trimester": 1, "quarter": 2, "gradingperiod": 3}
"""From the highest kind to the lowest; what a ``term`` is, nobody knows."""
_ENOUGH = 20
"""Fewer rows may well be created on one day."""


def section_org_not_in_course(context: CheckContext) -> CheckResult:
    held = context.first_target("held_at").rename({"target": "org_id"})
    of_course = context.first_target("of_course").rename({"target": "course_id"})
    offered = context.pairs("offered_by", "course_id", "org_id")
    sections = held.join(of_course, on="id", how="inner").join(offered, on="course_id", how="semi")
    # What a district offers, its schools may hold.
    above = context.ancestors("org").rename({"id": "org_id"})
    reached = sections.join(above, on="org_id", how="inner")
    fitting = reached.join(offered.rename({"org_id": "ancestor"}), on=["course_id", "ancestor"], how="semi")
    return CheckResult(sections, sections.join(fitting.select("id").unique(), on="id", how="anti"))


def outside_school(relation: str, context: CheckContext) -> CheckResult:
    """People in a section of a school that they are not a member of."""
    held = context.first_target("held_at").rename({"id": "section_id", "target": "section_org_id"})
    seats = context.pairs(relation, "id", "section_id").join(held, on="section_id", how="inner")
    ends = ["id", "section_org_id"]
    members = context.pairs("member_of", "id", "org_id")
    outside = seats.join(members.rename({"org_id": "section_org_id"}), on=ends, how="anti")
    # What a district holds itself is open to the students of its schools.
    above = context.ancestors("org").rename({"id": "org_id", "ancestor": "section_org_id"})
    return CheckResult(seats, outside.join(members.join(above, on="org_id", how="inner"), on=ends, how="anti"))


def parent_child_mismatch(context: CheckContext) -> CheckResult:
    types = [t for t in ("org", "term") if {f"{TABLE_OF[t]}.$parent", f"{TABLE_OF[t]}.$children"} <= context.rollups]
    if not types:
        raise NotApplicable("roll-ups not sent: $parent and $children")
    links = context.valid_links("child_of").filter(nw.col("source_type").is_in(types))
    wrong = links.filter(nw.col("stated_by") != "both")
    table = nw.when(nw.col("source_type") == "org").then(nw.lit("orgs")).otherwise(nw.lit("terms")).alias("table")
    parent = nw.col("target_id").alias("parent_id")
    return CheckResult(links, wrong.select(table, nw.col("source_id").alias("id"), parent, "stated_by"))


def on_a_cycle(type: str, context: CheckContext) -> CheckResult:
    """Orgs or terms that are above themselves."""
    parents = context.parents(type)
    graph = nx.DiGraph([(child, parent) for child, above in parents.items() for parent in above])
    loops = [sorted(part) for part in nx.strongly_connected_components(graph)]
    loops = sorted(part for part in loops if len(part) > 1 or graph.has_edge(part[0], part[0]))
    found = [(id, " - ".join(part)) for part in loops for id in part]
    failing = context.engine.small({"id": [id for id, _ in found], "cycle": [cycle for _, cycle in found]})
    return CheckResult(context.objects(TABLE_OF[type]), failing)


def school_without_parent(context: CheckContext) -> CheckResult:
    schools = context.schools
    return CheckResult(schools, schools.join(context.pairs("child_of", "id", "parent"), on="id", how="anti"))


def no_lea(context: CheckContext) -> CheckResult:
    if not context.rows["orgs"]:
        raise NotApplicable(context.refused("orgs") or "no orgs")
    leas = context.count(context.objects("orgs").filter(nw.col("org_type") == "lea"))
    return CheckResult(1, context.engine.small({"id": [] if leas else [None]}))


def unknown_org_type(context: CheckContext, known: tuple[str, ...]) -> CheckResult:
    orgs = context.objects("orgs").select("id", "org_type")
    return CheckResult(orgs, orgs.filter(nw.col("org_type").is_null() | ~nw.col("org_type").is_in(known)))


def school_without(role: str, context: CheckContext, current_only: bool) -> CheckResult:
    schools = context.schools
    links = context.people_of("member_of") if current_only else context.valid_links("member_of")
    members = links.filter(nw.col("role") == role)
    return CheckResult(schools, schools.join(members.select(id=nw.col("target_id")), on="id", how="anti"))


def school_below_school(context: CheckContext) -> CheckResult:
    schools = context.schools
    links = context.pairs("child_of", "id", "parent_id").join(schools, on="id", how="semi")
    return CheckResult(links, links.join(schools.rename({"id": "parent_id"}), on="parent_id", how="semi"))


def parent_of_wrong_type(context: CheckContext) -> CheckResult:
    """Orgs below one of a lower kind, and terms below one that is not of a higher kind."""
    checked, failing = [], []
    for type, table, column, ranks in (("org", "orgs", "org_type", _ORGS), ("term", "terms", "term_type", _TERMS)):
        kinds = context.objects(table).filter(~nw.col("id").is_null()).select("id", kind=column)
        words = context.collect_texts(kinds, "kind")
        known = [(word, ranks[_plain_kind(word)]) for word in words if _plain_kind(word) in ranks]
        places = context.engine.small(
            {"kind": [kind for kind, _ in known], "place": [str(place) for _, place in known]}
        )
        ranked = kinds.join(places, on="kind", how="inner").group_by("id")
        of = ranked.agg(kind=nw.col("kind").min(), place=nw.col("place").min())
        links = context.valid_links("child_of").filter(nw.col("source_type") == type)
        links = links.select(id="source_id", parent_id="target_id").join(of, on="id", how="inner")
        above = of.rename({"id": "parent_id", "kind": "parent_kind", "place": "parent_place"})
        pairs = links.join(above, on="parent_id", how="inner").with_columns(table=nw.lit(table))
        own, upper = nw.col("place"), nw.col("parent_place")
        checked.append(pairs.select("id"))
        # A school below a school has a check of its own; of terms, one kind below itself is as wrong.
        wrong = pairs.filter((own < upper) if type == "org" else (own <= upper))
        failing.append(wrong.select("table", "id", "kind", "parent_id", "parent_kind"))
    return CheckResult(stack(checked), stack(failing))


def section_over_two_years(context: CheckContext, days: int) -> CheckResult:
    """Sections in several terms that together are longer than a year."""
    terms = context.pairs("in_term", "id", "term_id").group_by("id").agg(terms=nw.col("term_id").n_unique())
    known = context.section_days.filter(~nw.col("first_day").is_null(), ~nw.col("last_day").is_null())
    sections = known.join(terms, on="id", how="inner")
    long = nw.col("last_day") > nw.col("first_day").dt.offset_by(f"{days}d")
    return CheckResult(sections, sections.filter((nw.col("terms") > 1) & long))


def term_of_another_school(context: CheckContext, sections: int, share: float) -> CheckResult:
    """Sections in a term that another school has for itself, while their own school has such terms of its own."""
    held = context.first_target("held_at").rename({"target": "org_id"})
    placed = context.pairs("in_term", "id", "term_id").unique().join(held, on="id", how="inner")
    kinds = context.objects("terms").filter(~nw.col("id").is_null()).group_by("id").agg(kind=nw.col("term_type").min())
    kinds = kinds.select(term_id="id", kind=nw.col("kind").fill_null(""))
    owned = _terms_of_one_school(context, placed, sections, share).join(kinds, on="term_id", how="inner")
    owned = context.engine.keep(owned)
    own = placed.join(owned, on=["org_id", "term_id"], how="inner").group_by("org_id", "kind")
    settled = own.agg(own_sections=nw.col("id").n_unique()).filter(nw.col("own_sections") >= sections)
    others = placed.join(owned.select("org_id", "term_id"), on=["org_id", "term_id"], how="anti")
    others = others.join(owned.rename({"org_id": "used_by"}), on="term_id", how="inner")
    others = others.join(settled, on=["org_id", "kind"], how="semi")
    found = others.group_by("id").agg(term_id=nw.col("term_id").min(), used_by=nw.col("used_by").min())
    return CheckResult(placed.select("id").unique(), found)


def _terms_of_one_school(context: CheckContext, placed: Frame, sections: int, share: float) -> Frame:
    """The terms that one school has for itself, each with what is above and below it: org_id, term_id.

    Terms name no school: whose one is shows in the sections that are in it.
    """
    above = context.ancestors("term")
    related = stack([above.select(term_id="id", near="ancestor"), above.select(term_id="ancestor", near="id")]).unique()
    uses = placed.rename({"term_id": "near"}).join(related, on="near", how="inner").select("id", "org_id", "term_id")
    in_all = uses.group_by("term_id").agg(in_all=nw.col("id").n_unique())
    of_org = uses.group_by("org_id", "term_id").agg(of_org=nw.col("id").n_unique())
    counted = of_org.join(in_all.filter(nw.col("in_all") >= sections), on="term_id", how="inner")
    alone = counted.filter(nw.col("of_org") * 100 >= share * nw.col("in_all")).select("org_id", "term_id")
    return alone.join(context.schools.select(org_id="id"), on="org_id", how="semi")


def stale_roster(context: CheckContext, days: int) -> CheckResult:
    """The newest time at which anything was updated, if that is long ago."""
    newest = [_newest(context, table) for table in TABLE_OF.values() if context.filled[table].get("updated_at")]
    if not newest:
        raise NotApplicable("the tenant sends no updated_at")
    last = max(newest).date()
    old = (context.today - last).days > days
    return CheckResult(
        1, context.engine.small({"id": [None] if old else [], "last_update": [last.isoformat()] if old else []})
    )


def created_on_one_day(context: CheckContext, share: float, days: int) -> CheckResult:
    """Tables of which most rows were created on one day, long after the school year began."""
    this_year = context.section_days.filter(nw.col("first_day") > day_of(context.as_of - timedelta(days=366)))
    begins = context.engine.collect(this_year.select(nw.col("first_day").min()))["first_day"].iloc[0]
    if pd.isna(begins):
        raise NotApplicable("nobody knows when the school year began: no section has a term of this year with dates")
    late = pd.Timestamp(begins) + pd.Timedelta(days=days)
    checked, found = 0, []
    for table in TABLE_OF.values():
        if context.filled[table].get("created_at", 0) < _ENOUGH:
            continue
        made = context.engine.collect(context.raw(table).select("created_at"))["created_at"].dropna()
        per_day = made.dt.tz_convert("UTC").dt.tz_localize(None).dt.normalize().value_counts()
        day, rows = per_day.index[0], int(per_day.iloc[0])
        checked += 1
        if rows * 100 > share * len(made) and day > late:
            found.append((table, f"{day:%Y-%m-%d}", f"{rows:,} of {len(made):,}"))
    if not checked:
        raise NotApplicable(f"no table with a created_at in {_ENOUGH} rows")
    columns: dict[str, list[str | None]] = {"id": [None for _ in found]}
    for place, name in enumerate(("table", "day", "created")):
        columns[name] = [row[place] for row in found]
    return CheckResult(checked, context.engine.small(columns))


def _newest(context: CheckContext, table: str) -> pd.Timestamp:
    times = context.engine.collect(context.raw(table).select(nw.col("updated_at").max()))
    return pd.Timestamp(times["updated_at"].iloc[0])


def _plain_kind(kind: str) -> str:
    return "".join(letter for letter in kind.lower() if letter.isalpha())


CHECKS: tuple[Check, ...] = (
    Check(
        "section_org_not_in_course",
        "KX-AGR-001",
        "A section at a school that does not offer its course",
        "warning",
        _AGREEMENT,
        ("sections",),
        "The section's org, and every org above it, is missing from the orgs that offer the section's course.",
        "Filters by school show the section without its course, or the course without its section.",
        section_org_not_in_course,
        needs=("held_at", "of_course", "offered_by"),
    ),
    Check(
        "student_outside_school",
        "KX-AGR-002",
        "A student in a section of another school",
        "warning",
        _AGREEMENT,
        ("persons",),
        "The student is enrolled in a section of an org without being a member of that org or of one below it.",
        "School staff cannot find the student, and the school's counts leave the student out.",
        partial(outside_school, "student_in"),
        needs=("student_in", "held_at", "member_of:student"),
        follows=("orphan_member_of", "student_without_school"),
    ),
    Check(
        "teacher_outside_school",
        "KX-AGR-003",
        "A teacher of a section of another school",
        "information",
        _AGREEMENT,
        ("persons",),
        "The teacher teaches a section of an org without being a member of that org or of one below it.",
        "School administrators do not see who teaches at their school.",
        partial(outside_school, "teacher_in"),
        needs=("teacher_in", "held_at", "member_of:teacher"),
        follows=("orphan_member_of", "teacher_without_school"),
    ),
    Check(
        "parent_child_mismatch",
        "KX-AGR-004",
        "Parent and child do not agree",
        "warning",
        _AGREEMENT,
        ("orgs", "terms"),
        "Both sides are sent, but only the parent names the child, or only the child names the parent.",
        "The tree depends on which side is read.",
        parent_child_mismatch,
        follows=("org_cycle", "term_cycle"),
    ),
    Check(
        "org_cycle",
        "KX-STR-001",
        "Orgs that are their own ancestors",
        "error",
        _STRUCTURE,
        ("orgs",),
        "Following parents from the org leads back to it.",
        "Code that walks the tree never ends.",
        partial(on_a_cycle, "org"),
        needs=("child_of",),
    ),
    Check(
        "term_cycle",
        "KX-STR-002",
        "Terms that are their own ancestors",
        "error",
        _STRUCTURE,
        ("terms",),
        "Following parents from the term leads back to it.",
        "Code that walks the tree never ends.",
        partial(on_a_cycle, "term"),
        needs=("child_of",),
    ),
    Check(
        "school_without_parent",
        "KX-STR-003",
        "School without a district",
        "warning",
        _STRUCTURE,
        ("orgs",),
        "No `child_of` link leads from the school to an org that was delivered.",
        "District staff do not see the school.",
        school_without_parent,
        needs=("child_of",),
        follows=("orphan_child_of",),
    ),
    Check(
        "school_below_school",
        "KX-STR-004",
        "A school below another school",
        "information",
        _STRUCTURE,
        ("orgs",),
        "The school's parent is a school.",
        "Counts by school include the lower school's students twice, or not at all.",
        school_below_school,
        needs=("child_of",),
        follows=("org_cycle",),
    ),
    Check(
        "no_lea",
        "KX-STR-005",
        "No district",
        "warning",
        _STRUCTURE,
        ("orgs",),
        "No org has the type `lea`.",
        "District-wide settings, licenses and reports have no place.",
        no_lea,
    ),
    Check(
        "unknown_org_type",
        "KX-STR-006",
        "Org of an unknown type",
        "information",
        _STRUCTURE,
        ("orgs",),
        "The org's type is not one of {known}.",
        "Products leave out orgs whose type they do not know.",
        unknown_org_type,
        params={"known": ("lea", "school")},
    ),
    Check(
        "school_without_students",
        "KX-STR-007",
        "School without students",
        "warning",
        _STRUCTURE,
        ("orgs",),
        "No student is a member of the school; with `current_only` ({current_only}), only memberships count "
        "that are current on the day of the check (`as_of`).",
        "The school was left out of an export, or closed.",
        partial(school_without, "student"),
        params={"current_only": True},
        needs=("member_of:student",),
    ),
    Check(
        "school_without_teachers",
        "KX-STR-008",
        "School without teachers",
        "warning",
        _STRUCTURE,
        ("orgs",),
        "No teacher is a member of the school; with `current_only` ({current_only}), only memberships count "
        "that are current on the day of the check (`as_of`).",
        "The school's staff were left out of an export.",
        partial(school_without, "teacher"),
        params={"current_only": True},
        needs=("member_of:teacher",),
    ),
    Check(
        "parent_of_wrong_type",
        "KX-STR-009",
        "Org or term with a parent of the wrong kind",
        "warning",
        _STRUCTURE,
        ("orgs", "terms"),
        "A district is below a school or department, or a school below a department; or a term is below one of the same or "
        "of a lower kind: school year, semester or trimester, quarter, grading period. Other kinds are not compared.",
        "Totals by district or by year end up in the wrong place.",
        parent_of_wrong_type,
        needs=("child_of",),
        follows=("org_cycle", "term_cycle"),
    ),
    Check(
        "section_over_two_years",
        "KX-STR-010",
        "Section that spans two school years",
        "warning",
        _STRUCTURE,
        ("sections",),
        "The section is in several terms that together span more than {days} days.",
        "Last year's class stays on the screen, or this year's class starts a year too early.",
        section_over_two_years,
        params={"days": 366},
        needs=("in_term",),
        likely="sections are reused from year to year and keep their old terms.",
    ),
    Check(
        "term_of_another_school",
        "KX-STR-011",
        "Section in a term of another school",
        "warning",
        _STRUCTURE,
        ("sections",),
        "At least {share} % of the sections in the term, and in those above and below it, are held at one other school, and "
        "there are at least {sections}; the section's own school has at least {sections} sections in terms of the same kind that "
        "are its own in this way. Where schools share their terms, nothing is found.",
        "The section begins, ends and is graded on the days of another school.",
        term_of_another_school,
        params={"sections": 5, "share": 90.0},
        needs=("held_at", "in_term"),
    ),
    Check(
        "stale_roster",
        "KX-FRS-001",
        "Nothing has been updated for a long time",
        "warning",
        _FRESHNESS,
        ("persons",),
        "The newest `updated_at` of all tables is more than {days} days before the day of the check (`as_of`), or the day of "
        "loading where none was given.",
        "The student information system has probably stopped sending: people who have come since then are missing.",
        stale_roster,
        params={"days": 90},
    ),
    Check(
        "created_on_one_day",
        "KX-FRS-002",
        "Most of a table was created on one late day",
        "information",
        _FRESHNESS,
        tuple(TABLE_OF.values()),
        "More than {share} % of a table's rows were created on one day, more than {days} days after the first day of the "
        "first term of this year that has sections. Tables of fewer than 20 rows are left out.",
        "The rows were probably recreated in the middle of the year: products that know the old ids now have everybody twice.",
        created_on_one_day,
        params={"share": 50.0, "days": 30},
    ),
)
