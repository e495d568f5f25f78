"""Each check has a number that is never changed and never used again, and is taken wherever its id is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from builders import link, make, section, student
from test_quality import queue

import kimono_explore as kx
from kimono_explore.__main__ import main
from kimono_explore.quality import CheckResult
from kimono_explore.quality.catalogue import ROSTER_CHECKS, TASK_CHECKS
from kimono_explore.quality.definition import AREAS

if TYPE_CHECKING:
    from pathlib import Path

OCTOBER = "2026-10-05"
NUMBERS: dict[str, str] = {
    "KX-IDN-001": "missing_id",
    "KX-IDN-002": "duplicate_id",
    "KX-IDN-003": "duplicate_local_id",
    "KX-IDN-004": "duplicate_state_id",
    "KX-IDN-005": "missing_local_id",
    "KX-IDN-006": "student_missing_state_id",
    "KX-IDN-007": "duplicate_email",
    "KX-IDN-008": "possible_duplicate_person",
    "KX-IDN-009": "student_and_staff",
    "KX-IDN-010": "alike_ids",
    "KX-IDN-011": "id_with_spaces",
    "KX-IDN-012": "refused_id",
    "KX-IDN-013": "email_elsewhere",
    "KX-REF-001": "orphan_child_of",
    "KX-REF-002": "orphan_offered_by",
    "KX-REF-003": "orphan_of_course",
    "KX-REF-004": "orphan_held_at",
    "KX-REF-005": "orphan_in_term",
    "KX-REF-006": "orphan_member_of",
    "KX-REF-007": "orphan_student_in",
    "KX-REF-008": "orphan_teacher_in",
    "KX-REF-009": "orphan_graded_in",
    "KX-REF-010": "orphan_graded_for",
    "KX-REF-011": "one_sided_membership",
    "KX-REF-012": "duplicate_membership",
    "KX-REF-013": "student_and_teacher_of_section",
    "KX-REF-014": "wrong_target_type",
    "KX-REF-015": "membership_ends_before_start",
    "KX-REF-016": "enrollment_without_start",
    "KX-ENR-001": "enrollment_outside_terms",
    "KX-ENR-002": "ended_but_active",
    "KX-ENR-003": "future_but_active",
    "KX-ENR-004": "current_but_inactive",
    "KX-ENR-005": "membership_far_ahead",
    "KX-ENR-006": "membership_before_birth",
    "KX-ENR-007": "enrollment_without_end",
    "KX-ENR-008": "unknown_membership_status",
    "KX-ENR-009": "seated_after_leaving_school",
    "KX-ENR-010": "two_schools_at_once",
    "KX-ENR-011": "enrolled_inactive_student",
    "KX-ENR-012": "enrollment_in_inactive_section",
    "KX-ENR-013": "inactive_teacher_of_section",
    "KX-ENR-014": "student_as_teacher",
    "KX-ENR-015": "teacher_as_student",
    "KX-ENR-016": "section_without_one_primary_teacher",
    "KX-ENR-017": "student_without_one_primary_school",
    "KX-GRD-001": "missing_grade",
    "KX-GRD-002": "unknown_grade",
    "KX-GRD-003": "grade_against_age",
    "KX-GRD-004": "grade_against_grad_year",
    "KX-GRD-005": "graduated_but_enrolled",
    "KX-GRD-006": "grade_not_of_school",
    "KX-GRD-007": "grade_not_of_section",
    "KX-AGR-001": "section_org_not_in_course",
    "KX-AGR-002": "student_outside_school",
    "KX-AGR-003": "teacher_outside_school",
    "KX-AGR-004": "parent_child_mismatch",
    "KX-STR-001": "org_cycle",
    "KX-STR-002": "term_cycle",
    "KX-STR-003": "school_without_parent",
    "KX-STR-004": "school_below_school",
    "KX-STR-005": "no_lea",
    "KX-STR-006": "unknown_org_type",
    "KX-STR-007": "school_without_students",
    "KX-STR-008": "school_without_teachers",
    "KX-STR-009": "parent_of_wrong_type",
    "KX-STR-010": "section_over_two_years",
    "KX-STR-011": "term_of_another_school",
    "KX-FRS-001": "stale_roster",
    "KX-FRS-002": "created_on_one_day",
    "KX-CMP-001": "section_without_teacher",
    "KX-CMP-002": "section_without_students",
    "KX-CMP-003": "section_without_course",
    "KX-CMP-004": "section_without_term",
    "KX-CMP-005": "section_without_org",
    "KX-CMP-006": "course_without_sections",
    "KX-CMP-007": "course_without_org",
    "KX-CMP-008": "term_without_sections",
    "KX-CMP-009": "student_without_school",
    "KX-CMP-010": "student_without_sections",
    "KX-CMP-011": "teacher_without_school",
    "KX-CMP-012": "teacher_without_sections",
    "KX-CMP-013": "category_without_section",
    "KX-CMP-014": "person_without_name",
    "KX-CMP-015": "teacher_without_email",
    "KX-CMP-016": "student_without_dob",
    "KX-CMP-017": "student_without_email",
    "KX-CMP-018": "student_without_sex",
    "KX-CMP-019": "student_without_address",
    "KX-CMP-020": "student_without_phone",
    "KX-CMP-021": "object_without_name",
    "KX-CMP-022": "school_without_sections",
    "KX-CMP-023": "school_without_courses",
    "KX-CMP-024": "school_without_terms",
    "KX-CMP-025": "lea_without_schools",
    "KX-CMP-026": "small_school",
    "KX-VAL-001": "bad_value",
    "KX-VAL-002": "load_problem",
    "KX-VAL-003": "invalid_email",
    "KX-VAL-004": "invalid_phone",
    "KX-VAL-005": "invalid_postal_code",
    "KX-VAL-006": "unknown_state",
    "KX-VAL-007": "unexpected_sex",
    "KX-VAL-008": "untrimmed_text",
    "KX-VAL-009": "broken_encoding",
    "KX-VAL-010": "placeholder_name",
    "KX-VAL-011": "shouting_name",
    "KX-VAL-012": "implausible_age",
    "KX-VAL-013": "grad_year_against_dob",
    "KX-VAL-014": "school_year_outlier",
    "KX-VAL-015": "spreadsheet_damage",
    "KX-VAL-016": "name_too_long",
    "KX-VAL-017": "line_break",
    "KX-DAT-001": "term_without_dates",
    "KX-DAT-002": "term_ends_before_start",
    "KX-DAT-003": "child_term_outside_parent",
    "KX-DAT-004": "sibling_terms_overlap",
    "KX-DAT-005": "same_name_terms",
    "KX-DAT-006": "no_current_term",
    "KX-DAT-007": "term_too_long",
    "KX-LOD-001": "oversize_section",
    "KX-LOD-002": "undersize_section",
    "KX-LOD-003": "student_overload",
    "KX-LOD-004": "teacher_overload",
    "KX-LOD-005": "same_title_sections",
    "KX-QUE-001": "stale_task",
    "KX-QUE-002": "sync_without_end",
    "KX-QUE-003": "sequence_gap",
    "KX-QUE-004": "repeated_task",
    "KX-QUE-005": "delete_of_unknown_object",
    "KX-QUE-006": "tasks_after_uninstall",
    "KX-QUE-007": "update_of_unknown_object",
    "KX-QUE-008": "add_of_known_object",
    "KX-QUE-009": "enrollment_too_early",
    "KX-QUE-010": "overlapping_syncs",
    "KX-QUE-011": "event_outside_sync",
    "KX-QUE-012": "storm_of_deletes",
    "KX-QUE-013": "delivered_again_and_again",
    "KX-QUE-014": "tenant_behind",
}
"""Every number that was ever given, and whose it is: a row is added here with its check, and none is changed or taken out."""

RETIRED: frozenset[str] = frozenset()
"""Numbers of checks that are gone: they stay in `NUMBERS`, and are not used again."""


def test_a_number_is_never_changed_and_never_used_again() -> None:
    ours = {check.number: check.id for check in (*ROSTER_CHECKS, *TASK_CHECKS)}
    assert ours == {number: id for number, id in NUMBERS.items() if number not in RETIRED}
    assert set(NUMBERS) >= RETIRED
    assert len(set(NUMBERS.values())) == len(NUMBERS), "one check with two numbers"


def test_every_number_is_well_formed_and_of_its_area() -> None:
    assert len(set(AREAS.values())) == len(AREAS)
    for check in (*ROSTER_CHECKS, *TASK_CHECKS):
        assert re.fullmatch(rf"KX-{AREAS[check.group]}-[0-9]{{3}}", str(check.number)), check.id


def test_no_number_of_an_area_is_left_out() -> None:
    for area in AREAS.values():
        given = [int(number[-3:]) for number in NUMBERS if number[3:6] == area]
        assert sorted(given) == list(range(1, len(given) + 1)), area


def test_no_two_checks_share_a_number() -> None:
    numbers = [check.number for check in (*ROSTER_CHECKS, *TASK_CHECKS)]
    assert len(set(numbers)) == len(numbers)


def test_the_catalogue_and_the_summary_show_it(flawed: kx.Report) -> None:
    assert kx.checks().set_index("id")["number"].to_dict() == {id: number for number, id in NUMBERS.items()}
    of_rosters = {check.id: check.number for check in ROSTER_CHECKS}
    assert flawed.summary.set_index("id")["number"].to_dict() == of_rosters


@pytest.fixture(scope="module")
def flawed() -> kx.Report:
    items = (student("ana", email="a@b@c"), section("a", title="Art"), section("b", title="Art"))
    return kx.check(make(*items, link("ana student_in a"), link("ana member_of gone")), as_of=OCTOBER)


def test_a_number_is_taken_where_an_id_is(flawed: kx.Report) -> None:
    roster = make(section())
    assert kx.check(roster, ["KX-CMP-001", "section_without_term"]).summary["id"].tolist() == [
        "section_without_teacher",
        "section_without_term",
    ]
    assert kx.check(roster, ["KX-CMP-001", "section_without_teacher"]).summary["id"].tolist() == [
        "section_without_teacher"
    ]
    assert "section_without_teacher" not in kx.check(roster, exclude=["KX-CMP-001"]).summary["id"].tolist()
    assert "section_without_teacher" not in kx.check(roster, exclude="KX-CMP-001").summary["id"].tolist()
    ours = kx.check(roster, ["term_too_long"], params={"KX-DAT-007": {"days": 250}})
    assert ours.outcome("KX-DAT-007").rule == "The term is longer than 250 days."
    assert flawed.failures("KX-REF-006").equals(flawed.failures("orphan_member_of"))
    assert len(flawed.failures("KX-REF-006")) == 1
    assert flawed.title("KX-REF-006") == flawed.title("orphan_member_of")


def test_a_number_of_the_queue_is_taken_too() -> None:
    ran = kx.check_tasks(
        queue({"id": "1", "created_at": "2026-10-04T11:00:00Z"}),
        checks=["KX-QUE-001"],
        params={"KX-QUE-001": {"hours": 2}},
    )
    assert ran.summary["id"].tolist() == ["stale_task"]
    assert "2 hours" in ran.outcome("stale_task").rule


def test_a_number_that_nobody_knows_is_an_error() -> None:
    roster = make(section())
    for call in ({"checks": ["KX-CMP-999"]}, {"exclude": ["KX-CMP-999"]}, {"checks": ["KX-QUE-001"]}):
        with pytest.raises(kx.ConfigurationError, match=r"No check 'KX-"):
            kx.check(roster, **call)
    with pytest.raises(kx.ConfigurationError, match="Parameters for 'KX-CMP-999'"):
        kx.check(roster, params={"KX-CMP-999": {}})
    twice = {"term_too_long": {"days": 250}, "KX-DAT-007": {"days": 300}}
    with pytest.raises(kx.ConfigurationError, match="given twice: by its id and by its number 'KX-DAT-007'"):
        kx.check(roster, params=twice)


def test_the_settings_of_a_district_may_name_numbers(tmp_path: Path) -> None:
    file = tmp_path / "quality.toml"
    file.write_text(
        '[parameters.KX-DAT-007]\ndays = 250\n[severities]\nKX-CMP-002 = "error"\n[checks]\noff = ["KX-CMP-001"]\n'
        '[[waived]]\ncheck = "KX-CMP-003"\nreason = "r"\nowner = "o"\nexpires = 2030-01-01\n'
    )
    ran = kx.check(make(section()), config=file, as_of=OCTOBER)
    assert "section_without_teacher" not in ran.summary["id"].tolist()
    assert ran.outcome("section_without_students").check.severity == "error"
    assert ran.outcome("term_too_long").rule == "The term is longer than 250 days."
    assert ran.waived["check"].tolist() == ["section_without_course"]
    file.write_text('[checks]\non = ["KX-CMP-001"]\n')
    assert kx.check(make(section()), config=file).summary["id"].tolist() == ["section_without_teacher"]
    for text in ("[parameters.KX-DAT-007]\n[parameters.term_too_long]\n",
                 '[severities]\nKX-CMP-002 = "error"\nsection_without_students = "error"\n'):  # fmt: skip
        file.write_text(text)
        with pytest.raises(kx.ConfigurationError, match="twice: by its id and by its number"):
            kx.check(make(section()), config=file)


def test_on_the_command_line_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(section()).save(tmp_path / "monday")
    file = tmp_path / "q.json"
    words = ["check", str(tmp_path / "monday"), "--fail-on", "never", "--json", str(file)]
    assert main([*words, "--only", "KX-CMP-001", "--only", "KX-CMP-002", "--exclude", "KX-CMP-002"]) == 0
    ran = json.loads(file.read_text("utf-8"))["summary"]
    assert [(row["id"], row["number"]) for row in ran] == [("section_without_teacher", "KX-CMP-001")]


def own(id: str, number: str | None) -> None:
    made = kx.define_check(
        id, title="Mine", severity="error", tables=["sections"], rule="No.", why="Because.", number=number
    )
    made(lambda context: CheckResult(context.objects("sections"), context.objects("sections")))


def test_your_own_check_has_a_number_of_yours_or_none(tmp_path: Path) -> None:
    own("mine", "CR-001")
    own("mine", "CR-001")  # a notebook's cell is run again
    own("yours", None)
    assert kx.checks().set_index("id")["number"].dropna()["mine"] == "CR-001"
    ran = kx.check(make(section()), ["CR-001", "yours"])
    assert ran.summary["id"].tolist() == ["mine", "yours"]
    assert ran.summary["number"].fillna("none").tolist() == ["CR-001", "none"]
    ran.to_html(tmp_path / "q.html")
    page = (tmp_path / "q.html").read_text("utf-8")
    assert "<code>CR-001</code>" in page
    assert "None" not in page
    assert "nan" not in page


def test_a_number_of_yours_is_not_one_of_the_librarys() -> None:
    with pytest.raises(kx.ConfigurationError, match="begins with KX-"):
        own("mine", "KX-CMP-999")
    own("mine", "CR-001")
    with pytest.raises(kx.ConfigurationError, match="'CR-001' is already used by another check"):
        own("yours", "CR-001")
    with pytest.raises(kx.ConfigurationError, match="'KX-CMP-001' is already used by another check"):
        own("KX-CMP-001", None)
    with pytest.raises(kx.ConfigurationError, match="'no_lea' is already used by another check"):
        own("yours", "no_lea")


def test_files_have_it(flawed: kx.Report, tmp_path: Path) -> None:
    flawed.to_csv(tmp_path / "q.csv")
    df = pd.read_csv(tmp_path / "q.csv")
    assert df["number"].tolist() == df["check"].map({id: number for number, id in NUMBERS.items()}).tolist()
    flawed.to_json(tmp_path / "q.json")
    rows = json.loads((tmp_path / "q.json").read_text("utf-8"))["summary"]
    assert {row["id"]: row["number"] for row in rows} == {check.id: check.number for check in ROSTER_CHECKS}


def test_a_report_from_before_numbers_is_still_compared(flawed: kx.Report, tmp_path: Path) -> None:
    flawed.to_json(tmp_path / "q.json")
    saved = json.loads((tmp_path / "q.json").read_text("utf-8"))
    for row in saved["summary"]:
        del row["number"]
    assert "KX-" not in json.dumps(saved), "a number identifies something, and an older report has none"
    (tmp_path / "q.json").write_text(json.dumps(saved))
    again = kx.check(flawed.roster, as_of=OCTOBER)
    assert set(again.since(tmp_path / "q.json")["change"]) == {"still there"}
    assert len(again.trend(tmp_path)) == 1
