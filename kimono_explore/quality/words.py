"""Findings in sentences: "17 students have no school", and what a check that passed has shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kimono_explore.display import listed, noun, plural, several
from kimono_explore.quality.advice import MISSING
from kimono_explore.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import pandas as pd

    from kimono_explore.quality.findings import Findings
    from kimono_explore.quality.outcome import Outcome

_NOUNS = {table: noun(table) for table in TABLES} | {"links": "membership", "tasks": "task"}
_OF_KIND = {"student": "student", "teacher": "teacher", "staff": "member of staff"}
_VERBS = {"has": "have", "is": "are", "does": "do", "was": "were", "goes": "go", "reaches": "reach", "teaches": "teach"}


class _Words(NamedTuple):
    """What a check says of one failing object, and what when all pass; an empty noun means that of the table.

    ``many`` is said of several objects, where another verb is not enough: "cannot be told apart", not "look like another".
    """

    noun: str
    fails: str
    passes: str
    many: str = ""


WORDS = {
    "missing_id": _Words("", "has no id", "Every object has an id"),
    "duplicate_id": _Words("", "shares an id with another", "Every object has an id of its own", many="share an id"),
    "duplicate_local_id": _Words(
        "", "shares a local id with another", "Every local id is used once", many="share a local id"
    ),
    "duplicate_state_id": _Words(
        "", "shares a state id with another", "Every state id is used once", many="share a state id"
    ),
    "missing_local_id": _Words("", "has no local id", "Every object has a local id"),
    "student_missing_state_id": _Words("student", "has no state id", "Every student has a state id"),
    "duplicate_email": _Words(
        "",
        "shares an e-mail address with another",
        "No two people share an e-mail address",
        many="share an e-mail address",
    ),
    "possible_duplicate_person": _Words(
        "", "is probably registered twice", "Nobody seems to be registered twice", many="are probably registered twice"
    ),
    "student_and_staff": _Words(
        "",
        "shares an identifier with somebody of another role",
        "No student shares an identifier with staff",
        many="share an identifier with somebody of another role",
    ),
    "alike_ids": _Words(
        "",
        "has nearly the same id as another",
        "No two ids are nearly the same",
        many="have ids that are nearly the same",
    ),
    "id_with_spaces": _Words("", "has an id with spaces", "No id has spaces in it", many="have an id with spaces"),
    "refused_id": _Words(
        "",
        "has an id that Apple School Manager does not accept",
        "Apple School Manager accepts every id",
        many="have an id that Apple School Manager does not accept",
    ),
    "email_elsewhere": _Words(
        "", "has an e-mail address in another domain", "Every e-mail address is in one of the usual domains"
    ),
    "orphan_child_of": _Words(
        "",
        "has a parent that was not delivered",
        "Every parent of an org or term is there",
        many="have a parent that was not delivered",
    ),
    "orphan_offered_by": _Words("course", "belongs to an org that was not delivered", "Every course's org is there"),
    "orphan_of_course": _Words(
        "section", "belongs to a course that was not delivered", "Every section's course is there"
    ),
    "orphan_held_at": _Words("section", "is at a school that was not delivered", "Every section's school is there"),
    "orphan_in_term": _Words("section", "is in a term that was not delivered", "Every section's term is there"),
    "orphan_member_of": _Words("", "is at a school that was not delivered", "Every person's school is there"),
    "orphan_student_in": _Words("enrollment", "has only one end", "Both ends of every enrollment are there"),
    "orphan_teacher_in": _Words("teaching post", "has only one end", "Both ends of every teaching post are there"),
    "orphan_graded_in": _Words(
        "grading category", "belongs to a section that was not delivered", "Every grading category's section is there"
    ),
    "orphan_graded_for": _Words(
        "grading category",
        "is for a term or org that was not delivered",
        "Every grading category's term and org are there",
    ),
    "one_sided_membership": _Words("membership", "is stated by one side only", "Both sides state every membership"),
    "duplicate_membership": _Words("membership", "is sent several times", "Every membership is sent once"),
    "student_and_teacher_of_section": _Words(
        "",
        "is both student and teacher of a section",
        "Nobody is both student and teacher of a section",
        many="are both student and teacher of a section",
    ),
    "wrong_target_type": _Words(
        "", "is linked to the wrong type of object", "Every link is to the right type of object"
    ),
    "membership_ends_before_start": _Words(
        "membership", "ends before it starts", "No membership ends before it starts", many="end before they start"
    ),
    "enrollment_without_start": _Words("enrollment", "has no start date", "Every enrollment has a start date"),
    "enrollment_outside_terms": _Words(
        "enrollment",
        "is outside the terms of its section",
        "Every enrollment is within the terms of its section",
        many="are outside the terms of their sections",
    ),
    "ended_but_active": _Words(
        "membership",
        "has ended and is still active",
        "No active membership has ended",
        many="have ended and are still active",
    ),
    "future_but_active": _Words(
        "membership",
        "is active before it begins",
        "No membership is active before it begins",
        many="are active before they begin",
    ),
    "current_but_inactive": _Words(
        "membership",
        "is not active although it is still going on",
        "Every membership that is still going on is active",
        many="are not active although they are still going on",
    ),
    "membership_far_ahead": _Words("membership", "begins far in the future", "No membership begins far in the future"),
    "membership_before_birth": _Words(
        "membership", "begins before the person was born", "Every membership begins after birth"
    ),
    "enrollment_without_end": _Words("enrollment", "has no end date", "Every enrollment has an end date"),
    "unknown_membership_status": _Words("membership", "has an unknown status", "Every membership has a known status"),
    "seated_after_leaving_school": _Words(
        "student",
        "is in a section of a school that they are not in",
        "Every student is in the school of their sections",
    ),
    "two_schools_at_once": _Words("student", "is at two schools at once", "No student is at two schools at once"),
    "enrolled_inactive_student": _Words(
        "",
        "is in a section although they are not active",
        "Every student in a section is active",
        many="are in a section although they are not active",
    ),
    "enrollment_in_inactive_section": _Words(
        "",
        "is not active and has people in it",
        "No section with people in it is inactive",
        many="are not active and have people in them",
    ),
    "inactive_teacher_of_section": _Words(
        "",
        "teaches an active section although they are not active",
        "Every teacher of an active section is active",
        many="teach an active section although they are not active",
    ),
    "student_as_teacher": _Words(
        "student", "is enrolled as a teacher", "No student is enrolled as a teacher", many="are enrolled as teachers"
    ),
    "teacher_as_student": _Words(
        "teacher", "is enrolled as a student", "No teacher is enrolled as a student", many="are enrolled as students"
    ),
    "section_without_one_primary_teacher": _Words(
        "section", "does not have exactly one primary teacher", "Every section has one primary teacher"
    ),
    "student_without_one_primary_school": _Words(
        "student", "does not have exactly one primary school", "Every student has one primary school"
    ),
    "missing_grade": _Words("student", "has no grade", "Every student has a grade"),
    "unknown_grade": _Words("student", "has an unknown grade", "Every grade is known"),
    "grade_against_age": _Words(
        "student", "is in a grade that does not fit their age", "Every grade fits the student's age"
    ),
    "grade_against_grad_year": _Words(
        "student", "is in a grade that does not fit the graduation year", "Every grade fits the graduation year"
    ),
    "graduated_but_enrolled": _Words(
        "student",
        "is still enrolled after their graduation year",
        "Nobody is still enrolled after their graduation year",
    ),
    "grade_not_of_school": _Words(
        "student", "is in a grade that their school does not have", "Every student is in a grade that their school has"
    ),
    "grade_not_of_section": _Words(
        "student", "is in a section for other grades", "Every student is in sections for their grade"
    ),
    "section_org_not_in_course": _Words(
        "section",
        "is at a school that does not offer the course",
        "Every section's school offers its course",
        many="are at a school that does not offer their course",
    ),
    "student_outside_school": _Words(
        "student", "is in a section of another school", "Every student is in sections of their own school"
    ),
    "teacher_outside_school": _Words(
        "teacher", "has a section of another school", "Every teacher has sections of their own school"
    ),
    "parent_child_mismatch": _Words(
        "", "does not agree with its parent", "Parents and children agree", many="do not agree with their parents"
    ),
    "org_cycle": _Words("org", "is its own ancestor", "No org is its own ancestor", many="are their own ancestors"),
    "term_cycle": _Words("term", "is its own ancestor", "No term is its own ancestor", many="are their own ancestors"),
    "parent_of_wrong_type": _Words(
        "",
        "has a parent of the wrong kind",
        "Every org and term has a parent of a higher kind",
        many="have a parent of the wrong kind",
    ),
    "section_over_two_years": _Words("section", "spans two school years", "No section spans two school years"),
    "term_of_another_school": _Words(
        "section",
        "is in a term of another school",
        "No section is in a term of another school",
        many="are in terms of other schools",
    ),
    "created_on_one_day": _Words(
        "table",
        "was mostly created on one day, late in the school year",
        "No table was mostly created on one day, late in the school year",
        many="were mostly created on one day, late in the school year",
    ),
    "school_without_parent": _Words("school", "has no district", "Every school has a district"),
    "school_below_school": _Words(
        "school", "is below another school", "No school is below another school", many="are below other schools"
    ),
    "unknown_org_type": _Words(
        "org", "is of an unknown type", "Every org is of a known type", many="are of an unknown type"
    ),
    "school_without_students": _Words("school", "has no students", "Every school has students"),
    "school_without_teachers": _Words("school", "has no teachers", "Every school has teachers"),
    "section_without_teacher": _Words("section", "has no teacher", "Every section has a teacher"),
    "section_without_students": _Words("section", "has no students", "Every section has students"),
    "section_without_course": _Words("section", "has no course", "Every section has a course"),
    "section_without_term": _Words("section", "has no term", "Every section has a term"),
    "section_without_org": _Words("section", "has no school", "Every section has a school"),
    "course_without_sections": _Words("course", "has no sections", "Every course has sections"),
    "course_without_org": _Words("course", "has no org", "Every course has an org"),
    "term_without_sections": _Words("term", "has no sections", "Every term has sections"),
    "student_without_school": _Words("student", "has no school", "Every student has a school"),
    "student_without_sections": _Words("student", "has no sections", "Every student has sections"),
    "teacher_without_school": _Words("teacher", "has no school", "Every teacher has a school"),
    "teacher_without_sections": _Words("teacher", "has no sections", "Every teacher has sections"),
    "category_without_section": _Words("grading category", "has no section", "Every grading category has a section"),
    "person_without_name": _Words("", "has no name", "Every person has a name"),
    "teacher_without_email": _Words("teacher", "has no e-mail address", "Every teacher has an e-mail address"),
    "student_without_dob": _Words("student", "has no date of birth", "Every student has a date of birth"),
    "student_without_email": _Words("student", "has no e-mail address", "Every student has an e-mail address"),
    "student_without_sex": _Words("student", "has no entry for sex", "The sex of every student is known"),
    "student_without_address": _Words("student", "has no address", "Every student has an address"),
    "student_without_phone": _Words("student", "has no telephone number", "Every student has a telephone number"),
    "object_without_name": _Words("", "has no name", "Every org, term, course and section has a name"),
    "school_without_sections": _Words("school", "has no sections", "Every school has sections"),
    "school_without_courses": _Words("school", "has no courses", "Every school has courses"),
    "school_without_terms": _Words("school", "has no terms", "Every school has terms"),
    "lea_without_schools": _Words("district", "has no schools", "Every district has schools"),
    "small_school": _Words("school", "is too small to be a real school", "No school is too small to be a real school"),
    "bad_value": _Words(
        "",
        "has a value that its column cannot hold",
        "Every value fits its column",
        many="have values that do not fit their columns",
    ),
    "load_problem": _Words(
        "",
        "was not loaded as it was sent",
        "Everything was loaded as it was sent",
        many="were not loaded as they were sent",
    ),
    "invalid_email": _Words("", "has an invalid e-mail address", "Every e-mail address is well formed"),
    "invalid_phone": _Words("", "has an invalid telephone number", "Every telephone number is well formed"),
    "invalid_postal_code": _Words("", "has an invalid postal code", "Every postal code is well formed"),
    "unknown_state": _Words("", "has an unknown state or province", "Every state or province is known"),
    "unexpected_sex": _Words("", "has an unexpected value for sex", "Every value for sex is an expected one"),
    "untrimmed_text": _Words(
        "", "has text with stray spaces or invisible characters", "No text has stray spaces or invisible characters"
    ),
    "broken_encoding": _Words("", "has garbled text", "No text is garbled"),
    "spreadsheet_damage": _Words(
        "", "has text that a spreadsheet has damaged", "No text looks damaged by a spreadsheet"
    ),
    "name_too_long": _Words("", "has a name that is too long for Google", "No name is too long for Google"),
    "line_break": _Words(
        "",
        "has a line break in the id or name",
        "No id and no name has a line break",
        many="have a line break in the id or name",
    ),
    "placeholder_name": _Words("", "has a placeholder as a name", "No name is a placeholder"),
    "shouting_name": _Words("", "has a name in capitals", "No name is in capitals"),
    "implausible_age": _Words("", "has an implausible age", "Every age is plausible"),
    "grad_year_against_dob": _Words(
        "", "has a graduation year that does not fit the date of birth", "Graduation years fit the dates of birth"
    ),
    "school_year_outlier": _Words(
        "", "is from another school year", "Everything is from one school year", many="are from other school years"
    ),
    "term_without_dates": _Words("term", "has no dates", "Every term has dates"),
    "term_ends_before_start": _Words(
        "term", "ends before it starts", "No term ends before it starts", many="end before they start"
    ),
    "child_term_outside_parent": _Words(
        "term", "reaches beyond its parent", "Every term is within its parent", many="reach beyond their parents"
    ),
    "sibling_terms_overlap": _Words("term", "overlaps another", "No terms overlap", many="overlap"),
    "same_name_terms": _Words(
        "term",
        "has the name and parent of another",
        "All terms can be told apart",
        many="have the same name and parent",
    ),
    "term_too_long": _Words("term", "is longer than a year", "No term is longer than a year"),
    "oversize_section": _Words("section", "has very many students", "No section has very many students"),
    "undersize_section": _Words("section", "has very few students", "No section has very few students"),
    "student_overload": _Words("student", "has very many sections", "No student has very many sections"),
    "teacher_overload": _Words("teacher", "has very many sections", "No teacher has very many sections"),
    "same_title_sections": _Words(
        "section", "looks just like another", "All sections can be told apart", many="cannot be told apart"
    ),
    "update_of_unknown_object": _Words(
        "task",
        "changes an object that is not in the roster",
        "Every change is to an object in the roster",
        many="change objects that are not in the roster",
    ),
    "add_of_known_object": _Words(
        "task",
        "adds an object a second time",
        "No task adds an object a second time",
        many="add an object a second time",
    ),
    "enrollment_too_early": _Words(
        "task",
        "adds an enrollment before its person or section",
        "Every enrollment comes after its person and section",
        many="add enrollments before their people or sections",
    ),
    "overlapping_syncs": _Words(
        "sync", "starts before another one has ended", "No two syncs overlap", many="start before others have ended"
    ),
    "event_outside_sync": _Words(
        "task", "is outside its sync", "Every event is within its sync", many="are outside their syncs"
    ),
    "storm_of_deletes": _Words(
        "task", "begins a storm of deletions", "There is no storm of deletions", many="begin storms of deletions"
    ),
    "delivered_again_and_again": _Words(
        "task", "is delivered again and again", "No event is delivered again and again"
    ),
    "tenant_behind": _Words(
        "tenant", "has a stalled queue", "No tenant's queue is stalled", many="have stalled queues"
    ),
    "stale_task": _Words("task", "has waited too long", "No task has waited too long"),
    "sequence_gap": _Words("task", "comes after a gap", "No task is missing between others"),
    "repeated_task": _Words("task", "came twice", "No task came twice"),
    "delete_of_unknown_object": _Words(
        "task",
        "deletes an object that is not in the roster",
        "Every object to be deleted is in the roster",
        many="delete objects that are not in the roster",
    ),
    "tasks_after_uninstall": _Words(
        "task",
        "came after the tenant's uninstallation",
        "No task came after an uninstallation",
        many="came after the tenants' uninstallations",
    ),
}
"""By id of the check. Checks that are not here, such as your own, speak by their title and rule."""

WHOLE = {
    "stale_roster": ("Nothing has been updated for a long time", "The roster was updated recently"),
    "no_lea": ("There is no district", "There is a district"),
    "no_current_term": (
        "No term includes the day the roster was loaded",
        "A term includes the day the roster was loaded",
    ),
    "sync_without_end": ("A sync does not end", "Every sync has ended"),
}
"""The same for what has nothing to count."""


def sentence(report: Findings, cause: int, rows: pd.DataFrame, few: int = 0) -> str:
    """A cause of `report.causes` as a sentence of people and objects, given its rows; fewer people than ``few`` are not counted."""
    row = report.causes.iloc[cause]
    if row["next_step"] == MISSING and isinstance(row["id"], str):
        return _missing(str(row["type"]), rows)
    ids = rows["check"].unique().tolist()
    if isinstance(row["type"], str):
        return _of_object(report, row.to_dict(), ids)
    # A check explains itself, and perhaps others: then those count that fail it.
    own = next((id for id in ids if str(row["cause"]).startswith(report.title(id))), ids[0])
    mine = rows[rows["check"] == own]
    objects = int(row["objects"]) if len(ids) == 1 else len(mine[["table", "id"]].drop_duplicates())
    return of_check(report.outcome(own), objects, mine, few)


def of_check(outcome: Outcome, objects: int, rows: pd.DataFrame, few: int = 0) -> str:
    """How many objects fail a check, as a sentence."""
    check = outcome.check
    if check.id in WHOLE and objects == 1:
        return WHOLE[check.id][0]
    hidden = objects < few and rows["table"].isin(["persons", "links"]).any()
    if check.id not in WORDS:
        return f"{check.title}: {'a few' if hidden else f'{objects:,}'}"
    words = WORDS[check.id]
    if hidden:
        return f"A few {several(words.noun or noun_of(outcome, rows))} {_predicate(words, few)}"
    return f"{plural(objects, words.noun or noun_of(outcome, rows))} {_predicate(words, objects)}"


def _predicate(words: _Words, objects: int) -> str:
    if objects != 1 and words.many:
        return words.many
    verb, _, rest = words.fails.partition(" ")
    return f"{verb if objects == 1 else _plural_verb(verb)} {rest}"


def passed(outcome: Outcome) -> str:
    """What a check that passed has shown, in positive words; "" where nobody has written any."""
    id = outcome.check.id
    return WHOLE[id][1] if id in WHOLE else WORDS[id].passes if id in WORDS else ""


def noun_of(outcome: Outcome, rows: pd.DataFrame) -> str:
    """The noun for most of the failing rows: "student", "section"."""
    tables = rows["table"].dropna()
    table = str(tables.mode().iloc[0]) if len(tables) else ""
    failures = outcome.failures
    if table == "persons" and "person_type" in failures:
        kinds = failures.loc[failures["id"].isin(rows["id"]), "person_type"].dropna().unique()
        if len(kinds) == 1 and kinds[0] in _OF_KIND:
            return _OF_KIND[kinds[0]]
    return _NOUNS.get(table, "row")


def _plural_verb(verb: str) -> str:
    return _VERBS.get(verb, verb.removesuffix("s"))


def _missing(type: str, rows: pd.DataFrame) -> str:
    """One object that was not delivered, by what refers to it."""
    what = type.replace("_", " ")
    named = rows["table"].value_counts()
    if named.empty:
        return f"1 {what} was not delivered"
    n = int(named.iloc[0])
    who = plural(n, _NOUNS.get(str(named.index[0]), "row"))
    article, that = "an" if what[0] in "aeiou" else "a", "who" if what == "person" else "that"
    return f"{who} {'refers' if n == 1 else 'refer'} to {article} {what} {that} was not delivered"


def _of_object(report: Findings, row: Mapping[Hashable, object], ids: list[str]) -> str:
    """A cause that is an object: its name and what is wrong with it; else as the table of causes says it."""
    text = str(row["cause"])
    label, colon, _ = text.partition(": ")
    if not colon or not isinstance(row["id"], str):
        return text.split(", so one cause is likely")[0]
    fails = [WORDS[id].fails for id in ids if id in WORDS and report.outcome(id).check.title.lower() in text]
    return f"{label} {_listed(fails)}" if fails else text


def of_nameless(report: Findings, plain: str) -> str:
    """Objects that are not called by their names, and what is wrong with them: "1 org has no students and no teachers"."""
    who, colon, titles = plain.partition(": ")
    known = {o.check.title.lower(): WORDS[o.check.id] for o in report.outcomes if o.check.id in WORDS}
    if not colon or not all(title in known for title in titles.split(", ")):
        return plain
    if all(title.startswith("school ") for title in titles.split(", ")):
        who = who.replace("org", "school")
    count = 1 if who.startswith("1 ") else 2
    return f"{who} {_listed([_predicate(known[title], count) for title in titles.split(', ')])}"


def _listed(fails: Sequence[str]) -> str:
    """Predicates as one: "has no students, no teachers and no courses"."""
    verb = fails[0].split(" ")[0]
    if all(text.split(" ")[0] == verb for text in fails):
        fails = [fails[0], *(text.removeprefix(f"{verb} ") for text in fails[1:])]
    return listed(fails)
