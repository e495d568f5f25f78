"""The roster as it will be once the data events of the queue are processed.

First the events are replayed in order, noting only which of them count in the end for each object. Then each table that
they touch is built once, column by column; all other tables are shared with the given roster.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from kimono_explore.errors import expect
from kimono_explore.forecast.events import LINKS, REMOVALS, UPSERTS, read_events
from kimono_explore.forecast.link_edits import LinkEdits
from kimono_explore.forecast.payloads import payload_problems, read_enrollments, read_objects, stated_fields
from kimono_explore.frames import add_rows, put_together, to_series
from kimono_explore.problems import KNOWN, NO_END, NOT_THERE, SEVERAL_TENANTS, TASK_CAME_AGAIN, UNKNOWN_END, UNREADABLE
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import OBJECT_TYPES, TABLE_OF, TABLES, Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kimono_explore.forecast.events import Event
    from kimono_explore.forecast.payloads import Payloads, Values

    Positions = NDArray[np.int64]
    Object = tuple[str, str]


def apply_tasks(roster: Roster, tasks: pd.DataFrame) -> Roster:
    """Return the roster as it will be once the task queue's data events are processed.

    A tenant's events are applied in ``sequence`` order if all of them have one, otherwise in queue order. An event that
    was delivered twice is applied once. Nothing is sent to the server, and the given roster is not modified.

    Parameters
    ----------
    roster : Roster
    tasks : pandas.DataFrame
        The task queue, as returned by `load_tasks`. If it holds several tenants, use
        ``load_tasks(client, tenant_id=...)``.

    Returns
    -------
    Roster
        ``problems`` has a row for each event that could not be applied, such as a change to an unknown object, an ADD
        of a known one, or an enrollment with one unknown end; ``value`` is the event's action and type.

    Notes
    -----
    ADD creates an object. CHANGE, UPDATE and SET change the values named in their data. SET also creates the object if
    it does not exist, and ADD within a sync, which resends known objects too, changes it if it does. Values not named
    in the data stay as they are. A list of references replaces the earlier one. DELETE and UNSET remove the object and
    all its links.

    Examples
    --------
    >>> queue = kx.load_tasks(client)
    >>> later = kx.apply_tasks(roster, queue)
    >>> len(roster.persons) - len(later.persons)
    2
    """
    return forecast("apply_tasks", roster, tasks).roster


HARMLESS = (SEVERAL_TENANTS, TASK_CAME_AGAIN)
"""Problems of a queue that do not keep any event from being applied."""


class Forecast(NamedTuple):
    """The roster to come, and which task is behind each of its differences.

    Attributes
    ----------
    roster : Roster
    problems : list of Problem
        What was found in the queue, such as events that could not be applied: the last rows of ``roster.problems``.
    tasks : dict of tuple to str
        Table, id (for links: the link in words) and column -> the id of the last task behind it; without a column, that
        behind the row.
    """

    roster: Roster
    problems: list[Problem]
    tasks: dict[tuple[str, str, str | None], str | None]

    @property
    def refused(self) -> int:
        """How many events could not be applied."""
        return sum(problem.problem not in HARMLESS for problem in self.problems)


def forecast(name: str, roster: Roster, tasks: pd.DataFrame) -> Forecast:
    """Apply a queue for the public function of this name."""
    expect(name, roster, Roster)
    expect(name, tasks, pd.DataFrame)
    events, problems = read_events(tasks)
    replay = _Replay(roster, events)
    replay.run()
    problems += replay.problems
    frames = {name: replay.table(name) for name in TABLES}
    of_data = [
        problem
        for payloads in (*replay.payloads.values(), replay.enrolled)
        for problem in payload_problems(payloads, dict(enumerate(events)), replay.applied)
    ]
    later = Roster(
        **frames,
        links=replay.links.result(),
        problems=add_rows(
            "problems", replay.remaining_problems(), [problem._asdict() for problem in (*of_data, *problems)]
        ),
        source=f"{roster.source}, once {len(replay.applied):,} data events are processed",
        loaded_at=roster.loaded_at,
        rollups=roster.rollups,
    )
    return Forecast(later, problems, replay.tasks())


@dataclass
class _State:
    """What the events so far make of one object: whether it exists, and the events whose values count.

    ``started_over`` is true if none of its values in the given roster count. ``last`` is the last event that was applied.
    """

    exists: bool
    started_over: bool = False
    events: list[int] = field(default_factory=list)
    last: int | None = None


class _Replay:
    """Applies the events one by one, in order."""

    def __init__(self, roster: Roster, events: list[Event]) -> None:
        self.roster, self.events = roster, events
        self.problems: list[Problem] = []
        self.applied: set[int] = set()
        of_table = {name: [event for event in events if event.table == name] for name in (*TABLES, LINKS)}
        enrollments = of_table.pop(LINKS)
        self.enrolled, self._memberships = read_enrollments(enrollments)
        self.payloads: dict[str, Payloads] = {
            name: read_objects(name, [event for event in listed if event.action in UPSERTS])
            for name, listed in of_table.items()
        }
        self._states = self._initial_states(of_table)
        self.links = self._link_edits(of_table, enrollments)

    def _initial_states(self, of_table: dict[str, list[Event]]) -> dict[Object, _State]:
        """The objects that events, enrollments or references name, and whether the roster has them."""
        named = {name: {str(event.id) for event in listed} for name, listed in of_table.items()}
        for values in self._memberships.values():
            for end in ("source", "target"):
                if isinstance(values[f"{end}_id"], str):
                    named[TABLE_OF[str(values[f"{end}_type"])]].add(str(values[f"{end}_id"]))
        for payloads in self.payloads.values():
            for link in chain.from_iterable(payloads.links.values()):
                named[TABLE_OF[str(link["far_type"])]].add(str(link["far_id"]))
        states: dict[Object, _State] = {}
        for name, ids in named.items():
            own = self.roster.tables[name]["id"]
            known = set(own[own.isin(list(ids))]) if ids else set()
            states |= {(OBJECT_TYPES[name], id): _State(id in known) for id in sorted(ids)}
        return states

    def _link_edits(self, of_table: dict[str, list[Event]], enrollments: list[Event]) -> LinkEdits:
        around = {str(values["source_id"]) for values in self._memberships.values() if values["source_id"] is not None}
        for name, listed in of_table.items():
            references = self.payloads[name].references
            around |= {str(event.id) for event in listed if event.action in REMOVALS or references.get(event.number)}
        memberships = {event.id for event in enrollments if event.id}
        return LinkEdits(self.roster.links, around, memberships, self.roster.rollups, self._exists)

    def _exists(self, end: Object) -> bool:
        if end not in self._states:  # the unnamed end of an enrollment of which an event names only one
            self._states[end] = _State(bool((self.roster.tables[TABLE_OF[end[0]]]["id"] == end[1]).any()))
        return self._states[end].exists

    def run(self) -> None:
        """Apply every event, or note why it cannot be applied."""
        for event in self.events:
            reason = self._apply_to_enrollment(event) if event.table == LINKS else self._apply_to_object(event)
            if reason:
                self.problems.append(event.refused(reason))
            else:
                self.applied.add(event.number)

    def _apply_to_object(self, event: Event) -> str | None:
        """Apply an event about an object; return why it cannot be applied, or None."""
        end = (OBJECT_TYPES[event.table], str(event.id))
        state, payloads = self._states[end], self.payloads[event.table]
        if event.action in UPSERTS and event.number not in payloads.row_of:
            return UNREADABLE
        reason = _why_refused(event, state.exists)
        if reason:
            return reason
        state.last = event.number
        if event.action in REMOVALS:
            state.exists, state.started_over, state.events = False, True, []
            self.links.drop_around(end, event.number)
            return None
        state.started_over |= not state.exists
        state.exists = True
        state.events.append(event.number)
        for place in sorted(payloads.references[event.number]):
            self.links.state(end, place, payloads.links.get((event.number, place), ()), event.number)
        return None

    def _apply_to_enrollment(self, event: Event) -> str | None:
        """Apply an event about an enrollment; return why it cannot be applied, or None."""
        values = self._memberships.get(event.number)
        if values is None:
            return UNREADABLE
        found = self.links.find(values)
        reason = _why_refused(event, found is not None)
        if reason:
            return reason
        if found is not None and event.action in REMOVALS:
            self.links.drop(found, event.number)
            return None
        if found is None:
            reason = self._why_no_link(values)
            if reason is None:
                self.links.add(values, event.number)
            return reason
        own = {"membership_id", *stated_fields(event), "source_id", "target_id"}
        given = {name: values[name] for name in own if values[name] is not None or name in stated_fields(event)}
        moved = {**self.links.values(found), **given}
        reason = self._why_no_link(moved) if _changes_an_end(self.links.values(found), given) else None
        if reason is None:
            self.links.change(found, given, event.number)
        return reason

    def _why_no_link(self, values: Values) -> str | None:
        """Why an enrollment is impossible: one of its ends is not named, or does not exist; None if neither."""
        if values["source_id"] is None or values["target_id"] is None:
            return NO_END
        ends = [(str(values[f"{end}_type"]), str(values[f"{end}_id"])) for end in ("source", "target")]
        return None if all(map(self._exists, ends)) else UNKNOWN_END

    def remaining_problems(self) -> pd.DataFrame:
        """The given roster's problems that still hold: not those of removed objects and changed values."""
        problems = self.roster.problems
        if problems.empty or not self._states:
            return problems
        gone = {(TABLE_OF[kind], id) for (kind, id), state in self._states.items() if state.started_over}
        changed = {(table, id, column) for table, id, column in self.tasks() if column and table != LINKS}
        rows = zip(problems["table"], problems["id"], problems["column"], strict=True)
        holds = [(table, id) not in gone and (table, id, column) not in changed for table, id, column in rows]
        return problems[holds]

    def tasks(self) -> dict[tuple[str, str, str | None], str | None]:
        """The task behind each row and value that events made, changed or removed."""
        found: dict[tuple[str, str, str | None], str | None] = {}
        for (kind, id), state in self._states.items():
            table = TABLE_OF[kind]
            if state.last is not None:
                found[table, id, None] = self.events[state.last].task
            for number in state.events:
                for column in self.payloads[table].names[number]:
                    found[table, id, column] = self.events[number].task
        for words, number in self.links.events.items():
            found[LINKS, words, None] = self.events[number].task
        return found

    def table(self, name: str) -> pd.DataFrame:
        """A table with the changes to its objects; without any, it shares the columns of the given roster."""
        kind, df = OBJECT_TYPES[name], self.roster.tables[name]
        states = {id: state for (of, id), state in self._states.items() if of == kind and state.last is not None}
        if not states:
            return df.copy(deep=False)
        edits = _TableEdits(name, df, states, self.payloads[name])
        named = dict.fromkeys([*df.columns, *sorted(edits.last)])
        return put_together(name, {column: edits.column(column) for column in named})


class _TableEdits:
    """Builds one table of the forecast from the old rows and the events' payloads.

    ``last`` gives, for each column that events name and each object touched, the row of the payloads that holds its value,
    or -1. ``_rows`` gives for each row of the result its old row, or -1 if it is new; ``_object`` which of the objects
    touched it is, or -1.
    """

    def __init__(self, name: str, df: pd.DataFrame, states: dict[str, _State], payloads: Payloads) -> None:
        self._name, self._df, self._payloads = name, df, payloads
        self._ids = pd.Index(list(states), dtype="str")
        touched = np.flatnonzero(df["id"].isin(self._ids).to_numpy())
        object = np.full(len(df), -1, dtype=np.int64)
        object[touched] = self._ids.get_indexer(pd.Index(df["id"].iloc[touched]))
        started_over = np.array([state.started_over for state in states.values()])
        kept = np.flatnonzero((object < 0) | ~started_over[object])
        new = np.array(
            [n for n, state in enumerate(states.values()) if state.started_over and state.exists], dtype=np.int64
        )
        self._same = len(kept) == len(df) and not len(new)
        self._rows = np.concatenate([kept, np.full(len(new), -1, dtype=np.int64)])
        self._object = np.concatenate([object[kept], new])
        self.last: dict[str, Positions] = {}
        for n, state in enumerate(states.values()):
            for number in state.events:
                for column in payloads.names[number]:
                    positions = self.last.setdefault(column, np.full(len(states), -1, dtype=np.int64))
                    positions[n] = payloads.row_of[number]

    def column(self, column: str) -> pd.Series:
        """A column of the result."""
        if column == "id":
            return self._id()
        old = self._df.get(column)
        if column not in self.last:
            assert old is not None
            return old.reset_index(drop=True) if self._same else _take(old, self._rows)
        stated = self._payloads.columns
        values = (
            stated.column(column)
            if column in stated.column_names
            else pa.chunked_array([pa.nulls(stated.num_rows, pa.string())])
        )
        before, after = _with_common_dtype(old, to_series(self._name, column, values), len(self._df))
        positions = np.where(self._object < 0, -1, self.last[column][self._object])
        return _take(
            pd.concat([before, after], ignore_index=True), np.where(positions < 0, self._rows, positions + len(before))
        )

    def _id(self) -> pd.Series:
        old = self._df["id"]
        if self._same:
            return old.reset_index(drop=True)
        new = self._rows < 0
        ids = pd.Series(self._ids[self._object[new]], dtype="str")
        return pd.concat([old.iloc[self._rows[~new]], ids], ignore_index=True).astype(old.dtype)


def _take(values: pd.Series, rows: Positions) -> pd.Series:
    """The values of these rows; missing where the row is -1."""
    return pd.Series(values.array.take(rows, allow_fill=True), copy=False)


def _with_common_dtype(old: pd.Series | None, new: pd.Series, size: int) -> tuple[pd.Series, pd.Series]:
    """Two parts of a column, cast to a common dtype: if they differ, that of the part with any values, else text."""
    if old is None or (old.dtype != new.dtype and not old.notna().any()):
        return _all_missing(new, size), new
    if old.dtype == new.dtype:
        return old, new
    if not new.notna().any():
        return old, _all_missing(old, len(new))
    if {str(old.dtype), str(new.dtype)} == {"Int64", "Float64"}:
        return old.astype("Float64"), new.astype("Float64")
    return _as_text(old), _as_text(new)


def _all_missing(like: pd.Series, size: int) -> pd.Series:
    """Missing values with the dtype of others."""
    return _take(like, np.full(size, -1, dtype=np.int64))


def _as_text(values: pd.Series) -> pd.Series:
    """Values as the decoder writes them where one column holds several kinds."""
    if values.dtype == "boolean":
        values = values.map({True: "true", False: "false"})
    return values.astype("str").where(values.notna())


def _changes_an_end(held: Values, given: Values) -> bool:
    return any(held[name] != given.get(name, held[name]) for name in ("source_id", "target_id"))


def _why_refused(event: Event, exists: bool) -> str | None:
    """Why an event does not fit, given whether its object exists; None if it fits."""
    if event.action == "ADD":
        return KNOWN if exists and not event.in_sync else None
    return None if exists or event.action == "SET" else NOT_THERE
