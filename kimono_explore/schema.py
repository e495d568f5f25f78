"""The tables of a roster, declared: their columns, the references between their objects, and the relations these state.

A table is a plain pandas DataFrame. Its declared columns are always there, in the order below; whatever
else a tenant sends (``$ext``, unknown keys) follows as further columns, sorted by name.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"

Kind = Literal["text", "date", "time", "flag", "category"]


Rule = Literal[
    "keep", "drop", "id", "name", "number", "email", "phone", "postal_code", "year", "month", "day", "place", "kind"
]
"""What `pseudonymize` makes of a column; see `kimono_explore.privacy`."""


class Column(NamedTuple):
    """A column: where it is in the JSON object, and of which kind its values are.

    ``integer`` marks text that the API sends as a whole number, such as a school year. A tenant may send it as text, too.
    ``privacy`` says what a pseudonymized copy has in its place; a declared column must name it, and is left empty where
    it does not.
    """

    name: str
    path: tuple[str, ...]
    kind: Kind = "text"
    integer: bool = False
    privacy: Rule | None = None


class Reference(NamedTuple):
    """A key of a JSON object that holds references, and the relation they state.

    ``forward`` is true where the object that holds the key is the link's source. ``relation`` is None for
    ``persons.$sections``: there the person's type or the membership's role decides.
    """

    table: str
    key: str
    relation: str | None
    far_type: str
    forward: bool
    many: bool
    role: str | None = None


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
        Column("org_type", ("$sys", "org_type"), privacy="keep"),
        Column("local_id", ("local_id",), privacy="number"),
        Column("name", ("name",), privacy="name"),
        label="name",
    ),
    "persons": _columns(
        Column("person_type", ("$sys", "person_type"), privacy="keep"),
        Column("local_id", ("local_id",), privacy="number"),
        Column("state_id", ("state_id",), privacy="number"),
        Column("name_last", ("name", "last"), privacy="name"),
        Column("name_first", ("name", "first"), privacy="name"),
        Column("name_middle", ("name", "middle"), privacy="name"),
        Column("address_line1", ("address", "line1"), privacy="name"),
        Column("address_line2", ("address", "line2"), privacy="name"),
        Column("address_line3", ("address", "line3"), privacy="name"),
        Column("address_city", ("address", "city"), privacy="name"),
        Column("address_state", ("address", "state"), privacy="keep"),
        Column("address_postal_code", ("address", "postal_code"), privacy="postal_code"),
        Column("address_country", ("address", "country"), privacy="keep"),
        Column("phone", ("phone",), privacy="phone"),
        Column("email", ("email",), privacy="email"),
        Column("sex", ("sex",), privacy="keep"),
        Column("dob", ("dob",), "date", privacy="year"),
        Column("aup", ("aup",), "flag", privacy="keep"),
        Column("grad_year", ("grad_year",), privacy="keep"),
        label="name",
    ),
    "courses": _columns(
        Column("local_id", ("local_id",), privacy="number"),
        Column("title", ("title",), privacy="keep"),
        Column("description", ("description",), privacy="drop"),
        label="name",
    ),
    "sections": _columns(
        Column("local_id", ("local_id",), privacy="number"),
        Column("title", ("title",), privacy="name"),
        Column("description", ("description",), privacy="drop"),
        label="name",
    ),
    "terms": _columns(
        Column("term_type", ("$sys", "term_type"), privacy="keep"),
        Column("name", ("name",), privacy="keep"),
        Column("description", ("description",), privacy="drop"),
        Column("start_date", ("start_date",), "date", privacy="keep"),
        Column("end_date", ("end_date",), "date", privacy="keep"),
        Column("status", ("status",), privacy="keep"),
        label="keep",
    ),
    "grading_categories": _columns(Column("name", ("name",), privacy="name"), label="name"),
}


OBJECT_TYPES: dict[str, str] = {
    "orgs": "org",
    "persons": "person",
    "courses": "course",
    "sections": "section",
    "terms": "term",
    "grading_categories": "grading_category",
}
"""The table's name -> the type of its objects, as links and graph nodes name it."""


RELATIONS: tuple[str, ...] = (
    "child_of",
    "offered_by",
    "of_course",
    "held_at",
    "in_term",
    "member_of",
    "student_in",
    "teacher_in",
    "graded_in",
    "graded_for",
)


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


def declared(name: str) -> tuple[Column, ...]:
    """The declared columns of one of the six tables, of ``links`` or of ``problems``; none of any other table."""
    if name == "links":
        return LINK_COLUMNS
    return PROBLEM_COLUMNS if name == "problems" else TABLES.get(name, ())
