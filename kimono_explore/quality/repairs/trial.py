"""Trying the proposed edits on a copy of the roster: which findings each clears, and whether it causes new ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pandas as pd

from kimono_explore.display import display_label
from kimono_explore.frames import add_rows
from kimono_explore.quality.repairs import cells as of_cells
from kimono_explore.quality.repairs import links as of_links
from kimono_explore.quality.repairs import missing as of_missing
from kimono_explore.quality.repairs.evidence import Edit, Evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from kimono_explore.quality.outcome import Outcome
    from kimono_explore.roster.roster import Roster

    Key = tuple[Hashable, ...]

COLUMNS = ("repair", "why", "kind", "table", "id", "findings", "checks")
_KEY = ["check", "table", "id"]
_MOST = 10_000
"""If a check finds more than this, the export is at fault, and its findings are not repaired one by one."""
_ROUNDS = 8
"""How often the roster is checked again at most, as each round takes as long as a check: made-up districts with every kind
of flaw need one round, and a round that leaves out what broke something seldom needs more than another."""


class Repairs(NamedTuple):
    """Edits that were tried, and what came of it.

    Attributes
    ----------
    table : pandas.DataFrame
        One row an edit.
    edits : list of Edit
    """

    table: pd.DataFrame
    edits: list[Edit]


def find_repairs(
    outcomes: Sequence[Outcome], findings: pd.DataFrame, roster: Roster, check_again: Callable[[Roster], pd.DataFrame]
) -> Repairs:
    """What the roster itself says is right, as edits; those that clear nothing, or break something, are left out.

    Parameters
    ----------
    outcomes : sequence of Outcome
    findings : pandas.DataFrame
        As `Report.findings`.
    roster : Roster
        What was checked.
    check_again : callable
        Gives the findings of another roster, checked in the same way.
    """
    single = {o.check.id: o.failures for o in outcomes if o.pattern is None and o.failed <= _MOST}
    edits = find_edits(Evidence(roster, single))
    edits, fixed = _tried(edits, _counts(findings), lambda some: _counts(check_again(apply(roster, some))))
    cleared = _share_out(edits, fixed)
    order = sorted((n for n in range(len(edits)) if cleared[n]), key=lambda n: (-len(cleared[n]), n))
    rows = [
        (e.text, e.why, e.kind, e.table, e.id, len(cleared[n]), ", ".join(dict.fromkeys(cleared[n])))
        for n, e in ((n, edits[n]) for n in order)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype({name: "str" for name in COLUMNS if name != "findings"})
    return Repairs(table.astype({"findings": "int64"}), [edits[n] for n in order])


def _tried(
    edits: list[Edit], before: Counter[Key], after: Callable[[list[Edit]], Counter[Key]]
) -> tuple[list[Edit], Counter[Key]]:
    """The edits that together cause no new finding, and the findings they clear; no edits if `_ROUNDS` were too few."""
    for left in reversed(range(_ROUNDS)):
        now = after(edits) if edits else before
        broken = {str(id) for _, _, id in now - before}
        # What an object that is delivered lacks itself is not known yet.
        broken -= {edit.id for edit in edits if edit.kind == "add" and edit.place != "links"}
        bad = [edit for edit in edits if edit.touched & broken]
        if not bad:
            return edits, before - now
        # Before the last round there is no time for one by one: all edits go that the same checks led to.
        checks = {check for edit in bad for check in edit.checks} if left == 1 else set()
        edits = [edit for edit in edits if not edit.touched & broken and not checks.intersection(edit.checks)]
    return [], Counter()


def find_edits(evidence: Evidence) -> list[Edit]:
    """What the rules propose; of edits of one row, the first."""
    edits: list[Edit] = []
    taken: set[tuple[str, int]] = set()
    for rule in (*of_cells.RULES, *of_missing.RULES, *of_links.RULES):
        for edit in rule(evidence):
            rows = set() if edit.kind == "add" else {(edit.place, row) for row in edit.rows}
            if not rows & taken:
                taken |= rows
                edits.append(edit)
    return edits


def _counts(findings: pd.DataFrame) -> Counter[Key]:
    return Counter(findings[_KEY].fillna("").itertuples(index=False, name=None))


def _share_out(edits: Sequence[Edit], fixed: Counter[Key]) -> list[list[str]]:
    """For each edit the checks of the findings that it cleared, each finding counted once."""
    of: dict[str, list[int]] = defaultdict(list)
    for number, edit in enumerate(edits):
        for id in edit.touched:
            of[id].append(number)
    cleared: list[list[str]] = [[] for _ in edits]
    for (check, _, found), times in fixed.items():
        near = of.get(str(found), [])
        led = [number for number in near if check in edits[number].checks]
        if near:
            cleared[(led or near)[0]] += [str(check)] * times
    return cleared


def apply(roster: Roster, edits: Sequence[Edit]) -> Roster:
    """A copy of a roster with these edits made."""
    tables = dict(roster.tables)
    links = roster.links
    removed: set[int] = set()
    added: dict[str, list[dict[str, object]]] = defaultdict(list)
    changed: dict[str, list[Edit]] = defaultdict(list)
    for edit in edits:
        if edit.kind == "remove":
            removed.update(edit.rows)
        elif edit.kind == "change":
            changed[edit.place].append(edit)
        else:
            like = links.iloc[edit.rows[0]].to_dict() if edit.rows else {}
            added[edit.place].append(
                {**{str(name): cell for name, cell in like.items() if not pd.isna(cell)}, **edit.cells}
            )
    for name, several in changed.items():
        if name == "links":
            links = _changed(links, several)
        else:
            tables[name] = _relabelled(name, tables[name], _changed(tables[name], several))
    if removed:
        links = links.drop(index=links.index[sorted(removed)])
    # What is delivered lists those who refer to it, as all others do.
    delivered = [edit.id for edit in edits if edit.kind == "add" and edit.place != "links"]
    if delivered:
        led = (links["source_id"].isin(delivered) | links["target_id"].isin(delivered)).to_numpy()
        links = links.assign(stated_by=links["stated_by"].mask(led, "both"))
    for name, rows in added.items():
        if name == "links":
            links = add_rows("links", links, rows)
        else:
            tables[name] = add_rows(name, tables[name], rows)
    links = links.reset_index(drop=True)
    return replace(roster, **cast("dict[str, Any]", tables), links=links, source=f"{roster.source}, repaired")


def _changed(df: pd.DataFrame, edits: Sequence[Edit]) -> pd.DataFrame:
    df = df.copy()
    for edit in edits:
        for name, value in edit.cells.items():
            df.loc[df.index[list(edit.rows)], name] = cast("str", value)
    return df


def _relabelled(name: str, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Update labels that were derived from other columns."""
    made = display_label(name, before.assign(label=pd.Series(index=before.index, dtype="str"))) == before["label"]
    new = display_label(name, after.assign(label=pd.Series(index=after.index, dtype="str")))
    after["label"] = after["label"].where(~made, new)
    return after
