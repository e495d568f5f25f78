"""The made-up district: as large as asked for, without a mistake, and with exactly the mistakes that are planted."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from datetime import date
from functools import cache, partial
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from oracle import RULES, View

import kimono_explore as kx
from kimono_explore.quality.catalogue import ROSTER_CHECKS
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.district.names import FAMILY_NAMES, GIVEN_NAMES
from kimono_explore.sandbox.flaws.catalogue import FLAWS, WHOLE, inject_flaws
from kimono_explore.sandbox.sample_tasks import make_tasks
from kimono_explore.schema import declared

if TYPE_CHECKING:
    from kimono_explore.roster.roster import Roster

OCTOBER = "2026-10-05"
SIZES = (60, 100, 500, 3000)
made_on = partial(make_district, today=date(2026, 10, 5))  # the suite may run over midnight
district = cache(made_on)
flawed = cache(lambda students, seed=7: inject_flaws(district(students, seed), seed))
seen = cache(lambda students: View(district(students), OCTOBER))
seen_flawed = cache(lambda students, seed=7: View(flawed(students, seed)[0], OCTOBER))


def students_of(roster: Roster) -> pd.DataFrame:
    return roster.persons[roster.persons["person_type"] == "student"]


def linked(roster: Roster, relation: str) -> pd.DataFrame:
    return roster.links[roster.links["relation"] == relation]


def assert_same(one: Roster, other: Roster) -> None:
    for name, df in one.tables.items():
        pd.testing.assert_frame_equal(df, other.tables[name], obj=name)
    pd.testing.assert_frame_equal(one.links, other.links)
    pd.testing.assert_frame_equal(one.problems, other.problems)


@pytest.mark.parametrize("students", [0, 1, 60, 500])
def test_it_has_as_many_students_as_asked_for(students):
    assert len(students_of(district(students))) == students


def test_a_negative_number_of_students_is_refused():
    with pytest.raises(ValueError, match="must be 0 or more, not -1"):
        make_district(-1)


def test_the_same_seed_gives_the_same_district_and_another_seed_another():
    assert_same(made_on(200, seed=3), made_on(200, seed=3))
    assert make_district(200, seed=3).persons["id"][0] != make_district(200, seed=4).persons["id"][0]


def test_dates_follow_from_the_school_year_alone():
    roster = make_district(20, school_year=2031)
    year = roster.terms.iloc[0]
    assert (year["name"], year["start_date"].year, year["end_date"].year) == ("2031-2032", 2031, 2032)
    assert set(roster.persons["school_year"]) == {"2032"}
    assert roster.loaded_at.year == 2031
    assert (roster.persons["updated_at"] < pd.Timestamp("2031-08-10", tz="UTC")).all()


def test_without_students_there_is_the_frame_of_a_district():
    roster = district(0)
    assert roster.orgs["org_type"].tolist() == ["lea", "school", "school", "school"]
    assert (len(roster.terms), len(roster.courses)) == (7, 121)
    assert (len(roster.persons), len(roster.sections), len(roster.grading_categories)) == (0, 0, 0)


def test_schools_come_by_level_and_size():
    assert district(60).orgs["name"].str.contains("School$").sum() == 1
    assert (district(3000).orgs["name"].str.extract("(Elementary|Middle|High)")[0].value_counts().to_dict()) == {
        "Elementary": 3,
        "Middle": 1,
        "High": 1,
    }


@pytest.mark.parametrize("students", SIZES)
def test_every_table_has_its_declared_columns_and_types(students):
    roster = district(students)
    kinds = {"text": "str", "date": "datetime64[us]", "time": "datetime64[us, UTC]", "flag": "boolean"}
    for name, df in roster.tables.items():
        assert [str(df[c.name].dtype) for c in declared(name)] == [kinds[c.kind] for c in declared(name)]
    assert [str(uuid.UUID(id)) for id in roster.persons["id"]] == roster.persons["id"].tolist()


@pytest.mark.parametrize("check", sorted(RULES))
@pytest.mark.parametrize("students", SIZES)
def test_a_clean_district_has_no_flaw(students, check):
    assert RULES[check](seen(students)) == []


@pytest.mark.parametrize("students", SIZES)
def test_nobody_has_two_sections_at_once(students):
    roster = district(students)
    period = roster.sections.set_index("id")["ext_period"]
    term = linked(roster, "in_term").set_index("source_id")["target_id"]
    seats = linked(roster, "student_in")[["source_id", "target_id"]]
    seats = seats.assign(period=seats["target_id"].map(period), term=seats["target_id"].map(term))
    assert not seats.duplicated(["source_id", "period", "term"]).any()


def test_sections_are_as_large_as_a_schools_are():
    roster = district(3000)
    sizes = linked(roster, "student_in")["target_id"].value_counts()
    assert (sizes.min() >= 15, sizes.max() <= 45, 20 <= sizes.median() <= 27) == (True, True, True)
    loads = linked(roster, "student_in")["source_id"].value_counts()
    assert 6 <= loads.mean() <= 7.5
    assert loads.max() <= 10


def test_teachers_have_about_five_sections_and_some_share_one():
    teaching = linked(district(3000), "teacher_in")
    loads = teaching["source_id"].value_counts()
    assert (loads.max() <= 7, 4 <= loads.median() <= 5) == (True, True)
    assert 0.02 < (~teaching["primary"]).mean() < 0.1
    assert (teaching[teaching["primary"]]["target_id"].value_counts() == 1).all()


def test_a_few_teachers_work_at_two_schools():
    membership = linked(district(500), "member_of")
    assert membership["source_id"].duplicated().sum() == 2
    assert membership["membership_id"].is_unique


def test_students_have_the_age_and_graduation_year_of_their_grade():
    students = students_of(district(500))
    grade = students["ext_grade"].replace("KG", "00").astype(int)
    assert set(students["ext_grade"]) == {"KG", *(f"{n:02d}" for n in range(1, 13))}
    assert (students["grad_year"].astype(int) == 2039 - grade).all()
    age = (pd.Timestamp("2026-09-03") - students["dob"]).dt.days // 365.25
    assert (age - grade).between(5, 7).all()


def test_identifiers_look_like_a_real_systems():
    roster = district(500)
    students, others = students_of(roster), roster.persons[roster.persons["person_type"] != "student"]
    assert students["local_id"].str.fullmatch(r"000\d{5}").all()
    assert set(students["local_id"]).isdisjoint(others["local_id"])
    assert roster.persons["email"].str.fullmatch(r"[a-z0-9.]+@example\.org").all()
    assert roster.persons["phone"].str.fullmatch(r"\((507|651|952)\) 555-01\d\d").all()
    assert roster.sections["title"].str.contains(r" - Period \d").all()


def test_terms_hold_the_sections_of_their_length():
    roster = district(500)
    names = roster.terms.set_index("id")["name"]
    used = linked(roster, "in_term")["target_id"].map(names).value_counts()
    assert set(used.index) == set(names)
    assert used["2026-2027"] > 100
    assert set(linked(roster, "child_of")["stated_by"]) == {"both"}


def test_memberships_carry_what_a_membership_has():
    seats = linked(district(60), "student_in")
    assert set(seats["status"]) == {"Active"}
    assert seats["membership_id"].is_unique
    assert seats[["start_date", "end_date"]].notna().all(axis=None)
    assert set(seats["stated_by"]) == {"both"}


def test_names_come_from_many_cultures():
    assert len(GIVEN_NAMES) >= 90
    assert len(FAMILY_NAMES) >= 110
    assert {"Guðrún", "Małgorzata", "D'Andre", "美玲", "محمد", "נועה", "서연", "Nizhóní", "Adébáyọ̀"} <= set(GIVEN_NAMES)
    assert {"Nguyễn", "O'Brien", "Carter-Hughes", "Þórsson", "Kamakaʻōpae", "Begay", "王"} <= set(FAMILY_NAMES)


CASES = [(60, 7), (60, 8), (100, 7), (500, 7), (500, 8), (3000, 7)]


@pytest.mark.parametrize("check", sorted(RULES))
@pytest.mark.parametrize(("students", "seed"), CASES)
def test_what_is_planted_is_what_the_rules_find(students, seed, check):
    assert Counter(RULES[check](seen_flawed(students, seed))) == wanted(flawed(students, seed)[1], check)


def wanted(planted: pd.DataFrame, check: str) -> Counter[tuple[str, str | None]]:
    planted = planted[planted["check"] == check]
    return Counter(
        (table, None if pd.isna(id) else id) for table, id in zip(planted["table"], planted["id"], strict=True)
    )


@pytest.mark.parametrize("also", [flaw.check for flaw in WHOLE])
@pytest.mark.parametrize(("students", "seed"), [(60, 7), (60, 8), (500, 7)])
def test_a_mistake_of_the_whole_roster_is_planted_beside_all_others(students, seed, also):
    roster, planted = inject_flaws(district(students, seed), seed, also)
    assert also in set(planted["check"])
    view = View(roster, OCTOBER)
    for check, rule in RULES.items():
        assert Counter(rule(view)) == wanted(planted, check), check


def test_a_mistake_of_the_whole_roster_that_nobody_knows_is_refused():
    with pytest.raises(kx.ConfigurationError, match=r"for 'missing_id'\. There are: stale_roster, "):
        inject_flaws(district(60), also="missing_id")


def test_every_kind_of_flaw_is_planted_in_a_district_of_500():
    planted = flawed(500)[1]
    assert {flaw.check for flaw in FLAWS} <= set(planted["check"])
    whole = {flaw.check for flaw in WHOLE}
    assert set(planted["check"]) == set(RULES) - whole - {"no_current_term"}
    assert set(RULES) == {check.id for check in ROSTER_CHECKS}
    assert planted.columns.tolist() == ["check", "table", "id", "note"]
    assert planted["note"].notna().all()


def test_planting_leaves_the_district_as_it_was_and_keeps_its_students():
    roster, _ = flawed(500)
    assert_same(district(500), made_on(500))
    assert len(students_of(roster)) == 500


def test_planting_is_repeatable():
    (one, listed), (other, again) = flawed(60), inject_flaws(made_on(60), 7)
    assert_same(one, other)
    pd.testing.assert_frame_equal(listed, again)


def test_a_value_that_is_no_date_stands_in_problems():
    roster, planted = flawed(500)
    bad = roster.problems.query("value == '31/02/2012'").iloc[0]
    assert (bad["table"], bad["column"], bad["problem"]) == ("persons", "dob", "not a date")
    assert roster.persons.set_index("id").loc[bad["id"]].isna()["dob"]
    assert bad["id"] in set(planted.query("check == 'student_without_dob'")["id"])


@pytest.mark.parametrize("students", [0, 1, 13])
def test_flaws_without_a_fitting_object_are_left_out(students):
    roster, planted = flawed(students)
    assert len(students_of(roster)) == students
    assert "oversize_section" not in set(planted["check"])
    assert (planted["check"] == "org_cycle").sum() == 2


FIELDS = {"type", "id", "tenant_id", "sequence", "created_at"}
OWN_FIELDS = {
    "lifecycle_event": {"action"},
    "sync_event": {"action", "group_id", "origin"},
    "data_event": {"action", "object_id", "object_type", "label", "group_id", "app_id", "data", "changes"},
    "authenticate": {"data", "session_id"},
    "grades_export": {"data"},
    "grades_query": {"data"},
    "request": {"data"},
}


@pytest.mark.parametrize("students", [0, 1, 60, 500])
def test_tasks_have_the_fields_of_their_type(students):
    tasks = make_tasks(district(students), 7)
    assert {task["type"] for task in tasks} >= set(OWN_FIELDS) - {"data_event"}
    for task in tasks:
        assert set(task) >= FIELDS
        assert set(task) - FIELDS <= OWN_FIELDS[task["type"]]
    assert json.loads(json.dumps(tasks)) == tasks
    assert tasks == make_tasks(made_on(students), 7)


def test_a_morning_has_about_a_hundred_tasks_of_two_tenants_in_order():
    tasks = pd.DataFrame(make_tasks(district(500), 7))
    assert 60 <= len(tasks) <= 150
    assert tasks["id"].is_unique
    assert tasks["created_at"].is_monotonic_increasing
    assert tasks["created_at"].str.fullmatch(r"2026-10-05T0\d:\d\d:\d\d\.\d{3}Z").all()
    for _, own in tasks.groupby("tenant_id"):
        assert own["sequence"].tolist() == list(range(1, len(own) + 1))
    assert tasks["tenant_id"].nunique() == 2


def test_tasks_of_a_sync_share_its_group_and_the_last_sync_has_not_ended():
    tasks = pd.DataFrame(make_tasks(district(500), 7))
    main = tasks[tasks["tenant_id"] == tasks["tenant_id"][0]]
    first, second = main.loc[main["action"] == "SYNC_START", "group_id"]
    assert main.loc[main["action"] == "SYNC_END", "group_id"].tolist() == [first]
    between = main.iloc[3 : main.index.get_loc(main.index[main["action"] == "SYNC_END"][0])]
    assert set(between["group_id"]) == {first}
    assert (main["group_id"] == second).sum() == 6


def test_data_events_are_about_objects_of_the_roster():
    roster = district(500)
    events = [task for task in make_tasks(roster, 7) if task["type"] == "data_event"]
    known = set(roster.links["membership_id"].dropna()).union(*(df["id"] for df in roster.tables.values()))
    assert {event["object_id"] for event in events} <= known
    assert {event["data"]["$sys"]["id"] for event in events} <= known
    changed = [event for event in events if event["action"] in ("CHANGE", "UPDATE")]
    assert all(set(event["changes"]) <= set(event["data"]) for event in changed)
    assert {event["action"] for event in events} == {"ADD", "CHANGE", "UPDATE", "DELETE", "SET", "UNSET"}


def test_tasks_can_be_made_of_a_roster_with_flaws():
    assert len(make_tasks(flawed(60)[0], 7)) > 60
