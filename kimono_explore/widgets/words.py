"""What relations, types and columns are called on screen."""

from __future__ import annotations

import re

from kimono_explore.display import FIELD_WORDS, plural
from kimono_explore.schema import TASK_TYPE_ROWS

LINK_NAMES: dict[tuple[str, str], str] = {
    ("child_of", "to"): "parent",
    ("child_of", "from"): "children",
    ("offered_by", "to"): "offered by",
    ("offered_by", "from"): "courses",
    ("of_course", "to"): "course",
    ("of_course", "from"): "sections",
    ("held_at", "to"): "school",
    ("held_at", "from"): "sections",
    ("in_term", "to"): "terms",
    ("in_term", "from"): "sections",
    ("member_of", "to"): "schools",
    ("member_of", "from"): "people",
    ("student_in", "to"): "sections as student",
    ("student_in", "from"): "students",
    ("teacher_in", "to"): "sections as teacher",
    ("teacher_in", "from"): "teachers",
    ("graded_in", "to"): "section",
    ("graded_in", "from"): "grading categories",
    ("graded_for", "to"): "graded for",
    ("graded_for", "from"): "grading categories",
}
"""What is at the other end of a relation, by the direction in which it is followed, as `Roster.describe` has it."""
_TASK_WORDS = {row.name: row.words for row in TASK_TYPE_ROWS} | {
    "STUDENT_COURSE_SECTION_ENROLLMENT": "student in a section",
    "STAFF_COURSE_SECTION_ENROLLMENT": "teacher of a section",
    "COURSE_SECTION": "section",
    "LEA": "district",
}
_COLUMN_WORDS = FIELD_WORDS | {
    "label": "name",
    "kind": "type",
    "org": "school",
    "created_at": "created",
    "updated_at": "last changed",
    "start_date": "begins",
    "end_date": "ends",
    "object_type": "kind of object",
    "tenant_id": "tenant",
    "is": "new",
    "sentence": "cause",
    "who": "who is affected",
    "consequence": "what they will see",
    "next_step": "next step",
}
_FIELD = re.compile("[a-z][a-z0-9_]*")


def kind_words(kind: str, count: int = 1) -> str:
    """``"19 students"``; of one only the kind: ``"student"``."""
    words = kind.replace("_", " ")
    return words if count == 1 else plural(count, words)


def value_words(value: str) -> str:
    """A value of a task as a person reads it: ``"data event"``, ``"sync start"``.

    Examples
    --------
    >>> value_words("SYNC_START"), value_words("data_event")
    ('sync start', 'data event')
    """
    known = value.removeprefix("RDM:")
    plain = known.replace("_", " ")
    return _TASK_WORDS.get(known, plain.lower() if plain.isupper() else plain)


def column_words(name: str) -> str:
    """A column as a person reads it; an unknown field stays as it is.

    Examples
    --------
    >>> column_words("name_first"), column_words("school_year"), column_words("Home Room")
    ('first name', 'school year', 'Home Room')
    """
    return _COLUMN_WORDS.get(name, name.replace("_", " ")) if _FIELD.fullmatch(name) else name


def capital(words: str) -> str:
    """Words as they begin a line: ``"First name"``."""
    return words[:1].upper() + words[1:]


def detail_words(detail: str) -> str:
    """What is said of a finding, its columns in words.

    Examples
    --------
    >>> detail_words("missing_type: section; role: student")
    'missing type: section; role: student'
    """
    parts = (part.partition(": ") for part in detail.split("; "))
    return "; ".join(f"{column_words(name)}{colon}{value}" if colon else name for name, colon, value in parts)
