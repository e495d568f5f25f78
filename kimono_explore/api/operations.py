"""The Interop Data API as data: one row per operation.

Client, sandbox, OpenAPI document and the README's table of operations all read these rows; to add an operation,
add a row. Nothing here talks to a network. Source: Kimono's Interop Data API reference.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from kimono_explore.schema import TASK_TYPE_ROWS

BASE_URL = "https://api.us2.kimonocloud.com/v2/interop/data"
"""The base URL that the reference names; other regions have other hosts."""

TOKEN_PATH = "/oauth/token"  # noqa: S105  a path, not a secret
"""Where, on the API's host, OAuth2 client credentials are exchanged for a token."""

MAX_PAGES = 100_000
"""A list with more pages counts as endless."""

Kind = Literal["list", "find", "ack", "ack_many", "delete"]

_PAGING = ("page", "page_size")


class Where(NamedTuple):
    """Which rows of its table an operation is about: those with one of these values in a column.

    Attributes
    ----------
    column : str
        A column of the table.
    values : tuple of str
        In lower case; a server may write them in any case.
    """

    column: str
    values: tuple[str, ...]


ALL_ROWS: tuple[Where, ...] = ()
"""The value of ``Operation.where`` for a list that holds the whole table."""
_LEAS = (Where("org_type", ("lea", "district")),)
_SCHOOLS = (Where("org_type", ("school",)),)
_STUDENTS = (Where("person_type", ("student",)),)
_TEACHERS = (Where("person_type", ("teacher", "staff")),)


class Operation(NamedTuple):
    """One operation of the API.

    Attributes
    ----------
    name : str
        The operation's id, unique.
    method, path : str
        HTTP method, and path below the base URL; ``{id}`` stands for an object's id.
    kind : str
        What it does: ``list``, ``find``, ``ack``, ``ack_many`` or ``delete``.
    table : str
        The roster table that its objects belong to, or ``"tasks"``.
    summary : str
        What it does, in the reference's words.
    query : tuple of str
        The query parameters it takes.
    older_path : str, optional
        A path that older documentation gives for the same list.
    where : tuple of Where, optional
        The rows of the table that a list holds, or that can be found; required for a list of the roster.
    via : tuple of str
        For a list that belongs to an org, the relations that lead from the org to the rows: the first is followed
        backwards from the org, each further one forwards.
    """

    name: str
    method: Literal["GET", "PUT", "DELETE"]
    path: str
    kind: Kind
    table: str
    summary: str
    query: tuple[str, ...] = ()
    older_path: str | None = None
    where: tuple[Where, ...] | None = None
    via: tuple[str, ...] = ()

    @property
    def list_name(self) -> str:
        """The name by which `load` knows a list: ``"students"``, ``"grading_categories"``."""
        last = self.path.rsplit("/", 1)[-1]
        return "grading_categories" if last == "gradingCategories" else last

    @property
    def needs_id(self) -> bool:
        """Whether the path holds an id."""
        return "{id}" in self.path


OPERATIONS: tuple[Operation, ...] = (
    Operation("listOrgs", "GET", "rostering/orgs", "list", "orgs", "List all Orgs", _PAGING, where=ALL_ROWS),
    Operation("listLeas", "GET", "rostering/leas", "list", "orgs", "List all LEA-type Orgs", _PAGING, where=_LEAS),
    Operation(
        "listSchools", "GET", "rostering/schools", "list", "orgs", "List all School-type Orgs", _PAGING, where=_SCHOOLS
    ),
    Operation("listPersons", "GET", "rostering/persons", "list", "persons", "Get all Persons", _PAGING, where=ALL_ROWS),
    Operation(
        "listStudents",
        "GET",
        "rostering/students",
        "list",
        "persons",
        "List all Student-type Persons",
        _PAGING,
        where=_STUDENTS,
    ),
    Operation(
        "listTeachers",
        "GET",
        "rostering/teachers",
        "list",
        "persons",
        "List all Teacher-type Persons",
        _PAGING,
        where=_TEACHERS,
    ),
    Operation(
        "listCourses", "GET", "rostering/courses", "list", "courses", "List all Courses", _PAGING, where=ALL_ROWS
    ),
    Operation(
        "listSections", "GET", "rostering/sections", "list", "sections", "List all Sections", _PAGING, where=ALL_ROWS
    ),
    Operation("listTerms", "GET", "rostering/terms", "list", "terms", "List all Terms", _PAGING, where=ALL_ROWS),
    Operation(
        "listGradingCategories",
        "GET",
        "grades/gradingCategories",
        "list",
        "grading_categories",
        "List all Grading Categories",
        _PAGING,
        older_path="grades/categories",
        where=ALL_ROWS,
    ),
    Operation(
        "listOrgStudents",
        "GET",
        "rostering/orgs/{id}/students",
        "list",
        "persons",
        "List Students that are members of an Org",
        _PAGING,
        where=_STUDENTS,
        via=("member_of",),
    ),
    Operation(
        "listOrgTeachers",
        "GET",
        "rostering/orgs/{id}/teachers",
        "list",
        "persons",
        "List Teachers that are members of an Org",
        _PAGING,
        where=_TEACHERS,
        via=("member_of",),
    ),
    Operation(
        "listOrgCourses",
        "GET",
        "rostering/orgs/{id}/courses",
        "list",
        "courses",
        "List Courses that belong to an Org",
        _PAGING,
        where=ALL_ROWS,
        via=("offered_by",),
    ),
    Operation(
        "listOrgSections",
        "GET",
        "rostering/orgs/{id}/sections",
        "list",
        "sections",
        "List Sections that belong to an Org",
        _PAGING,
        where=ALL_ROWS,
        via=("held_at",),
    ),
    Operation(
        "listOrgTerms",
        "GET",
        "rostering/orgs/{id}/terms",
        "list",
        "terms",
        "List Terms that belong to an Org",
        _PAGING,
        where=ALL_ROWS,
        via=("held_at", "in_term"),
    ),
    Operation("findOrg", "GET", "rostering/orgs/{id}", "find", "orgs", "Find an Org by $sys.id"),
    Operation("findLea", "GET", "rostering/leas/{id}", "find", "orgs", "Find an LEA-type Org by $sys.id", where=_LEAS),
    Operation("findPerson", "GET", "rostering/persons/{id}", "find", "persons", "Find a Person by $sys.id"),
    Operation("findCourse", "GET", "rostering/courses/{id}", "find", "courses", "Find a Course by $sys.id"),
    Operation("findSection", "GET", "rostering/sections/{id}", "find", "sections", "Find a Section by $sys.id"),
    Operation("findTerm", "GET", "rostering/terms/{id}", "find", "terms", "Find a Term by $sys.id"),
    Operation("listTasks", "GET", "tasks", "list", "tasks", "List Tasks", ("tenant_id", "schema", "driver", *_PAGING)),
    Operation("ackTask", "PUT", "tasks/{id}/ack", "ack", "tasks", "Acknowledge Task"),
    Operation("ackTasks", "PUT", "tasks/ack", "ack_many", "tasks", "Acknowledge Tasks"),
    Operation(
        "listTasksAdmin", "GET", "tasks/admin", "list", "tasks", "List Tasks (Admin)", ("schema", "driver", *_PAGING)
    ),
    Operation("findTaskAdmin", "GET", "tasks/admin/{id}", "find", "tasks", "Find a Task"),
    Operation("ackTaskAdmin", "PUT", "tasks/admin/{id}/ack", "ack", "tasks", "Acknowledge Task (Admin)"),
    Operation("ackTasksAdmin", "PUT", "tasks/admin/ack", "ack_many", "tasks", "Acknowledge Tasks (Admin)"),
    Operation("deleteTaskAdmin", "DELETE", "tasks/admin/{id}", "delete", "tasks", "Delete Task (Admin)"),
)

TASK_TYPES: tuple[str, ...] = tuple(row.name for row in TASK_TYPE_ROWS)
"""The types that the reference knows; unknown ones are shown as they come."""

ACK_STATUSES: tuple[str, ...] = ("success", "error", "retry", "reauthenticate")
"""The statuses an acknowledgement may carry; ``error`` and ``retry`` must come with a message."""

LISTS: dict[tuple[str, bool], Operation] = {
    (operation.list_name, operation.needs_id): operation
    for operation in OPERATIONS
    if operation.kind == "list" and operation.table != "tasks"
}
"""(list name, below an org?) -> the operation, for the 15 roster and grades lists."""

FINDS: dict[str, Operation] = {
    operation.path.removesuffix("/{id}").removeprefix("rostering/"): operation
    for operation in OPERATIONS
    if operation.kind == "find"
}
"""What `Client.find` can find: ``"persons"``, ``"orgs"``, ..., ``"tasks/admin"``."""


def operation(name: str) -> Operation:
    """The operation of that name; KeyError if there is none."""
    return _BY_NAME[name]


_BY_NAME: dict[str, Operation] = {row.name: row for row in OPERATIONS}
