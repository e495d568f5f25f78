"""A pseudonymised copy: nothing that tells who somebody is, everything that a check or a picture needs."""

import pandas as pd
import pytest

import kimono_explore as kx
from kimono_explore.privacy import RULES
from kimono_explore.sandbox.district import make_district
from kimono_explore.sandbox.flaws import plant
from kimono_explore.tables import TABLES, frame

TELLING = ["local_id", "state_id", "name_last", "name_first", "name_middle", "label", "address_line1", "address_city",
           "address_postal_code", "phone", "email", "id"]  # fmt: skip


@pytest.fixture(scope="module")
def flawed() -> kx.Roster:
    return plant(make_district(200))[0]


@pytest.fixture(scope="module")
def safe(flawed: kx.Roster) -> kx.Roster:
    return kx.pseudonymize(flawed, key="secret")


def texts(roster: kx.Roster) -> set[str]:
    frames = [*roster.tables.values(), roster.links, roster.problems]
    return {str(value) for df in frames for name in df.columns for value in df[name].dropna().unique()}


def test_no_telling_value_is_anywhere_in_the_copy(flawed: kx.Roster, safe: kx.Roster) -> None:
    told = {value for name in TELLING for value in flawed.persons[name].dropna().unique() if len(value) > 3}
    told |= (
        set(flawed.orgs["name"].dropna())
        | set(flawed.sections["title"].dropna())
        | set(flawed.links["source_id"].dropna())
    )
    assert len(told) > 2000
    kept = set(flawed.courses["title"].dropna()) | set(flawed.terms["name"].dropna())
    assert told & texts(safe) - kept == set()
    assert flawed.source not in safe.source


def test_every_declared_column_of_persons_is_decided_upon() -> None:
    kept = {column.name for column in TABLES["persons"]} - set(RULES["persons"]) - {"id"}
    assert kept == {"person_type", "address_state", "address_country", "sex", "aup", "grad_year", "school_year",
                    "created_at", "updated_at"}  # fmt: skip


def test_missing_stays_missing_and_equal_stays_equal(flawed: kx.Roster, safe: kx.Roster) -> None:
    for name in TELLING:
        before, after = flawed.persons[name], safe.persons[name]
        assert after.isna().tolist() == before.isna().tolist(), name
    for name in ("id", "state_id"):
        duplicated = flawed.persons[name].duplicated(keep=False)
        assert safe.persons[name].duplicated(keep=False).tolist() == duplicated.tolist()


def test_the_graph_keeps_its_shape(flawed: kx.Roster, safe: kx.Roster) -> None:
    before, after = (kx.summarize_graph(kx.build_graph(roster), hubs=0) for roster in (flawed, safe))
    pd.testing.assert_frame_equal(before[["measure", "name", "value"]], after[["measure", "name", "value"]])


def test_checks_of_relations_find_the_same(flawed: kx.Roster, safe: kx.Roster) -> None:
    before, after = (kx.check(roster, as_of="2026-10-05").summary.set_index("id") for roster in (flawed, safe))
    values = ["invalid_email", "invalid_phone", "invalid_postal_code", "untrimmed_text", "broken_encoding",
              "placeholder_name", "shouting_name"]  # fmt: skip
    assert after["failed"].drop(values).to_dict() == before["failed"].drop(values).to_dict()


def test_a_key_can_be_used_again_and_no_key_is_never_the_same(flawed: kx.Roster, safe: kx.Roster) -> None:
    again = kx.pseudonymize(flawed, key=b"secret")
    pd.testing.assert_frame_equal(again.persons, safe.persons)
    first, second = (kx.pseudonymize(flawed).persons["id"].dropna() for _ in range(2))
    assert set(first) & set(second) == set()
    with pytest.raises(ValueError, match="key is empty"):
        kx.pseudonymize(flawed, key="")


def test_a_birth_stays_in_its_year(flawed: kx.Roster, safe: kx.Roster) -> None:
    before, after = flawed.persons["dob"], safe.persons["dob"]
    assert before.dt.year.equals(after.dt.year)
    assert (before.dropna() == after.dropna()).mean() < 0.05


def test_unknown_columns_are_left_out_unless_named() -> None:
    persons = frame("persons", {"id": ["007"], "name_last": ["O'Neil"], "ext_nick": ["Bo"], "ext_grade": ["3"]})
    roster = kx.Roster(persons=persons)
    assert [c for c in kx.pseudonymize(roster).persons if c.startswith("ext_")] == ["ext_grade"]
    kept = kx.pseudonymize(roster, keep=["ext_nick"]).persons
    assert (kept["ext_nick"][0], "ext_grade" in kept) == ("Bo", False)


def test_an_empty_roster_can_be_pseudonymised() -> None:
    pd.testing.assert_frame_equal(kx.pseudonymize(kx.Roster()).overview(), kx.Roster().overview())
