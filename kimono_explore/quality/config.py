"""What a district has settled for its checks: a file ``quality.toml`` with parameters, severities, checks and waivers."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from kimono_explore.atomic import atomic_file
from kimono_explore.errors import ConfigurationError
from kimono_explore.quality.catalogue import all_checks, by_name
from kimono_explore.quality.definition import SEVERITIES

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from kimono_explore.quality.definition import Check, Parameter, Severity
    from kimono_explore.quality.outcome import Outcome

NAME = "quality.toml"
_SECTIONS = ("parameters", "severities", "checks", "waived", "gate")
_WAIVER = ("check", "reason", "owner", "expires", "id", "ids", "org")
_NEEDED = _WAIVER[:4]
_MOST_WAIVED = 500


@dataclass(frozen=True)
class Waiver:
    """Findings that somebody has accepted until a day: all of a check, or of some objects, or of an org."""

    check: str
    reason: str
    owner: str
    expires: date
    ids: tuple[str, ...] = ()
    org: str | None = None

    def covers(self, failures: pd.DataFrame) -> pd.Series:
        """Which rows it is about."""
        mine = pd.Series(True, index=failures.index)
        if self.ids:
            mine &= failures["id"].isin(self.ids)
        return mine & (failures["org_id"] == self.org).fillna(False).astype(bool) if self.org else mine

    def as_toml(self) -> str:
        """What stands of it in the file.

        Examples
        --------
        >>> print(Waiver("invalid_email", "as agreed", "Ada", date(2026, 12, 31), ("p1",)).as_toml())
        [[waived]]
        check = "invalid_email"
        ids = ["p1"]
        reason = "as agreed"
        owner = "Ada"
        expires = 2026-12-31
        """
        texts = {
            "check": self.check,
            "ids": list(self.ids),
            "org": self.org,
            "reason": self.reason,
            "owner": self.owner,
        }
        lines = [f"{name} = {_in_toml(value)}" for name, value in texts.items() if value]
        return "\n".join(["[[waived]]", *lines, f"expires = {self.expires}"])


def _in_toml(value: object) -> str:
    """A text, or a list of texts: TOML writes them as JSON does, with one character more in its own way."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def waivers_of(findings: pd.DataFrame, reason: str, owner: str, expires: date) -> list[Waiver]:
    """One waiver for each check of these findings, of just the objects that they name.

    Raises
    ------
    ConfigurationError
        There is nothing to waive, or nothing says what: a finding without an id, or more than 500 of them.
    """
    named = findings.dropna(subset=["id"])
    if findings.empty or len(named) < len(findings):
        raise ConfigurationError("A finding without an id cannot be waived by itself: waive its check in quality.toml.")
    if len(named) > _MOST_WAIVED:
        raise ConfigurationError(
            f"{len(named):,} findings are too many to waive one by one. Choose a school, or waive the check in quality.toml."
        )
    return [
        Waiver(str(check), reason, owner, expires, tuple(ids.unique()))
        for check, ids in named.groupby("check", sort=False)["id"]
    ]


def add_waivers(path: str | os.PathLike[str], waivers: Sequence[Waiver]) -> None:
    """Write waivers at the end of a ``quality.toml``; a new one is readable by its owner alone.

    Raises
    ------
    ConfigurationError
        The file is not a ``quality.toml``, or it cannot be written. It is as it was then.
    """
    file = Path(path)
    before = ""
    if file.exists():
        read_config(file)
        before = f"{file.read_text(encoding='utf-8-sig').rstrip()}\n\n"
    try:
        with atomic_file(file) as new:
            if before:
                new.chmod(file.stat().st_mode)
            new.write_text(before + "\n\n".join(one.as_toml() for one in waivers) + "\n", encoding="utf-8")
            _check_addition(new, path)
    except OSError as error:
        raise ConfigurationError(f"{path} could not be written: {error.strerror}. Name another file.") from error


@dataclass(frozen=True)
class Config:
    """What the file says."""

    parameters: dict[str, dict[str, Parameter]] = field(default_factory=dict)
    severities: dict[str, Severity] = field(default_factory=dict)
    on: tuple[str, ...] | None = None
    off: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    gate: dict[str, Any] = field(default_factory=dict)
    """The limits of `kimono_explore.gate`, which reads them."""


def beside(path: str | os.PathLike[str]) -> Path | None:
    """The file beside a snapshot, if there is one."""
    file = Path(path).absolute().parent / NAME
    return file if file.is_file() else None


def read_config(path: str | os.PathLike[str] | None) -> Config:
    """Read the file; what it says nothing about stays as it is.

    Raises
    ------
    ConfigurationError
        It cannot be read, or names something that nobody knows.
    """
    if path is None:
        return Config()
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"{path} could not be read: {why}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not TOML: {error}.") from error
    return _Reader(str(path), by_name(all_checks())).config(content)


class _Reader:
    """Reads the content; every error names the file and the place."""

    def __init__(self, path: str, known: Mapping[str, Check]) -> None:
        self._path, self._known = path, known

    def config(self, content: Mapping[str, Any]) -> Config:
        self._only(content, _SECTIONS, "the file")
        checks = self._table(content.get("checks", {}), "[checks]")
        self._only(checks, ("on", "off"), "[checks]")
        on = self._ids(checks["on"], "[checks] on") if "on" in checks else None
        off = self._ids(checks.get("off", []), "[checks] off")
        waived = content.get("waived", [])
        if not isinstance(waived, list):
            raise self._wrong("waived is not a list: write [[waived]]")
        return Config(
            self._parameters(content.get("parameters", {})),
            self._severities(content.get("severities", {})),
            on,
            off,
            tuple(self._waiver(one, f"[[waived]] number {n}") for n, one in enumerate(waived, 1)),
            self._table(content.get("gate", {}), "[gate]"),
        )

    def _wrong(self, text: str) -> ConfigurationError:
        return ConfigurationError(f"{self._path}: {text}.")

    def _only(self, table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
        for key in table:
            if key not in known:
                raise self._wrong(f"{where} has an unknown key {key!r}; it may have {', '.join(known)}")

    def _table(self, value: object, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._wrong(f"{where} is not a table")
        return value

    def _check(self, name: object, where: str) -> str:
        """The id of a check that is named by its id or its number."""
        if not isinstance(name, str) or name not in self._known:
            raise self._wrong(
                f"{where} names {name!r}, which is not a check; kimono_explore.checks() lists all of them"
            )
        return self._known[name].id

    def _by_id(self, table: Mapping[str, Any], where: str) -> dict[str, Any]:
        """What the file says of each check, by its id."""
        found: dict[str, Any] = {}
        for name, value in table.items():
            id = self._check(name, where)
            if id in found:
                raise self._wrong(f"{where} has {id} twice: by its id and by its number")
            found[id] = value
        return found

    def _ids(self, value: object, where: str) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise self._wrong(f"{where} is not a list of checks")
        return tuple(self._check(name, where) for name in value)

    def _parameters(self, value: object) -> dict[str, dict[str, Parameter]]:
        found = {}
        for id, own in self._by_id(self._table(value, "[parameters]"), "[parameters]").items():
            where = f"[parameters.{id}]"
            self._only(self._table(own, where), tuple(self._known[id].params) or ("none",), where)
            found[id] = {name: self._parameter(id, name, one) for name, one in own.items()}
        return found

    def _parameter(self, id: str, name: str, value: object) -> Parameter:
        """A value of the kind that the check's own has."""
        given = tuple(value) if isinstance(value, list) else value
        own = self._known[id].params[name]
        if not _alike(given, own):
            raise self._wrong(f"{name} of {id} is {given!r}; its default is {own!r}")
        if _is_range(own) and isinstance(given, tuple) and given[0] > given[1]:
            raise self._wrong(f"{name} of {id} is {given!r}: it ends before it begins")
        return cast("Parameter", given)

    def _severities(self, value: object) -> dict[str, Severity]:
        found: dict[str, Severity] = {}
        for id, severity in self._by_id(self._table(value, "[severities]"), "[severities]").items():
            if severity not in SEVERITIES:
                raise self._wrong(f"{id} has the severity {severity!r}; use one of {', '.join(SEVERITIES)}")
            found[id] = severity
        return found

    def _waiver(self, value: object, where: str) -> Waiver:
        table = self._table(value, where)
        self._only(table, _WAIVER, where)
        for key in _NEEDED:
            if not table.get(key):
                raise self._wrong(f"{where} has no {key}; it needs {', '.join(_NEEDED)}")
        expires = table["expires"]
        if not isinstance(expires, date) or isinstance(expires, datetime):
            raise self._wrong(f"{where} expires on {expires!r}; write a date without quotes, such as 2026-12-31")
        ids = table.get("ids", [table["id"]] if "id" in table else [])
        if not isinstance(ids, list) or ("id" in table and "ids" in table) or ("ids" in table and not ids):
            raise self._wrong(f"{where} needs one id, or ids as a list of at least one")
        texts = [*ids, table["reason"], table["owner"], table.get("org", "")]
        if not all(isinstance(text, str) for text in texts):
            raise self._wrong(f"{where} has a value that is not text")
        check = self._check(table["check"], where)
        return Waiver(check, table["reason"], table["owner"], expires, tuple(ids), table.get("org"))


def _is_range(own: object) -> bool:
    """Whether a parameter is a lowest and a highest number."""
    return isinstance(own, tuple) and len(own) == 2 and all(isinstance(one, (int, float)) for one in own)


def _alike(given: object, own: object) -> bool:
    """Whether a value is of the kind of another: a number, yes or no, a text, a range, or any number of texts."""
    if isinstance(own, (int, float)) and isinstance(given, (int, float)):
        return isinstance(own, bool) == isinstance(given, bool)
    if isinstance(own, tuple) and isinstance(given, tuple):
        whole = len(given) == 2 or not _is_range(own)
        return whole and all(_alike(one, own[0]) for one in given if own)
    return type(given) is type(own)


def _check_addition(new: Path, path: str | os.PathLike[str]) -> None:
    try:
        read_config(new)
    except ConfigurationError as error:
        why = str(error).replace(str(new), "the file")
        raise ConfigurationError(f"A waiver cannot be added to {path}. With it, {why}") from error


def waive(outcomes: Iterable[Outcome], waivers: Sequence[Waiver], today: date) -> list[str]:
    """Move waived findings out of the outcomes' failures. Waivers that expired are only reported.

    Returns
    -------
    list of str
        One sentence for each waiver that has expired and whose findings are back, and for each that names ids without any
        findings.
    """
    said = []
    # Those in force come first: what one of them covers is not back, though an earlier waiver of it has expired.
    ordered = sorted(waivers, key=lambda waiver: waiver.expires < today)
    for outcome in outcomes:
        for waiver in ordered:
            if waiver.check != outcome.check.id or outcome.status not in ("failed", "passed"):
                continue
            mine = waiver.covers(outcome.failures)
            count = int(mine.sum())
            whose = f"({waiver.owner}: {waiver.reason})"
            if waiver.expires < today:
                if count:
                    back = "1 finding is" if count == 1 else f"{count:,} findings are"
                    said.append(f"A waiver of {waiver.check} expired on {waiver.expires} {whose}: {back} back.")
            elif count:
                _take(outcome, waiver, mine)
            elif waiver.ids and not waiver.covers(outcome.waived).any():
                said.append(
                    f"A waiver of {waiver.check} {whose} covers no finding: they are fixed, or an id is mistyped."
                )
    return said


def _take(outcome: Outcome, waiver: Waiver, mine: pd.Series) -> None:
    taken = outcome.failures[mine].assign(reason=waiver.reason, owner=waiver.owner, expires=waiver.expires.isoformat())
    whole = not waiver.ids and not waiver.org
    outcome.failed -= outcome.failed if whole else len(taken)
    outcome.waived = pd.concat([outcome.waived, taken], ignore_index=True) if len(outcome.waived) else taken
    outcome.failures = outcome.failures[~mine].reset_index(drop=True)
    outcome.status = "failed" if outcome.failed else "passed"
    outcome.reason = outcome.pattern
