"""The made-up district: the same for a seed, like a real one, clean, and with mistakes where it says."""

import time

import pandas as pd
import pytest
from rosters import assert_equal

import kimono_explore as kx
from kimono_explore.folding import fold_all
from kimono_explore.sandbox.district import make_district
from kimono_explore.sandbox.flaws import LINKS, VALUES, plant
from kimono_explore.sandbox.morning import make_tasks
from kimono_explore.tasks import TASK_TYPES


@pytest.fixture(scope="module")
def district() -> kx.Roster:
    return make_district(1500)


@pytest.mark.parametrize("students", [0, 1, 20, 60, 500])
def test_it_has_as_many_students_as_asked_for(students: int) -> None:
    roster = make_district(students)
    assert (roster.persons["person_type"] == "student").sum() == students
    assert (roster.orgs["org_type"] == "lea").sum() == 1
    assert not roster.index.missing(range(roster.index.size)).any()


def test_the_same_seed_gives_the_same_district() -> None:
    assert_equal(make_district(80, seed=3), make_district(80, seed=3))
    assert not make_district(80, seed=3).persons.equals(make_district(80, seed=4).persons)


def test_nobody_shares_an_id_a_number_or_an_address(district: kx.Roster) -> None:
    persons = district.persons
    for column in ("id", "email", "state_id"):
        assert not persons[column].dropna().duplicated().any(), column
    assert not persons.duplicated(["person_type", "local_id"]).any()
    names = pd.DataFrame({c: fold_all(persons[c]).to_pylist() for c in ("name_first", "name_last")}).assign(
        dob=persons["dob"]
    )
    assert not names.duplicated().any()
    assert not district.sections["local_id"].duplicated().any()
    assert persons["email"].str.endswith("@example.org").all()
    assert persons["local_id"].str.startswith("0").any()


def test_every_section_is_complete(district: kx.Roster) -> None:
    links = district.links
    for relation, end in (
        ("of_course", "source_id"),
        ("held_at", "source_id"),
        ("in_term", "source_id"),
        ("student_in", "target_id"),
        ("teacher_in", "target_id"),
    ):
        assert set(links.loc[links["relation"] == relation, end]) == set(district.sections["id"]), relation


def test_everyone_is_where_they_belong(district: kx.Roster) -> None:
    links = district.links.astype({"relation": "str"})
    held = links[links["relation"] == "held_at"].set_index("source_id")["target_id"]
    members = set(
        zip(*links.loc[links["relation"] == "member_of", ["source_id", "target_id"]].to_numpy().T, strict=True)
    )
    inside = links[links["relation"].isin(["student_in", "teacher_in"])]
    assert set(zip(inside["source_id"], inside["target_id"].map(held), strict=True)) <= members
    offered = links.loc[links["relation"] == "offered_by", ["source_id", "target_id"]]
    courses = links[links["relation"] == "of_course"].set_index("source_id")["target_id"]
    needed = set(zip(held.index.map(courses), held, strict=True))
    assert needed == set(offered.itertuples(index=False, name=None))


def test_sizes_loads_and_ages_are_plausible(district: kx.Roster) -> None:
    links = district.links
    sizes = links.loc[links["relation"] == "student_in", "target_id"].value_counts()
    assert sizes.median() == pytest.approx(25, abs=5)
    assert (sizes.min(), sizes.max()) >= (8, 15)
    assert sizes.max() <= 45
    loads = links.loc[links["relation"] == "student_in", "source_id"].value_counts()
    assert set(loads) <= {7, 8}
    teaching = links.loc[links["relation"] == "teacher_in", "source_id"].value_counts()
    assert teaching.max() <= 14
    kinds = district.persons.groupby("person_type")["dob"].agg(["min", "max"])
    assert kinds.loc["student", "min"] > pd.Timestamp(2006, 1, 1)
    assert kinds.loc["student", "max"] < pd.Timestamp(2022, 1, 1)
    assert kinds.loc["teacher", "max"] < pd.Timestamp(2004, 1, 1)


def test_terms_nest_and_do_not_overlap(district: kx.Roster) -> None:
    terms = district.terms.set_index("id")
    links = district.links
    for child, parent in links.loc[links["source_type"] == "term", ["source_id", "target_id"]].to_numpy():
        assert terms.loc[parent, "start_date"] <= terms.loc[child, "start_date"] < terms.loc[child, "end_date"]
        assert terms.loc[child, "end_date"] <= terms.loc[parent, "end_date"]
    for kind in ("semester", "quarter"):
        spans = terms[terms["term_type"] == kind].sort_values("start_date")
        assert (spans["end_date"].iloc[:-1].to_numpy() < spans["start_date"].iloc[1:].to_numpy()).all()


def test_names_come_from_many_scripts(district: kx.Roster) -> None:
    text = "".join(district.persons["name_last"])
    assert any("\u0600" <= c <= "\u06ff" for c in text)
    assert any("\u4e00" <= c <= "\u9fff" for c in text)
    assert "'" in text
    assert "ñ" in text


@pytest.mark.parametrize("students", [0, 1, 40, 300])
def test_planting_leaves_the_original_as_it_is(students: int) -> None:
    before, again = make_district(students), make_district(students)
    flawed, planted = plant(before, seed=7)
    assert_equal(before, again)
    assert (len(planted) > 30) == (students >= 40)
    for name, df in flawed.tables.items():
        assert df.dtypes.equals(before.tables[name].dtypes), name
    assert list(planted.columns) == ["check", "table", "id", "note"]


def test_what_is_planted_is_there(district: kx.Roster) -> None:
    flawed, planted = plant(district, seed=7)
    for flaw in VALUES:
        ids = set(planted.loc[(planted["check"] == flaw.check) & (planted["table"] == flaw.table), "id"])
        assert ids, flaw.check
        now = flawed.tables[flaw.table].set_index("id")[flaw.column]
        was = district.tables[flaw.table].set_index("id")[flaw.column]
        changed = {id for id in ids if now[id] is not was[id] and now[id] != was[id]}
        assert changed == ids, flaw.check
    for flaw in LINKS:
        ids = set(planted.loc[planted["check"] == flaw.check, "id"])
        links = flawed.links[(flawed.links["relation"] == flaw.relation) & flawed.links["source_id"].isin(ids)]
        assert ids, flaw.check
        if flaw.cut:
            assert links.empty, flaw.check
        else:
            missing = flawed.index.missing(flawed.index.target[links.index])
            assert missing.sum() == len(ids), flaw.check


def test_shared_and_repeated_things_are_planted(district: kx.Roster) -> None:
    flawed, planted = plant(district, seed=7)
    by_check = planted.groupby("check")["id"].agg(list)
    persons = flawed.persons.set_index("id")
    for check, column in (
        ("duplicate_local_id", "local_id"),
        ("duplicate_state_id", "state_id"),
        ("duplicate_email", "email"),
    ):
        assert persons.loc[by_check[check], column].nunique() == 1
    assert flawed.courses["id"].duplicated().sum() == 1
    twice = flawed.links[flawed.links["source_id"].isin(by_check["duplicate_membership"])]
    assert twice.duplicated(["source_id", "relation", "target_id"]).sum() == 1
    bad = flawed.problems.set_index("id")
    assert set(by_check["bad_value"]) == set(bad.index)
    assert persons.loc[by_check["bad_value"], "dob"].isna().all()


def test_a_morning_in_the_queue(district: kx.Roster) -> None:
    tasks = make_tasks(district, seed=7)
    assert {task["type"] for task in tasks} == set(TASK_TYPES)
    assert tasks == make_tasks(district, seed=7)
    assert len({task["id"] for task in tasks}) == len(tasks)
    for tenant in {task["tenant_id"] for task in tasks}:
        mine = [task["sequence"] for task in tasks if task["tenant_id"] == tenant]
        assert mine == list(range(1, len(mine) + 1))
    assert [task["created_at"] for task in tasks] == sorted(task["created_at"] for task in tasks)
    group = next(task["group_id"] for task in tasks if task.get("action") == "SYNC_END")
    inside = [task["type"] for task in tasks if task.get("group_id") == group]
    assert inside[0] == inside[-1] == "sync_event"
    assert set(inside[1:-1]) == {"data_event"}
    changed = [task for task in tasks if "changes" in task]
    assert changed
    assert all(task["changes"][key] != task["data"][key] for task in changed for key in task["changes"])
    known = set(district.persons["id"])
    assert all(task["object_id"] in known for task in tasks if task.get("object_type") == "RDM:STUDENT")


def test_tasks_need_no_objects() -> None:
    assert {task["type"] for task in make_tasks(kx.Roster(), seed=1)} == set(TASK_TYPES) - {"data_event"}


def test_five_hundred_students_are_ready_at_once() -> None:
    began = time.perf_counter()
    with kx.sandbox(students=500) as box:
        assert len(kx.load(box.client, "leas", progress=False)) == 1
    assert time.perf_counter() - began < 20  # far above the two seconds it is meant to take: a test is no stopwatch
