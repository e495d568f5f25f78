"""What to fix first: findings grouped by what explains them.

One school that was not delivered leaves hundreds of orphans and of students without a school. Here each finding gets
one cause; objects that fail in the same way and share something are one cause. Errors come first, and among them those that
affect the most people.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, cast

import pandas as pd

from kimono_explore.display import listed, noun, plural
from kimono_explore.quality.advice import INTEGRATION, MISSING, PATTERN, next_step, owner
from kimono_explore.quality.definition import SEVERITIES
from kimono_explore.quality.reach import REACHED, Reach, measure
from kimono_explore.quality.traits import ENOUGH, Traits
from kimono_explore.schema import OBJECT_TYPES, TABLE_OF

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

    from kimono_explore.quality.context import CheckContext
    from kimono_explore.quality.definition import Check
    from kimono_explore.quality.outcome import Outcome

STAGES: tuple[str, ...] = ("orgs", "terms and courses", "sections", "staff", "students", "memberships", "tasks")
"""In order of repair: a section cannot be right before its course and school are."""

COLUMNS = (
    "stage",
    "cause",
    "severity",
    "objects",
    "findings",
    *REACHED,
    "consequence",
    "owner",
    "next_step",
    "checks",
    "where",
    "type",
    "id",
)
FEW = 10
"""Fewer people than this could be recognized: a message says "a few" instead of the number."""
_MANY = 10
"""This many causes of one kind become one line, even if nothing they share is known."""
_MOST_OBJECTS = 100_000
"""For more objects than this, what they share is not looked up."""
_OF_WHOLE_TABLES = frozenset({"created_on_one_day"})
"""Checks that find tables, not objects in them: several tables that fail are one cause."""
_STAGE_OF = {
    "orgs": "orgs",
    "terms": "terms and courses",
    "courses": "terms and courses",
    "sections": "sections",
    "grading_categories": "sections",
    "persons": "students",
    "tasks": "tasks",
    "links": "memberships",
    # Files of a OneRoster bundle that are named as they are.
    "users": "students",
    "demographics": "students",
    "roles": "memberships",
    "enrollments": "memberships",
    "classes": "sections",
    "categories": "sections",
    "academicSessions": "terms and courses",
}


class Explained(NamedTuple):
    """The causes, and what belongs to them.

    Attributes
    ----------
    causes : pandas.DataFrame
        One row per cause.
    numbers : list of int
        For each finding, check by check, the row of its cause.
    harmed : pandas.DataFrame or None
        As in `kimono_explore.quality.reach.Reach`; None where there are no people.
    """

    causes: pd.DataFrame
    numbers: list[int]
    harmed: pd.DataFrame | None = None
    plain: tuple[str, ...] = ()
    """Each cause in words that name nothing of the roster."""


class _Key(NamedTuple):
    """What explains findings: something missing, an object, or the check itself; and what several objects share."""

    kind: str
    name: str
    id: str
    shared: str | None = None


_UNEXPLAINED = _Key("", "", "")


def group_by_cause(outcomes: Sequence[Outcome], context: CheckContext | None = None) -> Explained:
    """Every finding, counted once, under its cause.

    Parameters
    ----------
    outcomes : sequence of Outcome
    context : CheckContext, optional
        The roster; without it, nobody is reached and nothing is shared.
    """
    checks = {outcome.check.id: outcome.check for outcome in outcomes}
    findings = _findings(outcomes)
    patterns = {outcome.check.id: outcome.pattern for outcome in outcomes if outcome.pattern}
    findings["severity"] = findings["check"].map({id: check.severity for id, check in checks.items()})
    keys = _causes(findings, checks, patterns)
    traits = None
    if context is not None and keys:
        traits = Traits(context, *_worth_asking(findings, keys, patterns))
        keys = _merge(findings, keys, traits)
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    codes = [numbers[key] for key in keys]
    reach = measure(context, findings, codes) if context is not None else None
    groups = findings.groupby(pd.Series(codes, index=findings.index, dtype="int64")).indices
    found = [
        _Cause(key, findings.iloc[groups[number]], checks, patterns, _reached(reach, number), traits)
        for key, number in numbers.items()
    ]
    df = pd.DataFrame([cause.row() for cause in found], columns=list(COLUMNS))
    order = _order(df)
    place = {old: new for new, old in enumerate(order)}
    df = df.loc[order].reset_index(drop=True)
    for name in ("objects", "findings", *REACHED):
        df[name] = df[name].astype("int64")
    return Explained(
        df, [place[code] for code in codes], reach.harmed if reach else None, tuple(found[n].plain() for n in order)
    )


def _order(df: pd.DataFrame) -> list[int]:
    """Errors first; among equals, what affects the most people, then what explains the most findings."""
    order = pd.DataFrame(
        {
            "severity": df["severity"].map(SEVERITIES.index),
            "people": -(df["students"] + df["teachers"]),
            "findings": -df["findings"],
            "stage": df["stage"].map(STAGES.index),
            "cause": df["cause"],
            "id": df["id"].fillna(""),
        }
    )
    return order.sort_values(list(order.columns)).index.tolist() if len(df) else []


def _reached(reach: Reach | None, number: int) -> dict[str, int]:
    if reach is None:
        return dict.fromkeys(REACHED, 0)
    return {name: int(reach.causes[name].iloc[number]) for name in REACHED}


def _findings(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    columns = ["check", "table", "id", "label", "org_id", "org", "person_type", "role"]
    columns += ["missing_type", "missing_id", "near_id"]
    failed = [outcome for outcome in outcomes if len(outcome.failures)]
    cells: dict[str, list[object]] = {name: [] for name in columns}
    for outcome in failed:
        count = len(outcome.failures)
        cells["check"] += [outcome.check.id] * count
        for name in columns[1:]:
            cells[name] += outcome.failures[name].tolist() if name in outcome.failures else [float("nan")] * count
    return pd.DataFrame(cells, dtype="object")


def _causes(findings: pd.DataFrame, checks: dict[str, Check], patterns: Mapping[str, str]) -> list[_Key]:
    """For each finding what explains it: something missing, an object, or its check and who fails it."""
    told = findings.where(findings.notna(), None).rename(columns={"check": "name"})
    rows = [_Row(*row) for row in told[list(_Row._fields)].itertuples(index=False, name=None)]
    of_check: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        of_check.setdefault(row.name, []).append(number)
    to_blame = {school for check in checks.values() for school in check.follows_school}
    usual = {name: _most_frequent(rows[n].who for n in of_check[name]) for name in patterns if name in of_check}
    causes = [_own_cause(row, to_blame, usual) for row in rows]
    # Twice, because what explains one finding may itself be explained: a consequence of a consequence.
    for _ in range(2):
        for name, check in checks.items():
            mine = of_check.get(name, ())
            for earlier, far, near in ((check.follows, "object", "object"), (check.follows_school, "id", "org_id")):
                explained: dict[object, _Key] = {None: _UNEXPLAINED}
                for number in sorted(n for other in earlier if mine for n in of_check.get(other, ())):
                    explained.setdefault(getattr(rows[number], far), causes[number])
                for number in mine:
                    cause = explained.get(getattr(rows[number], near), _UNEXPLAINED)
                    causes[number] = causes[number] if cause is _UNEXPLAINED else cause
    return causes


class _Row(NamedTuple):
    """A finding, as far as its cause depends on it; None for what is not known."""

    name: str
    table: str
    id: str | None
    org_id: str | None
    person_type: str | None
    missing_type: str | None
    missing_id: str | None

    @property
    def who(self) -> str:
        """The table, or the type of the person."""
        return self.table if self.table != "persons" or self.person_type is None else self.person_type

    @property
    def object(self) -> tuple[str, str] | None:
        """The object at fault, if it has an id."""
        return None if self.id is None else (self.table, self.id)


def _own_cause(row: _Row, to_blame: Collection[str], usual: Mapping[str, str]) -> _Key:
    """What explains a finding, before others are looked at."""
    if row.missing_id is not None:
        return _Key("missing", str(row.missing_type), row.missing_id)
    if row.name in to_blame:
        return _Key("object", row.table, cast("str", row.id))
    return _Key("check", row.name, "" if row.name in _OF_WHOLE_TABLES else usual.get(row.name, row.who))


def _most_frequent(words: Iterable[str]) -> str:
    """The word that comes most often; of several the first in the alphabet."""
    counts = Counter(words)
    return min(counts, key=lambda word: (-counts[word], word))


def _worth_asking(
    findings: pd.DataFrame, keys: Sequence[_Key], patterns: Mapping[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The objects that may share something (type, id), and the one school that refers to each missing object (and value)."""
    kinds = pd.Series([key.kind for key in keys], index=findings.index)
    own = findings[(kinds == "check") & ~findings["check"].isin(patterns) & findings["table"].isin(OBJECT_TYPES)]
    own = own.assign(type=own["table"].map(OBJECT_TYPES))[["type", "id"]].dropna().drop_duplicates()
    keyed = [(TABLE_OF.get(key.name, key.name), key.id) for key in dict.fromkeys(keys) if key.kind != "check"]
    named = pd.DataFrame(keyed, columns=["table", "id"])
    named["type"] = named["table"].map(OBJECT_TYPES)
    gone = findings.dropna(subset=["missing_id", "org_id"]).groupby(["missing_type", "missing_id"])["org_id"]
    homes = gone.agg(["first", "nunique"]).reset_index()
    homes = homes[homes["nunique"] == 1].rename(columns={"missing_type": "type", "missing_id": "id", "first": "value"})
    asked = pd.concat([named[["type", "id"]].dropna(), own.head(_MOST_OBJECTS)]).drop_duplicates()
    return asked, homes[["type", "id", "value"]]


def _merge(findings: pd.DataFrame, keys: Sequence[_Key], traits: Traits) -> list[_Key]:
    """Causes of the same kind that share something become one."""
    alike: dict[tuple[Hashable, ...], list[_Key]] = {}
    groups = findings.groupby(pd.Series(list(keys), index=findings.index), sort=False)
    for key, rows in groups:
        known = _Key(*cast("tuple[str, str, str]", key))
        if known.kind != "check":
            alike.setdefault((known.kind, known.name, *_failing_alike(known, rows)), []).append(known)
    new: dict[_Key, _Key] = {}
    for like, members in alike.items():
        type = str(like[1]) if like[0] == "missing" else OBJECT_TYPES.get(str(like[1]), "")
        for ids, words in _shared(type, [key.id for key in members], traits):
            first = min(ids)
            new |= {key: _Key(key.kind, key.name, first, words) for key in members if key.id in ids}
    return [new.get(key, key) for key in keys]


def _shared(type: str, ids: Sequence[str], traits: Traits) -> Iterable[tuple[frozenset[str], str]]:
    left = set(ids)
    for ids_alike, words in traits.shared(type, ids):
        left -= ids_alike
        yield ids_alike, words
    if len(left) >= _MANY:
        yield frozenset(left), ""


def _failing_alike(key: _Key, rows: pd.DataFrame) -> tuple[str, ...]:
    """What causes of one kind have in common where they are alike: their checks, or for missing people, their role."""
    if key.kind == "missing":
        return (_stage_of_missing(key.name, rows),)
    own = rows[(rows["id"] == key.id) & (rows["table"] == key.name)]
    return tuple(sorted(set(own["check"])))


def _stage_of_missing(type: str, rows: pd.DataFrame) -> str:
    teaches = type == "person" and (rows["role"] == "teacher").any()
    return "staff" if teaches else _STAGE_OF[TABLE_OF[type]]


class _Cause:
    """One cause, from its findings to its row."""

    def __init__(
        self,
        key: _Key,
        group: pd.DataFrame,
        checks: Mapping[str, Check],
        patterns: Mapping[str, str],
        reached: Mapping[str, int],
        traits: Traits | None,
    ) -> None:
        self.key, self.group, self.checks, self.patterns = key, group, checks, patterns
        self.reached, self.traits = reached, traits
        self.found = group["check"].unique().tolist()
        counts = group["check"].value_counts()
        worst = sorted(self.found, key=lambda found: (SEVERITIES.index(checks[found].severity), -counts[found]))
        self.worst = checks[worst[0]]
        self.ids = self._ids()

    def row(self) -> tuple[object, ...]:
        """The cause's row, in the order of `COLUMNS`."""
        stage, text = getattr(self, f"_{self.key.kind}")()
        one = self.key.kind != "check" and self.key.shared is None
        type = None
        if self.key.kind != "check":
            type = self.key.name if self.key.kind == "missing" else OBJECT_TYPES[self.key.name]
        return (
            stage,
            text,
            self.worst.severity,
            len(self.ids),
            len(self.group),
            *(self.reached[name] for name in REACHED),
            self.worst.why,
            *self._advice(),
            ", ".join(self.found),
            self._where(),
            type,
            self.key.id if one else None,
        )

    def plain(self) -> str:
        """What is wrong, without a word of the roster: titles and counts."""
        n, kind = len(self.ids), self.key.kind
        people = self.key.name == "person" or (kind == "check" and self.group["table"].isin(["persons", "links"]).any())
        count = "A few" if people and n < FEW else f"{n:,}"
        if kind == "check":
            return f"{self.checks[self.key.name].title}: {count.lower()}"
        table = TABLE_OF[self.key.name] if kind == "missing" else self.key.name
        what = f"{count} {'people' if people else _plural(table) if n > 1 else noun(table)}"
        if kind == "missing":
            return f"{what} {'was' if n == 1 and not people else 'were'} not delivered"
        own = self.group[self.group["id"].isin(self.ids) & (self.group["table"] == table)]
        return f"{what}: {', '.join(self.checks[id].title.lower() for id in own['check'].unique())}"

    def _ids(self) -> set[Hashable]:
        """The objects at fault."""
        group, key = self.group, self.key
        if key.kind == "missing":
            return set(group["missing_id"].dropna()[group["missing_type"] == key.name]) or {key.id}
        if key.kind == "object":
            return {id for id in group["id"][group["table"] == key.name].dropna() if self._blamed(id)} or {key.id}
        # A row without an id is an object of its own.
        named = group["id"].where(group["id"].notna(), [f"row {row}" for row in group.index])
        return set(zip(group["table"], named, strict=True))

    def _blamed(self, id: str) -> bool:
        return self.key.shared is not None or id == self.key.id

    def _advice(self) -> tuple[str, str]:
        if self.key.kind == "missing":
            return INTEGRATION, MISSING
        if self.key.kind == "check" and self.key.name in self.patterns:
            return INTEGRATION, PATTERN
        check = self.checks[self.key.name] if self.key.kind == "check" else self.worst
        return owner(check), next_step(check)

    def _where(self) -> str | None:
        orgs = self.group["org"].dropna()
        # A school that was not delivered is not a place where something is wrong.
        gone = self.key.kind == "missing" and self.key.name == "org"
        alone = self.group["org_id"].nunique() == 1 and len(orgs)
        return str(orgs.iloc[0]) if alone and not gone else None

    def _missing(self) -> tuple[str, str]:
        name = self.key.name
        stage = _stage_of_missing(name, self.group)
        if self.key.shared is None:
            what = name.replace("_", " ").capitalize()
            near = self.group["near_id"][self.group["missing_id"] == self.key.id].dropna()
            if len(near):
                return stage, f"{what} {self.key.id!r} was not delivered, and {near.iloc[0]!r} exists"
            return stage, f"{what} {self.key.id} was not delivered"
        what = f"{len(self.ids):,} {_plural(TABLE_OF[name])} {self.key.shared}".rstrip()
        return stage, f"{what} were not delivered{self._dependents()}"

    def _dependents(self) -> str:
        """How much depends on what was not delivered."""
        seats = int(self.group["check"].isin(["orphan_student_in", "orphan_teacher_in"]).sum())
        counts = [(seats, "enrollment"), *((self.reached[name], noun(name)) for name in ("students", "teachers"))]
        told = [plural(n, word) for n, word in counts if n]
        if not told:
            return ""
        single = len(told) == 1 and told[0].startswith("1 ")
        return f": {listed(told)} {'depends' if single else 'depend'} on them"

    def _object(self) -> tuple[str, str]:
        name = self.key.name
        own = self.group[self.group["id"].isin(self.ids) & (self.group["table"] == name)]
        what = ", ".join(self.checks[check].title.lower() for check in own["check"].unique())
        if self.key.shared is not None:
            many = f"{len(self.ids):,} {_plural(name)} {self.key.shared}".rstrip()
            return _STAGE_OF[name], f"{many}: {what}"
        label = own["label"].dropna().iloc[0] if own["label"].notna().any() else self.key.id
        return _STAGE_OF[name], f"{label}: {what}"

    def _check(self) -> tuple[str, str]:
        check, who = self.checks[self.key.name], self.key.id
        tables = set(check.tables)
        text = check.title + (f" ({_who(who)})" if len(tables) > 1 and who else "")
        if check.id in self.patterns:
            text += f": {self.patterns[check.id]}"
        else:
            text += self._in_common()
        if check.group in ("References", "Agreement", "Memberships") and tables == {"persons"}:
            return "memberships", text
        if who in ("teacher", "staff"):
            return "staff", text
        return _STAGE_OF.get(who, "students" if who == "student" else STAGES[0]), text

    def _in_common(self) -> str:
        """What all objects of a check share."""
        table = str(self.group["table"].iloc[0])
        ids = self.group["id"].dropna().unique().tolist()
        if self.traits is None or table not in OBJECT_TYPES or not ENOUGH <= len(ids) <= _MOST_OBJECTS:
            return ""
        found = self.traits.shared(OBJECT_TYPES[table], ids, all=True)
        return f": all {found[0].words}" if found else ""


def _plural(table: str) -> str:
    return table.replace("_", " ")


def _who(table_or_kind: str) -> str:
    return {"student": "students", "teacher": "teachers"}.get(table_or_kind, table_or_kind.replace("_", " "))
