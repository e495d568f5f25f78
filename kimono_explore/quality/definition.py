"""What a check is: a row that says what is wrong, why it matters, and the function that finds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import narwhals as nw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Frame: TypeAlias = nw.LazyFrame[Any]
"""A lazy table of any engine."""

Severity = Literal["error", "warning", "information"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "information")

AREAS: dict[str, str] = {
    "Identity": "IDN",
    "References": "REF",
    "Memberships": "ENR",
    "Grades": "GRD",
    "Agreement": "AGR",
    "Structure": "STR",
    "Freshness": "FRS",
    "Completeness": "CMP",
    "Values": "VAL",
    "Dates": "DAT",
    "Load": "LOD",
    "Task queue": "QUE",
}
"""The group of a check -> the three letters of its number."""

Parameter = int | float | str | tuple[str, ...] | tuple[int, ...]


class CheckResult(NamedTuple):
    """What a check looked at, and what failed.

    Attributes
    ----------
    checked : narwhals.LazyFrame or int
        The rows that were checked, or their number.
    failing : narwhals.LazyFrame
        One row per finding: ``id`` of the object, ``table`` if the check covers several, and the values that broke the
        rule. ``missing_type`` and ``missing_id`` name an object that was not delivered.
    """

    checked: Frame | int
    failing: Frame


class NotApplicable(Exception):
    """Raised by a check that cannot be applied. Its text is the reason given in the report."""


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes
    ----------
    id : str
        Identifies the check's findings, also in saved reports.
    number : str or None
        How people refer to the check: ``KX-``, the letters of its area (`AREAS`), three digits. A number is never
        changed or reused; ``tests/quality/test_numbers.py`` lists them all. None for a check of your own.
    title : str
    severity : {"error", "warning", "information"}
    group : str
        The heading under which the catalogue lists the check.
    tables : tuple of str
        The tables whose objects the check reports.
    rule : str
        What fails, in words; ``{name}`` stands for a parameter.
    why : str
        Why it matters.
    find : callable
        Takes a `CheckContext` and the parameters by name, and returns a `CheckResult`.
    params : mapping
        The parameters and their defaults.
    needs : tuple of str
        What must have been sent for the check to work: a relation (``"student_in"``), a relation with one role
        (``"member_of:student"``), or a column (``"persons.dob"``).
    follows : tuple of str
        Checks that this check can be a consequence of: one of their findings about the same object explains this one.
    follows_school : tuple of str
        The same, if the earlier finding is about the object's school.
    likely : str
        The likely reason if the check fails for most of the rows it looks at.
    """

    id: str
    number: str | None
    title: str
    severity: Severity
    group: str
    tables: tuple[str, ...]
    rule: str
    why: str
    find: Callable[..., CheckResult] = field(repr=False)
    params: Mapping[str, Parameter] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    follows_school: tuple[str, ...] = ()
    likely: str = "a setting of the export, or how this tenant uses the field."

    def rule_with(self, params: Mapping[str, Parameter]) -> str:
        """The rule with its parameters filled in."""
        return self.rule.format(**{name: _in_words(value) for name, value in params.items()})


def _in_words(value: Parameter) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " to ".join(map(str, value)) if isinstance(value, tuple) and len(value) == 2 else str(value)
