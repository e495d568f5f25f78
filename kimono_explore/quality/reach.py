"""Whom findings affect: the people behind an object, each counted once, however many rows name them.

A person is reached by a finding about that person, and by one about an org, section, course, term or grading category that
the person belongs to or is taught in. A missing student does not reach the class, a missing teacher does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import narwhals as nw
import pandas as pd

from kimono_explore.quality.definition import SEVERITIES
from kimono_explore.schema import IN_SECTION, OBJECT_TYPES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from kimono_explore.quality.context import CheckContext
    from kimono_explore.quality.definition import Frame

PEOPLE = ("students", "teachers")
REACHED = (*PEOPLE, "sections", "schools")
_SEAT = "seat"
"""A section or org that is named, without its people."""


class Reach(NamedTuple):
    """What was counted.

    Attributes
    ----------
    causes : pandas.DataFrame
        By number of the cause: students, teachers, sections, schools.
    harmed : pandas.DataFrame
        scope (``"district"``, ``"school"`` or ``"table"``), id, people, errors, warnings: how many people there are, and how
        many an error reaches, or a warning but no error.
    """

    causes: pd.DataFrame
    harmed: pd.DataFrame


def measure(context: CheckContext, findings: pd.DataFrame, numbers: Sequence[int]) -> Reach:
    """Count whom each cause reaches, and how many people are harmed.

    Parameters
    ----------
    context : CheckContext
    findings : pandas.DataFrame
        check, severity, table, id, role, missing_type, missing_id.
    numbers : sequence of int
        The cause of each finding.
    """
    keep = context.engine.keep
    kinds = keep(_kinds(context))
    named = _seeds(findings, numbers)
    types = {type for type in named["type"] if type is not None}
    if not types:
        nobody = pd.DataFrame(0, index=range(max(numbers, default=-1) + 1), columns=list(REACHED))
        return Reach(nobody, _harmed(context, None, kinds))
    seeds = keep(context.engine.small(named))
    sections = keep(_sections(context, seeds, types))
    people = keep(_people(context, seeds, sections, types).join(kinds, on="person", how="inner"))
    counted = {
        kind: people.filter(nw.col("kind") == kind).group_by("cause").agg(n=nw.col("person").n_unique())
        for kind in PEOPLE
    }
    counted["sections"] = sections.group_by("cause").agg(n=nw.col("section").n_unique())
    counted["schools"] = _schools(context, seeds, sections, types).group_by("cause").agg(n=nw.col("org").n_unique())
    causes = pd.DataFrame(0, index=range(max(numbers, default=-1) + 1), columns=list(REACHED))
    for name, frame in counted.items():
        df = context.engine.collect(frame)
        causes.loc[df["cause"].astype("int64"), name] = df["n"].to_numpy()
    _add_missing_people(causes, findings, numbers)
    return Reach(causes, _harmed(context, people, kinds))


def _add_missing_people(causes: pd.DataFrame, findings: pd.DataFrame, numbers: Sequence[int]) -> None:
    """Count people who were not delivered as affected, too: no other finding names them."""
    gone = findings.assign(cause=list(numbers))[findings["missing_type"] == "person"]
    for name, mine in (("teachers", gone["role"] == "teacher"), ("students", gone["role"] != "teacher")):
        counts = gone[mine].groupby("cause")["missing_id"].nunique()
        causes.loc[counts.index, name] += counts


def _seeds(findings: pd.DataFrame, numbers: Sequence[int]) -> dict[str, list[str | None]]:
    """What the findings name: the object at fault, and what it refers to and was not delivered."""
    gone = findings["missing_type"]
    empty_seat = (gone == "person") & ~((findings["table"] == "sections") & (findings["role"] == "teacher"))
    # The id of a bundle's own file is none of a table: it reaches nobody.
    types = findings["table"].map({**OBJECT_TYPES, "links": "link"})
    types = types.where(~empty_seat, _SEAT)
    shared = {
        "cause": [str(number) for number in numbers],
        "rank": [str(SEVERITIES.index(severity)) for severity in findings["severity"]],
        "about": findings["table"].tolist(),
    }
    own = pd.DataFrame({**shared, "type": types.to_numpy(), "id": findings["id"].to_numpy()})
    missing = pd.DataFrame({**shared, "type": gone.to_numpy(), "id": findings["missing_id"].to_numpy()})
    both = pd.concat([own, missing]).dropna().drop_duplicates()
    return {name: both[name].tolist() for name in both.columns}


_MARKS = ("cause", "rank", "about")


def _near(seeds: Frame, *types: str) -> Frame:
    return seeds.filter(nw.col("type").is_in(types))


# What follows looks only for what the types of the seeds lead to: each way costs an engine a plan, also where nothing is
# found on it.


def _sections(context: CheckContext, seeds: Frame, types: Collection[str]) -> Frame:
    """The sections behind each seed: cause, rank, about, section, taught (whether its people are reached)."""
    yes, no = nw.lit("yes").alias("taught"), nw.lit("no").alias("taught")
    found = [_near(seeds, "section").select(*_MARKS, yes, section="id")]
    if _SEAT in types:
        seats = _near(seeds, _SEAT).filter(nw.col("about") == "sections")
        found.append(seats.select(*_MARKS, no, section="id"))
    if not {_SEAT, "link"}.issuperset(types):
        held = context.links("of_course", "in_term", "held_at").filter(nw.col("source_type") == "section")
        held = held.select(section="source_id", type="target_type", id="target_id")
        found.append(seeds.join(held, on=["type", "id"], how="inner").select(*_MARKS, yes, "section"))
    if "grading_category" in types:
        graded = context.links("graded_in").select(id="source_id", section="target_id")
        graded = _near(seeds, "grading_category").join(graded, on="id", how="inner")
        found.append(graded.select(*_MARKS, yes, "section"))
    if "link" in types:
        named = context.links(*IN_SECTION).filter(~nw.col("membership_id").is_null())
        named = named.select(id="membership_id", section="target_id")
        found.append(_near(seeds, "link").join(named, on="id", how="inner").select(*_MARKS, no, "section"))
    return nw.concat(found).filter(~nw.col("section").is_null()).unique()


def _people(context: CheckContext, seeds: Frame, sections: Frame, types: Collection[str]) -> Frame:
    """The people behind each seed: cause, rank, about, person."""
    found = [_near(seeds, "person").select(*_MARKS, person="id")]
    if "org" in types:
        members = context.links("member_of").select(person="source_id", id="target_id")
        found.append(_near(seeds, "org").join(members, on="id", how="inner").select(*_MARKS, "person"))
    if not {_SEAT, "link"}.issuperset(types):
        seats = context.links(*IN_SECTION).select(person="source_id", section="target_id")
        taught = sections.filter(nw.col("taught") == "yes").join(seats, on="section", how="inner")
        found.append(taught.select(*_MARKS, "person"))
    if "link" in types:
        named = context.links().filter(~nw.col("membership_id").is_null(), nw.col("source_type") == "person")
        named = named.select(id="membership_id", person="source_id")
        found.append(_near(seeds, "link").join(named, on="id", how="inner").select(*_MARKS, "person"))
    return nw.concat(found).filter(~nw.col("person").is_null()).unique()


def _schools(context: CheckContext, seeds: Frame, sections: Frame, types: Collection[str]) -> Frame:
    """The orgs of type school that were delivered and that each seed concerns: cause, org."""
    held = context.links("held_at").select(section="source_id", org="target_id")
    held = sections.select("cause", "section").join(held, on="section", how="inner").select("cause", "org")
    found = [held]
    if "org" in types:
        found.append(_near(seeds, "org").select("cause", org="id"))
    if _SEAT in types:
        found.append(_near(seeds, _SEAT).filter(nw.col("about") == "orgs").select("cause", org="id"))
    if "person" in types:
        homes = context.links("member_of").select(id="source_id", org="target_id")
        found.append(_near(seeds, "person").join(homes, on="id", how="inner").select("cause", "org"))
    if "course" in types:
        offered = context.links("offered_by").select(id="source_id", org="target_id")
        found.append(_near(seeds, "course").join(offered, on="id", how="inner").select("cause", "org"))
    known = context.objects("orgs").filter(nw.col("org_type") == "school").select(org="id")
    known = known.filter(~nw.col("org").is_null()).unique()
    return nw.concat(found).join(known, on="org", how="semi")


def _kinds(context: CheckContext) -> Frame:
    """Each person once: person, kind. Everyone who is not a student counts as a teacher."""
    people = context.objects("persons").filter(~nw.col("id").is_null())
    student = nw.when(nw.col("person_type") == "student").then(nw.lit("students")).otherwise(nw.lit("teachers"))
    return people.select(person="id", kind=student).group_by("person").agg(kind=nw.col("kind").min())


def _harmed(context: CheckContext, people: Frame | None, kinds: Frame) -> pd.DataFrame:
    """How many people there are, and how many are harmed: of the district, of each school, by what each table has.

    ``people`` is None where no finding names anything.
    """
    engine = context.engine
    homes = _homes(context, kinds)
    homes = homes if people is None else engine.keep(homes)
    members = engine.collect(homes.group_by("org").agg(people=nw.col("person").n_unique()))
    everybody = context.count(kinds)
    district = pd.DataFrame({"id": [None], "people": [everybody]})
    schools = members.rename(columns={"org": "id"})
    tables = pd.DataFrame({"id": list(OBJECT_TYPES)}).assign(people=everybody)
    at_all = at_school = by_table = None
    if people is not None:
        at_all = engine.keep(people.group_by("person").agg(rank=nw.col("rank").min()))
        at_school = homes.join(at_all, on="person", how="inner")
        by_table = people.group_by("about", "person").agg(rank=nw.col("rank").min())
    rows = [
        _count_harmed(context, "district", None, district, at_all),
        _count_harmed(context, "school", "org", schools, at_school),
        _count_harmed(context, "table", "about", tables, by_table),
    ]
    return pd.concat(rows, ignore_index=True)


def _count_harmed(
    context: CheckContext, scope: str, by: str | None, base: pd.DataFrame, ranked: Frame | None
) -> pd.DataFrame:
    df = base.assign(scope=scope, errors=0, warnings=0)
    if ranked is not None:
        keys = [by] if by else []
        counts = context.engine.collect(ranked.group_by(*keys, "rank").agg(n=nw.col("person").n_unique()))
        for rank, name in enumerate(("errors", "warnings")):
            mine = counts[counts["rank"] == str(rank)]
            if by:
                df[name] = df["id"].map(dict(zip(mine[by], mine["n"], strict=True)))
            else:
                df[name] = int(mine["n"].sum())
            df[name] = df[name].fillna(0).astype("int64")
    return df.sort_values("id")[["scope", "id", "people", "errors", "warnings"]].astype({"id": "str"})


def _homes(context: CheckContext, kinds: Frame) -> Frame:
    """Who belongs to which school, as a member or in one of its sections: person, org."""
    members = context.links("member_of").select(person="source_id", org="target_id")
    seats = context.links(*IN_SECTION).select(person="source_id", section="target_id")
    held = context.links("held_at").select(section="source_id", org="target_id")
    seated = seats.join(held, on="section", how="inner").select("person", "org")
    schools = context.objects("orgs").filter(nw.col("org_type") == "school").select(org="id")
    both = nw.concat([members, seated]).unique().join(schools, on="org", how="semi")
    return both.join(kinds.select("person"), on="person", how="semi")
