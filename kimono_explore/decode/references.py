"""Types, roles and references, read in any of their shapes and translated into the words of schema.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from kimono_explore.decode.values import as_text, is_number
from kimono_explore.schema import LINK_COLUMNS

if TYPE_CHECKING:
    from kimono_explore.schema import JSON

TYPE_NAMES = {
    "org": "org",
    "lea": "org",
    "school": "org",
    "person": "person",
    "student": "person",
    "teacher": "person",
    "staff": "person",
    "course": "course",
    "section": "section",
    "coursesection": "section",
    "term": "term",
    "gradingcategory": "grading_category",
}


# The keys under which a membership holds the target, by the target's type.
HELD_UNDER: dict[str, tuple[str, ...]] = {
    "org": ("$org", "$school", "$lea"),
    "person": ("$person", "$student", "$teacher", "$staff"),
    "course": ("$course",),
    "section": ("$section",),
    "term": ("$term",),
}


MEMBERSHIP = tuple(column for column in LINK_COLUMNS if column.path)


ROLES = {"student": "student", "teacher": "teacher", "staff": "teacher"}
"""A person's type, in lower case -> the role it suggests."""


def plain_type(text: str) -> str:
    """A type for comparison: without case, ``RDM:`` and punctuation."""
    return re.sub(r"[^a-z]", "", text.lower().removeprefix("rdm:"))


def object_type(text: str | None) -> str | None:
    """The object type for a type as it was sent: "" if it is empty, None if it is unknown."""
    kind = plain_type(text or "")
    return TYPE_NAMES.get(kind) if kind else ""


class ReferenceTarget(NamedTuple):
    """The other end of a reference: its id, its type where the reference says it, and the membership's own fields."""

    id: str
    type: str | None
    membership: dict[str, JSON]
    number: bool = False
    """The id came as a number."""


def read_reference(item: JSON, far_type: str) -> tuple[ReferenceTarget | None, str | None]:
    """Read a reference in any of its shapes: flat, wrapped in ``$sys``, rolled up, or held by a membership.

    Parameters
    ----------
    item
        The reference as it was sent.
    far_type : str
        The type it should point to.

    Returns
    -------
    tuple
        What it points to (None if that cannot be found), and what is odd about it.
    """
    if isinstance(item, str) and item:
        return ReferenceTarget(item, None, {}), "a bare id in place of a reference; taken as the id"
    if not isinstance(item, dict):
        return None, "an empty reference" if item in (None, "") else "not a reference"
    for key in HELD_UNDER[far_type]:
        inner = item.get(key)
        if isinstance(inner, dict) and id_of(inner) is not None:
            # The object is a membership that holds its target: its own $sys.id is the membership's.
            far, oddity = read_reference(inner, far_type)
            return far and far._replace(membership={**far.membership, **_membership_of(item)}), oddity
    id = id_of(item)
    if id is None:
        return None, "a reference without an id"
    # Nothing else of the object is the membership's: a rolled-up term has a status and dates of its own.
    beside = item.get("$membership")
    own = _membership_of(beside) if isinstance(beside, dict) else {}
    kind = _type_of(item)
    oddity = None if kind in TYPE_NAMES or not kind else "a reference to an unknown type"
    return ReferenceTarget(as_text(id), TYPE_NAMES.get(kind), own, is_number(id)), oddity


def _membership_of(item: dict[str, JSON]) -> dict[str, JSON]:
    """A membership's own fields: its id and type may be in ``$sys``, at top level, or in a ``$membership``."""
    beside, inner = item.get("$membership"), item.get("$sys")
    return {
        **(_membership_of(beside) if isinstance(beside, dict) else {}),
        **item,
        **({k: v for k, v in inner.items() if k in ("id", "type", "label")} if isinstance(inner, dict) else {}),
    }


def id_of(item: dict[str, JSON]) -> JSON:
    """An object's id, in ``$sys`` or at top level; None where both are empty."""
    inner = item.get("$sys")
    value = inner.get("id") if isinstance(inner, dict) else None
    value = item.get("id") if value in (None, "") else value
    return None if value == "" else value


def _type_of(item: dict[str, JSON]) -> str:
    inner = item.get("$sys")
    value = (inner.get("type") if isinstance(inner, dict) else None) or item.get("type")
    return plain_type(value) if isinstance(value, str) else ""


def role_of(membership: dict[str, JSON]) -> str | None:
    """The role that a membership's type implies: ``student``, ``teacher`` or None."""
    kind = membership.get("type")
    text = kind.lower() if isinstance(kind, str) else ""
    if "student" in text:
        return "student"
    return "teacher" if "teacher" in text or "staff" in text else None


def role_relation(role: str | None) -> str:
    """The relation of a person to a section, by role: ``student_in``, else ``teacher_in``."""
    return "student_in" if (role or "student").lower() == "student" else "teacher_in"
