"""Work the task queue: what is in it, what a task means, and acknowledging it, once somebody has confirmed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from kimono_explore.acks import ack_tasks, check_status, delete_task
from kimono_explore.api.client import Client
from kimono_explore.api.operations import ACK_STATUSES
from kimono_explore.atomic import atomic_file
from kimono_explore.errors import KimonoError, expect
from kimono_explore.export import no_formulas
from kimono_explore.quality import check, check_tasks
from kimono_explore.quality.coming import look_ahead
from kimono_explore.roster.roster import Roster
from kimono_explore.tasks import load_tasks
from kimono_explore.threads import in_thread
from kimono_explore.waits import queue_delays
from kimono_explore.widgets.acting import Result, act_on
from kimono_explore.widgets.browser import Browser
from kimono_explore.widgets.channel import Channel
from kimono_explore.widgets.coming import Outlook, coming_html, task_effects, told_tasks
from kimono_explore.widgets.confirm import Confirmation
from kimono_explore.widgets.controls import Button, Choice, Column, Html, Number, Row, Text
from kimono_explore.widgets.facet import Facet
from kimono_explore.widgets.names import Names
from kimono_explore.widgets.outcome import (
    count_tasks,
    dry_run_html,
    lost_html,
    outcome_html,
)
from kimono_explore.widgets.parts import Panel, line, shorten
from kimono_explore.widgets.table import DataTable
from kimono_explore.widgets.task_detail import task_html, waits_html
from kimono_explore.widgets.timeline import Span, Timeline
from kimono_explore.widgets.words import column_words, value_words

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from kimono_explore.quality import ComingFindings, Report

_FILTERS = {"type": "Kind", "action": "What happens", "object_type": "About", "tenant_id": "Tenant"}
_COLUMNS = ["is", "created_at", "type", "action", "about", "object_type", "tenant_id", "sequence", "id"]
_HISTORY = ["time", "act", "id", "status", "accepted", "message", "code", "reason"]


def inspect_tasks(
    client: Client, roster: Roster | None = None, *, allow_changes: bool = False, every: float | None = None
) -> TaskInspector:
    """Inspect and work the task queue.

    Inspecting only reads the admin queue, without side effects.

    Parameters
    ----------
    client : Client
    roster : Roster, optional
        The roster that the tasks are about. Tasks then show their objects, deletions of unknown objects are detected,
        and a button previews the future roster.
    allow_changes : bool, default False
        Show the buttons to acknowledge and delete tasks. Each asks for confirmation.
    every : float, optional
        Refresh the queue at this interval, in seconds.

    Returns
    -------
    TaskInspector
        A widget. ``.tasks`` is the queue, ``.table`` the rows on screen, ``.picked`` the picked rows, and ``.history``
        what was done in this session.

    Examples
    --------
    >>> inspector = kx.inspect_tasks(client)
    >>> inspector.filter(type="sync_event")
    >>> inspector.table["action"].unique().tolist()
    ['SYNC_START', 'SYNC_END']
    """
    expect("inspect_tasks", client, Client)
    expect("inspect_tasks", roster, Roster, None)
    return TaskInspector(client, roster, allow_changes=allow_changes, every=every)


class TaskInspector(Panel):
    """The widget returned by `inspect_tasks`.

    Attributes
    ----------
    tasks : pandas.DataFrame
        The queue, as returned by `load_tasks`.
    table : pandas.DataFrame
        The tasks on screen, with what each is about: the object's label, or an enrollment in words.
    history : pandas.DataFrame
        What was done in this session: time, act, id, status, accepted, message, code, reason. The status is the
        outcome: ``"done"``, ``"refused"``, ``"not known"`` or ``"not sent"``. The code is the HTTP status, and the
        reason is what the server said about the task, if it responded.
    asked : pandas.DataFrame
        The dry run: the tasks that `confirm` would act on. Empty unless a confirmation is pending.
    lost : bool
        Whether the last attempt to read the queue failed, so that older data is shown.
    report : Report or None
        The report from `check_tasks`.
    browser : Browser or None
        Where objects of the roster are opened; None without a roster.
    coming : ComingFindings or None
        The latest result of `look_ahead`; reset to None when the queue changes.
    """

    def __init__(
        self,
        client: Client,
        roster: Roster | None = None,
        *,
        allow_changes: bool = False,
        every: float | None = None,
    ) -> None:
        super().__init__()
        self.client, self.roster, self.allow_changes = client, roster, allow_changes
        self.tasks = self.table = pd.DataFrame(columns=_COLUMNS)
        self.history = pd.DataFrame(columns=_HISTORY)
        self.report: Report | None = None
        self.coming: ComingFindings | None = None
        self._foreseen: tuple[str, set[str]] = "", set()
        self._names = Names(roster)
        self._new: set[str] = set()
        self._about = pd.Series(dtype="str")
        self.asked = self.tasks
        self.lost = False
        self.read_at: datetime | None = None
        self._pending: Callable[[], pd.DataFrame] | None = None
        self._asked_by: Button | None = None
        self._settling = False
        self._loading: asyncio.Future[pd.DataFrame] | None = None
        self._lay_out()
        self.guarded(self._read)()
        self._every.value = float(every or 0)

    def _lay_out(self) -> None:
        again = self.guarded(lambda _: self.refresh())
        self._refresh = self._button("Refresh", again, "refresh", tooltip="Read the admin queue again")
        self._stop = self._button("Stop reading", self._stop_reading, "stop", disabled=True)
        self._every = Number("Refresh every", unit="seconds (0: by hand)", tooltip="0: by hand only", step=5)
        self._order = Choice("order", ["newest first", "queue order"])
        self._filters = {
            name: Facet(heading, self._names.tenant if name == "tenant_id" else value_words)
            for name, heading in _FILTERS.items()
        }
        self._waits, self._outcome = Html(), Html()
        self._outlook = Outlook(self.guarded(lambda _: self.look_ahead()), self.guarded(lambda _: self._look_no_more()))
        self._looking: object = None
        self._outlook.hidden = self.roster is None
        self._timeline = Timeline("Tasks by time")
        said = {**dict.fromkeys(("type", "action", "object_type"), value_words), "tenant_id": self._names.tenant}
        self._rows = DataTable(label="Tasks", many=True, words=column_words, values=said, comm=Channel())
        self._rows.spare = ("object_type", "sequence", "id")  # they stand beside a task once it is picked
        self._detail = Html()
        self._opens = [
            self._button("Open", self.guarded(lambda _, place=place: self.show_object(place)), "search")
            for place in range(2)
        ]
        self._beside = Column([self._detail, Row(self._opens)], share=2, hidden=True)  # until a task is picked
        self._shelf = Column()
        self._actions = self._make_actions()
        self._confirm_box = Confirmation(self.guarded(lambda _: self.confirm()), self.guarded(lambda _: self.cancel()))
        self._retry = self._button("Retry", again, "refresh", tooltip="Read the admin queue again", hidden=True)
        changes = [self._actions, self._confirm_box, self._outcome] if self.allow_changes else []
        self._every.observe(self.guarded(lambda _: self._again()), "value")
        for choice in (self._order, self._timeline, *self._filters.values()):
            choice.observe(self.guarded(lambda _: self._filtered()), "value")
        self._rows.observe(self.guarded(lambda _: self._picked_task()), "selected_rows")
        self._rows.observe(self.guarded(lambda _: self._name_actions()), "view")
        self.children = [
            Row([self._refresh, self._stop, self._every, self._order]),
            Row([self._status, self._retry]),
            self._waits,
            self._outlook,
            *self._filters.values(),
            Row([Column([self._timeline, self._rows, *changes], share=3), self._beside], look="split"),
            self._shelf,
        ]

    def _button(self, text: str, action: Callable[[Button], object], icon: str, **facts: Any) -> Button:  # noqa: ANN401
        button = Button(text, icon, **facts)
        button.on_click(action)
        return button

    def _stop_reading(self, _: Button) -> None:
        if self._loading is not None:
            self._loading.cancel()

    def _make_actions(self) -> Column:
        self._act = Choice("as", ACK_STATUSES, look="menu")
        self._message = Text("message", placeholder="needed with error and retry", width=190)
        self._app_id = Text("app id", width=120)
        act = self.guarded(lambda _: self.acknowledge(self._act.value, self._message.value, self._app_id.value))
        self._acknowledge = self._button("", act, "check", tooltip="Acknowledge the selected tasks, once you confirm")
        delete = self.guarded(lambda _: self.delete())
        self._delete = self._button("", delete, "trash", tooltip="Delete the selected tasks, once you confirm")
        every = self.guarded(lambda _: self.pick_all())
        self._all = self._button("", every, "", tooltip="Select all tasks that match the filters")
        return Column(
            [Row([self._all, self._delete, self._acknowledge]), Row([self._act, self._message, self._app_id])]
        )

    # What a person, or a notebook, does.

    @property
    def picked(self) -> pd.DataFrame:
        """The picked rows of ``table``."""
        return self.table.iloc[[row for row in self._rows.selected_rows if row < len(self.table)]]

    def pick(self, *ids: str) -> None:
        """Pick tasks as if they were clicked."""
        self._rows.pick(self.table.index[self.table["id"].isin(ids)].tolist())

    @cached_property
    def browser(self) -> Browser | None:
        """Created when an object is first opened, because listing all people takes a while in a large roster."""
        return None if self.roster is None else Browser(self.roster)

    def show_object(self, place: int = 0) -> None:
        """Show an object of the roster that the picked task is about, below the queue: the first, or the second.

        Raises
        ------
        IndexError
            The task is about fewer objects of the roster.
        """
        about = self._names.objects(self.picked.iloc[0])[place]
        if self.browser is not None:
            self.browser.select(about.id, about.type)
            self._shelf.children = [self.browser]
            self._shelf.reveal()

    @property
    def matching(self) -> pd.DataFrame:
        """The rows of ``table`` that match every filter, including those in the table's headers."""
        return self.table.loc[self._rows.shown.index]

    def pick_all(self) -> None:
        """Pick all tasks that match the filters."""
        self._rows.pick(self.matching.index.tolist())

    def filter(self, **chosen: str | None) -> None:
        """Filter tasks by type, action, object_type or tenant_id; None shows all again."""
        for name, value in chosen.items():
            self._filters[name].value = value or ""

    def between(self, begin: str | datetime | None = None, end: str | datetime | None = None) -> None:
        """Show only tasks created at or after one time and before another; without times, show all again."""
        times = [None if time is None else pd.to_datetime(time, utc=True) for time in (begin, end)]
        first, last = times[0] or pd.Timestamp(0, tz="UTC"), times[1] or pd.Timestamp("2200-01-01", tz="UTC")
        self._timeline.value = None if times == [None, None] else Span(first, last)

    @property
    def address(self) -> dict[str, str]:
        """The filters, sort order, time range and first picked task."""
        picked = self.picked["id"].dropna()
        named = {
            **{name: str(facet.value) for name, facet in self._filters.items()},
            "order": "" if self._order.value == "newest first" else str(self._order.value),
            "time": self._timeline.named,
            "id": str(picked.iloc[0]) if len(picked) else "",
        }
        return {name: text for name, text in named.items() if text}

    @address.setter
    def address(self, named: Mapping[str, str]) -> None:
        for name, choice in (*self._filters.items(), ("order", self._order)):
            choice.take(named.get(name, choice.values[0]))
        self._timeline.named = named.get("time", "")
        self.pick(named.get("id", ""))

    def refresh(self) -> None:
        """Read the admin queue again, in the background if an event loop is running."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._read()
            return
        if self._loading is not None and not self._loading.done():
            return
        self.say("Reading the admin queue ...")
        self._stop.disabled = False
        self._loading = loop.run_in_executor(None, load_tasks, self.client)
        self._loading.add_done_callback(self._loaded)

    def look_ahead(self) -> None:
        """Forecast the roster once the queue is processed, in the background if an event loop is running.

        If a tenant is selected, only its tasks count. Nothing is sent. The result is in ``coming``.

        Raises
        ------
        KimonoError
            The inspector has no roster.
        """
        if self.roster is None:
            raise KimonoError("This inspector has no roster. Create it with inspect_tasks(client, roster).")
        if self._outlook.ask.disabled:
            return
        tenant = str(self._filters["tenant_id"].value or "")
        tasks = self._of_tenant(tenant)
        self._foreseen = tenant, set(tasks["id"].dropna())
        told, when = told_tasks(tasks, self._about[tasks.index]), self._which_queue(tenant)
        self._outlook.say("Begins ...")
        this = self._looking = object()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._foresee(lambda: self._work_out(tasks, self._outlook.say), told, when)
            return

        def say(text: str) -> None:
            if self._looking is this:
                self._outlook.say(text)

        def tell(text: str) -> None:
            if self._looking is not this:
                raise KimonoError("stopped")  # nobody waits any more, and the next step is not begun
            loop.call_soon_threadsafe(say, text)

        def done(future: asyncio.Future[ComingFindings]) -> None:
            if future.cancelled():
                return
            future.exception()  # looked at even if nobody waits any more: asyncio would complain of it
            if self._looking is this:
                self._foresee(future.result, told, when)

        asyncio.wrap_future(in_thread(self._work_out, tasks, tell), loop=loop).add_done_callback(done)

    def acknowledge(
        self,
        status: str = "success",
        message: str | None = None,
        app_id: str | None = None,
        *,
        matching: bool = False,
    ) -> None:
        """Ask whether to acknowledge tasks, and list them in ``asked``. Only `confirm` acknowledges them.

        Parameters
        ----------
        status, message, app_id : str, optional
            As in `ack_tasks`.
        matching : bool, default False
            Use all tasks that match the filters instead of the picked ones.
        """
        tasks, ids = self._to_act_on(matching)
        check_status(status, message)
        with_message = f", message {message!r}" if message else ""
        do = f"Acknowledge {count_tasks(len(ids))}"
        self._ask(
            f"{do} as {status}{with_message}? {'It' if len(ids) == 1 else 'They'} {_leaves(ids, status)}. This cannot be undone.",
            do,
            tasks,
            self._acknowledge,
            lambda: self._record(
                f"acknowledge as {status}",
                ids,
                lambda task: ack_tasks(self.client, task, status, message or None, app_id=app_id or None),
            ),
        )

    def delete(self, *, matching: bool = False) -> None:
        """Ask whether to delete tasks, and list them in ``asked``. Only `confirm` deletes them.

        Parameters
        ----------
        matching : bool, default False
            Use all tasks that match the filters instead of the picked ones.
        """
        tasks, ids = self._to_act_on(matching)
        do = f"Delete {count_tasks(len(ids))}"
        self._ask(
            f"{do}? Your app will never hear of {'it' if len(ids) == 1 else 'them'}. This cannot be undone.",
            do,
            tasks,
            self._delete,
            lambda: self._record("delete", ids, lambda task: delete_task(self.client, task)),
        )

    def confirm(self) -> None:
        """Carry out the pending action."""
        pending = self._pending
        self._ask_nothing()
        if pending is None:
            return
        outcome = pending()
        self.say("Reading the admin queue ...")
        self._read()
        # What is not done stays picked, so that one sees it and may try again.
        self.pick(*outcome.loc[~outcome["accepted"].astype(bool), "id"])
        self._outcome.value = outcome_html(outcome, self.picked["id"], None if self.lost else self.tasks["id"])
        self._back_to_work()

    def cancel(self) -> None:
        """Discard the pending action."""
        self._ask_nothing()
        self._outcome.value = line("Nothing was done.", role="status")
        self._back_to_work()

    def save_history(self, path: str | os.PathLike[str]) -> None:
        """Write ``history`` as a CSV file that only its owner can read.

        Parameters
        ----------
        path : str or path
        """
        text = no_formulas(self.history).to_csv(index=False, lineterminator="\r\n")
        try:
            with atomic_file(path) as new:
                new.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise KimonoError(
                f"The history could not be written to {path}: {error.strerror}. Name another file."
            ) from error

    def waits(self, by: str | None = "type") -> pd.DataFrame:
        """How long the tasks had been waiting when the queue was read, as returned by `queue_delays`.

        Parameters
        ----------
        by : str or None, default "type"
            The column of ``tasks`` to group by, such as ``"tenant_id"``; None takes all tasks together.
        """
        return queue_delays(self.tasks, by, now=None if self.read_at is None else pd.Timestamp(self.read_at))

    # What happens then.

    def _to_act_on(self, matching: bool) -> tuple[pd.DataFrame, list[str]]:
        """The tasks to ask about, and the ids of those that have one."""
        if not self.allow_changes:
            raise KimonoError("This inspector is read-only. To act, use inspect_tasks(client, allow_changes=True).")
        if self.lost:
            raise KimonoError(
                "The queue could not be read, so the rows shown are outdated. Press Retry, or call refresh()."
            )
        tasks = self.matching if matching else self.picked
        ids = list(dict.fromkeys(str(id) for id in tasks["id"].dropna()))
        if not ids:
            what = "No task matches." if matching else "No task is picked. Pick one or more rows first."
            raise KimonoError(what)
        return tasks.reset_index(drop=True), ids

    def _ask(
        self, question: str, do: str, tasks: pd.DataFrame, button: Button, act: Callable[[], pd.DataFrame]
    ) -> None:
        self._pending, self._asked_by = act, button
        self.asked = tasks[tasks["id"].notna()].reset_index(drop=True)
        self._outcome.value = ""
        without_id = len(tasks) - len(self.asked)
        self._confirm_box.ask(question, do, dry_run_html(self.asked, self.read_at, without_id))

    def _ask_nothing(self) -> None:
        self._pending = None
        self.asked = self.tasks.iloc[:0]
        self._confirm_box.close_question()

    def _back_to_work(self) -> None:
        """The keyboard goes back to the button that asked."""
        if self._asked_by is not None:
            self._asked_by.focus()

    def _record(self, act: str, ids: list[str], do: Callable[[str], object]) -> pd.DataFrame:
        """Do it task by task, so that the outcome of each is known; all of it goes into the history."""
        rows: dict[str, Result] = {}
        try:
            act_on(ids, do, rows, lambda n: self.say(f"{act}: {n:,} of {len(ids):,}"))
        finally:
            outcome = self._keep(act, rows)
        return outcome

    def _keep(self, act: str, rows: dict[str, Result]) -> pd.DataFrame:
        now = pd.Timestamp(datetime.now(UTC)).floor("s")
        done = [(now, act, id, r.outcome, r.outcome == "done", *r[1:]) for id, r in rows.items()]
        outcome = pd.DataFrame(done, columns=_HISTORY).astype({"code": "Int64"})
        self.history = outcome if self.history.empty else pd.concat([self.history, outcome], ignore_index=True)
        return outcome

    def _of_tenant(self, tenant: str) -> pd.DataFrame:
        """The queue of a tenant; all of it where none is named."""
        return self.tasks[(self.tasks["tenant_id"] == tenant).fillna(False)] if tenant else self.tasks

    def _which_queue(self, tenant: str) -> str:
        """Which queue it is, and of what time."""
        of = f" of {self._names.tenant(tenant)}" if tenant else ""
        at = "" if self.read_at is None else f" in the queue at {self.read_at:%H:%M:%S} UTC"
        return f"{of}{at}".strip()

    def _work_out(self, tasks: pd.DataFrame, tell: Callable[[str], object]) -> ComingFindings:
        assert self.roster is not None
        return look_ahead("inspect_tasks", self.roster, tasks, lambda roster: check(roster, progress=False), tell)

    def _foresee(self, found: Callable[[], ComingFindings], told: Mapping[str, str], when: str) -> None:
        """Show what was worked out, or why it could not be."""
        try:
            self.coming = found()
        except Exception as error:  # noqa: BLE001
            self.coming = None
            self._outlook.fail(error)
        except KeyboardInterrupt:
            self._look_no_more()
            raise
        else:
            self._outlook.show(coming_html(self.coming, told, when))
        self._forget_coming()
        self._show_detail()

    def _look_no_more(self) -> None:
        """Leave off; what is under way in a thread ends with its present step, and is not shown."""
        self._looking = self.coming = None
        self._outlook.clear("Stopped.")

    def _forget_coming(self) -> None:
        """What was worked out is of no use once tasks came or went."""
        tenant, ids = self._foreseen
        if self.coming is not None and ids != set(self._of_tenant(tenant)["id"].dropna()):
            self.coming = None
            self._outlook.clear("The queue has changed since. Ask again.")

    def _read(self) -> None:
        """Read the queue, or say why it cannot be read; what was read before stays."""
        try:
            tasks = load_tasks(self.client)
        except (KimonoError, RuntimeError) as error:
            self._lose(error)
        else:
            self._take(tasks)

    def _lose(self, error: BaseException) -> None:
        self._set_lost(True)
        self._status.value = lost_html(error, self.read_at)

    def _set_lost(self, lost: bool) -> None:
        self.lost = lost
        self._retry.hidden = not lost
        self._name_actions()

    def _loaded(self, loading: asyncio.Future[pd.DataFrame]) -> None:
        self._stop.disabled = True
        if loading.cancelled():
            self.say("Stopped: the rows shown are from the previous read.")
        else:
            error = loading.exception()
            if isinstance(error, KimonoError | RuntimeError):
                self._lose(error)
            else:
                self.guarded(lambda: self._take(loading.result()))()
        self._again()

    def _again(self) -> None:
        if self._every.value > 0 and self.comm is not None:
            self.later("refresh", max(1.0, self._every.value), self.guarded(self.refresh))

    def _take(self, tasks: pd.DataFrame) -> None:
        before, now = set(self.tasks["id"].dropna()), set(tasks["id"].dropna())
        first = not len(self.tasks.columns.difference(_COLUMNS))
        self._new = set() if first else now - before
        gone = set() if first else before - now
        self.tasks, self.read_at = tasks, datetime.now(UTC)
        self._set_lost(False)
        self._about = self._names.tell(tasks)
        self._waits.value = waits_html(self.waits, _FILTERS, {"type": value_words, "tenant_id": self._names.tenant})
        self.report = check_tasks(tasks, self.roster) if len(tasks) else None
        self._settling = True  # the filters change one by one; the table is drawn once
        for name, facet in self._filters.items():
            facet.offer(tasks[name].dropna().astype(str).value_counts().index.tolist())
        self._settling = False
        self._forget_coming()
        self._show()
        moved = "" if first else f"; {len(self._new):,} came, {len(gone):,} went"
        self.say(f"{count_tasks(len(tasks))} in the queue at {self.read_at:%H:%M:%S} UTC{moved}")

    def _filtered(self) -> None:
        if not self._settling:
            self._show()

    def _show(self) -> None:
        self._count_facets()
        self._timeline.fill(self.tasks, self.tasks[self._matches(but="created_at")])
        self._rows.narrowed(self._timeline.words, self._timeline.clear)
        table = self.tasks[self._matches()]
        if self._order.value == "newest first":
            table = table.sort_values("created_at", ascending=False, kind="stable")
        kept = self.picked["id"].dropna()
        self.table = table.assign(about=self._about[table.index]).reset_index(drop=True)
        new = self.table["id"].isin(self._new)
        on_screen = self.table.assign(**{"is": new.map({True: "new", False: ""})})[_COLUMNS]
        self._fill(on_screen if self._new else on_screen.drop(columns="is"), kept)
        self._show_detail()

    def _matches(self, but: str = "") -> pd.Series:
        """Which tasks the filters let through, leaving out one of them."""
        shown = pd.Series(True, index=self.tasks.index)
        if but != "created_at":
            shown &= self._timeline.within(self.tasks["created_at"])
        for name, facet in self._filters.items():
            if facet.value and name != but:
                shown &= (self.tasks[name] == facet.value).fillna(False).astype("bool")
        return shown

    def _count_facets(self) -> None:
        """Each facet counts what there is under all other filters."""
        for name, facet in self._filters.items():
            values = self.tasks.loc[self._matches(but=name), name]
            facet.count(values.dropna().astype(str).value_counts().to_dict(), len(values))

    def _fill(self, on_screen: pd.DataFrame, kept: pd.Series) -> None:
        """Show rows, sorted and filtered as before; the same rows are not drawn again.

        What was picked stays picked where it is still there and matches.
        """
        if not on_screen.equals(self._rows.df):
            self._rows.fill(on_screen, keep=True)
            self.pick(*set(kept) & set(self.matching["id"].dropna()))

    def _picked_task(self) -> None:
        """Show it, and go to it; whoever adds one to others goes on in the table."""
        self._show_detail()
        if self._rows.selected_rows and not self._rows.added:
            self._beside.reveal()

    def _show_detail(self) -> None:
        picked = self.picked
        self._name_actions()
        self._beside.hidden = picked.empty
        if picked.empty:
            self._detail.value = ""
            return
        task = picked.iloc[0]
        about = self._names.objects(task)
        for place, button in enumerate(self._opens):
            button.hidden = place >= len(about)
            if not button.hidden:
                button.description = f"Open {shorten(about[place].label, 32)}"
                button.tooltip = f"Open {about[place].label} below, with its relations and graph"
        found = (
            [] if self.report is None else self.report.findings.loc[self.report.findings["id"] == task["id"], "check"]
        )
        warnings = [self.report.title(check) for check in dict.fromkeys(found)] if self.report is not None else []
        self._detail.value = task_html(
            task, len(picked), self.tasks, self._names, warnings, task_effects(self.coming, task)
        )

    def _name_actions(self) -> None:
        """The buttons say what they would do, and to how many; with nothing picked they do nothing."""
        if not self.allow_changes:
            return
        picked, matching = len(self.picked), len(self.matching)
        what = count_tasks(picked) if picked else "tasks"
        for button, verb in ((self._acknowledge, "Acknowledge"), (self._delete, "Delete")):
            button.description = f"{verb} {what} …"
            button.disabled = self.lost or not picked
        self._all.description = f"Select all {matching:,} that match"
        self._all.disabled = not matching


def _leaves(ids: list[str], status: str) -> str:
    """What an acknowledgement does to tasks, after "it" or "they"."""
    one = len(ids) == 1
    if status == "retry":
        return "is delivered again" if one else "are delivered again"
    return "leaves the queue" if one else "leave the queue"
