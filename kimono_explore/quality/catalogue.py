"""Every check, ours and your own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.errors import ConfigurationError
from kimono_explore.quality.checks import (
    completeness,
    dates,
    grades,
    identity,
    memberships,
    queue,
    references,
    structure,
    values,
    workload,
)
from kimono_explore.quality.definition import SEVERITIES, Check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kimono_explore.quality.definition import CheckResult, Parameter, Severity

ROSTER_CHECKS: tuple[Check, ...] = (
    *identity.CHECKS,
    *references.CHECKS,
    *memberships.CHECKS,
    *grades.CHECKS,
    *structure.CHECKS,
    *completeness.CHECKS,
    *values.CHECKS,
    *dates.CHECKS,
    *workload.CHECKS,
)
TASK_CHECKS: tuple[Check, ...] = queue.CHECKS

_own: dict[str, Check] = {}


def checks() -> pd.DataFrame:
    """List every check in the catalogue, with its rule and why it matters.

    Returns
    -------
    pandas.DataFrame
        One row per check: id, number, title, severity, group, tables, rule, why, params. Your own checks come last.

    Examples
    --------
    >>> kx.checks().query("group == 'Load'")["id"].tolist()
    ['oversize_section', 'undersize_section', 'student_overload', 'teacher_overload', 'same_title_sections']
    """
    rows = [
        {
            "id": check.id,
            "number": check.number,
            "title": check.title,
            "severity": check.severity,
            "group": check.group,
            "tables": ", ".join(check.tables),
            "rule": check.rule_with(check.params),
            "why": check.why,
            "params": dict(check.params),
        }
        for check in all_checks()
    ]
    return pd.DataFrame(rows)


def all_checks() -> tuple[Check, ...]:
    """Every check: of rosters, of task queues, and your own."""
    return (*ROSTER_CHECKS, *TASK_CHECKS, *_own.values())


def define_check(
    id: str,
    *,
    title: str,
    severity: Severity,
    tables: Iterable[str],
    rule: str,
    why: str,
    params: Mapping[str, Parameter] | None = None,
    needs: Iterable[str] = (),
    number: str | None = None,
) -> Callable[[Callable[..., CheckResult]], Callable[..., CheckResult]]:
    """Add your own check to the catalogue; `check` then runs it with the others.

    Parameters
    ----------
    id, title, rule, why : str
        As in the catalogue; ``{name}`` in the rule stands for a parameter.
    severity : {"error", "warning", "information"}
    tables : iterable of str
        The tables whose objects the check reports.
    params : mapping, optional
        The parameters and their defaults.
    needs : iterable of str
        Relations (``"student_in"``) or columns (``"persons.dob"``) that the check cannot work without.
    number : str, optional
        Your own number, such as ``"CR-001"``. `check` accepts it in place of the id, and the report shows it.

    Returns
    -------
    callable
        A decorator for a function that takes a `kimono_explore.quality.CheckContext` and the parameters by name, and
        returns a `kimono_explore.quality.CheckResult`: what it looked at, and what fails, as narwhals frames.

    Raises
    ------
    ConfigurationError
        The id is one of the library's own, the severity is unknown, or the number is that of another check or begins
        with ``KX-``, which is reserved for the library.

    Examples
    --------
    >>> import narwhals as nw
    >>> from kimono_explore.quality import CheckResult
    >>> @kx.define_check(
    ...     "short_title",
    ...     title="Section with a short title",
    ...     severity="information",
    ...     tables=["sections"],
    ...     rule="The title has fewer than {letters} letters.",
    ...     why="Teachers cannot tell what it is.",
    ...     params={"letters": 4},
    ... )
    ... def short_title(context, letters):
    ...     sections = context.objects("sections").select("id", "title")
    ...     return CheckResult(sections, sections.filter(nw.col("title").str.len_chars() < letters))
    >>> kx.check(roster, checks=["short_title"]).summary["status"].tolist()
    ['passed']
    """
    if id in {check.id for check in (*ROSTER_CHECKS, *TASK_CHECKS)}:
        raise ConfigurationError(f"{id!r} is a built-in check. Use a different id.")
    if number is not None and number.upper().startswith("KX-"):
        raise ConfigurationError(
            f"The number {number!r} begins with KX-, which is reserved for the library. Choose other letters."
        )
    others = {name for check in all_checks() if check.id != id for name in (check.id, check.number)}
    if taken := others & {id, number} - {None}:
        raise ConfigurationError(f"{min(map(str, taken))!r} already refers to another check.")
    if severity not in SEVERITIES:
        raise ConfigurationError(f"Unknown severity {severity!r}. Choose one of {', '.join(SEVERITIES)}.")

    def add(find: Callable[..., CheckResult]) -> Callable[..., CheckResult]:
        _own[id] = Check(
            id,
            number,
            title,
            severity,
            "Your own",
            tuple(tables),
            rule,
            why,
            find,
            params=dict(params or {}),
            needs=tuple(needs),
        )
        return find

    return add


def choose(chosen: Iterable[str] | None, exclude: Iterable[str], of: tuple[Check, ...]) -> list[Check]:
    """The checks of these ids or numbers, or all, without the excluded ones; one that nobody knows is an error."""
    here = {check.id: check for check in of} | (_own if of is ROSTER_CHECKS else {})
    known = by_name(here.values())
    exclude = [exclude] if isinstance(exclude, str) else list(exclude)
    chosen = list(here) if chosen is None else [chosen] if isinstance(chosen, str) else list(chosen)
    for name in (*chosen, *exclude):
        if name not in known:
            raise ConfigurationError(f"No check {name!r}. kimono_explore.checks() lists them all.")
    left_out = {known[name].id for name in exclude}
    return [here[id] for id in dict.fromkeys(known[name].id for name in chosen) if id not in left_out]


def by_name(checks: Iterable[Check]) -> dict[str, Check]:
    """The checks by id, and by number."""
    return {name: check for check in checks for name in (check.id, check.number) if name is not None}
