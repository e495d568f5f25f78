"""What relations and types are called on screen."""

from __future__ import annotations

from kimono_explore.display import plural
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
_TASK_WORDS = {row.name: row.words for row in TASK_TYPE_ROWS}


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
    plain = value.replace("_", " ")
    return _TASK_WORDS.get(value, plain.lower() if plain.isupper() else plain)
