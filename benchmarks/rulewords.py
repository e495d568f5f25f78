"""The values and patterns of the rules, which are the same in every tool."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from benchmarks.rosterviews import INACTIVE, MEMBERSHIPS, TABLE_OF  # noqa: F401
from kimono_explore.quality.regions import STATES as _STATES

if TYPE_CHECKING:
    from collections.abc import Iterable

INACTIVE = list(INACTIVE)
RELATIONS = (
    *("child_of", "offered_by", "of_course", "held_at", "in_term"),
    *("member_of", "student_in", "teacher_in", "graded_in", "graded_for"),
)
SHAPES = [
    *("child_of org org", "child_of term term", "offered_by course org", "of_course section course"),
    *("held_at section org", "in_term section term", "member_of person org", "student_in person section"),
    *("teacher_in person section", "graded_in grading_category section"),
    *("graded_for grading_category term", "graded_for grading_category org"),
]
WITH_LOCAL_ID = ("orgs", "persons", "courses", "sections")
IDENTIFIERS = ("email", "state_id", "local_id")
STUDENTS_HAVE = {
    "state_id": "student_missing_state_id",
    "dob": "student_without_dob",
    "email": "student_without_email",
    "sex": "student_without_sex",
    "address_line1": "student_without_address",
    "phone": "student_without_phone",
    "grade": "missing_grade",
}
TEXTS = {
    "orgs": ["label", "local_id", "name"],
    "persons": [
        *("label", "local_id", "state_id", "name_first", "name_middle", "name_last", "address_line1", "address_line2"),
        *("address_city", "address_state", "address_postal_code", "phone", "email", "sex"),
    ],
    "courses": ["label", "local_id", "title"],
    "sections": ["label", "local_id", "title", "ext_period", "ext_room"],
    "terms": ["label", "name"],
    "grading_categories": ["label", "name"],
}
STATUSES = ["active", "historical", "inactive", "tobedeleted", "future"]
SEXES = [
    *"FMXUOfmxuo",
    "female",
    "male",
    "other",
    "unspecified",
    "not selected",
    "nonbinary",
    "Female",
    "Male",
    "Other",
]
STATES = sorted({*_STATES, *(state.upper() for state in _STATES), *(state.title() for state in _STATES)})
GRADES = [
    *("IT", "PR", "PK", "TK", "KG", "PS", "AE", "UG", "OTHER"),
    *(f"{n:02}" for n in range(1, 14)),
    *map(str, range(1, 14)),
]
TODAY = datetime(2026, 10, 5)  # noqa: DTZ001
FAR_AHEAD = datetime(2027, 10, 6)  # noqa: DTZ001
SCHOOL_YEAR = 2027
NO_SPACE = r"^\S+$"
APPLE = r"^[A-Za-z0-9\s-]+$"  # spaces are another rule's
EMAIL = r"^[\w.+'-]+@[\w-]+(?:\.[\w-]+)+$"
PHONE = r"^[0-9()+./ -]{7,}$"
ZIP = r"^\d{5}(?:-?\d{4})?$"
_UNSEEN = "\x00-\x1f\x7f-\u009f\u00ad\u200b\u2060\ufeff"
TRIMMED = rf"^(?:[^\s{_UNSEEN}](?:[^{_UNSEEN}]*[^\s{_UNSEEN}])?)?$"
BROKEN = "\ufffd|[ÂÃÄÅ][\u0080-\u00bf]|â€"
DAMAGED = (
    r"^(?:\d+(?:\.\d+)?E\+\d{2,3}|\d{1,2}-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    r"|#(?:REF!|N/A|NAME\?|VALUE!|DIV/0!))$"
)
PLACEHOLDER = r"^(?:[Tt]est|[Uu]nknown|[Nn]/[Aa]|TBD|TBA|[Dd]ummy|[xX]+)$"
SHOUTING = r"^[A-Z][A-Z'’ -]*[A-Z][A-Z'’ -]*[A-Z]$"
SHORT = r"^.{0,60}$"


def own_domain(emails: Iterable[str | None]) -> str:
    """A pattern of addresses of the domain that most have, and of what is no address."""
    domains = Counter(email.split("@")[1] for email in emails if isinstance(email, str) and email.count("@") == 1)
    usual = domains.most_common(1)[0][0].replace(".", r"\.") if domains else ".*"
    return f"^[^@]*$|@{usual}$"
