"""From the API to tables: one list as a DataFrame, or everything as a Roster."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.api import LISTS, Operation
from kimono_explore.decode import Decoded, Decoder
from kimono_explore.errors import KimonoWarning, NotFoundError, PermissionDeniedError
from kimono_explore.links import unite
from kimono_explore.paging import read_pages
from kimono_explore.resume import SavedPages
from kimono_explore.roster import Roster
from kimono_explore.tables import TABLES, Problem, frame, to_pandas

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence
    from typing import Self

    from kimono_explore.client import Client

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
        Only what belongs to this org: for students, teachers, courses, sections and terms.
    page_size : int, optional
        Rows a page; default, and at most, the server's maximum.
    max_connections : int, default 8
        Pages under way at a time.
    progress : bool, default True

    Returns
    -------
    pandas.DataFrame
        One row an object; the columns of its table. What did not fit is in ``attrs["problems"]``, and a warning
        says so. References between objects are not columns: `load_roster` makes them ``links``.

    Raises
    ------
    NotFoundError
        The tenant has no such list, or there is no such org.

    Examples
    --------
    >>> kx.load(client, "schools", progress=False)["org_type"].unique().tolist()
    ['school']
    """
    if (list, org_id is not None) not in LISTS:
        known = sorted(name for name, below in LISTS if below == (org_id is not None))
        where = " below an org" if org_id is not None else ""
        raise ValueError(f"There is no list {list!r}{where}; there are {', '.join(known)}.")
    decoded = _read(client, LISTS[list, org_id is not None], org_id, page_size, max_connections, progress)
    df = to_pandas(LISTS[list, org_id is not None].table, decoded.columns)
    if decoded.problems:
        df.attrs["problems"] = ProblemList(decoded.problems)
        first = decoded.problems[0]
        text = f'{len(decoded.problems):,} problems in {list}, in attrs["problems"]; the first: {first.problem}'
        warnings.warn(text, KimonoWarning, stacklevel=2)
    return df


def load_roster(
    client: Client,
    *,
    page_size: int | None = None,
    max_connections: int = 8,
    progress: bool = True,
    resume: str | os.PathLike[str] | None = None,
) -> Roster:
    """Load everything: the six tables, each object once, and the links between them.

    A list that the tenant refuses (403, 404) becomes an empty table and a row in ``problems``.

    Parameters
    ----------
    client : Client
    page_size : int, optional
        Rows a page; default, and at most, the server's maximum.
    max_connections : int, default 8
        Pages under way at a time.
    progress : bool, default True
        Show a bar for each list.
    resume : str or path, optional
        A folder that keeps each page as it comes, for a load of hours: where it was interrupted, the same call goes on
        with what is missing, and a row in ``problems`` says which pages are older. It holds what the API sent, personal
        data included; it is removed once everything is loaded.

    Returns
    -------
    Roster

    Raises
    ------
    ConfigurationError
        ``resume`` holds something else, or pages of another API or page size.
    AuthenticationError, ServerError, ConnectionFailedError
        The load could not go on.

    Examples
    --------
    >>> roster = kx.load_roster(client, progress=False)
    >>> int((roster.persons["person_type"] == "student").sum())
    60
    """
    lists: dict[str, Decoded] = {}
    problems: list[Problem] = []
    saved = None if resume is None else SavedPages(resume, client.base_url, page_size)
    for name in _ORDER:
        try:
            lists[name] = _read(client, LISTS[name, False], None, page_size, max_connections, progress, saved=saved)
        except (NotFoundError, PermissionDeniedError) as error:
            problems.append(Problem(name, None, None, str(error.status), f"the list was refused: {error}"))
            lists[name] = Decoder(name).finish()
    text = "pages were not read again but taken from an interrupted load: they are older; value counts them"
    taken = {} if saved is None else saved.taken
    tables = {operation.path: operation.table for operation in LISTS.values()}
    problems += [Problem(tables.get(path, ""), None, None, str(count), text) for path, count in taken.items()]
    roster = assemble(lists, problems, source=client.base_url)
    if saved is not None:
        saved.discard()
    return roster


def assemble(lists: dict[str, Decoded], problems: Iterable[Problem], source: str) -> Roster:
    """Put decoded lists together: one Roster, its links united from both sides. Empties ``lists`` on its way."""
    frames, raw, found, sent = {}, {}, [*problems], set[str]()
    for name in TABLES:
        decoded = lists.pop(name)
        frames[name], raw[name] = to_pandas(name, decoded.columns), decoded.links
        found += decoded.problems
        sent |= decoded.sent
    del decoded
    links, differences = unite({name: df["id"] for name, df in frames.items()}, raw)
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


def _read(
    client: Client,
    operation: Operation,
    id: str | None,
    page_size: int | None,
    max_connections: int,
    progress: bool,
    path: str | None = None,
    saved: SavedPages | None = None,
) -> Decoded:
    decoder = Decoder(operation.table)
    path = path or operation.path
    try:
        for page in read_pages(
            client,
            operation,
            id=id,
            page_size=page_size,
            max_connections=max_connections,
            progress=progress,
            path=path,
            saved=saved,
        ):
            decoder.add(page.rows, f"{path} (page {page.number})")
            if page.note:
                decoder.problems.append(Problem(operation.table, None, None, path, page.note))
    except NotFoundError:
        if operation.older_path in (None, path):
            raise
        return _read(client, operation, id, page_size, max_connections, progress, operation.older_path, saved)
    return decoder.finish()


# What a roster cannot know when nobody states it: each row's keys, any one of which would tell.
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
