"""The files of a OneRoster 1.1 CSV bundle, and which of their columns the tables of a roster hold.

Source: IMS OneRoster 1.1 CSV tables, https://www.imsglobal.org/oneroster-v11-final-csv-tables.
"""

from __future__ import annotations

from typing import NamedTuple


class File(NamedTuple):
    """A file of the bundle: the table it fills, and its columns as (OneRoster's name, ours).

    A third kind of column, ``relation>type``, holds one id, or several with commas between them, of objects it is
    linked with.
    """

    name: str
    table: str
    columns: tuple[tuple[str, str], ...]
    required: bool = True


COMMON = (("sourcedId", "id"), ("status", "ext_status"), ("dateLastModified", "updated_at"))
FILES: tuple[File, ...] = (
    File(
        "orgs",
        "orgs",
        (
            *COMMON,
            ("name", "name"),
            ("type", "org_type"),
            ("identifier", "local_id"),
            ("parentSourcedId", "child_of>org"),
        ),
    ),
    File(
        "academicSessions",
        "terms",
        (
            ("sourcedId", "id"),
            ("status", "status"),
            ("dateLastModified", "updated_at"),
            ("title", "name"),
            ("type", "term_type"),
            ("startDate", "start_date"),
            ("endDate", "end_date"),
            ("parentSourcedId", "child_of>term"),
            ("schoolYear", "school_year"),
        ),
    ),
    File(
        "courses",
        "courses",
        (*COMMON, ("title", "title"), ("courseCode", "local_id"), ("orgSourcedId", "offered_by>org")),
    ),
    File(
        "classes",
        "sections",
        (
            *COMMON,
            ("title", "title"),
            ("courseSourcedId", "of_course>course"),
            ("classCode", "local_id"),
            ("schoolSourcedId", "held_at>org"),
            ("termSourcedIds", "in_term>term"),
        ),
    ),
    File(
        "users",
        "persons",
        (
            *COMMON,
            ("orgSourcedIds", "member_of>org"),
            ("role", "ext_role"),
            ("givenName", "name_first"),
            ("familyName", "name_last"),
            ("middleName", "name_middle"),
            ("identifier", "local_id"),
            ("email", "email"),
            ("phone", "phone"),
        ),
    ),
    File("categories", "grading_categories", (*COMMON, ("title", "name")), required=False),
)
DEMOGRAPHICS = (("sourcedId", "id"), ("birthDate", "dob"), ("sex", "sex"))
ENROLLMENTS = (
    ("sourcedId", "membership_id"),
    ("status", "status"),
    ("classSourcedId", "target_id"),
    ("userSourcedId", "source_id"),
    ("role", "role"),
    ("primary", "primary"),
    ("beginDate", "start_date"),
    ("endDate", "end_date"),
)
# Columns that OneRoster knows and the tables do not: written back under their own names.
KNOWN_EXTRAS: dict[str, tuple[str, ...]] = {
    "orgs": (),
    "terms": (),
    "courses": ("schoolYearSourcedId", "grades", "subjects", "subjectCodes"),
    "sections": ("grades", "classType", "location", "subjects", "subjectCodes", "periods"),
    "persons": ("enabledUser", "username", "userIds", "sms", "agentSourcedIds", "grades"),
    "grading_categories": (),
}
PEOPLE = {"student": "student", "teacher": "teacher"} | dict.fromkeys(
    ("administrator", "aide", "proctor", "siteadmin", "sysadmin", "systemadministrator", "districtadministrator"),
    "staff",
)
FAMILY = ("parent", "guardian", "relative")
ORG_TYPES = {"district": "lea"}

# Files that are read, by their names in small letters.
READ: dict[str, str] = {
    name.lower(): name for name in (*(f.name for f in FILES), "enrollments", "demographics", "manifest", "roles")
}
# Columns without which a table lacks what every product asks for; the others may be left out.
NEEDED: dict[str, tuple[str, ...]] = {
    "orgs": ("sourcedId", "name", "type"),
    "academicSessions": ("sourcedId", "title", "type", "startDate", "endDate"),
    "courses": ("sourcedId", "title"),
    "classes": ("sourcedId", "title", "courseSourcedId", "schoolSourcedId", "termSourcedIds"),
    "users": ("sourcedId", "givenName", "familyName"),
    "categories": ("sourcedId", "title"),
    "enrollments": ("sourcedId", "classSourcedId", "userSourcedId", "role"),
    "demographics": ("sourcedId",),
    "roles": ("sourcedId", "userSourcedId", "roleType", "role", "orgSourcedId"),
}
# OneRoster 1.2: the roles of persons are in a file of their own.
ROLES: tuple[tuple[str, str], ...] = (
    ("sourcedId", "membership_id"),
    ("status", "status"),
    ("userSourcedId", "source_id"),
    ("roleType", "primary"),
    ("role", "role"),
    ("beginDate", "start_date"),
    ("endDate", "end_date"),
    ("orgSourcedId", "target_id"),
)
STAFF_1_2 = ("aide", "counselor", "principal", "proctor", "siteadministrator", "systemadministrator")
