"""Whose a cause is, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kimono_explore.quality.definition import Check

SYSTEM, INTEGRATION, READING = "student information system", "integration", "our reading"

MISSING = "Send what is missing, or take out what refers to it."
PATTERN = "Look at the settings of the export first: one of them is the likely cause."

_OWNERS = {"References": INTEGRATION, "Agreement": INTEGRATION, "Task queue": INTEGRATION}
_OWN_OWNERS = {
    "missing_id": INTEGRATION,
    "broken_encoding": INTEGRATION,
    "school_without_students": INTEGRATION,
    "school_without_teachers": INTEGRATION,
    "bad_value": READING,
    "load_problem": READING,
    "student_and_teacher_of_section": SYSTEM,
    "membership_ends_before_start": SYSTEM,
    "enrollment_without_start": SYSTEM,
}

_STEPS = {
    "Identity": "Give each object one identifier of its own.",
    "References": "Correct the reference, or send the object that it names.",
    "Memberships": "Correct the dates, the role or the status of these memberships.",
    "Agreement": "Make both sides say the same.",
    "Structure": "Correct the org or term and what it stands below.",
    "Completeness": "Enter what is missing.",
    "Values": "Correct the value where it is entered.",
    "Dates": "Correct the dates of the term.",
    "Load": "Look at these rows: if they are right, change the bound of the check.",
    "Task queue": "Fetch and acknowledge the waiting tasks, then check again.",
}
_OWN_STEPS = {
    "duplicate_id": "Make the export give each object an id of its own, then send the roster again.",
    "missing_id": "Make the export send the id.",
    "duplicate_state_id": "Find out whose the state id is, and correct the other person's.",
    "duplicate_email": "Give each person an address of their own.",
    "possible_duplicate_person": "Merge the two records if they are one person.",
    "duplicate_membership": "Delete the membership that is sent twice.",
    "student_as_teacher": "Correct the role of the enrollment.",
    "teacher_as_student": "Correct the role of the enrollment.",
    "section_without_teacher": "Name a teacher for each of the sections.",
    "section_without_students": "Close the sections, or enroll students.",
    "section_without_course": "Name the course of each of the sections.",
    "section_without_term": "Name the term of each of the sections.",
    "section_without_org": "Name the school of each of the sections.",
    "course_without_sections": "Nothing, if the course is not taught this year.",
    "term_without_sections": "Nothing, if the term is not in use.",
    "student_without_school": "Enter the school of each of the students.",
    "student_without_sections": "Schedule the students, or end their enrollment.",
    "teacher_without_school": "Enter the school of each of the teachers.",
    "teacher_without_email": "Enter the teachers' addresses.",
    "two_schools_at_once": "End the membership of the school that the student left.",
    "seated_after_leaving_school": "End the enrollments, or put the student back into the school.",
    "org_cycle": "Name the right parent of each of the orgs.",
    "term_cycle": "Name the right parent of each of the terms.",
    "bad_value": "Compare the values with what was sent; if they are right, tell us.",
    "load_problem": "Compare with what was sent; if it is right, tell us.",
    "broken_encoding": "Make the export write UTF-8.",
    "sync_without_end": "Wait for the end of the sync, or ask for a new one.",
    "sequence_gap": "Ask for a new sync.",
}


def owner(check: Check) -> str:
    """Whose it is that a check fails."""
    return _OWN_OWNERS.get(check.id, _OWNERS.get(check.group, SYSTEM))


def next_step(check: Check) -> str:
    """What to do about a check that fails."""
    return _OWN_STEPS.get(
        check.id, _STEPS.get(check.group, "Look at the rows, and correct them where they are entered.")
    )
