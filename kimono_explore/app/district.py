"""What the page shows: a roster that is read before the first visitor comes, and checked while they look at it."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kimono_explore.api.client import Client, connect
from kimono_explore.app.visit import let_go
from kimono_explore.display import display_label, plural, printable
from kimono_explore.files.snapshot import is_snapshot
from kimono_explore.history import History, history
from kimono_explore.history.segment import is_history
from kimono_explore.load import load_roster
from kimono_explore.quality import Report, check
from kimono_explore.quality.config import beside, read_config
from kimono_explore.roster.lazy import LazyRoster, open_to_browse
from kimono_explore.roster.roster import Roster
from kimono_explore.sandbox import sandbox
from kimono_explore.threads import in_thread, result_of
from kimono_explore.widgets.browser import Browser
from kimono_explore.widgets.controls import Html
from kimono_explore.widgets.parts import Panel, line
from kimono_explore.widgets.quality import QualityInspector
from kimono_explore.widgets.queue import TaskInspector

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

_DISTRICTS = ("district", "lea", "local")
_EVERY = 0.5
"""Seconds between two looks whether the roster has been checked."""


class District(NamedTuple):
    """What all visitors of the page share.

    Attributes
    ----------
    roster : Roster or LazyRoster
    report : Report, Future of Report or None
        Of `check`, which may still be under way: visitors browse meanwhile.
    client : Client or None
        Where the roster was loaded from, with a task queue.
    history : History or None
        The days that are browsed; the roster and the report are those of the last one.
    """

    roster: Roster | LazyRoster
    report: Report | Future[Report] | None
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

    @property
    def is_checked(self) -> bool:
        """Whether the check has ended, well or not."""
        return not isinstance(self.report, Future) or self.report.done()

    def panels(self) -> dict[str, tuple[str, Callable[[], Panel]]]:
        """The pages by their path: what each is called, and what makes its widget for a visitor."""
        ready = Ready(self._browser)
        if isinstance(self.report, Future) and self.history is None:
            self.report.add_done_callback(lambda _: ready.renew())
        pages: dict[str, tuple[str, Callable[[], Panel]]] = {
            "": ("Browse", lambda: self._with_findings(ready.take())),
            "quality": ("Quality", self._quality),
        }
        if self.client is not None:
            pages["tasks"] = ("Tasks", self._tasks)
        return pages

    def _found(self) -> Report:
        """The report; raises what kept the check from its end."""
        report = result_of(self.report) if isinstance(self.report, Future) else self.report
        assert report is not None
        return report

    def _browser(self) -> Browser:
        if self.history is not None:
            return Browser(self.history)
        report = None
        if self.is_checked and self.report is not None:
            with suppress(Exception):  # who comes is told
                report = self._found()
        return Browser(self.roster, report)

    def _with_findings(self, browser: Browser) -> Browser:
        """A visitor's browser, which shows the findings as soon as they are known."""
        if self.history is None and browser.report is None and self.report is not None:
            notice = Html(line("The roster is being checked. Findings will appear here when that is done."))
            browser.children = [notice, *browser.children]
            self._look_again(browser, notice)
        return browser

    def _look_again(self, browser: Browser, notice: Html) -> None:
        if not self.is_checked:
            browser.later("report", _EVERY, partial(self._look_again, browser, notice))
            return
        try:
            report = browser.report = self._found()
        except Exception as error:  # noqa: BLE001  the roster can be browsed all the same
            said = f"The roster could not be checked: {error}"
        else:
            said = f"The roster has been checked: {plural(len(report.findings), 'finding')}."
        notice.value = line(said, role="status")  # it stays: without it, what somebody is about to click would move

    def _quality(self) -> Panel:
        try:
            report = self._found()
        except Exception as error:  # noqa: BLE001  it is told on the page
            return Refusal(error)
        return QualityInspector(report, self.roster)

    def _tasks(self) -> TaskInspector:
        assert self.client is not None
        return TaskInspector(self.client, self.roster if isinstance(self.roster, Roster) else None)


class Refusal(Panel):
    """A page that has nothing to show but why."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.children = [self._status]
        self.show_error(error)


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

    def renew(self) -> None:
        """Make another one in the place of what was made ahead: what it shows is no longer all there is."""
        with self._making:
            self._made.append(self._make())
            while len(self._made) > 1:
                let_go(self._made.popleft())

    def _renew(self) -> None:
        with self._making:
            if not self._made:
                self._made.append(self._make())


def open_district(source: str | os.PathLike[str] | None, *, made_up: bool = False) -> District:
    """Read a roster, and begin to check it.

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
    return District(roster, in_thread(check, roster), client)


def _stored(source: str | os.PathLike[str]) -> District:
    if is_history(Path(source)):
        days = history(source)
        roster = days.open(days.days[-1])
        return District(roster, in_thread(check, roster), history=days)
    opened = open_to_browse(source)
    config = beside(source) if is_snapshot(source) else None
    read_config(config)  # what is wrong with it is said before anybody comes
    checked = opened if isinstance(opened, Roster) else source
    return District(opened, in_thread(partial(check, checked, config=config)))
