"""All tenants of a file, several at a time, and one page that says which of them need somebody."""

from __future__ import annotations

import os
import re
import tomllib
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kimono_explore.api.client import connect
from kimono_explore.display import listed, plural
from kimono_explore.errors import ConfigurationError, KimonoError
from kimono_explore.morning.run import STATES, Morning, Step, run_morning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kimono_explore.api.client import Client

_SECRETS = ("token", "client_id", "client_secret", "username", "password")
_KNOWN = ("name", "base_url", "token_url", "folder", "config", *(f"{secret}_env" for secret in _SECRETS))
_SHARED = 3
"""Tenants with the same rule that are said to share a cause."""


@dataclass(frozen=True)
class Tenant:
    """One tenant of ``tenants.toml``: where it is, and the names of the environment variables that hold its secrets."""

    name: str
    base_url: str
    folder: Path
    config: Path | None
    token_url: str | None
    secrets: Mapping[str, str]

    def connect(self) -> Client:
        """A client; raises `ConfigurationError` if the environment lacks a secret."""
        values: dict[str, Any] = {}
        for secret, variable in self.secrets.items():
            if not os.environ.get(variable):
                raise ConfigurationError(f"The environment variable {variable} is not set.")
            values[secret] = os.environ[variable]
        if not values:
            raise ConfigurationError(f"{self.name} names no credentials, such as token_env.")
        return connect(self.base_url, token_url=self.token_url, **values)


def read_tenants(path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> list[Tenant]:
    """Read ``tenants.toml``.

    Parameters
    ----------
    path : str or path
        A file with a ``[[tenant]]`` for each: name, base_url, and the names of environment variables as token_env, or
        client_id_env and client_secret_env, or username_env and password_env; optional token_url, folder and config. A
        secret itself is refused.
    folder : str or path
        Where the tenants' folders are.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or a tenant lacks something, has something unknown, or shares its folder with another.
    """
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} could not be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not TOML: {error}.") from error
    rows = content.get("tenant")
    if (
        set(content) != {"tenant"}
        or not isinstance(rows, list)
        or not rows
        or not all(isinstance(r, dict) for r in rows)
    ):
        raise ConfigurationError(f"{path} needs a [[tenant]] for each tenant, and nothing else.")
    tenants = [_tenant(row, f"{path}: [[tenant]] number {n}", Path(folder)) for n, row in enumerate(rows, 1)]
    for name, count in Counter(tenant.folder for tenant in tenants).items():
        if count > 1:
            raise ConfigurationError(f"{path}: {count} tenants have the folder {name.name!r}. Give each its own.")
    return tenants


def _tenant(row: Mapping[str, Any], where: str, folder: Path) -> Tenant:
    for key in row:
        if key in _SECRETS:
            raise ConfigurationError(f"{where} holds a secret: {key}. Name an environment variable: {key}_env.")
        if key not in _KNOWN:
            raise ConfigurationError(f"{where} has an unknown key {key!r}; it may have {', '.join(_KNOWN)}.")
        if not isinstance(row[key], str) or not row[key].strip():
            raise ConfigurationError(f"{where}: {key} is {row[key]!r}; it needs text.")
    for key in ("name", "base_url"):
        if key not in row:
            raise ConfigurationError(f"{where} has no {key}.")
    if "folder" not in row and not re.search(r"[a-z0-9]", row["name"].lower()):
        raise ConfigurationError(f"{where} has a name without a letter from a to z. Give it a folder.")
    own = row.get("folder") or re.sub(r"[^a-z0-9]+", "-", row["name"].lower()).strip("-")
    if not own or Path(own).is_absolute() or ".." in Path(own).parts:
        raise ConfigurationError(f"{where} needs a folder within {folder}.")
    secrets = {secret: row[f"{secret}_env"] for secret in _SECRETS if f"{secret}_env" in row}
    config = Path(row["config"]) if "config" in row else None
    return Tenant(row["name"], row["base_url"], folder / own, config, row.get("token_url"), secrets)


@dataclass
class Fleet:
    """The mornings of all tenants, those that need somebody first."""

    mornings: list[Morning]
    began: datetime
    ended: datetime

    @property
    def exit_code(self) -> int:
        """The worst of all."""
        return max((morning.exit_code for morning in self.mornings), default=0)

    @property
    def troubles(self) -> list[Morning]:
        """Those that need somebody."""
        return [morning for morning in self.mornings if morning.exit_code]

    @property
    def counts(self) -> dict[str, int]:
        """How many tenants there are for each word, in the order of the page."""
        return dict(Counter(morning.word for morning in self.mornings))

    @property
    def headline(self) -> str:
        """One sentence."""
        count, stops = len(self.troubles), self.counts.get("Stop", 0)
        if not count:
            return f"All {plural(len(self.mornings), 'tenant')} are in order"
        stopped = f"; {stops:,} must not go live" if stops else ""
        needs = "needs" if count == 1 else "need"
        return f"{count:,} of {plural(len(self.mornings), 'tenant')} {needs} attention{stopped}"

    @property
    def shared(self) -> list[str]:
        """Causes that several tenants have in common, each said once."""
        rules = Counter(morning.rules[0] for morning in self.mornings if morning.rules)
        return [
            f"{count:,} tenants have the same first reason, {rule}: {listed(self._named(rule)[:5])}"
            + (f" and {count - 5:,} more" if count > 5 else "")
            for rule, count in rules.most_common()
            if count >= _SHARED
        ]

    def _named(self, rule: str) -> list[str]:
        return [morning.name for morning in self.mornings if morning.rules and morning.rules[0] == rule]

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {
            "headline": self.headline,
            "exit_code": self.exit_code,
            "began": self.began.isoformat(),
            "ended": self.ended.isoformat(),
            "counts": self.counts,
            "shared": self.shared,
            "tenants": [morning.to_dict() for morning in self.mornings],
        }


def run_fleet(
    tenants: Sequence[Tenant],
    *,
    at_a_time: int = 4,
    late: float = 60,
    now: datetime | None = None,
    done: Callable[[Morning], None] | None = None,
) -> Fleet:
    """Run the mornings of several tenants, some at a time; what goes wrong with one keeps no other from its own.

    Each runs in a process of its own: a morning computes more than it waits, and threads of one process would take turns.

    Parameters
    ----------
    tenants : sequence of Tenant
    at_a_time : int, default 4
    late, now
        As `run_morning` takes them.
    done : callable, optional
        Called with each morning as it ends.

    Raises
    ------
    ConfigurationError
        ``at_a_time`` is less than 1.
    """
    if at_a_time < 1:
        raise ConfigurationError(f"At least 1 tenant must run at a time, not {at_a_time}.")
    began = datetime.now(UTC)
    mornings: list[Morning] = []

    def ended(morning: Morning) -> None:
        mornings.append(morning)
        if done:
            done(morning)

    # A process that dies takes its pool along: whoever was in it is tried once more, alone.
    for tenant in _run_together(tenants, at_a_time, late, now, ended):
        for again in _run_together([tenant], 1, late, now, ended):
            ended(_failed(again, now, "its process was ended, perhaps for want of memory"))
    mornings.sort(key=lambda m: (-STATES.index(m.state), m.word, -(m.students or 0), m.name))
    return Fleet(mornings, began, datetime.now(UTC))


def _run_together(
    tenants: Sequence[Tenant], at_a_time: int, late: float, now: datetime | None, ended: Callable[[Morning], None]
) -> list[Tenant]:
    """Run their mornings; those of whom nothing is known, because their pool broke, are returned."""
    lost = []
    pool = ProcessPoolExecutor(min(at_a_time, len(tenants)), mp_context=get_context("spawn"))
    try:
        asked = {pool.submit(_run, tenant, late, now): tenant for tenant in tenants}
        for future in as_completed(asked):
            try:
                morning = future.result()
            except BrokenProcessPool:
                lost.append(asked[future])
            else:
                ended(morning)
    finally:
        pool.shutdown(cancel_futures=True)
    return lost


def _run(tenant: Tenant, late: float, now: datetime | None) -> Morning:
    try:
        return run_morning(tenant.connect, tenant.folder, name=tenant.name, config=tenant.config, late=late, now=now)
    except Exception as error:  # noqa: BLE001  one tenant's trouble is its own; it is shown
        return _failed(
            tenant, now, str(error) if isinstance(error, KimonoError) else f"{type(error).__name__}: {error}"
        )


def _failed(tenant: Tenant, now: datetime | None, said: str) -> Morning:
    failed = Step("Load", "failed", said.rstrip("."))
    return Morning(tenant.name, now or datetime.now(UTC), tenant.folder, [failed])
