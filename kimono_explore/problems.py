"""The texts of ``problems`` that code depends on: those that say that rows may be missing, and the kind of any text.

A text that means something to a program is defined here once; the code that writes it and the code that looks for it
both take it from here.
"""

from __future__ import annotations

import re
from functools import lru_cache

REFUSED = "the list was refused"
ROWS_MAY_BE_MISSING = "rows may be missing"
SOME_MAY_BE_MISSING = "some may be missing"
TAKEN_FOR_THE_END = "treated as the end of the list"
NOT_LOOKED_AT = "whether rows moved while the list was read could not be checked"

_EARLIER_WORDING = (
    "taken for the end of the list",
    "whether rows moved while the list was read could not be looked at",
)
"""How snapshots of earlier versions say the last two."""
INCOMPLETE = (REFUSED, ROWS_MAY_BE_MISSING, SOME_MAY_BE_MISSING, TAKEN_FOR_THE_END, NOT_LOOKED_AT, *_EARLIER_WORDING)
"""A problem with a whole list whose text holds one of these means that the roster may lack rows."""

KNOWN = "an ADD of what is already there"
NOT_THERE = "the object does not exist"
NO_DATA = "it holds no data"
NO_ID = "it names no object"
UNREADABLE = "its data cannot be read"
UNKNOWN_TYPE = "the type of the object is unknown"
UNKNOWN_ACTION = "the action is unknown"
NO_END = "an enrollment without a person, or without a section or school"
UNKNOWN_END = "an enrollment with one end missing"
_NOT_APPLIED = (KNOWN, NOT_THERE, NO_DATA, NO_ID, UNREADABLE, UNKNOWN_TYPE, UNKNOWN_ACTION, NO_END, UNKNOWN_END)

UNREADABLE_TASK = "a task that cannot be read: what it announces is unknown"
TASK_CAME_AGAIN = "the task came again with different content; the first one was applied"
SEVERAL_TENANTS = "the tasks belong to several tenants, and all were applied; value counts the tenants"


def not_applied(task: str | None, reason: str) -> str:
    """Why a task changes nothing, in words.

    Examples
    --------
    >>> not_applied("4711", NO_DATA)
    'the task 4711 was not applied: it holds no data'
    """
    return f"the task {task or 'without an id'} was not applied: {reason}"


OTHER = "something else did not fit"

# Every text of a problem, with … in place of what a tenant sent; a text that is not here is reported as OTHER.
_KINDS = (
    "not a date",
    "not a time",
    "neither true nor false",
    "no id: the row is kept, and nothing can refer to it",
    "the id came … times with different content; all are kept",
    "an id that is not a text; kept as text",
    "$sys.id and id differ; $sys.id is used",
    "… where text was expected; kept as text",
    "numbers or flags where text was expected, such as …, kept as text; leading zeros may be lost; value counts them",
    "numbers or flags where text was expected, such as …, kept as text; value counts them",
    "not an object",
    "a row of … is not an object; left out",
    "a row of … cannot be read; left out …",
    "the row holds what JSON or UTF-8 does not allow (NaN, half of a character, other bytes): replaced",
    "a row that was deleted while the list was read; kept",
    "an object of another type than the list's",
    "rows that came again, unchanged, were dropped: the data moved while it was read; value counts them",
    "rows moved, and … pages were read again; what changed within others cannot be known; value counts …",
    "pages were not read again but taken from an interrupted load: they are older; value counts them",
    "page … was empty when it was first asked for",
    "page … was empty, though the page before promised it",
    "a bare id in place of a reference; taken as the id",
    "an empty reference",
    "not a reference",
    "a reference without an id",
    "a reference to an unknown type",
    "a reference from a row without an id; left out",
    "neither the person nor the membership has the role student or teacher; student assumed",
    "the two sides of … to … differ: … is kept",
    "who is in which section is unknown: …",
    "who belongs to which school is unknown: …",
    "which course a section is of is unknown: …",
    "which school a section is held at is unknown: …",
    "which terms a section is in is unknown: …",
    "marked for deletion; kept",
    "marked for deletion in demographics.csv; kept",
    "the row came again, unchanged; value counts the repeats that were dropped",
    "more rows came again, unchanged, and were dropped; value counts them",
    "a row of ….csv without a sourcedId; kept",
    "rows of ….csv without a sourcedId; kept, value counts them",
    "the id of a row of ….csv came again with different content; kept",
    "row … of ….csv has … cells where … were expected",
    "rows of ….csv have cells in a column without a name, or with a repeated name; left out, value counts them",
    "an unknown role; the person type is unknown",
    "an unknown role; read as a staff role",
    "an unknown role; kept as a teacher role",
    "an enrollment without a role; read as a teacher role",
    "an enrollment without a user or class",
    "a role without a user or org; left out",
    "another school than the class's; left out",
    "demographics of somebody who is not in users.csv",
    "roles.csv has no role for the person",
    "users.csv holds passwords; they are not read",
    UNREADABLE_TASK,
    TASK_CAME_AGAIN,
    SEVERAL_TENANTS,
    *(not_applied("…", reason) for reason in _NOT_APPLIED),
)
_MEANING = tuple((re.compile(".*".join(map(re.escape, kind.split("…"))), re.DOTALL), kind) for kind in _KINDS)


@lru_cache(maxsize=4096)
def kind_of(text: str) -> str:
    """The kind of a problem: its text without anything that a tenant or a server sent.

    Examples
    --------
    >>> kind_of("the list was refused: 403 from rostering/terms: Ana Silva may not.")
    'the list was refused'
    >>> kind_of("the two sides of student_in to 4711 differ: Active is kept")
    'the two sides of … to … differ: … is kept'
    """
    telling = next((said for said in INCOMPLETE if said in text), None)
    return telling or next((kind for pattern, kind in _MEANING if pattern.fullmatch(text)), OTHER)
