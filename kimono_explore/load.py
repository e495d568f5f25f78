"""From the API to tables: one list as a DataFrame, or everything as a Roster."""

from __future__ import annotations

import warnings
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from kimono_explore.api.client import Client
from kimono_explore.api.operations import LISTS, MAX_PAGES, Operation
from kimono_explore.api.page_cache import SavedPages, saved_pages
from kimono_explore.api.paging import read_pages
from kimono_explore.decode.decoder import Decoded, Decoder
from kimono_explore.decode.links import merge_sides
from kimono_explore.display import printable
from kimono_explore.errors import KimonoWarning, NotFoundError, PermissionDeniedError, expect, expect_options
from kimono_explore.frames import frame, to_pandas
from kimono_explore.problems import REFUSED
from kimono_explore.progress import Bar
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import TABLES, Problem

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence
    from typing import Self


# Small lists first: what a tenant refuses shows at once.
_ORDER = ("orgs", "terms", "courses", "sections", "persons", "grading_categories")


class ProblemList(tuple[Problem, ...]):
    """Problems, as ``DataFrame.attrs`` can hold them: pandas copies attrs often, and this one is not copied."""

    __slots__ = ()

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self


def load(
    client: Client,
    list: str,
    org_id: str | None = None,
    *,
    page_size: int | None = None,
    max_connections: int = 8,
    max_pages: int = MAX_PAGES,
    heal: bool = True,
    progress: bool = True,
) -> pd.DataFrame:
    """Load one list of the API as a DataFrame.

    Parameters
    ----------
    client : Client
    list : str
        ``"orgs"``, ``"leas"``, ``"schools"``, ``"persons"``, ``"students"``, ``"teachers"``, ``"courses"``,
        ``"sections"``, ``"terms"`` or ``"grading_categories"``.
    org_id : str, optional
        Load only what belongs to this org; for students, teachers, courses, sections and terms.
    page_size : int, optional
        Rows per page. Default and upper limit: the server's maximum.
    max_connections : int, default 8
        How many pages to request concurrently.
    max_pages : int, default 100,000
        A list with more pages is an error.
    heal : bool, default True
        After the last page, re-request a few rows around each page boundary (one small request per page). If rows moved
        while the list was being read, the affected pages are read again; ``attrs["problems"]`` says what was found.
    progress : bool, default True

    Returns
    -------
    pandas.DataFrame
        One row per object, with the columns of its table. Anything that did not fit is in ``attrs["problems"]``, and a
        warning says so. References between objects are not columns: `load_roster` turns them into ``links``.

    Raises
    ------
    NotFoundError
        The tenant does not have this list or org.
    IncompleteListError
        The list was read only in part.
    BadResponseError, ServerError, ConnectionFailedError
        Even after all retries, a response was broken, an error, or lost.

    Examples
    --------
    >>> kx.load(client, "schools", progress=False)["org_type"].unique().tolist()
    ['school']
    """
    expect("load", client, Client, having="ask")
    if (list, org_id is not None) not in LISTS:
        known = sorted(name for name, below in LISTS if below == (org_id is not None))
        where = " below an org" if org_id is not None else ""
        raise ValueError(f"Unknown list {list!r}{where}. Choose one of: {', '.join(known)}.")
    reading = _Reading(client, page_size, max_connections, max_pages, heal, progress)
    decoded = reading.read(LISTS[list, org_id is not None], org_id)
    df = to_pandas(LISTS[list, org_id is not None].table, decoded.columns)
    if decoded.problems:
        df.attrs["problems"] = ProblemList(decoded.problems)
        first = decoded.problems[0]
        text = (
            f'{len(decoded.problems):,} problems in {list}, in attrs["problems"]; the first: {printable(first.problem)}'
        )
        warnings.warn(text, KimonoWarning, stacklevel=2)
    return df


def load_roster(
    client: Client,
    *,
    page_size: int | None = None,
    max_connections: int = 8,
    max_pages: int = MAX_PAGES,
    heal: bool = True,
    progress: bool = True,
    resume: str | os.PathLike[str] | None = None,
) -> Roster:
    """Load the whole roster: the six tables, with each object once, and the links between objects.

    A list whose first page the tenant refuses (403, 404) becomes an empty table and a row in ``problems``. Any other
    fault that outlasts the retries is an error, so the result is everything that the tenant has, apart from what
    ``problems`` names. `Roster.incomplete` holds the problems that mean that rows may be missing.

    Parameters
    ----------
    client : Client
    page_size : int, optional
        Rows per page. Default and upper limit: the server's maximum.
    max_connections : int, default 8
        How many pages to request concurrently.
    max_pages : int, default 100,000
        A list with more pages is an error.
    heal : bool, default True
        As in `load`.
    progress : bool, default True
        Show a progress bar with the number of lists (out of six) and rows read so far.
    resume : str or path, optional
        For loads that take hours: a folder that stores each page as it arrives. After an interruption, the same call
        continues with the missing pages, and a row in ``problems`` says which pages are older. The folder holds what
        the API sent, including personal data, and is removed once everything is loaded.

    Returns
    -------
    Roster

    Raises
    ------
    ConfigurationError
        The ``resume`` folder is neither empty nor an interrupted load, holds pages of another API or page size, or is
        in use by another load.
    AuthenticationError, IncompleteListError, BadResponseError, ServerError, ConnectionFailedError
        The load could not continue.

    Examples
    --------
    >>> roster = kx.load_roster(client, progress=False)
    >>> int((roster.persons["person_type"] == "student").sum())
    60
    """
    expect("load_roster", client, Client, having="ask")
    expect_options("load_roster", "whole number", or_none=True, page_size=page_size)
    expect_options("load_roster", "whole number", max_connections=max_connections, max_pages=max_pages)
    with (
        saved_pages(resume, client.base_url, page_size) as saved,
        Bar(_ORDER[0], "lists", total=len(_ORDER), shown=progress) as bar,
    ):
        reading = _Reading(client, page_size, max_connections, max_pages, heal, progress=False, saved=saved)
        lists, refused = _read_lists(reading, bar)
        bar.at("roster")
        roster = assemble(lists, [*refused, *_older_pages(saved)], source=client.base_url)
        if saved is not None:
            saved.discard()
    return roster


def _read_lists(reading: _Reading, bar: Bar) -> tuple[dict[str, Decoded], list[Problem]]:
    """The six lists; one that the tenant refuses is empty, and a problem."""
    lists: dict[str, Decoded] = {}
    refused = []
    for name in _ORDER:
        bar.at(name.replace("_", " "))
        try:
            lists[name] = reading.read(LISTS[name, False], bar=bar)
        except (NotFoundError, PermissionDeniedError) as error:
            refused.append(Problem(name, None, None, str(error.status), f"{REFUSED}: {error}"))
            lists[name] = Decoder(name).finish()
        bar.step()
    return lists, refused


def _older_pages(saved: SavedPages | None) -> list[Problem]:
    text = "pages were not read again but taken from an interrupted load: they are older; value counts them"
    tables = {operation.path: operation.table for operation in LISTS.values()}
    taken = {} if saved is None else saved.taken
    return [Problem(tables.get(path, ""), None, None, str(count), text) for path, count in taken.items()]


def assemble(lists: dict[str, Decoded], problems: Iterable[Problem], source: str) -> Roster:
    """Put decoded lists together: one Roster, its links united from both sides. Empties ``lists`` on its way."""
    frames, raw, found, sent = {}, {}, [*problems], set[str]()
    for name in TABLES:
        decoded = lists.pop(name)
        frames[name], raw[name] = to_pandas(name, decoded.columns), decoded.links
        found += decoded.problems
        sent |= decoded.sent
    del decoded
    links, differences = merge_sides({name: df["id"] for name, df in frames.items()}, raw)
    found += [*differences, *_unknown(frames, frozenset(sent))]
    rows = pd.DataFrame(found, columns=Problem._fields)
    return Roster(
        **frames,
        links=links,
        problems=frame("problems", {name: rows[name].tolist() for name in Problem._fields}),
        source=source,
        loaded_at=datetime.now(UTC),
        rollups=frozenset(sent),
    )


class _Reading(NamedTuple):
    """How lists are read."""

    client: Client
    page_size: int | None
    max_connections: int
    max_pages: int
    heal: bool
    progress: bool
    saved: SavedPages | None = None

    def read(
        self, operation: Operation, id: str | None = None, path: str | None = None, bar: Bar | None = None
    ) -> Decoded:
        """Read and decode a list; its rows are counted on a bar."""
        decoder = Decoder(operation.table)
        path = path or operation.path
        try:
            # Closed explicitly: an error that is kept keeps its frames, and requests under way would go on.
            with closing(read_pages(**self._asdict(), operation=operation, id=id, path=path)) as pages:
                for page in pages:
                    if bar is not None:
                        bar.step(0, rows=len(page.rows))
                    decoder.add(page.rows, f"{path} (page {page.number})")
                    if page.note:
                        value = path if page.counted is None else str(page.counted)
                        decoder.problems.append(Problem(operation.table, None, None, value, page.note))
                    decoder.note_gone(page.gone)
        except KeyboardInterrupt as error:
            resumed = "With load_roster(resume=FOLDER), the next one resumes where it stopped."
            if self.saved is not None:
                resumed = f"With resume={str(self.saved.folder)!r}, the same call resumes where it stopped."
            error.add_note(f"The load was interrupted. {resumed}")
            raise
        except NotFoundError:
            if operation.older_path in (None, path):
                raise
            return self.read(operation, id, operation.older_path, bar)
        return decoder.finish()


# What a roster cannot know unless it is sent: for each row, the keys any one of which would tell.
_MEMBERSHIPS: tuple[tuple[str, Sequence[str]], ...] = (
    ("who is in which section", ("persons.$sections", "sections.$students", "sections.$teachers")),
    ("who belongs to which school", ("persons.$schools", "orgs.$students", "orgs.$teachers")),
    ("which course a section is of", ("sections.$course", "courses.$sections")),
    ("which school a section is held at", ("sections.$org",)),
    ("which terms a section is in", ("sections.$terms",)),
)


def _unknown(frames: dict[str, pd.DataFrame], sent: frozenset[str]) -> list[Problem]:
    problems = []
    for what, keys in _MEMBERSHIPS:
        table = keys[0].split(".")[0]
        if len(frames[table]) and not sent.intersection(keys):
            text = f"{what} is unknown: the tenant sends none of {', '.join(keys)}"
            problems.append(Problem(table, None, keys[0].split(".")[1], None, text))
    return problems
