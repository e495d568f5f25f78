"""Whose a cause is, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kimono_explore.quality.definition import Check

SYSTEM, INTEGRATION, READING = "student information system", "integration", "our reading"

MISSING = "Send what is missing, or remove the references to it."
PATTERN = "Check the export settings first: one of them is the likely cause."

_OWNERS = {"References": INTEGRATION, "Agreement": INTEGRATION, "Task queue": INTEGRATION, "Freshness": INTEGRATION}
_OWN_OWNERS = {
    "missing_id": INTEGRATION,
    "broken_encoding": INTEGRATION,
    "refused_id": INTEGRATION,
    "school_without_students": INTEGRATION,
    "school_without_teachers": INTEGRATION,
    "bad_value": READING,
    "load_problem": READING,
    "student_and_teacher_of_section": SYSTEM,
    "membership_ends_before_start": SYSTEM,
    "enrollment_without_start": SYSTEM,
}

_STEPS = {
    "Identity": "Give each object its own identifier.",
    "References": "Correct the reference, or send the object that it names.",
    "Memberships": "Correct the dates, the role or the status of these memberships.",
    "Agreement": "Make both sides agree.",
    "Structure": "Correct the org or term, or its parent.",
    "Completeness": "Enter what is missing.",
    "Values": "Correct the value where it is entered.",
    "Grades": "Correct the grade, or the value that it disagrees with.",
    "Freshness": "Find out whether the student information system still sends everything.",
    "Dates": "Correct the dates of the term.",
    "Load": "Check these rows: if they are right, change the bound of the check.",
    "Task queue": "Fetch and acknowledge the waiting tasks, then check again.",
}
_OWN_STEPS = {
    "duplicate_id": "Make the export give each object its own id, then send the roster again.",
    "missing_id": "Make the export send the id.",
    "missing_local_id": "Make the export send the local id.",
    "student_missing_state_id": "Enter each student's state id.",
    "student_and_staff": "Find out whose identifier it is, and correct the other person's.",
    "alike_ids": "If they are one object, merge the two; if not, make the ids differ in more than spelling.",
    "id_with_spaces": "Remove the spaces from the id, there and wherever it is referenced.",
    "refused_id": "Make the export write ids of letters, digits and hyphens only, if you use Apple School Manager.",
    "email_elsewhere": "Enter the address that the district has given the person.",
    "missing_grade": "Enter each student's grade.",
    "unknown_grade": "Make the export write the grade as CEDS does: KG, 01 to 12.",
    "grade_against_age": "Compare the grade and the date of birth with the student's file, and correct the wrong one.",
    "grade_against_grad_year": "Correct the grade or the graduation year.",
    "graduated_but_enrolled": "End the enrollments, or correct the graduation year.",
    "grade_not_of_school": "Correct the student's grade or school; or add the grade to those of the school.",
    "grade_not_of_section": "Nothing, if the student is ahead on purpose; otherwise move the student, or correct the grade.",
    "object_without_name": "Enter the name.",
    "school_without_sections": "Send the sections of the school, or close it.",
    "school_without_courses": "Send the courses of the school, or close it.",
    "school_without_terms": "Set the term of each of the school's sections.",
    "school_without_students": "Send the students of the school, or close it.",
    "school_without_teachers": "Send the teachers of the school, or close it.",
    "lea_without_schools": "Set the district as the parent of its schools.",
    "small_school": "Compare with what the school really has: send what is missing, or remove the school if it is only a test.",
    "parent_of_wrong_type": "Set a parent of a higher kind, or correct the kind.",
    "school_without_parent": "Set the district as the parent of the school.",
    "no_lea": "Send the district as an org of the type lea.",
    "unknown_org_type": "Correct the type of the org; if it is right, add it to the types that the check knows.",
    "section_over_two_years": "Remove the other school year's term from the section.",
    "term_of_another_school": "Put the section into a term of its own school, or correct its school.",
    "stale_roster": "Find out why the student information system stopped sending, and send the roster again.",
    "created_on_one_day": "Ask who replaced the rows on that day, and whether the old ids can be kept.",
    "spreadsheet_damage": "Enter the text again, and do not open the export in a spreadsheet.",
    "name_too_long": "Shorten the name in the Google accounts; leave it unchanged in the source.",
    "line_break": "Write the id or the name on one line, there and wherever the id is referenced.",
    "update_of_unknown_object": "Ask for a new sync: the object was never delivered.",
    "add_of_known_object": "Look for the object before you add it, and change it if it is there.",
    "enrollment_too_early": "Ask the sender to send people and sections first; keep the enrollment until they are there.",
    "overlapping_syncs": "Wait for the end of both syncs, then ask for one new sync.",
    "event_outside_sync": "Wait for the next sync, and compare the object with it.",
    "storm_of_deletes": "Stop, and ask the district whether the deletions are intended.",
    "delivered_again_and_again": "Acknowledge the event; if it comes again, ask the sender which systems change the object.",
    "tenant_behind": "Find out why this tenant's tasks are not fetched, then fetch and acknowledge them.",
    "tasks_after_uninstall": "Ask whether the tenant has come back; if not, delete the tasks.",
    "repeated_task": "Make the change once, and acknowledge both tasks.",
    "delete_of_unknown_object": "Nothing: acknowledge the task.",
    "duplicate_state_id": "Find out whose state id it is, and correct the other person's.",
    "duplicate_email": "Give each person their own address.",
    "possible_duplicate_person": "Merge the two records if they are one person.",
    "one_sided_membership": "Make both sides agree.",
    "student_and_teacher_of_section": "Remove the person from one of the two roles.",
    "membership_ends_before_start": "Correct the dates of the membership.",
    "enrollment_without_start": "Enter the first day of each enrollment.",
    "duplicate_membership": "Delete the membership that is sent twice.",
    "student_as_teacher": "Correct the role of the enrollment.",
    "teacher_as_student": "Correct the role of the enrollment.",
    "section_without_teacher": "Assign a teacher to each of the sections.",
    "section_without_students": "Close the sections, or enroll students.",
    "section_without_course": "Set the course of each of the sections.",
    "section_without_term": "Set the term of each of the sections.",
    "section_without_org": "Set the school of each of the sections.",
    "course_without_sections": "Nothing, if the course is not taught this year.",
    "term_without_sections": "Nothing, if the term is not in use.",
    "student_without_school": "Enter each student's school.",
    "student_without_sections": "Schedule the students, or end their enrollment.",
    "teacher_without_school": "Enter each teacher's school.",
    "teacher_without_email": "Enter the teachers' addresses.",
    "same_name_terms": "Give each term its own name.",
    "no_current_term": "Nothing during the holidays; otherwise enter this year's terms, or correct their dates.",
    "same_title_sections": "Add to the titles what tells the sections apart, such as the period or the teacher.",
    "two_schools_at_once": "End the membership of the school that the student left.",
    "seated_after_leaving_school": "End the enrollments, or put the student back into the school.",
    "org_cycle": "Set the right parent of each of the orgs.",
    "term_cycle": "Set the right parent of each of the terms.",
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
