"""The reasons to hold or stop a roster: one function per rule, or per family of rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import pandas as pd

from kimono_explore.display import noun, plural
from kimono_explore.gate.measures import KINDS, of_type, schools

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from kimono_explore.compare import Comparison
    from kimono_explore.gate.limits import Limits
    from kimono_explore.roster.roster import Roster

Level = Literal["hold", "stop"]
_SLOW_SOURCE = 0.01
"""Up to this share of all students, missing ones whom links still name are a hold: a source may be slow to end enrollments."""


@dataclass(frozen=True)
class Reason:
    """One reason to hold or stop a roster.

    Attributes
    ----------
    rule : str
        The name by which the reason can be let through, such as ``"sections-recreated"``.
    level : {"hold", "stop"}
    school, school_id : str or None
        None for the whole district.
    count, total : int
        How many objects are affected, and out of how many.
    limit : float or None
        The share above which this becomes a reason.
    sentence : str
        The reason in words.
    because : str or None
        Why somebody let the reason through.
    usual : tuple of float or None
        The smallest and largest share on ordinary days, if known.
    """

    rule: str
    level: Level
    school: str | None
    school_id: str | None
    count: int
    total: int
    limit: float | None
    sentence: str
    because: str | None = None
    usual: tuple[float, float] | None = None

    def let_through(self, because: str) -> Reason:
        """Return the same reason, let through so that it no longer holds the roster."""
        return replace(self, because=because)


def _out_of(count: int, total: int, kind: str) -> str:
    if count == total and total > 1:
        return f"all {total:,} {kind}"
    return f"{count:,} of {plural(total, noun(kind))}"


def _school_of(row: pd.Series) -> tuple[str, str | None, str | None]:
    name, id = row["name"], row["school"]
    is_district = not isinstance(id, str)
    shown = "The district" if is_district else (name if isinstance(name, str) and name else f"The school {id}")
    return shown, None if is_district else shown, None if is_district else id


def incomplete(new: Roster) -> Iterator[Reason]:
    """The load itself reports that rows may be missing."""
    lacking = new.incomplete
    if len(lacking):
        tables = ", ".join(str(name) for name in lacking["table"].dropna().unique())
        yield Reason(
            "incomplete-load", "stop", None, None, len(lacking), len(lacking), None,
            f"The load was not complete ({tables}): missing rows are not treated as deleted.",
        )  # fmt: skip


def emptied_tables(old: Roster, new: Roster) -> Iterator[Reason]:
    """Tables that had rows and no longer have any."""
    before, after = old.counts(), new.counts()
    for table in ("orgs", "persons", "courses", "sections", "terms"):
        if before[table] and not after[table]:
            gone = f"All {before[table]:,} {table} are" if before[table] > 1 else f"The only {noun(table)} is"
            yield Reason(
                "empty-table", "stop", None, None, before[table], before[table], None,
                f"{gone} missing. The source probably did not answer; this is not a deletion.",
            )  # fmt: skip


def broken_off(diff: Comparison, new: Roster, measures: pd.DataFrame, limits: Limits) -> Iterator[Reason]:
    """Missing students whom the new roster's own links still name; if there are only a few, the source may be at fault."""
    missing = of_type(diff.removed("persons"), "student")["id"].dropna()
    still_named = int(missing.isin(new.links["source_id"]).sum())
    if still_named >= limits.least and still_named > limits.unreferenced * len(missing):
        total = int(measures.loc[measures["school"].isna() & (measures["kind"] == "students"), "before"].sum())
        level: Level = "stop" if len(missing) > _SLOW_SOURCE * total else "hold"
        yield Reason(
            "students-unknown", level, None, None, still_named, total, limits.unreferenced,
            f"{_out_of(len(missing), total, 'students').capitalize()} are missing, and the roster still enrolls {still_named:,} of them, "
            "so the load was cut short; they did not leave.",
        )  # fmt: skip


def source_down(
    measures: pd.DataFrame, limits: Limits, kinds: Sequence[str], schools_gone: Collection[str | None] = ()
) -> Iterator[Reason]:
    """Most objects of a kind gone at once, not counting those of schools that are gone."""
    for kind in kinds:
        rows = measures[measures["kind"] == kind]
        gone_with_schools = rows.loc[rows["school"].isin(list(schools_gone)), "removed"].sum()
        district = rows[rows["school"].isna()]
        removed, before = int(district["removed"].sum() - gone_with_schools), int(district["before"].sum())
        if removed >= limits.least and removed > limits.gone * before:
            yield Reason(
                f"{kind}-gone", "stop", None, None, removed, before, limits.gone,
                f"{_out_of(removed, before, kind).capitalize()} of the district are missing: a loss of more than {limits.gone:.0%} "
                "at once means the source was down.",
            )  # fmt: skip


def school_gone(new: Roster, measures: pd.DataFrame) -> Iterator[Reason]:
    """Schools that had students and are not in the new roster."""
    known = set(schools(new).index)
    students = measures[(measures["kind"] == "students") & measures["school"].notna() & (measures["before"] > 0)]
    for _, row in students.iterrows():
        if row["school"] not in known:
            shown, name, id = _school_of(row)
            count = int(row["before"])
            sentence = f"{shown} is missing, with its {plural(count, 'student')}."
            yield Reason("school-gone", "hold", name, id, count, count, None, sentence)


def shares(
    measures: pd.DataFrame, limits: Limits, schools_gone: Collection[str | None] = (), *, rolled_over: bool
) -> Iterator[Reason]:
    """More removed, re-created or changed than a limit allows, at each school, then in the district.

    If every school has the same reason, only the district is named. Otherwise the district has a reason only for what its
    named schools do not account for. A school that is gone already has its reason.
    """
    for (kind, fate), limit in _limits_by_fate(limits, rolled_over=rolled_over).items():
        rows = measures[measures["kind"] == kind]
        at_schools, district = rows[rows["school"].notna()], rows[rows["school"].isna()]
        already_held = at_schools["school"].isin(list(schools_gone))
        exceeding = at_schools[_exceeds(at_schools[fate], at_schools["before"], limit, limits.least) & ~already_held]
        large_enough = at_schools["before"] >= limits.least
        everywhere = len(exceeding) > 1 and len(exceeding) == int(large_enough.sum())
        unaccounted = district[fate] - (
            0 if everywhere else exceeding[fate].sum() + at_schools.loc[already_held, fate].sum()
        )
        chosen = [] if everywhere else [exceeding]
        chosen.append(district[_exceeds(unaccounted, district["before"], limit, limits.least)])
        for _, row in pd.concat(chosen).iterrows():
            shown, name, id = _school_of(row)
            sentence = _SENTENCES[fate](shown, row, kind)
            yield Reason(f"{kind}-{fate}", "hold", name, id, int(row[fate]), int(row["before"]), limit, sentence)


def _limits_by_fate(limits: Limits, *, rolled_over: bool) -> dict[tuple[str, str], float]:
    """The limit of each kind and fate; at a rollover, sections and enrollments have none."""
    fates = {"recreated": limits.recreated, "removed": limits.removed, "changed": limits.changed}
    found = {(kind, fate): limit for kind in KINDS for fate, limit in fates.items()}
    found["enrollments", "removed"] = limits.enrollments_removed
    if rolled_over:
        people = {("students", "removed"): limits.rollover, ("teachers", "removed"): limits.rollover}
        kept = {key: limit for key, limit in found.items() if key[0] != "sections" and key[0] != "enrollments"}
        return {**{key: limit for key, limit in kept.items() if key[1] != "changed"}, **people}
    return found


def _recreated(shown: str, row: pd.Series, kind: str) -> str:
    lost = int(row["removed"] + row["recreated"])
    if lost == row["recreated"]:
        return f"{shown}: {_out_of(lost, row['before'], kind)} came back under new ids."
    return f"{shown} lost {_out_of(lost, row['before'], kind)}; {row['recreated']:,} came back under new ids."


def _removed(shown: str, row: pd.Series, kind: str) -> str:
    arrivals = f"; {row['added']:,} others are new" if row["added"] else ""
    return f"{shown}: {_out_of(row['removed'], row['before'], kind)} are missing{arrivals}."


def _changed(shown: str, row: pd.Series, kind: str) -> str:
    return f"{shown}: {_out_of(row['changed'], row['before'], kind)} have changed values."


_SENTENCES = {"recreated": _recreated, "removed": _removed, "changed": _changed}


def _exceeds(count: pd.Series, total: pd.Series, limit: float, least: int) -> pd.Series:
    return (count >= least) & (count > limit * total)


def primary_teachers(roster: Roster) -> pd.Series:
    """Each section's primary teacher; if none is marked, its only teacher."""
    links = roster.links
    taught = links.loc[links["relation"] == "teacher_in", ["source_id", "target_id", "primary"]].dropna(
        subset=["source_id", "target_id"]
    )
    taught = taught.assign(primary=taught["primary"].fillna(False).astype(bool)).sort_values("primary", ascending=False)
    taught = taught.drop_duplicates(["source_id", "target_id"])
    marked = taught[taught["primary"]]
    single = taught[~taught["target_id"].duplicated(keep=False)]
    chosen = pd.concat([marked, single]).drop_duplicates("target_id")
    return pd.Series(chosen["source_id"].to_numpy(), index=chosen["target_id"].to_numpy(), dtype="str")


def primary_flips(days: Sequence[Roster], sections: pd.DataFrame, limits: Limits) -> Iterator[Reason]:
    """Schools where the primary teachers of many sections changed, over all days given; the last day is the new roster.

    ``sections`` are the rows of `members` whose kind is sections. A section counts if its teacher changed between the last
    two days, or more than once over all days.
    """
    teachers = [primary_teachers(day) for day in days]
    by_day = pd.concat([teacher.rename(n) for n, teacher in enumerate(teachers)], axis=1)
    switches = pd.DataFrame(
        {n: by_day[n].notna() & by_day[n - 1].notna() & (by_day[n] != by_day[n - 1]) for n in range(1, len(days))}
    )
    flipped = switches[switches[len(days) - 1] | (switches.sum(axis=1) > 1)].index
    known = by_day.index[by_day[[len(days) - 1, len(days) - 2]].notna().all(axis=1)]
    placed = sections[sections["id"].isin(known)].dropna(subset=["school"])
    names = schools(days[-1])
    for id, part in placed.groupby("school"):
        count, total = int(part["id"].isin(flipped).sum()), len(part)
        if count >= limits.least and count > limits.primary * total:
            shown = str(names.get(id, id))
            has = "has" if count == 1 else "have"
            change = f"{has} a different primary teacher"
            if len(days) > 2:
                change = f"{has} had a different primary teacher within {len(days)} loads"
            yield Reason(
                "primary-teachers", "hold", shown, str(id), count, total, limits.primary,
                f"{shown}: {_out_of(count, total, 'sections')} {change}.",
            )  # fmt: skip


def columns(old: Roster, new: Roster, limits: Limits) -> Iterator[Reason]:
    """Columns that are no longer filled, in tables other than persons (for those, see `columns_of_people`)."""
    for table in ("orgs", "courses", "sections", "terms", "links"):
        before, after = getattr(old, table), getattr(new, table)
        if not len(before) or not len(after):
            continue
        for column in before.columns:
            was = float(before[column].notna().mean())
            now = float(after[column].notna().mean()) if column in after else 0.0
            if was * len(before) >= limits.least and was - now > limits.emptied:
                yield _column_emptied(None, None, f"{table}: {column}", was, now, len(after), limits)


def columns_of_people(
    old: Roster, new: Roster, sides: tuple[pd.DataFrame, pd.DataFrame], limits: Limits, kind: str
) -> Iterator[Reason]:
    """Columns that are no longer filled for the students or teachers of one school, or of all schools."""
    was, now = (_filled(roster, side, kind) for roster, side in zip((old, new), sides, strict=True))
    sizes = sides[1][sides[1]["kind"] == kind].groupby("school").size()
    names = schools(new)
    shared = was.index.intersection(now.index)
    was, now = was.loc[shared], now.reindex(index=shared, columns=was.columns, fill_value=0.0)
    total = int(sizes[shared].sum())
    for column in was.columns:
        drop = was[column] - now[column]
        emptied_at = [id for id in shared if drop[id] > limits.emptied and drop[id] * sizes[id] >= limits.least]
        before, after = (float((share[column] * sizes[shared]).sum()) / max(total, 1) for share in (was, now))
        everywhere = len(emptied_at) > 1 and len(emptied_at) == len(shared)
        only_overall = not emptied_at and before - after > limits.emptied and (before - after) * total >= limits.least
        if everywhere or only_overall:
            yield _column_emptied(None, None, f"{kind}: {column}", before, after, total, limits)
            continue
        for id in emptied_at:
            name = str(names.get(id, id))
            yield _column_emptied(
                name, str(id), f"{name}: {kind}' {column}", was[column][id], now[column][id], int(sizes[id]), limits
            )


def _column_emptied(
    school: str | None, id: str | None, what: str, was: float, now: float, rows: int, limits: Limits
) -> Reason:
    how = "is no longer sent" if not now else f"is filled in {now:.0%} of the rows, down from {was:.0%}"
    return Reason(
        "column-emptied", "hold", school, id, round((was - now) * rows), rows, limits.emptied, f"{what} {how}."
    )


def _filled(roster: Roster, members: pd.DataFrame, kind: str) -> pd.DataFrame:
    """For each school, the share of its students or teachers for whom each column is filled."""
    people = members[members["kind"] == kind].dropna(subset=["school"])
    persons = roster.persons.drop_duplicates("id").set_index("id").notna()
    return people[["school", "id"]].join(persons, on="id").drop(columns="id").groupby("school").mean()


def new_columns(old: Roster, new: Roster) -> list[str]:
    """Notes on columns that are sent for the first time; they are worth a look but hold nothing back."""
    notes = []
    for table in ("orgs", "persons", "courses", "sections", "terms"):
        before, after = getattr(old, table), getattr(new, table)
        if len(before) and len(after):
            first_filled = [
                c for c in after.columns if after[c].notna().any() and not (c in before and before[c].notna().any())
            ]
            if first_filled:
                notes.append(
                    f"{table}: {', '.join(map(str, first_filled))} {'is' if len(first_filled) == 1 else 'are'} sent for the first time."
                )
    return notes


def without_unknown(reasons: Sequence[Reason]) -> list[Reason]:
    """The reasons; if one is a stop, without those about missing data, as it is then unknown what is missing."""
    stopped = any(reason.level == "stop" for reason in reasons)
    return [
        reason
        for reason in reasons
        if not stopped or not (reason.rule.endswith("-removed") or reason.rule in ("school-gone", "column-emptied"))
    ]


_EXPLAINS_MOST = ("school-gone", "column-emptied", "recreated", "removed", "primary-teachers", "changed")


def by_importance(reasons: Sequence[Reason]) -> list[Reason]:
    """Stops first, what was let through last; in between, reasons that explain others first, then by kind and count."""
    kinds = {kind: n for n, kind in enumerate(("sections", "students", "teachers", "courses", "enrollments"))}

    def importance(reason: Reason) -> tuple[object, ...]:
        kind, _, fate = reason.rule.partition("-")
        rank = next((n for n, name in enumerate(_EXPLAINS_MOST) if name in (reason.rule, fate)), 0)
        return (
            reason.because is not None,
            reason.level != "stop",
            rank,
            kinds.get(kind, 0),
            -reason.count,
            reason.school or "",
        )

    return sorted(reasons, key=importance)
