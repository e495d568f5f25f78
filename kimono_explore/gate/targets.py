"""The downstream systems and their published rules: what each says, in a sentence of ours, and where it says so.

A rule without a public source is not here. What follows for a class under a new id is our conclusion from the target's
rules, not a claim of theirs. Pages were read as stored copies, whose age varies; where that was a translation or a mirror,
the address is that of the original.
"""

from __future__ import annotations

from typing import NamedTuple

from kimono_explore.gate.refusals import (
    Refusal,
    Rule,
    after_the_first,
    line_break,
    longer_than,
    missing,
    not_alphanumeric,
    repeated,
    unlinked,
)
from kimono_explore.quality.downstream import SDS_FILES, SDS_TEXTS

READ = "2026-11-28"
"""The day on which all sources were read; update it when they are read again."""


class Target(NamedTuple):
    """A downstream system: its name, what becomes of a class whose id is gone, the verb for that, and what it means."""

    name: str
    what: str
    does: str
    means: str


TARGETS: dict[str, Target] = {
    "clever": Target(
        "Clever", "closed", "closes",
        "The old section is no longer in Clever, and its applications are told to deactivate it; the new one is a different section.",
    ),
    "google": Target(
        "Google Classroom", "left open", "leaves behind",
        "The old class stays as it is, no longer tied to the roster, and a new class is created beside it.",
    ),
    "sds": Target(
        "School Data Sync", "closed", "closes",
        "The old class is treated as inactive; the new one counts as a different class.",
    ),
    "canvas": Target(
        "Canvas", "closed", "closes",
        "A full batch update or a diff deletes the old section and its enrollments, unless its id is changed first.",
    ),
    "apple": Target(
        "Apple School Manager", "closed", "closes",
        "The students are removed from the old class, which stays as a manual class and loses its progress in Schoolwork.",
    ),
}  # fmt: skip

_CLEVER_QUIRKS = "https://dev.clever.com/v2.1/docs/data-model-quirks-and-supported-features-district-integrations"
_CLEVER_IDS = "https://support.clever.com/hc/en-us/articles/115003073603-Sync-Report-error-Records-not-processed-due-to-duplicate-IDs"
_CLEVER_STATUS = "https://support.clever.com/hc/en-us/articles/202048663-For-District-Admins-Sync-Status"
_GOOGLE_IMPORT = "https://support.google.com/edu/classroom/answer/10495270?hl=en"
_GOOGLE_API = "https://developers.google.com/workspace/classroom/reference/rest/v1"
_SDS_RULES = "https://learn.microsoft.com/en-us/schooldatasync/validation-rules-and-descriptions"
_SDS_HEALTH = "https://learn.microsoft.com/en-us/training/modules/school-data-sync-it-admins/5-data-health-validation-school-data-sync"
_CANVAS = "https://developerdocs.instructure.com/services/canvas/sis/file.sis_csv"
_APPLE_CLASSES = "https://support.apple.com/en-ge/guide/apple-school-manager-m/axm0e48f1bbe/web"
_APPLE_LOCATIONS = "https://support.apple.com/en-ie/guide/apple-school-manager/axm230e24905/web"
_APPLE_STAFF = "https://support.apple.com/en-ie/guide/apple-school-manager/axm79e293c37/web"
_APPLE_STUDENTS = "https://support.apple.com/en-mz/guide/apple-school-manager/axm1bd5a3b1e/web"
_APPLE_TEMPLATES = "https://support.apple.com/en-me/guide/apple-school-manager-m/axm46d50f6bf/1/web/1"

RULES: tuple[Rule, ...] = (
    Rule(
        "clever-missing-record", "clever",
        "An application should deactivate records whose Clever id is gone, and create records that it cannot match.",
        "https://dev.clever.com/docs/data-changes",
    ),
    Rule(
        "clever-hold", "clever",
        "A sync with many changes is put on hold until the district approves it.",
        _CLEVER_STATUS,
    ),
    Rule(
        "clever-unique-id", "clever",
        "Ids of schools, people and sections are unique; of records that share one, only the first is processed.",
        _CLEVER_IDS,
        tuple(Refusal(table, "id", after_the_first) for table in ("orgs", "persons", "sections")),
    ),
    Rule(
        "clever-empty-section", "clever",
        "A section has at least one student.",
        _CLEVER_QUIRKS,
        (Refusal("sections", "student_in", unlinked),),
    ),
    Rule(
        "google-left-alone", "google",
        "Roster import creates classes and sets who belongs to them; it neither changes nor deletes existing classes.",
        _GOOGLE_IMPORT,
    ),
    Rule(
        "google-email", "google",
        "Roster import recognizes students and teachers by their Google e-mail addresses.",
        _GOOGLE_IMPORT,
        (Refusal("persons", "email", missing, "student"), Refusal("persons", "email", missing, "teacher")),
    ),
    Rule(
        "google-alias", "google",
        "The id in the source should be an alias of the class; a second class with the same alias is not created.",
        "https://developers.google.com/classroom/guides/manage-aliases",
        (Refusal("sections", "id", after_the_first),),
    ),
    Rule(
        "google-alias-length", "google",
        "An alias has at most 256 characters, including two for its scope.",
        f"{_GOOGLE_API}/courses.aliases",
        (Refusal("sections", "id", longer_than(254)),),
    ),
    Rule(
        "google-name", "google",
        "A class has a name of 1 to 750 characters.",
        f"{_GOOGLE_API}/courses",
        (Refusal("sections", "label", missing), Refusal("sections", "label", longer_than(750))),
    ),
    Rule(
        "sds-inactive", "sds",
        "The records of a file that a later upload leaves out are treated as inactive.",
        SDS_FILES,
    ),
    Rule(
        "sds-excluded", "sds",
        "A record whose required data is missing or invalid is left out entirely.",
        _SDS_HEALTH,
    ),
    Rule(
        "sds-unique-id", "sds",
        "A unique id is unique among all records, and is case-sensitive.",
        _SDS_RULES,
        tuple(Refusal(table, "id", repeated) for table in ("orgs", "persons", "courses", "sections")),
    ),
    Rule(
        "sds-org", "sds",
        "An org has an id, a name and a type.",
        SDS_FILES,
        (Refusal("orgs", "id", missing), Refusal("orgs", "label", missing), Refusal("orgs", "org_type", missing)),
    ),
    Rule(
        "sds-line-break", "sds",
        "No value has a line break.",
        SDS_FILES,
        tuple(Refusal(table, column, line_break) for table, columns in SDS_TEXTS.items() for column in columns),
    ),
    Rule(
        "canvas-batch", "canvas",
        "A full batch update deletes the courses, sections and enrollments of a term that earlier imports had and this one does not.",
        _CANVAS,
    ),
    Rule("canvas-diffing", "canvas", "With diffing, rows that the last import had and this one does not are deleted.", _CANVAS),
    Rule(
        "canvas-threshold", "canvas",
        "With a change threshold, an import that would delete a larger share stops before it does.",
        _CANVAS,
    ),
    Rule("canvas-change-id", "canvas", "The file change_sis_id.csv gives a section a new id, and it stays the same section.", _CANVAS),
    Rule(
        "canvas-unique-id", "canvas",
        "The ids of people, courses, sections and terms are unique and never change.",
        _CANVAS,
        tuple(Refusal(table, "id", repeated) for table in ("persons", "courses", "sections", "terms")),
    ),
    Rule(
        "canvas-section", "canvas",
        "A section has an id, a course and a name.",
        _CANVAS,
        (
            Refusal("sections", "id", missing), Refusal("sections", "of_course", unlinked),
            Refusal("sections", "label", missing),
        ),
    ),
    Rule(
        "canvas-course", "canvas",
        "A course has an id and a name.",
        _CANVAS,
        (Refusal("courses", "id", missing), Refusal("courses", "label", missing)),
    ),
    Rule(
        "apple-class-removed", "apple",
        "A class that is missing from an upload loses its students and becomes a manual class, and its progress in Schoolwork is deleted.",
        _APPLE_CLASSES,
    ),
    Rule(
        "apple-class", "apple",
        "A class has an id, a course and a location.",
        _APPLE_CLASSES,
        (
            Refusal("sections", "id", missing), Refusal("sections", "of_course", unlinked),
            Refusal("sections", "held_at", unlinked),
        ),
    ),
    Rule(
        "apple-student", "apple",
        "A student has an id, a location, a first name and a last name.",
        _APPLE_STUDENTS,
        (
            Refusal("persons", "id", missing, "student"), Refusal("persons", "member_of", unlinked, "student"),
            Refusal("persons", "name_first", missing, "student"), Refusal("persons", "name_last", missing, "student"),
        ),
    ),
    Rule(
        "apple-staff", "apple",
        "A teacher has an id, a location, a first name and a last name.",
        _APPLE_STAFF,
        (
            Refusal("persons", "id", missing, "teacher"), Refusal("persons", "member_of", unlinked, "teacher"),
            Refusal("persons", "name_first", missing, "teacher"), Refusal("persons", "name_last", missing, "teacher"),
        ),
    ),
    Rule(
        "apple-location", "apple",
        "A location has a name.",
        _APPLE_LOCATIONS,
        (Refusal("orgs", "label", missing, "school"),),
    ),
    Rule(
        "apple-person-id", "apple",
        "The id of a person is unique across all locations.",
        _APPLE_TEMPLATES,
        (Refusal("persons", "id", repeated),),
    ),
    Rule(
        "apple-id-characters", "apple",
        "An id has only letters, digits and hyphens.",
        _APPLE_TEMPLATES,
        tuple(Refusal(table, "id", not_alphanumeric) for table in ("orgs", "persons", "courses", "sections")),
    ),
)  # fmt: skip
"""By target: first the rules about a class that is gone, then those about what is refused."""


def rules_of(target: str) -> tuple[Rule, ...]:
    """The rules of one target."""
    return tuple(rule for rule in RULES if rule.target == target)
