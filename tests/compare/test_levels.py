"""What is the same under a new id."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import kimono_explore as kx
from benchmarks.renewing import renewed, score
from kimono_explore.frames import add_rows, frame
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.schema import TABLES


@pytest.fixture(scope="module")
def district() -> kx.Roster:
    return make_district(120, seed=3)


def people(*rows: dict[str, object]) -> kx.Roster:
    return kx.Roster(persons=add_rows("persons", frame("persons"), rows))


PAT = {"id": "1", "name_first": "Pat", "name_last": "Okafor", "local_id": "007", "state_id": "S7", "email": "p@x.org"}


def matched(old: kx.Roster, new: kx.Roster, table: str = "persons") -> list[tuple[str, str, str, float]]:
    found = kx.compare(old, new, match="auto").recreated(table)
    return list(found[["old_id", "new_id", "by", "certainty"]].itertuples(index=False, name=None))


def test_all_ids_new_is_neither_added_nor_removed(district: kx.Roster) -> None:
    new, ids = renewed(district)
    diff = kx.compare(district, new, match="auto")
    assert diff.summary[["added", "removed", "changed", "unchanged"]].to_numpy().sum() == 0
    assert diff.summary["recreated"].tolist() == [*(len(df) for df in district.tables.values()), len(district.links)]
    assert {table: score(diff, table, ids) for table in TABLES} == dict.fromkeys(TABLES, (1.0, 1.0))
    by_id = kx.compare(district, new).summary
    assert by_id["added"].sum() == by_id["removed"].sum() == diff.summary["recreated"].sum()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_damaged_fields_are_seen_through(district: kx.Roster, seed: int) -> None:
    new, ids = renewed(district, seed, damage=0.03)
    diff = kx.compare(district, new, match="auto")
    for table in ("persons", "sections", "courses", "orgs", "terms"):
        precision, recall = score(diff, table, ids)
        assert (precision, recall >= 0.98) == (1.0, True), table


def test_without_any_number_names_and_neighbors_do(district: kx.Roster) -> None:
    new, ids = renewed(district)
    for table, columns in {"persons": ["local_id", "state_id", "email"], "sections": ["local_id", "title"]}.items():
        blank = {column: pd.Series(float("nan"), index=getattr(new, table).index, dtype="str") for column in columns}
        setattr(new, table, getattr(new, table).assign(**blank))
    diff = kx.compare(district, new, match="auto")
    assert score(diff, "persons", ids)[0] == 1.0
    assert score(diff, "persons", ids)[1] >= 0.95
    assert score(diff, "sections", ids) == (1.0, 1.0)
    assert set(diff.recreated("sections")["by"]) == {"neighbors"}


@pytest.mark.parametrize("seed", range(8))
def test_where_ids_did_not_change_nothing_is_matched_by_anything_else(district: kx.Roster, seed: int) -> None:
    """People leave, others with other names join; classes move; a whole section ends and another begins."""
    rng = np.random.default_rng(seed)
    other = make_district(120, seed=100 + seed)
    joined = other.persons.head(10).assign(id=[f"new{n}" for n in range(10)], email=None, local_id=None, state_id=None)
    begun = other.sections.head(3).assign(
        id=["s1", "s2", "s3"], local_id=["N1", "N2", "N3"], title=["Chess", "Go", "Hive"]
    )
    left = set(rng.choice(district.persons["id"], 12, replace=False))
    ended = set(rng.choice(district.sections["id"], 3, replace=False))
    links = district.links[
        ~district.links["source_id"].isin(left | ended) & ~district.links["target_id"].isin(left | ended)
    ]
    persons = district.persons[~district.persons["id"].isin(left)]
    sections = district.sections[~district.sections["id"].isin(ended)]
    new = kx.Roster(
        **{
            **district.tables,
            "persons": pd.concat([persons, joined], ignore_index=True).astype(persons.dtypes),
            "sections": pd.concat([sections, begun], ignore_index=True).astype(sections.dtypes),
        },
        links=links.sample(frac=0.97, random_state=seed).reset_index(drop=True),
    )
    diff = kx.compare(district, new, match="auto")
    assert diff.matches.empty
    by_id = ["table", "added", "removed", "changed", "unchanged"]
    pd.testing.assert_frame_equal(diff.summary[by_id], kx.compare(district, new).summary)
    assert diff.summary.set_index("table").loc["persons", ["added", "removed"]].tolist() == [10, 12]


def test_exchanged_rosters_exchange_the_matches(district: kx.Roster) -> None:
    new, _ = renewed(district, damage=0.05)
    new.persons = new.persons.iloc[9:].reset_index(drop=True)
    there, back = kx.compare(district, new, match="auto"), kx.compare(new, district, match="auto")
    one = there.summary.rename(columns={"added": "removed", "removed": "added"})
    pd.testing.assert_frame_equal(one[back.summary.columns], back.summary)
    columns = ["table", "old_id", "new_id", "by"]
    turned = back.matches.rename(columns={"old_id": "new_id", "new_id": "old_id"})[columns]
    assert set(turned.itertuples(index=False, name=None)) == set(
        there.matches[columns].itertuples(index=False, name=None)
    )


def test_each_level_takes_what_those_before_it_left_over() -> None:
    old = people(
        PAT,
        {"id": "2", "name_first": "Al", "name_last": "Ng", "state_id": "S8", "dob": "2010-05-01"},
        {"id": "3", "name_first": "Bo", "name_last": "Ek", "email": "bo@x.org"},
        {"id": "4", "name_first": "Cy", "name_last": "Li", "dob": "2011-02-03"},
        {"id": "5", "name_first": "Di", "name_last": "Oh"},
    )
    new = people(
        {**PAT, "id": "11", "email": "okafor@x.org"},
        {"id": "12", "name_first": "Al", "name_last": "Ng", "state_id": "S8", "dob": "2010-05-02"},
        {"id": "13", "name_first": "Bo", "name_last": "Ek", "email": "BO@x.org "},
        {"id": "14", "name_first": "Cy", "name_last": "Li", "dob": "2011-02-03"},
        {"id": "15", "name_first": "Ed", "name_last": "Xu"},
    )
    assert sorted(matched(old, new)) == [
        ("1", "11", "local id", 0.8),
        ("2", "12", "state id", 0.75),
        ("3", "13", "e-mail", 1.0),
        ("4", "14", "name", 1.0),
    ]
    summary = kx.compare(old, new, match="auto").summary.set_index("table").loc["persons"]
    assert summary[summary != 0].to_dict() == {
        "added": 1, "removed": 1, "recreated": 4, "by_local_id": 1, "by_state_id": 1, "by_email": 1, "by_name": 1,
    }  # fmt: skip


def test_a_number_that_went_to_somebody_else_is_no_match() -> None:
    other = {"id": "2", "name_first": "Mo", "name_last": "Diaz", "local_id": "007", "email": "m@x.org"}
    assert matched(people(PAT), people(other)) == []


def test_what_could_be_two_things_is_left_over() -> None:
    assert matched(people(PAT), people({**PAT, "id": "2"}, {**PAT, "id": "3"})) == []
    assert matched(people(PAT, {**PAT, "id": "2"}), people({**PAT, "id": "3"})) == []


def test_a_name_with_a_slip_is_matched_by_its_probability() -> None:
    more = {"dob": "2010-05-01", "phone": "555-867-5309", "address_line1": "12 Elm St", "address_city": "Dell"}
    old = people({"id": "1", "name_first": "Jonathan", "name_last": "Abernathy", **more})
    new = people({"id": "2", "name_first": "Jonathon", "name_last": "Abernathy", **more})
    ((old_id, new_id, by, certainty),) = matched(old, new)
    assert (old_id, new_id, by) == ("1", "2", "names alike")
    assert 0.95 <= certainty <= 1


def test_a_twin_is_not_her_brother() -> None:
    more = {"name_last": "Abernathy", "dob": "2010-05-01", "phone": "555-867-5309", "address_line1": "12 Elm St"}
    assert (
        matched(people({"id": "1", "name_first": "Ann", **more}), people({"id": "2", "name_first": "Bob", **more}))
        == []
    )


def classes(section: str, students: list[str], **columns: object) -> kx.Roster:
    """A section with its course, term, teacher and students."""
    ends = [("course", "c", "of_course"), ("term", "t", "in_term"), ("org", "o", "held_at")]
    rows = [("section", section, relation, type, id) for type, id, relation in ends]
    rows += [("person", id, "student_in", "section", section) for id in students]
    rows += [("person", "teacher", "teacher_in", "section", section)]
    names = ("source_type", "source_id", "relation", "target_type", "target_id")
    return kx.Roster(
        orgs=frame("orgs", {"id": ["o"]}),
        courses=frame("courses", {"id": ["c"]}),
        terms=frame("terms", {"id": ["t"]}),
        persons=frame("persons", {"id": ["teacher", *students]}),
        sections=add_rows("sections", frame("sections"), [{"id": section, **columns}]),
        links=frame("links", {name: [row[n] for row in rows] for n, name in enumerate(names)}),
    )


STUDENTS = [str(n) for n in range(18)]


def test_a_section_is_known_by_its_course_term_teacher_and_students() -> None:
    old = classes("old", STUDENTS, title="Health 8", local_id="A1")
    new = classes("new", STUDENTS[1:], title="HE-8", local_id="CL27-1")
    # Course, term, school and teacher are the same, and 17 of 18 students. Who left is unknown, and does not count.
    assert matched(old, new, "sections") == [("old", "new", "neighbors", 1.0)]
    new.persons = old.persons
    assert matched(old, new, "sections") == [("old", "new", "neighbors", round((4 + 17 / 18) / 5, 3))]


def test_other_students_are_another_section() -> None:
    new = classes("new", STUDENTS[9:], title="HE-8")
    new.persons = classes("new", STUDENTS).persons
    assert matched(classes("old", STUDENTS, title="Health 8"), new, "sections") == []


@pytest.mark.parametrize("number", ["A1", None])
def test_a_section_of_the_next_year_is_another_one(number: str | None) -> None:
    old = classes("old", STUDENTS, title="Health 8", local_id=number, school_year="2026")
    new = classes("new", STUDENTS, title="Health 8", local_id=number, school_year="2027")
    assert matched(old, new, "sections") == []


@pytest.mark.parametrize(
    ("old_term", "new_term"),
    [
        ({"school_year": "2026"}, {"school_year": "2027"}),
        ({"end_date": "2026-05-29"}, {"end_date": "2027-05-28"}),
        ({"school_year": "2026"}, {"end_date": "2026-12-18"}),
    ],
)
@pytest.mark.parametrize("number", ["A1", None])
def test_a_section_has_the_year_of_its_term(
    number: str | None, old_term: dict[str, str], new_term: dict[str, str]
) -> None:
    def section(id: str, term: dict[str, str]) -> kx.Roster:
        roster = classes(id, STUDENTS, title="Health 8", local_id=number)
        roster.terms = add_rows("terms", frame("terms"), [{"id": f"t-{id}", "name": "Fall", **term}])
        in_term = roster.links["relation"] == "in_term"
        roster.links["target_id"] = roster.links["target_id"].mask(in_term, f"t-{id}").astype("str")
        return roster

    assert matched(section("old", old_term), section("new", new_term), "sections") == []
    # Its own year counts first, and the same year is no obstacle.
    same = section("new", old_term)
    assert len(matched(section("old", old_term), same, "sections")) == 1


def test_links_follow_what_was_matched(district: kx.Roster) -> None:
    school = district.orgs["id"].iloc[-1]
    new = kx.Roster(**district.tables, links=district.links)
    new.orgs = district.orgs.assign(id=district.orgs["id"].replace({school: "new"}))
    new.links = district.links.assign(
        **{f"{end}_id": district.links[f"{end}_id"].replace({school: "new"}) for end in ("source", "target")}
    )
    diff = kx.compare(district, new, match="auto")
    moved = district.links[(district.links["source_id"] == school) | (district.links["target_id"] == school)]
    links = diff.summary.set_index("table").loc["links"]
    assert links[["added", "removed", "recreated", "unchanged"]].tolist() == [
        0, 0, len(moved), len(district.links) - len(moved),
    ]  # fmt: skip
    renamed = diff.recreated("links")
    assert set(renamed["old_target_id"].where(renamed["target_id"] == "new").dropna()) == {school}
    assert repr(diff).startswith(f"<Comparison: 0 added, 0 removed, 0 changed, {1 + len(moved):,} recreated; ")


def test_nothing_is_matched_in_empty_rosters(district: kx.Roster) -> None:
    for old, new in ((kx.Roster(), district), (district, kx.Roster()), (kx.Roster(), kx.Roster())):
        diff = kx.compare(old, new, match="auto")
        assert diff.matches.empty
        assert diff.summary["recreated"].sum() == 0
        assert list(diff.matches.columns) == ["table", "old_id", "new_id", "label", "by", "certainty"]


def test_another_way_to_match_is_named() -> None:
    with pytest.raises(ValueError, match=r'Unknown match \'name\'. Choose "id" or "auto".'):
        kx.compare(kx.Roster(), kx.Roster(), match="name")  # type: ignore[arg-type]
