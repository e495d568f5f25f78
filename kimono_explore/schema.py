"""The tables of a roster, declared: their columns, the references between their objects, and the relations these state.

A table is a plain pandas DataFrame. Its declared columns are always there, in the order below; whatever
else a tenant sends (``$ext``, unknown keys) follows as further columns, sorted by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"

Kind = Literal["text", "date", "time", "flag", "category"]


Rule = Literal[
    "keep", "drop", "id", "name", "number", "email", "phone", "postal_code", "year", "month", "day", "place", "kind"
]
"""What `pseudonymize` makes of a column; see `kimono_explore.privacy`."""


class Column(NamedTuple):
    """A column: where it is in the JSON object, and what kind its values are.

    ``integer`` marks text that the API sends as a whole number, such as a school year. A tenant may send it as text, too.
    ``privacy`` says what a pseudonymized copy has in its place; every declared column must set it, or it is left empty
    there. ``searched``: a search looks at it. ``label`` is its place among the columns that make up the object's label if
    none was sent. ``detail`` is its place among those of which a search shows the first that is filled. Both are 0 for
    other columns.
    """

    name: str
    path: tuple[str, ...]
    kind: Kind = "text"
    integer: bool = False
    privacy: Rule | None = None
    searched: bool = False
    label: int = 0
    detail: int = 0


class Relation(NamedTuple):
    """A relation: which types it may join, and what it means when one end was not delivered.

    ``ends`` are the pairs of types that it may have as source and target. ``number``, ``orphan`` and ``harm`` are the number,
    the title and the reason of the check of its ends. ``color`` names the type whose color a picture gives it, ``line`` its line style.
    A ``membership`` says who belongs where, and may carry a role, dates and a status.
    """

    name: str
    ends: tuple[tuple[str, str], ...]
    number: str = ""
    orphan: str = ""
    harm: str = ""
    color: str | None = None
    line: Literal["-", "--", ":"] = "-"
    membership: bool = False


class Reference(NamedTuple):
    """A key of a JSON object that holds references, and the relation they state.

    ``forward`` is true if the object that holds the key is the source of the link. ``relation`` is None for
    ``persons.$sections``: there the person's type or the membership's role decides.
    """

    table: str
    key: str
    relation: str | None
    far_type: str
    forward: bool
    many: bool
    role: str | None = None

    def states(self, relation: str) -> bool:
        """Whether the key can state a relation."""
        return relation in IN_SECTION if self.relation is None else relation == self.relation


def _columns(*own: Column, label: Rule) -> tuple[Column, ...]:
    first = (Column("id", ("$sys", "id"), privacy="id"), Column("label", ("$sys", "label"), privacy=label))
    last = (
        Column("school_year", ("$sys", "school_year"), integer=True, privacy="keep"),
        Column("created_at", ("$sys", "created_at"), "time", privacy="month"),
        Column("updated_at", ("$sys", "updated_at"), "time", privacy="month"),
    )
    return (*first, *own, *last)


TABLES: dict[str, tuple[Column, ...]] = {
    "orgs": _columns(
        Column("org_type", ("$sys", "org_type"), privacy="keep", detail=2),
        Column("local_id", ("local_id",), privacy="number", searched=True),
        Column("name", ("name",), privacy="name", searched=True, label=1),
        label="name",
    ),
    "persons": _columns(
        Column("person_type", ("$sys", "person_type"), privacy="keep", detail=2),
        Column("local_id", ("local_id",), privacy="number", searched=True),
        Column("state_id", ("state_id",), privacy="number", searched=True),
        Column("name_last", ("name", "last"), privacy="name", searched=True, label=2),
        Column("name_first", ("name", "first"), privacy="name", searched=True, label=1),
        Column("name_middle", ("name", "middle"), privacy="name", searched=True),
        Column("address_line1", ("address", "line1"), privacy="name"),
        Column("address_line2", ("address", "line2"), privacy="name"),
        Column("address_line3", ("address", "line3"), privacy="name"),
        Column("address_city", ("address", "city"), privacy="name"),
        Column("address_state", ("address", "state"), privacy="keep"),
        Column("address_postal_code", ("address", "postal_code"), privacy="postal_code"),
        Column("address_country", ("address", "country"), privacy="keep"),
        Column("phone", ("phone",), privacy="phone"),
        Column("email", ("email",), privacy="email", searched=True, detail=1),
        Column("sex", ("sex",), privacy="keep"),
        Column("dob", ("dob",), "date", privacy="year"),
        Column("aup", ("aup",), "flag", privacy="keep"),
        Column("grad_year", ("grad_year",), privacy="keep"),
        label="name",
    ),
    "courses": _columns(
        Column("local_id", ("local_id",), privacy="number", searched=True),
        Column("title", ("title",), privacy="keep", searched=True, label=1),
        Column("description", ("description",), privacy="drop"),
        label="name",
    ),
    "sections": _columns(
        Column("local_id", ("local_id",), privacy="number", searched=True),
        Column("title", ("title",), privacy="name", searched=True, label=1),
        Column("description", ("description",), privacy="drop"),
        label="name",
    ),
    "terms": _columns(
        Column("term_type", ("$sys", "term_type"), privacy="keep", detail=2),
        Column("name", ("name",), privacy="keep", searched=True, label=1),
        Column("description", ("description",), privacy="drop"),
        Column("start_date", ("start_date",), "date", privacy="keep"),
        Column("end_date", ("end_date",), "date", privacy="keep"),
        Column("status", ("status",), privacy="keep"),
        label="keep",
    ),
    "grading_categories": _columns(Column("name", ("name",), privacy="name", searched=True, label=1), label="name"),
}


GRADE_COLUMNS = (
    "grade",
    "ext_grade",
    "ext_grades",
    "ext_grade_level",
    "ext_grade_levels",
    "ext_gradeLevel",
    "ext_gradeLevels",
)
"""Where tenants put the grade of a person, or the grades of an org or a section; the first that is filled counts."""

OBJECT_TYPES: dict[str, str] = {
    "orgs": "org",
    "persons": "person",
    "courses": "course",
    "sections": "section",
    "terms": "term",
    "grading_categories": "grading_category",
}
"""The table's name -> the type of its objects, as links and graph nodes name it."""


TABLE_OF: dict[str, str] = {type: table for table, type in OBJECT_TYPES.items()}
"""The type of an object -> the name of its table."""


RELATION_ROWS: tuple[Relation, ...] = (
    Relation(
        "child_of",
        (("org", "org"), ("term", "term")),
        "KX-REF-001",
        "An org or term whose parent was not delivered",
        "The tree of orgs or terms has a hole.",
        "org",
        "--",
    ),
    Relation(
        "offered_by",
        (("course", "org"),),
        "KX-REF-002",
        "A course of an org that was not delivered",
        "Nobody can say which school offers the course.",
        "course",
        "--",
    ),
    Relation(
        "of_course",
        (("section", "course"),),
        "KX-REF-003",
        "A section of a course that was not delivered",
        "The section has no subject, title or credit.",
        "course",
    ),
    Relation(
        "held_at",
        (("section", "org"),),
        "KX-REF-004",
        "A section at an org that was not delivered",
        "No school's staff can see the section.",
        "org",
    ),
    Relation(
        "in_term",
        (("section", "term"),),
        "KX-REF-005",
        "A section in a term that was not delivered",
        "Nobody knows when the section takes place.",
        "term",
    ),
    Relation(
        "member_of",
        (("person", "org"),),
        "KX-REF-006",
        "A person at an org that was not delivered",
        "The person has no school, or too few.",
        line=":",
        membership=True,
    ),
    Relation(
        "student_in",
        (("person", "section"),),
        "KX-REF-007",
        "An enrollment with one end not delivered",
        "A student does not see a class, or nobody does.",
        "student",
        membership=True,
    ),
    Relation(
        "teacher_in",
        (("person", "section"),),
        "KX-REF-008",
        "A teaching post with one end not delivered",
        "A teacher does not see a class.",
        "teacher",
        membership=True,
    ),
    Relation(
        "graded_in",
        (("grading_category", "section"),),
        "KX-REF-009",
        "A grading category of a section that was not delivered",
        "Grades cannot be sent back.",
        "grading_category",
    ),
    Relation(
        "graded_for",
        (("grading_category", "term"), ("grading_category", "org")),
        "KX-REF-010",
        "A grading category for a term or org that was not delivered",
        "Grades go to the wrong period.",
        "grading_category",
        "--",
    ),
)
RELATIONS: tuple[str, ...] = tuple(row.name for row in RELATION_ROWS)
ENDS: dict[str, tuple[tuple[str, str], ...]] = {row.name: row.ends for row in RELATION_ROWS}
"""Which types of objects a relation may have as its source and its target."""
MEMBERSHIPS: tuple[str, ...] = tuple(row.name for row in RELATION_ROWS if row.membership)
IN_SECTION = ("student_in", "teacher_in")
"""The relations of a person to a section."""


REFERENCES: tuple[Reference, ...] = (
    Reference("orgs", "$parent", "child_of", "org", forward=True, many=False),
    Reference("orgs", "$children", "child_of", "org", forward=False, many=True),
    Reference("orgs", "$students", "member_of", "person", forward=False, many=True, role="student"),
    Reference("orgs", "$teachers", "member_of", "person", forward=False, many=True, role="teacher"),
    Reference("persons", "$schools", "member_of", "org", forward=True, many=True),
    Reference("persons", "$sections", None, "section", forward=True, many=True),
    Reference("courses", "$orgs", "offered_by", "org", forward=True, many=True),
    Reference("courses", "$sections", "of_course", "section", forward=False, many=True),
    Reference("sections", "$terms", "in_term", "term", forward=True, many=True),
    Reference("sections", "$course", "of_course", "course", forward=True, many=False),
    Reference("sections", "$org", "held_at", "org", forward=True, many=False),
    Reference("sections", "$teachers", "teacher_in", "person", forward=False, many=True, role="teacher"),
    Reference("sections", "$students", "student_in", "person", forward=False, many=True, role="student"),
    Reference("terms", "$parent", "child_of", "term", forward=True, many=False),
    Reference("terms", "$children", "child_of", "term", forward=False, many=True),
    Reference("grading_categories", "$term", "graded_for", "term", forward=True, many=False),
    Reference("grading_categories", "$section", "graded_in", "section", forward=True, many=False),
    Reference("grading_categories", "$schools", "graded_for", "org", forward=True, many=True),
)


LINK_COLUMNS: tuple[Column, ...] = (
    Column("source_type", (), "category", privacy="keep"),
    Column("source_id", (), privacy="id"),
    Column("relation", (), "category", privacy="keep"),
    Column("target_type", (), "category", privacy="keep"),
    Column("target_id", (), privacy="id"),
    Column("role", ("role",), "category", privacy="keep"),
    Column("membership_id", ("id",), privacy="id"),
    Column("status", ("status",), "category", privacy="keep"),
    Column("primary", ("primary",), "flag", privacy="keep"),
    Column("grade", ("grade",), "category", privacy="keep"),
    Column("start_date", ("start_date",), "date", privacy="day"),
    Column("end_date", ("end_date",), "date", privacy="day"),
    Column("stated_by", (), "category", privacy="keep"),
)


PROBLEM_COLUMNS: tuple[Column, ...] = (
    Column("table", (), privacy="place"),
    Column("id", (), privacy="id"),
    Column("column", (), privacy="place"),
    Column("value", (), privacy="drop"),
    Column("problem", (), privacy="kind"),
)


class Problem(NamedTuple):
    """One row of ``problems``: what did not fit, where, with the value as it was sent."""

    table: str
    id: str | None
    column: str | None
    value: str | None
    problem: str


class TaskType(NamedTuple):
    """A type of task: its name on the wire, its color in pictures, and what it is, in words."""

    name: str
    color: str = ""
    words: str = ""


TASK_TYPE_ROWS: tuple[TaskType, ...] = (
    TaskType("data_event", "#0072B2", "data event"),
    TaskType("sync_event", "#E69F00", "sync event"),
    TaskType("lifecycle_event", "#009E73", "lifecycle event of a tenant"),
    TaskType("authenticate", "#CC79A7", "authenticate"),
    TaskType("grades_export", "#56B4E9", "grades export"),
    TaskType("grades_query", "#4B0082", "grades query"),
    TaskType("request", "#D55E00", "request"),
)
"""The types that the reference knows; the colors are of the palette of `kimono_explore.palette`."""


def declared(name: str) -> tuple[Column, ...]:
    """The declared columns of one of the six tables, of ``links`` or of ``problems``; empty for any other name."""
    if name == "links":
        return LINK_COLUMNS
    return PROBLEM_COLUMNS if name == "problems" else TABLES.get(name, ())


def keys_of(relation: str, role: str | None = None) -> tuple[str, ...]:
    """The reference keys that state a relation, for one role if it is given: ``"persons.$sections"``."""
    return tuple(
        f"{r.table}.{r.key}" for r in REFERENCES if r.states(relation) and (role is None or r.role in (None, role))
    )


def label_columns(table: str) -> tuple[str, ...]:
    """The columns that make up an object's label, joined by spaces, if none was sent."""
    return tuple(column.name for column in sorted(TABLES[table], key=lambda column: column.label) if column.label)


def columns_named(of: Callable[[Column], object]) -> tuple[str, ...]:
    """The names of the columns, of any table, that match, without repeats."""
    return tuple(dict.fromkeys(column.name for columns in TABLES.values() for column in columns if of(column)))
