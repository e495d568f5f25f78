"""What speaks against a roster, one function for each kind of trouble."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import pandas as pd

from kimono_explore.display import plural
from kimono_explore.gate.measures import KINDS, of_type, schools

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from kimono_explore.compare import Comparison
    from kimono_explore.gate.limits import Limits
    from kimono_explore.roster.roster import Roster

Level = Literal["hold", "stop"]
_FEW = 0.01
"""The share of all students up to which those whom links still name are a hold: a source may be slow to end enrollments."""


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


def _of(count: int, total: int, what: str) -> str:
    if count == total and total > 1:
        return f"all {total:,} {what}"
    return f"{count:,} of {total:,} {what[:-1] if total == 1 else what}"


def _where(row: pd.Series) -> tuple[str, str | None, str | None]:
    name, id = row["name"], row["school"]
    whole = not isinstance(id, str)
    shown = "The district" if whole else (name if isinstance(name, str) and name else f"The school {id}")
    return shown, None if whole else shown, None if whole else id


def incomplete(new: Roster) -> Iterator[Reason]:
    """The load itself says that it may lack rows."""
    lacking = new.incomplete
    if len(lacking):
        tables = ", ".join(str(name) for name in lacking["table"].dropna().unique())
        yield Reason(
            "incomplete-load", "stop", None, None, len(lacking), len(lacking), None,
            f"The load was not complete ({tables}): missing rows are not treated as deleted.",
        )  # fmt: skip


def emptied_tables(old: Roster, new: Roster) -> Iterator[Reason]:
    """A table that had rows and has none."""
    before, after = old.counts(), new.counts()
    for table in ("orgs", "persons", "courses", "sections", "terms"):
        if before[table] and not after[table]:
            gone = f"All {before[table]:,} {table} are" if before[table] > 1 else f"The only {table[:-1]} is"
            yield Reason(
                "empty-table", "stop", None, None, before[table], before[table], None,
                f"{gone} missing. The source probably did not answer; this is not a deletion.",
            )  # fmt: skip


def broken_off(diff: Comparison, new: Roster, measures: pd.DataFrame, limits: Limits) -> Iterator[Reason]:
    """Students who are missing while the new roster's own links still name them; of a few, that may be a source at fault."""
    gone = of_type(diff.removed("persons"), "student")["id"].dropna()
    named = int(gone.isin(new.links["source_id"]).sum())
    if named >= limits.least and named > limits.unreferenced * len(gone):
        total = int(measures.loc[measures["school"].isna() & (measures["kind"] == "students"), "before"].sum())
        level: Level = "stop" if len(gone) > _FEW * total else "hold"
        yield Reason(
            "students-unknown", level, None, None, named, total, limits.unreferenced,
            f"{_of(len(gone), total, 'students').capitalize()} are missing, and the roster still enrolls {named:,} of them, so the load "
            "was cut short; they did not leave.",
        )  # fmt: skip


def source_down(
    measures: pd.DataFrame, limits: Limits, kinds: Sequence[str], gone: Collection[str | None] = ()
) -> Iterator[Reason]:
    """Most of a kind gone at once, other than with a school that is gone."""
    for kind in kinds:
        rows = measures[measures["kind"] == kind]
        with_school = rows.loc[rows["school"].isin(list(gone)), "removed"].sum()
        whole = rows[rows["school"].isna()]
        removed, before = int(whole["removed"].sum() - with_school), int(whole["before"].sum())
        if removed >= limits.least and removed > limits.gone * before:
            yield Reason(
                f"{kind}-gone", "stop", None, None, removed, before, limits.gone,
                f"{_of(removed, before, kind).capitalize()} of the district are missing: a loss of more than {limits.gone:.0%} "
                "at once means the source was down.",
            )  # fmt: skip


def school_gone(new: Roster, measures: pd.DataFrame) -> Iterator[Reason]:
    """A school that had students and is not in the new roster."""
    there = set(schools(new).index)
    students = measures[(measures["kind"] == "students") & measures["school"].notna() & (measures["before"] > 0)]
    for _, row in students.iterrows():
        if row["school"] not in there:
            shown, name, id = _where(row)
            count = int(row["before"])
            sentence = f"{shown} is missing, with its {plural(count, 'student')}."
            yield Reason("school-gone", "hold", name, id, count, count, None, sentence)


def shares(
    measures: pd.DataFrame, limits: Limits, gone: Collection[str | None] = (), *, rolled_over: bool
) -> Iterator[Reason]:
    """More removed, re-created or changed than a limit allows, at each school, then in the district.

    Where every school has the same reason, the district has it, and the schools are left out; the district has none of its
    own for what its schools with a reason account for. A school that is gone has its reason already.
    """
    for (kind, fate), limit in _limits(limits, rolled_over=rolled_over).items():
        rows = measures[measures["kind"] == kind]
        at_schools, district = rows[rows["school"].notna()], rows[rows["school"].isna()]
        told = at_schools["school"].isin(list(gone))
        over = at_schools[_over(at_schools[fate], at_schools["before"], limit, limits.least) & ~told]
        able = at_schools["before"] >= limits.least
        everywhere = len(over) > 1 and len(over) == int(able.sum())
        rest = district[fate] - (0 if everywhere else over[fate].sum() + at_schools.loc[told, fate].sum())
        chosen = [] if everywhere else [over]
        chosen.append(district[_over(rest, district["before"], limit, limits.least)])
        for _, row in pd.concat(chosen).iterrows():
            shown, name, id = _where(row)
            sentence = _SENTENCES[fate](shown, row, kind)
            yield Reason(f"{kind}-{fate}", "hold", name, id, int(row[fate]), int(row["before"]), limit, sentence)


def _limits(limits: Limits, *, rolled_over: bool) -> dict[tuple[str, str], float]:
    """The limit of each kind and fate; when a school year begins, sections and enrollments have none."""
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
        return f"{shown}: {_of(lost, row['before'], kind)} came back under new ids."
    return f"{shown} lost {_of(lost, row['before'], kind)}; {row['recreated']:,} came back under new ids."


def _removed(shown: str, row: pd.Series, kind: str) -> str:
    new = f"; {row['added']:,} others are new" if row["added"] else ""
    return f"{shown}: {_of(row['removed'], row['before'], kind)} are missing{new}."


def _changed(shown: str, row: pd.Series, kind: str) -> str:
    return f"{shown}: {_of(row['changed'], row['before'], kind)} have changed values."


_SENTENCES = {"recreated": _recreated, "removed": _removed, "changed": _changed}


def _over(count: pd.Series, total: pd.Series, limit: float, least: int) -> pd.Series:
    return (count >= least) & (count > limit * total)


def primary_teachers(roster: Roster) -> pd.Series:
    """Each section's primary teacher; where none is marked, its only teacher."""
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
    """Sections whose primary teacher is another one, and was before: over all days given, the last one the new roster.

    ``sections`` are the rows of `members` of sections. A section counts if its teacher changed between the last two days,
    or went back and forth on the way.
    """
    teachers = [primary_teachers(day) for day in days]
    both = pd.concat([teacher.rename(n) for n, teacher in enumerate(teachers)], axis=1)
    steps = pd.DataFrame(
        {n: both[n].notna() & both[n - 1].notna() & (both[n] != both[n - 1]) for n in range(1, len(days))}
    )
    flipped = steps[steps[len(days) - 1] | (steps.sum(axis=1) > 1)].index
    known = both.index[both[[len(days) - 1, len(days) - 2]].notna().all(axis=1)]
    at = sections[sections["id"].isin(known)].dropna(subset=["school"])
    names = schools(days[-1])
    for id, part in at.groupby("school"):
        count, total = int(part["id"].isin(flipped).sum()), len(part)
        if count >= limits.least and count > limits.primary * total:
            shown = str(names.get(id, id))
            has = "has" if count == 1 else "have"
            told = f"{has} a different primary teacher"
            if len(days) > 2:
                told = f"{has} had a different primary teacher within {len(days)} loads"
            yield Reason(
                "primary-teachers", "hold", shown, str(id), count, total, limits.primary,
                f"{shown}: {_of(count, total, 'sections')} {told}.",
            )  # fmt: skip


def columns(old: Roster, new: Roster, limits: Limits) -> Iterator[Reason]:
    """Columns of a table that are no longer filled; those of persons are looked at school by school."""
    for table in ("orgs", "courses", "sections", "terms", "links"):
        before, after = getattr(old, table), getattr(new, table)
        if not len(before) or not len(after):
            continue
        for column in before.columns:
            was = float(before[column].notna().mean())
            now = float(after[column].notna().mean()) if column in after else 0.0
            if was * len(before) >= limits.least and was - now > limits.emptied:
                yield _emptied(None, None, f"{table}: {column}", was, now, len(after), limits)


def columns_of_people(
    old: Roster, new: Roster, sides: tuple[pd.DataFrame, pd.DataFrame], limits: Limits, kind: str
) -> Iterator[Reason]:
    """Columns that are no longer filled for the students or teachers of one school, or of all of them."""
    was, now = (_filled(roster, side, kind) for roster, side in zip((old, new), sides, strict=True))
    sizes = sides[1][sides[1]["kind"] == kind].groupby("school").size()
    names = schools(new)
    shared = was.index.intersection(now.index)
    was, now = was.loc[shared], now.reindex(index=shared, columns=was.columns, fill_value=0.0)
    total = int(sizes[shared].sum())
    for column in was.columns:
        fell = was[column] - now[column]
        here = [id for id in shared if fell[id] > limits.emptied and fell[id] * sizes[id] >= limits.least]
        before, after = (float((share[column] * sizes[shared]).sum()) / max(total, 1) for share in (was, now))
        everywhere = len(here) > 1 and len(here) == len(shared)
        unseen = not here and before - after > limits.emptied and (before - after) * total >= limits.least
        if everywhere or unseen:
            yield _emptied(None, None, f"{kind}: {column}", before, after, total, limits)
            continue
        for id in here:
            name = str(names.get(id, id))
            yield _emptied(
                name, str(id), f"{name}: {kind}' {column}", was[column][id], now[column][id], int(sizes[id]), limits
            )


def _emptied(
    school: str | None, id: str | None, what: str, was: float, now: float, rows: int, limits: Limits
) -> Reason:
    how = "is no longer sent" if not now else f"is filled in {now:.0%} of the rows, down from {was:.0%}"
    return Reason(
        "column-emptied", "hold", school, id, round((was - now) * rows), rows, limits.emptied, f"{what} {how}."
    )


def _filled(roster: Roster, members: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Of the students or teachers of each school, the share for whom a column is filled."""
    people = members[members["kind"] == kind].dropna(subset=["school"])
    persons = roster.persons.drop_duplicates("id").set_index("id").notna()
    return people[["school", "id"]].join(persons, on="id").drop(columns="id").groupby("school").mean()


def new_columns(old: Roster, new: Roster) -> list[str]:
    """What is worth a look and holds nothing back."""
    notes = []
    for table in ("orgs", "persons", "courses", "sections", "terms"):
        before, after = getattr(old, table), getattr(new, table)
        if len(before) and len(after):
            came = [
                c for c in after.columns if after[c].notna().any() and not (c in before and before[c].notna().any())
            ]
            if came:
                notes.append(
                    f"{table}: {', '.join(map(str, came))} {'is' if len(came) == 1 else 'are'} sent for the first time."
                )
    return notes


def without_unknown(reasons: Sequence[Reason]) -> list[Reason]:
    """Without what is said to be missing, where a stop says that what is missing is unknown."""
    stopped = any(reason.level == "stop" for reason in reasons)
    return [
        reason
        for reason in reasons
        if not stopped or not (reason.rule.endswith("-removed") or reason.rule in ("school-gone", "column-emptied"))
    ]


_FIRST = ("school-gone", "column-emptied", "recreated", "removed", "primary-teachers", "changed")


def in_order(reasons: Sequence[Reason]) -> list[Reason]:
    """Stops first, what was let through last; then by what explains the others, by kind, and most rows first."""
    kinds = {kind: n for n, kind in enumerate(("sections", "students", "teachers", "courses", "enrollments"))}

    def place(reason: Reason) -> tuple[object, ...]:
        kind, _, fate = reason.rule.partition("-")
        rank = next((n for n, name in enumerate(_FIRST) if name in (reason.rule, fate)), 0)
        return (
            reason.because is not None,
            reason.level != "stop",
            rank,
            kinds.get(kind, 0),
            -reason.count,
            reason.school or "",
        )

    return sorted(reasons, key=place)
