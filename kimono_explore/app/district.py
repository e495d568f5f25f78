"""What the page shows: a roster that is read and checked once, before the first visitor comes."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kimono_explore.api.client import Client, connect
from kimono_explore.display import display_label, printable
from kimono_explore.files.snapshot import is_snapshot
from kimono_explore.history import History, history
from kimono_explore.history.segment import is_history
from kimono_explore.load import load_roster
from kimono_explore.quality import Report, check
from kimono_explore.quality.config import beside
from kimono_explore.roster.lazy import LazyRoster, open_to_browse
from kimono_explore.roster.roster import Roster
from kimono_explore.sandbox import sandbox
from kimono_explore.widgets.browser import Browser
from kimono_explore.widgets.quality import QualityInspector
from kimono_explore.widgets.queue import TaskInspector

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from kimono_explore.widgets.parts import Panel

_DISTRICTS = ("district", "lea", "local")


class District(NamedTuple):
    """What all visitors of the page share.

    Attributes
    ----------
    roster : Roster or LazyRoster
    report : Report
        Of `check`.
    client : Client or None
        Where the roster was loaded from, with a task queue.
    history : History or None
        The days that are browsed; the roster and the report are those of the last one.
    """

    roster: Roster | LazyRoster
    report: Report
    client: Client | None = None
    history: History | None = None

    @property
    def name(self) -> str:
        """The name of the one district, or of the one org, else how many there are."""
        orgs = self.roster.orgs
        districts = orgs[orgs["org_type"].str.lower().isin(_DISTRICTS)]
        named = districts if len(districts) else orgs
        labels = display_label("orgs", named).dropna()
        if len(named) == len(labels) == 1:
            return printable(labels.iloc[0])
        return f"{len(named):,} {'districts' if len(districts) else 'orgs'}"

    def panels(self) -> dict[str, tuple[str, Callable[[], Panel]]]:
        """The pages by their path: what each is called, and what makes its widget for a visitor."""
        pages: dict[str, tuple[str, Callable[[], Panel]]] = {
            "": ("Browse", Ready(self._browser).take),
            "quality": ("Quality", lambda: QualityInspector(self.report, self.roster)),
        }
        if self.client is not None:
            pages["tasks"] = ("Tasks", self._tasks)
        return pages

    def _browser(self) -> Browser:
        return Browser(self.roster, self.report) if self.history is None else Browser(self.history)

    def _tasks(self) -> TaskInspector:
        assert self.client is not None
        return TaskInspector(self.client, self.roster if isinstance(self.roster, Roster) else None)


class Ready:
    """Makes a widget ahead, so that the next visitor need not wait for it.

    Parameters
    ----------
    make : callable
    after : float, default 2.0
        Seconds after a visit began: until then its own page is drawn.
    """

    def __init__(self, make: Callable[[], Panel], after: float = 2.0) -> None:
        self._make, self._after = make, after
        self._made = deque([make()])
        self._making = threading.Lock()

    def take(self) -> Panel:
        """The widget that was made ahead, or a new one."""
        renewal = threading.Timer(self._after, self._renew)
        renewal.daemon = True
        renewal.start()
        try:
            return self._made.pop()
        except IndexError:  # somebody came at the same time
            return self._make()

    def _renew(self) -> None:
        with self._making:
            if not self._made:
                self._made.append(self._make())


def open_district(source: str | os.PathLike[str] | None, *, made_up: bool = False) -> District:
    """Read a roster and check it.

    Parameters
    ----------
    source : str or path, optional
        A snapshot folder, which stays on disk if it is large, the folder of a history, or a OneRoster bundle. Default:
        the tenant of the environment.
    made_up : bool, default False
        A made-up district in place of the tenant.
    """
    if source is not None:
        return _stored(source)
    client = sandbox().client if made_up else connect()
    roster = load_roster(client, progress=not made_up)
    return District(roster, check(roster), client)


def _stored(source: str | os.PathLike[str]) -> District:
    if is_history(Path(source)):
        days = history(source)
        roster = days.open(days.days[-1])
        return District(roster, check(roster), history=days)
    opened = open_to_browse(source)
    config = beside(source) if is_snapshot(source) else None
    return District(opened, check(opened if isinstance(opened, Roster) else source, config=config))
