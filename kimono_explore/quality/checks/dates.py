"""Checks of terms: dates that are missing, turned round, or that overlap. Terms are few: this is plain Python."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING, cast

import narwhals as nw
import pandas as pd

from kimono_explore.quality.context import once
from kimono_explore.quality.definition import Check, CheckResult, Frame, NotApplicable
from kimono_explore.schema import keys_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kimono_explore.quality.context import CheckContext

_GROUP = "Dates"
_COLUMNS = ("id", "name", "term_type", "start_date", "end_date")


def term_without_dates(context: CheckContext) -> CheckResult:
    terms = context.objects("terms").select(*_COLUMNS)
    return CheckResult(terms, terms.filter(nw.col("start_date").is_null() | nw.col("end_date").is_null()))


def term_ends_before_start(context: CheckContext) -> CheckResult:
    terms = _dated(context)
    return CheckResult(terms, terms.filter(nw.col("end_date") < nw.col("start_date")))


def term_too_long(context: CheckContext, days: int) -> CheckResult:
    terms = _dated(context)
    return CheckResult(terms, terms.filter(nw.col("end_date") > nw.col("start_date").dt.offset_by(f"{days}d")))


def child_term_outside_parent(context: CheckContext) -> CheckResult:
    terms = _dated(context)
    children = terms.join(context.pairs("child_of", "id", "parent_id").unique(), on="id", how="inner")
    # A parent that came several times reaches as far as any of its rows.
    known = terms.filter(~nw.col("id").is_null()).group_by("id")
    parents = known.agg(parent_start=nw.col("start_date").min(), parent_end=nw.col("end_date").max())
    parents = parents.rename({"id": "parent_id"})
    pairs = children.join(parents, on="parent_id", how="inner")
    early = nw.col("start_date") < nw.col("parent_start")
    return CheckResult(pairs, pairs.filter(early | (nw.col("end_date") > nw.col("parent_end"))))


def sibling_terms_overlap(context: CheckContext) -> CheckResult:
    terms = _dated(context).filter(nw.col("start_date") <= nw.col("end_date"), ~nw.col("id").is_null())
    df = context.engine.collect(terms).sort_values(list(_COLUMNS)).drop_duplicates("id").set_index("id")
    days = {id: (start, end) for id, start, end in zip(df.index, df["start_date"], df["end_date"], strict=True)}
    parents, used_by = context.parents("term"), _orgs_of_terms(context)
    used = _used(context, set(df.index))
    siblings: dict[tuple[tuple[str, ...], str], list[str]] = defaultdict(list)
    for id, kind in zip(df.index, df["term_type"].fillna(""), strict=True):
        if id not in used:
            continue
        siblings[tuple(parents.get(id, ())), kind].append(id)
    overlaps: dict[str, str] = {}
    for group in siblings.values():
        for one, other in combinations(group, 2):
            # Terms of two schools that share none may overlap.
            apart = one in used_by and other in used_by and not used_by[one] & used_by[other]
            if not apart and _overlap(days[one], days[other]):
                overlaps.setdefault(one, other)
                overlaps.setdefault(other, one)
    found = sorted(overlaps)
    columns = context.engine.small({"id": list(found), "overlaps_id": [overlaps[id] for id in found]})
    return CheckResult(terms, columns.join(terms, on="id", how="inner"))


def _used(context: CheckContext, terms: set[str]) -> set[str]:
    """The terms that have sections, or stand above one that has; all, where sections do not say their terms."""
    if not context.rollups.intersection(keys_of("in_term")):
        return terms
    sections = context.pairs("in_term", "section_id", "id").select("id").unique()
    used = context.ancestors("term").join(sections, on="id", how="semi").select("ancestor").unique()
    return set(context.engine.collect(used)["ancestor"]) & terms


def same_name_terms(context: CheckContext) -> CheckResult:
    terms = context.objects("terms").filter(~nw.col("name").is_null()).select("id", "name", "start_date", "end_date")
    times = once(terms.select("id", "name"), "name").group_by("name").agg(times=nw.len()).filter(nw.col("times") > 1)
    return CheckResult(terms, terms.join(times, on="name", how="inner"))


def no_current_term(context: CheckContext) -> CheckResult:
    if not context.rows["terms"]:
        raise NotApplicable(context.refused("terms") or "no terms")
    today = nw.lit(pd.Timestamp(context.today).to_pydatetime())
    now = context.count(_dated(context).filter(nw.col("start_date") <= today, nw.col("end_date") >= today))
    return CheckResult(1, context.engine.small({"id": [] if now else [None]}))


def _dated(context: CheckContext) -> Frame:
    terms = context.objects("terms").select(*_COLUMNS)
    return terms.filter(~nw.col("start_date").is_null(), ~nw.col("end_date").is_null())


def _overlap(one: tuple[pd.Timestamp, pd.Timestamp], other: tuple[pd.Timestamp, pd.Timestamp]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _orgs_of_terms(context: CheckContext) -> dict[str, set[str]]:
    """The orgs whose sections use each term."""
    held = context.first_target("held_at").rename({"target": "org_id"})
    used = context.pairs("in_term", "id", "term_id").join(held, on="id", how="inner")
    df = context.engine.collect(used.select("term_id", "org_id").unique())
    orgs: dict[str, set[str]] = defaultdict(set)
    for term, org in cast("Iterable[tuple[str, str]]", zip(df["term_id"], df["org_id"], strict=True)):
        orgs[term].add(org)
    return orgs


CHECKS: tuple[Check, ...] = (
    Check(
        "term_without_dates",
        "KX-DAT-001",
        "Term without dates",
        "warning",
        _GROUP,
        ("terms",),
        "The first or the last day is missing, or is not a date.",
        "Nobody can tell which classes are in session.",
        term_without_dates,
        follows=("bad_value",),
    ),
    Check(
        "term_ends_before_start",
        "KX-DAT-002",
        "Term that ends before it starts",
        "error",
        _GROUP,
        ("terms",),
        "The last day is before the first.",
        "The classes of the term never show up.",
        term_ends_before_start,
    ),
    Check(
        "child_term_outside_parent",
        "KX-DAT-003",
        "Term that reaches beyond its parent",
        "warning",
        _GROUP,
        ("terms",),
        "The term starts before, or ends after, the term above it.",
        "Classes show in one product and not in another.",
        child_term_outside_parent,
        needs=("child_of",),
    ),
    Check(
        "sibling_terms_overlap",
        "KX-DAT-004",
        "Terms that overlap",
        "warning",
        _GROUP,
        ("terms",),
        "Two terms of one kind below one parent, or below none, share a day, both have sections, directly or in a "
        "term below, and no two schools keep them apart.",
        "A day belongs to two terms: grades go to the wrong one.",
        sibling_terms_overlap,
    ),
    Check(
        "same_name_terms",
        "KX-DAT-005",
        "Terms that cannot be told apart",
        "information",
        _GROUP,
        ("terms",),
        "Another term has the same name.",
        "Nobody who picks a term from a list can tell which is which.",
        same_name_terms,
    ),
    Check(
        "no_current_term",
        "KX-DAT-006",
        "No current term",
        "warning",
        _GROUP,
        ("terms",),
        "No term includes the day of the check (`as_of`), or the day of loading where none was given.",
        "Products show no classes at all. In the holidays this is as it should be.",
        no_current_term,
    ),
    Check(
        "term_too_long",
        "KX-DAT-007",
        "Term of more than a year",
        "information",
        _GROUP,
        ("terms",),
        "The term is longer than {days} days.",
        "Classes of several years are shown together.",
        term_too_long,
        params={"days": 400},
    ),
)
