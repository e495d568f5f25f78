"""Work the task queue: what is in it, what a task means, and acknowledging it, once somebody has confirmed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import ipywidgets as widgets
import pandas as pd

from kimono_explore.acks import ack_tasks, check_status, delete_task
from kimono_explore.api.client import Client
from kimono_explore.api.operations import ACK_STATUSES
from kimono_explore.errors import AckError, KimonoError, expect
from kimono_explore.html import render
from kimono_explore.quality import check_tasks
from kimono_explore.roster.roster import Roster
from kimono_explore.tasks import load_tasks
from kimono_explore.widgets.confirm import Confirmation
from kimono_explore.widgets.parts import Panel, chips, counted, line, set_options
from kimono_explore.widgets.table import DataTable
from kimono_explore.widgets.task_html import (
    changes_rows,
    count_tasks,
    describe_group,
    describe_task,
    outcome_html,
    pretty,
    timeline,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from kimono_explore.quality import Report
    from kimono_explore.roster.roster import Description

_FILTERS = (("type", "type"), ("action", "action"), ("object_type", "object type"), ("tenant_id", "tenant"))
_COLUMNS = ["is", "created_at", "type", "action", "label", "object_type", "tenant_id", "sequence", "id"]
_HISTORY = ["time", "act", "id", "status", "accepted", "message"]


def inspect_tasks(
    client: Client, roster: Roster | None = None, *, allow_changes: bool = False, every: float | None = None
) -> TaskInspector:
    """Look at the task queue, and work it.

    Looking reads the admin queue, which has no effect on it.

    Parameters
    ----------
    client : Client
    roster : Roster, optional
        What the tasks are about: a task then shows its object, and deletions of unknown objects are found.
    allow_changes : bool, default False
        Show the buttons that acknowledge and delete. Each asks first.
    every : float, optional
        Seconds between two looks at the queue.

    Returns
    -------
    TaskInspector
        A widget. ``.tasks`` is the queue, ``.table`` the rows on screen, ``.picked`` those that are picked, ``.history``
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
    """The widget that `inspect_tasks` makes.

    Attributes
    ----------
    tasks : pandas.DataFrame
        The queue, as `load_tasks` gives it.
    table : pandas.DataFrame
        The tasks on screen.
    history : pandas.DataFrame
        What was done here: time, act, id, status, accepted, message. The status is the outcome: ``"done"``,
        ``"refused"``, ``"not known"`` or ``"not sent"``.
    report : Report or None
        Of `check_tasks`.
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
        self._new: set[str] = set()
        self._pending: Callable[[], pd.DataFrame] | None = None
        self._asked_by: widgets.Button | None = None
        self._settling = False
        self._loading: asyncio.Future[pd.DataFrame] | None = None
        self._lay_out()
        self.guarded(lambda: self._take(load_tasks(client)))()
        self._every.value = float(every or 0)

    def _lay_out(self) -> None:
        auto = widgets.Layout(width="auto")
        self._refresh = widgets.Button(
            description="Refresh", icon="refresh", tooltip="Read the admin queue again", layout=auto
        )
        self._stop = widgets.Button(description="Stop", icon="stop", tooltip="Stop reading", layout=auto, disabled=True)
        self._every = widgets.FloatText(
            description="every (s)", tooltip="0: by hand only", step=5, layout=widgets.Layout(width="170px")
        )
        self._order = widgets.ToggleButtons(options=["newest first", "queue order"], style={"button_width": "auto"})
        self._order.add_class("kx-chips")
        self._filters = {"type": chips([("all", "")], "type"), "action": chips([("all", "")], "action")}
        for name, text in _FILTERS[2:]:
            self._filters[name] = widgets.Dropdown(
                description=text, options=[("all", "")], layout=widgets.Layout(width="280px")
            )
        self._timeline = widgets.HTML()
        self._rows = DataTable(label="Tasks", many=True)
        self._detail = widgets.HTML(line("Pick a task."))
        self._actions = self._make_actions()
        self._confirm_box = Confirmation(self.guarded(lambda _: self.confirm()), self.guarded(lambda _: self.cancel()))
        self._outcome = widgets.HTML()
        wrap = widgets.Layout(flex_flow="row wrap", align_items="center")
        left = [
            self._timeline,
            self._rows,
            *([self._actions, self._confirm_box, self._outcome] if self.allow_changes else []),
        ]
        self.children = [
            *self._unseen,
            widgets.HBox([self._refresh, self._stop, self._every, self._order], layout=wrap),
            widgets.HBox([self._filters["type"]], layout=wrap),
            widgets.HBox([self._filters["action"]], layout=wrap),
            widgets.HBox([self._filters[name] for name, _ in _FILTERS[2:]], layout=wrap),
            self._status,
            widgets.HBox(
                [
                    widgets.VBox(left, layout=widgets.Layout(width="60%")),
                    widgets.VBox([self._detail], layout=widgets.Layout(width="40%", padding="0 0 0 16px")),
                ]
            ),
        ]
        self._refresh.on_click(self.guarded(lambda _: self.refresh()))
        self._stop.on_click(self.guarded(lambda _: self._loading and self._loading.cancel()))
        self._every.observe(self.guarded(lambda _: self._again()), "value")
        for choice in (self._order, *self._filters.values()):
            choice.observe(self.guarded(lambda _: self._filtered()), "value")
        self._rows.observe(self.guarded(lambda _: self._show_detail()), "selected_rows")

    def _make_actions(self) -> widgets.Widget:
        self._act = widgets.Dropdown(
            description="acknowledge as",
            options=list(ACK_STATUSES),
            style={"description_width": "initial"},
            layout=widgets.Layout(width="260px"),
        )
        self._message = widgets.Text(
            description="message", placeholder="needed with error and retry", layout=widgets.Layout(width="300px")
        )
        self._app_id = widgets.Text(description="app id", layout=widgets.Layout(width="220px"))
        auto = widgets.Layout(width="auto")
        self._acknowledge = widgets.Button(
            icon="check", tooltip="Acknowledge the selected tasks, once you confirm", layout=auto
        )
        self._delete = widgets.Button(icon="trash", tooltip="Delete the selected tasks, once you confirm", layout=auto)
        self._acknowledge.on_click(
            self.guarded(lambda _: self.acknowledge(self._act.value, self._message.value, self._app_id.value))
        )
        self._delete.on_click(self.guarded(lambda _: self.delete()))
        wrap = widgets.Layout(flex_flow="row wrap")
        return widgets.VBox(
            [
                widgets.HBox([self._act, self._acknowledge, self._delete], layout=wrap),
                widgets.HBox([self._message, self._app_id], layout=wrap),
            ]
        )

    # What a person, or a notebook, does.

    @property
    def picked(self) -> pd.DataFrame:
        """The picked rows of ``table``."""
        return self.table.iloc[[row for row in self._rows.selected_rows if row < len(self.table)]]

    def pick(self, *ids: str) -> None:
        """Pick tasks, as if they were clicked."""
        self._rows.pick(self.table.index[self.table["id"].isin(ids)].tolist())

    def filter(self, **chosen: str | None) -> None:
        """Show only some tasks: by type, action, object_type or tenant_id; None shows all again."""
        for name, value in chosen.items():
            self._filters[name].value = value or ""

    def refresh(self) -> None:
        """Read the admin queue again, in the background where an event loop runs."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._take(load_tasks(self.client))
            return
        if self._loading is not None and not self._loading.done():
            return
        self.say("Reading the admin queue ...")
        self._stop.disabled = False
        self._loading = loop.run_in_executor(None, load_tasks, self.client)
        self._loading.add_done_callback(self._loaded)

    def acknowledge(self, status: str = "success", message: str | None = None, app_id: str | None = None) -> None:
        """Ask whether the picked tasks shall be acknowledged; `confirm` does it."""
        ids = self._ids_to_act_on()
        check_status(status, message)
        with_message = f", message {message!r}" if message else ""
        do = f"Acknowledge {count_tasks(len(ids))}"
        self._ask(
            f"{do} as {status}{with_message}? {_it(ids)} {_leaves(ids, status)}. This cannot be undone.",
            do,
            self._acknowledge,
            lambda: self._record(
                f"acknowledge as {status}",
                ids,
                lambda task: ack_tasks(self.client, task, status, message or None, app_id=app_id or None),
            ),
        )

    def delete(self) -> None:
        """Ask whether the picked tasks shall be deleted; `confirm` does it."""
        ids = self._ids_to_act_on()
        do = f"Delete {count_tasks(len(ids))}"
        self._ask(
            f"{do}? Your app will never hear of {'it' if len(ids) == 1 else 'them'}. This cannot be undone.",
            do,
            self._delete,
            lambda: self._record("delete", ids, lambda task: delete_task(self.client, task)),
        )

    def confirm(self) -> None:
        """Do what was asked for."""
        pending, self._pending = self._pending, None
        self._confirm_box.close_question()
        if pending is None:
            return
        outcome = pending()
        left = outcome[~outcome["accepted"].astype(bool)]
        self._outcome.value = outcome_html(outcome)
        self.say("Reading the admin queue ...")
        self._take(load_tasks(self.client))
        # What is not done stays picked, so that one sees it and may try again.
        self.pick(*left["id"])

    def cancel(self) -> None:
        """Do nothing after all."""
        self._pending = None
        self._confirm_box.close_question()
        self._outcome.value = line("Nothing was done.", role="status")
        if self._asked_by is not None:
            self._asked_by.focus()

    # What happens then.

    def _ids_to_act_on(self) -> list[str]:
        if not self.allow_changes:
            raise KimonoError("This inspector only looks. Make one with inspect_tasks(client, allow_changes=True).")
        ids = [str(id) for id in self.picked["id"].dropna()]
        if not ids:
            raise KimonoError("No task is picked. Pick one or more rows first.")
        return ids

    def _ask(self, question: str, do: str, button: widgets.Button, act: Callable[[], pd.DataFrame]) -> None:
        self._pending, self._asked_by = act, button
        self._outcome.value = ""
        self._confirm_box.ask(question, do)

    def _record(self, act: str, ids: list[str], do: Callable[[str], object]) -> pd.DataFrame:
        """Do it task by task, so that the outcome of each is known; all of it goes into the history."""
        rows: dict[str, tuple[str, str | None]] = dict.fromkeys(ids, ("not sent", "Not tried: interrupted before."))
        try:
            for position, id in enumerate(ids, 1):
                self.say(f"{act}: {position:,} of {len(ids):,}")
                rows[id] = ("not known", "Interrupted: whether it was done, the queue shows.")
                rows[id] = self._try(do, id)
        except KeyboardInterrupt:
            pass  # what was done is kept, and shown
        finally:
            outcome = self._keep(act, rows)
        return outcome

    @staticmethod
    def _try(do: Callable[[str], object], id: str) -> tuple[str, str | None]:
        """Do it to one task: the outcome, one of `acks.OUTCOMES`, and what was said."""
        try:
            do(id)
        except AckError as error:
            row = error.outcomes.iloc[0]
            return str(row["outcome"]), str(row["message"])
        except KimonoError as error:
            return ("not sent" if not error.sent else "refused" if error.turned_away else "not known"), str(error)
        return "done", None

    def _keep(self, act: str, rows: dict[str, tuple[str, str | None]]) -> pd.DataFrame:
        now = pd.Timestamp(datetime.now(UTC)).floor("s")
        done = [(now, act, id, outcome, outcome == "done", message) for id, (outcome, message) in rows.items()]
        outcome = pd.DataFrame(done, columns=_HISTORY)
        self.history = outcome if self.history.empty else pd.concat([self.history, outcome], ignore_index=True)
        return outcome

    def _loaded(self, loading: asyncio.Future[pd.DataFrame]) -> None:
        self._stop.disabled = True
        if loading.cancelled():
            self.say("Stopped: what is shown is what was read before.")
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
        self.tasks = tasks
        self.report = check_tasks(tasks, self.roster) if len(tasks) else None
        self._settling = True  # the filters change one by one; the table is drawn once
        for name, _ in _FILTERS:
            set_options(self._filters[name], counted(tasks[name]))
        self._settling = False
        self._show()
        moved = "" if first else f"; {len(self._new):,} came, {len(gone):,} went"
        self.say(f"{count_tasks(len(tasks))} in the queue at {datetime.now(UTC):%H:%M:%S} UTC{moved}")

    def _filtered(self) -> None:
        if not self._settling:
            self._show()

    def _show(self) -> None:
        shown = pd.Series(True, index=self.tasks.index)
        for name, _ in _FILTERS:
            value = self._filters[name].value
            if value:
                shown &= self.tasks[name] == value
        table = self.tasks[shown]
        if self._order.value == "newest first":
            table = table.sort_values("created_at", ascending=False, kind="stable")
        self.table = table.reset_index(drop=True)
        new = self.table["id"].isin(self._new)
        on_screen = self.table.assign(**{"is": new.map({True: "new", False: ""})})[_COLUMNS]
        self._rows.fill(on_screen if self._new else on_screen.drop(columns="is"))
        self._timeline.value = timeline(self.table)
        self._show_detail()

    def _show_detail(self) -> None:
        picked = self.picked
        self._name_actions(len(picked))
        if picked.empty:
            self._detail.value = line("Pick a task.")
            return
        self._detail.value = self._task(picked.iloc[0], len(picked))

    def _name_actions(self, picked: int) -> None:
        """The buttons say what they would do, and to how many; with nothing picked they do nothing."""
        if not self.allow_changes:
            return
        what = count_tasks(picked) if picked else "tasks"
        for button, verb in ((self._acknowledge, "Acknowledge"), (self._delete, "Delete")):
            button.description = f"{verb} {what} …"
            button.disabled = not picked

    def _task(self, task: pd.Series, picked: int) -> str:
        facts = {
            "tenant": task["tenant_id"],
            "id": task["id"],
            "sequence": task["sequence"],
            "created": task["created_at"],
            "app id": task["app_id"],
            "origin": task["origin"],
        }
        warnings: list[str] = []
        if self.report is not None:
            found = self.report.findings[self.report.findings["id"] == task["id"]]
            warnings = [self.report.title(check) for check in found["check"].unique()]
        looked_up = self.roster is not None and isinstance(task["object_id"], str)
        raw = {name: pretty(task[name]) for name in ("data", "raw")}
        return render(
            "task.html",
            picked=picked,
            sentence=describe_task(task),
            changes=changes_rows(task),
            facts={name: str(value) for name, value in facts.items() if not pd.isna(value)},
            group=describe_group(self.tasks, task["group_id"]) if isinstance(task["group_id"], str) else None,
            looked_up=looked_up,
            about=self._object(task["object_id"]) if looked_up else None,
            warnings=warnings,
            raw={name: text for name, text in raw.items() if text},
        )

    def _object(self, id: str) -> Description | None:
        assert self.roster is not None
        try:
            return self.roster.describe(id)
        except (KeyError, ValueError):
            return None


def _it(ids: list[str]) -> str:
    return "It" if len(ids) == 1 else "They"


def _leaves(ids: list[str], status: str) -> str:
    """What an acknowledgement does to tasks, after "it" or "they"."""
    one = len(ids) == 1
    if status == "retry":
        return "is delivered again" if one else "are delivered again"
    return "leaves the queue" if one else "leave the queue"
