"""A pseudonymized copy: nothing that tells who somebody is, everything that a check or a picture needs."""

import hashlib
from typing import get_args

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rosters import BUNDLES, bundle, rosters

import kimono_explore as kx
from kimono_explore.frames import frame
from kimono_explore.privacy import FEWEST, _Coder
from kimono_explore.problems import OTHER, kind_of
from kimono_explore.roster.text import fold
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.flaws.catalogue import inject_flaws
from kimono_explore.schema import TABLES, Rule, declared

TELLING = ["local_id", "state_id", "name_last", "name_first", "name_middle", "label", "address_line1", "address_city",
           "address_postal_code", "phone", "email", "id"]  # fmt: skip


@pytest.fixture(scope="module")
def flawed() -> kx.Roster:
    return inject_flaws(make_district(200))[0]


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


@pytest.mark.parametrize("name", [*TABLES, "links", "problems"])
def test_every_declared_column_names_what_becomes_of_it(name: str) -> None:
    assert [column.name for column in declared(name) if column.privacy not in get_args(Rule)] == []


def test_a_column_without_a_rule_is_left_empty(monkeypatch: pytest.MonkeyPatch, flawed: kx.Roster) -> None:
    monkeypatch.setitem(TABLES, "terms", tuple(column._replace(privacy=None) for column in TABLES["terms"]))
    assert kx.pseudonymize(flawed).terms.isna().all(axis=None)


def in_the_order_of(flawed: kx.Roster, safe: kx.Roster) -> pd.DataFrame:
    """The persons of the copy that stand for those of the original, whose ids are not repeated."""
    coder = _Coder(hashlib.blake2b(b"secret").digest())
    once = flawed.persons["id"].notna() & ~flawed.persons["id"].duplicated(keep=False)
    return safe.persons.set_index("id").loc[flawed.persons["id"][once].map(coder.id)].reset_index()


def test_missing_stays_missing_and_equal_stays_equal(flawed: kx.Roster, safe: kx.Roster) -> None:
    once = flawed.persons["id"].notna() & ~flawed.persons["id"].duplicated(keep=False)
    before, after = flawed.persons[once], in_the_order_of(flawed, safe)
    for name in TELLING:
        assert after[name].isna().tolist() == before[name].isna().tolist(), name
        shared = before[name].map(fold, na_action="ignore").duplicated(keep=False)
        assert after[name].duplicated(keep=False).tolist() == shared.tolist(), name
    repeats = [roster.persons["id"].value_counts().value_counts().to_dict() for roster in (flawed, safe)]
    assert repeats[0] == repeats[1]


@pytest.mark.parametrize("flaws", [True, False])
def test_nobody_is_told_by_stamps_or_by_order(flaws: bool) -> None:
    with kx.sandbox(students=500, flaws=flaws) as box:
        loaded = kx.load_roster(box.client, progress=False)
    safe = kx.pseudonymize(loaded, key="secret")
    assert loaded.persons.groupby(["created_at", "updated_at"], dropna=False).size().min() == 1
    for name, df in safe.tables.items():
        sizes = df.groupby(["created_at", "updated_at"], dropna=False).size()
        assert len(sizes) <= 1 or sizes.min() >= FEWEST, name
    assert safe.persons["updated_at"].notna().mean() > 0.7
    links = safe.links
    people = links.groupby(["start_date", "end_date"], dropna=False)["source_id"].nunique()
    assert people.min() >= FEWEST
    coder = _Coder(hashlib.blake2b(b"secret").digest())
    for name, df in safe.tables.items():
        assert df["id"].dropna().is_monotonic_increasing
        if len(df) > 20:
            ids = loaded.tables[name]["id"].dropna().map(coder.id).drop_duplicates()
            met = [a == b for a, b in zip(ids, df["id"], strict=False)]
            assert sum(met) <= 3, name


def test_dates_that_few_share_become_months_or_go() -> None:
    def shared(days: list[str], who: list[str]) -> list[str]:
        names = frame("links", {"source_id": who, "start_date": days, "source_type": ["person"] * len(who)})
        safe = kx.pseudonymize(kx.Roster(links=names)).links["start_date"]
        return sorted(safe.dt.strftime("%m-%d").fillna("gone"))

    many = [f"p{n}" for n in range(5)]
    assert shared(["2026-08-17"] * 5, many) == ["08-17"] * 5
    assert shared(["2026-08-17"] * 5, ["p0"] * 5) == ["gone"] * 5  # one person's five dates
    assert shared([f"2026-08-1{n}" for n in range(5)], many) == ["08-01"] * 5
    assert shared([f"2026-0{n + 1}-10" for n in range(5)], many) == ["gone"] * 5
    # One alone would be told by having no date.
    assert shared(["2026-08-17"] * 5 + ["2026-10-14"], [*many, "p5"]) == ["gone"] * 6


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(roster=rosters())
def test_any_roster_keeps_its_size_and_shape(roster: kx.Roster) -> None:
    safe = kx.pseudonymize(roster, key="secret")
    assert safe.counts() == roster.counts()
    for name, df in {**safe.tables, "links": safe.links}.items():
        before = getattr(roster, name)
        dropped = {c.name for c in declared(name) if c.privacy == "drop"}
        assert df.dtypes.equals(before.dtypes[df.columns])
        assert (set(before) - set(df)) <= {c for c in before if c.startswith("ext_")}
        changed = {c.name for c in declared(name) if c.privacy in ("month", "day")} | dropped
        for column in set(df) - changed:
            assert df[column].isna().sum() == before[column].isna().sum(), (name, column)
    pd.testing.assert_series_equal(
        safe.links.groupby("relation", observed=True).size(), roster.links.groupby("relation", observed=True).size()
    )


@settings(max_examples=30)
@given(months=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), max_size=40))
def test_stamps_that_are_left_are_shared_by_five(months: list[tuple[int, int]]) -> None:
    stamps = {
        name: [pd.Timestamp(2026, pair[place], 1 + n % 28, tz="UTC") for n, pair in enumerate(months)]
        for place, name in enumerate(("created_at", "updated_at"))
    }
    persons = frame("persons", {"id": [str(n) for n in range(len(months))], **stamps} if months else {})
    safe = kx.pseudonymize(kx.Roster(persons=persons)).persons
    sizes = safe.groupby(["created_at", "updated_at"], dropna=False).size()
    assert len(sizes) <= 1 or sizes.min() >= FEWEST


def test_no_words_of_a_server_are_in_the_problems() -> None:
    said = [
        ("the list was refused: 403 from rostering/terms: Ana Silva may not.", "the list was refused"),
        ("the two sides of student_in to s-4711 differ: Ana is kept", "the two sides of … to … differ: … is kept"),
        ("page 4 repeats page 2 of Ana: treated as the end of the list", "treated as the end of the list"),
        ("the id came 2 times with different content; all are kept", None),
        ("not a date", "not a date"),
        ("Ana Silva", OTHER),
    ]
    rows = {"table": ["Ana.csv"], "id": ["s-4711"], "column": ["ext_ana"], "value": ["Ana"]}
    for text, kind in said:
        roster = kx.Roster(problems=frame("problems", {**rows, "problem": [text]}))
        safe = kx.pseudonymize(roster).problems
        assert safe["problem"][0] == kind or kind is None
        assert "ana" not in " ".join(safe.iloc[0].dropna()).lower()
        assert "4711" not in " ".join(safe.iloc[0].dropna())
        assert safe[["table", "column"]].to_numpy().tolist() == [["other", "other"]]


@pytest.mark.parametrize("name", BUNDLES)
def test_every_problem_of_a_real_bundle_is_of_a_known_kind(name: str) -> None:
    roster = kx.read_oneroster(bundle(name))
    about_rows = roster.problems[roster.problems["id"].notna()]
    assert about_rows["problem"][about_rows["problem"].map(kind_of) == OTHER].unique().tolist() == []


def test_every_problem_of_the_sandbox_is_of_a_known_kind(flawed: kx.Roster, safe: kx.Roster) -> None:
    assert len(safe.problems) == len(flawed.problems) > 0
    assert OTHER not in set(safe.problems["problem"])


def test_nothing_else_tells_of_the_tenant() -> None:
    roster = kx.Roster(source="https://silva.example", rollups=frozenset({"persons.$sections", "persons.$silva"}))
    for df in (*roster.tables.values(), roster.links, roster.problems):
        df.attrs["problems"] = "Silva"
    safe = kx.pseudonymize(roster)
    assert (safe.source, safe.rollups) == ("a pseudonymized roster", frozenset({"persons.$sections"}))
    assert [df.attrs for df in (*safe.tables.values(), safe.links, safe.problems) if df.attrs] == []
    assert "silva" not in repr(safe).lower()


@pytest.mark.parametrize("kind", ["id", "name", "number", "email"])
def test_codes_of_a_million_values_do_not_collide(kind: str) -> None:
    make = getattr(_Coder(b"secret"), kind)
    assert len({make(f"value {n}") for n in range(1_000_000)}) == 1_000_000


def test_phones_stay_numbers_and_do_not_collide() -> None:
    phones = {_Coder(b"secret").phone(f"555 {n}") for n in range(100_000)}
    assert len(phones) == 100_000
    assert all(len(phone) == 16 and phone[:2] == "+0" and phone[1:].isdigit() for phone in phones)


def test_the_graph_keeps_its_shape(flawed: kx.Roster, safe: kx.Roster) -> None:
    before, after = (kx.summarize_graph(kx.build_graph(roster), hubs=0) for roster in (flawed, safe))
    pd.testing.assert_frame_equal(before[["measure", "name", "value"]], after[["measure", "name", "value"]])


def test_checks_of_relations_find_the_same(flawed: kx.Roster, safe: kx.Roster) -> None:
    before, after = (kx.check(roster, as_of="2026-10-05").summary.set_index("id") for roster in (flawed, safe))
    # A date or a status that few have tells who they are: it is left out.
    rare = ["enrollment_without_start", "enrollment_outside_terms", "ended_but_active", "future_but_active",
            "membership_far_ahead", "membership_before_birth",
            "membership_ends_before_start", "enrollment_without_end", "enrolled_inactive_student",
            "enrollment_in_inactive_section", "inactive_teacher_of_section"]  # fmt: skip
    # Ids, names and addresses are other ones.
    made = [
        "alike_ids",
        "id_with_spaces",
        "refused_id",
        "name_too_long",
        "line_break",
        "email_elsewhere",
        "spreadsheet_damage",
        "grade_against_age",
    ]  # of the day of birth, the year stays
    values = [*rare, *made, "invalid_email", "invalid_phone", "invalid_postal_code", "untrimmed_text", "broken_encoding",
              "placeholder_name", "shouting_name"]  # fmt: skip
    assert after["failed"].drop(values).to_dict() == before["failed"].drop(values).to_dict()


def test_a_key_can_be_used_again_and_no_key_is_never_the_same(flawed: kx.Roster, safe: kx.Roster) -> None:
    again = kx.pseudonymize(flawed, key=b"secret")
    for name in (*TABLES, "links", "problems"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(safe, name))
    first, second = (kx.pseudonymize(flawed).persons["id"].dropna() for _ in range(2))
    assert set(first) & set(second) == set()
    with pytest.raises(ValueError, match="key is empty"):
        kx.pseudonymize(flawed, key="")


def test_a_birth_stays_in_its_year(flawed: kx.Roster, safe: kx.Roster) -> None:
    once = flawed.persons["id"].notna() & ~flawed.persons["id"].duplicated(keep=False)
    before, after = flawed.persons["dob"][once].reset_index(drop=True), in_the_order_of(flawed, safe)["dob"]
    assert before.dt.year.equals(after.dt.year)
    assert (before.dropna() == after.dropna()).mean() < 0.05


def test_unknown_columns_are_left_out_unless_named() -> None:
    persons = frame("persons", {"id": ["007"], "name_last": ["O'Neil"], "ext_nick": ["Bo"], "ext_grade": ["3"]})
    roster = kx.Roster(persons=persons)
    assert [c for c in kx.pseudonymize(roster).persons if c.startswith("ext_")] == ["ext_grade"]
    kept = kx.pseudonymize(roster, keep=["ext_nick"]).persons
    assert (kept["ext_nick"][0], "ext_grade" in kept) == ("Bo", False)


def test_an_empty_roster_can_be_pseudonymized() -> None:
    pd.testing.assert_frame_equal(kx.pseudonymize(kx.Roster()).overview(), kx.Roster().overview())
