"""A snapshot brought up to date with the task queue, in a few requests where a load takes thousands."""

from __future__ import annotations

import os
import random
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from kimono_explore.api.client import Client
from kimono_explore.api.operations import FINDS, LISTS
from kimono_explore.api.pages import open_page
from kimono_explore.display import plural, printable
from kimono_explore.errors import NotFoundError, PermissionDeniedError, expect
from kimono_explore.forecast.agreement import differences, rows_and_links, sent_rows
from kimono_explore.forecast.apply import forecast
from kimono_explore.forecast.events import LINKS, read_events
from kimono_explore.forecast.payloads import read_enrollments
from kimono_explore.json_text import encode
from kimono_explore.problems import KNOWN, NOT_THERE, REFUSED, not_applied
from kimono_explore.roster.open import open_roster
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import TABLES
from kimono_explore.tasks import load_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kimono_explore.api.operations import Operation
    from kimono_explore.api.pages import Envelope


@dataclass(frozen=True)
class Refreshed:
    """A snapshot brought up to date, or the reasons why a full reload is needed.

    Attributes
    ----------
    roster : Roster or None
        The up-to-date roster; None if a full reload is needed.
    load_anew : tuple of str
        Why a full reload is needed; empty if everything that was requested was as expected.
    asked : pandas.DataFrame
        What was requested to verify the roster. One row per page, and one per table whose objects were requested one by
        one: table, what (``"page 0"``, ``"3 objects"``), rows, agrees.
    events : int
        The number of data events in the queue.
    """

    roster: Roster | None
    load_anew: tuple[str, ...]
    asked: pd.DataFrame = field(repr=False)
    events: int

    def __repr__(self) -> str:
        if self.roster is None:
            return printable(f"<Refreshed: load anew. {self.load_anew[0]}>")
        rows = int(self.asked["rows"].sum())
        return f"<Refreshed: {plural(self.events, 'event')}, {plural(rows, 'row')} looked at>"


def refresh(
    snapshot: Roster | str | os.PathLike[str],
    client: Client,
    *,
    objects: int = 10,
    tenant_id: str | None = None,
    seed: int | None = None,
) -> Refreshed:
    """Bring a snapshot up to date from the task queue, and request a few pages to verify the result.

    The queue's data events are applied to the snapshot. Then the first page, the last page and one in between are
    requested from each list, along with some of the objects that the events are about. If anything is not as expected,
    the result is a recommendation to reload in full. The queue is only read.

    Parameters
    ----------
    snapshot : Roster or path
        A complete load of the same tenant, or the folder in which it was saved.
    client : Client
    objects : int, default 10
        The maximum number of objects to request among those that events are about. Every object that an event from
        before the snapshot would change is requested; if there are more of these, a full reload is needed.
    tenant_id : str, optional
        Which tenant to use, if the queue holds several.
    seed : int, optional
        Determines which pages and objects are requested. Default: different ones each time.

    Returns
    -------
    Refreshed
        With ``.roster``, or with the reasons for a full reload in ``.load_anew``.

    Raises
    ------
    BundleError
        The folder is not a snapshot.
    AuthenticationError, BadResponseError, ServerError, ConnectionFailedError
        The server could not be queried.

    Notes
    -----
    The API offers no totals, filters or change feed, so a refresh never proves that the roster is current. The number
    of rows in each list is certain, as are the contents of every single-page list. In a longer list, a change that no
    event announces is found only if it is on one of the requested pages or shifts their rows. Reload in full from time
    to time, for example before each delivery.

    Examples
    --------
    >>> roster.save(tmp_path / "yesterday")
    >>> now = kx.refresh(tmp_path / "yesterday", client)
    >>> now.load_anew[0]
    'The server does not have what the queue announces (orgs): ...'
    """
    expect("refresh", client, Client, having="ask")
    expect("refresh", snapshot, Roster, str, os.PathLike)
    old = snapshot if isinstance(snapshot, Roster) else open_roster(snapshot)
    began = datetime.now(UTC)
    refused = set(old.problems.loc[old.problems["problem"].str.contains(REFUSED, na=False, regex=False), "table"])
    lacking = old.incomplete[~old.incomplete["table"].isin(refused)]
    if len(lacking):
        reason = f"The snapshot is not complete: {printable(lacking['problem'].iloc[0])}."
        return Refreshed(None, (reason,), _table([]), 0)
    tasks = load_tasks(client, tenant_id=tenant_id)
    queue = _Queue(old, tasks)
    reasons = queue.reasons(objects)
    verifier = _Verifier(client, old, queue.forecast.roster, random.Random(seed))
    if not reasons:
        reasons += verifier.check_objects(queue, objects)
        for name in TABLES:
            reasons += verifier.check_refused(name) if name in refused else verifier.check_list(name)
    asked = _table(verifier.asked)
    if reasons:
        return Refreshed(None, tuple(reasons), asked, len(queue.events))
    words = f"{old.source}, brought up to date with {plural(len(queue.events), 'event')}"
    return Refreshed(replace(queue.forecast.roster, source=words, loaded_at=began), (), asked, len(queue.events))


class _Request(NamedTuple):
    table: str
    what: str
    rows: int
    agrees: bool


def _table(asked: list[_Request]) -> pd.DataFrame:
    df = pd.DataFrame(asked, columns=_Request._fields)
    return df.astype({"table": "str", "what": "str", "rows": "int64", "agrees": "bool"})


class _Queue:
    """The forecast that the queue makes of the snapshot, and which objects its events are about.

    Attributes
    ----------
    events : list of Event
    forecast : Forecast
    touched : list of tuple
        Table and id of each object that an event is about; for an enrollment, the person.
    doubtful : list of tuple
        Those that an event from before the snapshot would change: was it already processed when the snapshot was loaded?
    """

    def __init__(self, old: Roster, tasks: pd.DataFrame) -> None:
        self._tasks = tasks
        self.events, _ = read_events(tasks)
        self.forecast = forecast("refresh", old, tasks)
        late = tasks["created_at"] > (old.loaded_at or datetime.now(UTC))
        self._early = set(tasks.loc[~late, "id"].dropna())
        objects = self._objects_of_events()
        self.touched = list(dict.fromkeys(objects.values()))
        early = list(dict.fromkeys(end for n, end in objects.items() if self.events[n].task in (None, *self._early)))
        before, after = rows_and_links(old, early), rows_and_links(self.forecast.roster, early)
        self.doubtful = [end for end in early if before[end] != after[end]]

    def _objects_of_events(self) -> dict[int, tuple[str, str]]:
        """The object that each event is about, if it can be found by its id."""
        enrollments = read_enrollments([event for event in self.events if event.table == LINKS])[1]
        objects = {}
        for event in self.events:
            enrollment = enrollments.get(event.number, {})
            table, id = ("persons", enrollment.get("source_id")) if event.table == LINKS else (event.table, event.id)
            if isinstance(id, str) and table in FINDS:
                objects[event.number] = (table, id)
        return objects

    def reasons(self, most: int) -> list[str]:
        """Why the queue does not determine the current roster."""
        found = []
        if missing := _missing_sequence_numbers(self._tasks):
            found.append(
                f"Sequence numbers are missing from the queue ({missing:,}): their events are no longer in it."
            )
        done = {not_applied(task, reason) for task in self._early for reason in (KNOWN, NOT_THERE)}
        refused = [problem for problem in self.forecast.problems if problem.problem not in done]
        if refused:
            found.append(f"{plural(len(refused), 'problem')} in the queue, such as: {printable(refused[0].problem)}.")
        if len(self.doubtful) > most:
            text = "would be changed by events from before the snapshot, and are too many to ask for"
            found.append(f"{plural(len(self.doubtful), 'object')} {text} (objects={most}).")
        return found


def _missing_sequence_numbers(tasks: pd.DataFrame) -> int:
    numbered = tasks[tasks["sequence"].notna()]
    of_tenant = numbered.groupby("tenant_id", dropna=False)["sequence"]
    return int((of_tenant.max() - of_tenant.min() + 1 - of_tenant.nunique()).sum())


class _Verifier:
    """Asks the server for samples and compares its answers with the roster that is expected."""

    def __init__(self, client: Client, old: Roster, new: Roster, rng: random.Random) -> None:
        self._client, self._old, self._new, self._rng = client, old, new, rng
        self.asked: list[_Request] = []

    def check_objects(self, queue: _Queue, most: int) -> Iterator[str]:
        """Compare objects that events are about; yield what is not as expected."""
        others = [end for end in queue.touched if end not in set(queue.doubtful)]
        chosen = self._rng.sample(others, min(len(others), most - len(queue.doubtful)))
        ids: defaultdict[str, list[str]] = defaultdict(list)
        for table, id in [*queue.doubtful, *chosen]:
            ids[table].append(id)
        for table, wanted in ids.items():
            answers = {id: self._find(table, id) for id in wanted}
            there = set(self._new.tables[table]["id"]).intersection(wanted)
            sent = {id: answer for id, answer in answers.items() if answer is not None}
            found = [f"{printable(id)} is still there" for id in wanted if id in sent and id not in there]
            found += [f"{printable(id)} is not there" for id in wanted if id not in sent and id in there]
            found += differences(table, sent_rows(table, [sent[id] for id in sent if id in there]), self._new)
            self.asked.append(_Request(table, plural(len(wanted), "object"), len(sent), not found))
            if found:
                yield f"The server does not have what the queue announces ({_title(table).lower()}): {found[0]}."

    def _find(self, table: str, id: str) -> bytes | None:
        try:
            return encode(self._client.find(table, id)).encode()
        except NotFoundError:
            return None

    def check_refused(self, table: str) -> Iterator[str]:
        """Check that a list that was refused when the snapshot was loaded still is."""
        try:
            rows = self._ask(table, 0).rows
        except (NotFoundError, PermissionDeniedError):
            self.asked.append(_Request(table, "page 0", 0, agrees=True))
            return
        self.asked.append(_Request(table, "page 0", len(rows), agrees=False))
        yield f"{_title(table)} were refused when the snapshot was loaded, and no longer are."

    def check_list(self, table: str) -> Iterator[str]:
        """Compare the first page, the last and one in between, and check that nothing follows the last."""
        count = len(self._new.tables[table])
        first = self._ask(table, 0)
        size = len(first.rows)
        last = 0 if first.more is False or not count else (count - 1) // max(size, 1)
        pages = {0: first}
        for number in sorted({last, self._rng.randrange(1, max(last, 2))} & set(range(1, last + 1))):
            pages[number] = self._ask(table, number, size)
        for number, page in pages.items():
            whole = count - last * size if number == last else size
            found = self._page_differences(table, page, number, size, whole)
            self.asked.append(_Request(table, f"page {number}", len(page.rows), not found))
            if found:
                yield f"{_title(table)}, page {number}: {found[0]}."
        if self._has_more(table, pages[last], last, size):
            yield f"{_title(table)}: there are more than the {count:,} expected."

    def _ask(self, table: str, number: int, size: int | None = None) -> Envelope:
        operation = LISTS[table, False]
        query = {"page": number, "page_size": size}
        paths = [path for path in (operation.path, operation.older_path) if path is not None]
        for path in paths[:-1]:
            try:
                return self._page(operation, path, query)
            except NotFoundError:
                pass
        return self._page(operation, paths[-1], query)

    def _page(self, operation: Operation, path: str, query: dict[str, int | None]) -> Envelope:
        return self._client.ask(operation, lambda body: open_page(body, path), params=query, path=path)

    def _page_differences(self, table: str, page: Envelope, number: int, size: int, count: int) -> list[str]:
        if len(page.rows) != count:
            return [f"{plural(len(page.rows), 'row')}, {count:,} expected"]
        sent = sent_rows(table, page.rows)
        found = differences(table, sent, self._new)
        expected = self._new.tables[table]["id"]
        if not found and expected.equals(self._old.tables[table]["id"]):
            here = expected.iloc[number * size : number * size + count]
            if sorted(sent.rows["id"].dropna()) != sorted(here.dropna()):
                found = ["the rows moved: others were expected on this page"]
        return found

    def _has_more(self, table: str, page: Envelope, number: int, size: int) -> bool:
        if page.more is not None:
            return page.more
        return bool(self._ask(table, number + 1, size or None).rows)


def _title(table: str) -> str:
    return table.replace("_", " ").capitalize()
