"""Probable duplicates: one person entered twice is a pair, whatever was damaged; two persons are none."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pytest
from builders import link, make, school, student, teacher

import kimono_explore as kx
from kimono_explore.duplicates import score
from kimono_explore.duplicates.model import BLOCKS, COMPARISONS, alike, levels
from kimono_explore.duplicates.nicknames import nicknames
from kimono_explore.duplicates.score import weighed
from kimono_explore.sandbox.district.build import make_district

if TYPE_CHECKING:
    from pathlib import Path

    from kimono_explore.duplicates.model import Learned

PERSON: dict[str, Any] = {
    "name_first": "Sofía",
    "name_last": "García Núñez",
    "dob": "2012-03-05",
    "state_id": "0000123456",
    "local_id": "00777",
    "email": "sofia.garcia@example.org",
    "phone": "(507) 555-0123",
    "address_line1": "12 North Oak Street",
    "address_postal_code": "55057",
    "sex": "F",
    "label": "Sofía García Núñez",
}
NO_KEYS = {"state_id": None, "local_id": None, "email": None}


def others(count: int = 48) -> kx.Roster:
    return make_district(count)


def pairs(*persons: dict[str, Any], kind: Any = student, **options: Any) -> pd.DataFrame:
    """The pairs among these and a small district."""
    made = make(*[kind(**{"id": f"p{n}", **PERSON, **person}) for n, person in enumerate(persons)])
    district = others()
    both = pd.concat([district.persons, made.persons], ignore_index=True)
    return kx.probable_duplicates(kx.Roster(persons=both, orgs=district.orgs, links=district.links), **options)


DAMAGED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no key": (NO_KEYS, "agree", "first name, last name"),
    "accents and case": (
        {**NO_KEYS, "name_first": "SOFIA", "name_last": "GARCIA NUNEZ"},
        "agree",
        "first name, last name",
    ),
    "compound last name turned": ({**NO_KEYS, "name_last": "Núñez García"}, "alike", "name (order of its words)"),
    "compound last name with a hyphen": ({**NO_KEYS, "name_last": "García-Núñez"}, "agree", "last name"),
    "one of two last names": ({**NO_KEYS, "name_last": "García"}, "alike", "last name"),
    "another last name": ({**NO_KEYS, "name_last": "Ziegler"}, "differ", "last name"),
    "nickname": ({**NO_KEYS, "name_first": "Sofi"}, "alike", "first name"),
    "typing error": ({**NO_KEYS, "name_first": "Sofai"}, "alike", "first name"),
    "day and month swapped": ({**NO_KEYS, "dob": "2012-05-03"}, "alike", "date of birth (day and month swapped)"),
    "one digit of the date": ({**NO_KEYS, "dob": "2012-03-06"}, "alike", "date of birth (one digit)"),
    "no date": ({**NO_KEYS, "dob": None}, "agree", "phone, address"),
    "ids without zeros": ({"state_id": "123456", "local_id": "777", "email": None}, "agree", "state id, local id"),
    "a digit of the state id": ({**NO_KEYS, "state_id": "0000123457"}, "alike", "state id"),
    "a longer state id": ({**NO_KEYS, "state_id": "9900123456"}, "alike", "state id"),
    "moved": ({**NO_KEYS, "address_line1": "9 Elm Ave", "address_postal_code": "55021"}, "differ", "address"),
    "another phone": ({**NO_KEYS, "phone": "507-555-0188"}, "differ", "phone"),
    "phone and street spelled otherwise": (
        {**NO_KEYS, "phone": "+1 507 555 0123", "address_line1": "12 N. Oak St."},
        "agree",
        "phone, address",
    ),
    "another provider of mail": ({**NO_KEYS, "email": "sofia.garcia@example.net"}, "alike", "e-mail"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_person_entered_again_is_found_in_a_small_roster(damage: str) -> None:
    changes, outcome, words = DAMAGED[damage]
    found = pairs({}, changes)
    assert found[["id_1", "id_2"]].values.tolist() == [["p0", "p1"]]
    assert words in found[outcome][0]
    assert found["probability"][0] >= 0.9


NOT_ONE: dict[str, dict[str, Any]] = {
    "twins": {
        "name_first": "Lucía",
        "state_id": "0000123457",
        "local_id": "00778",
        "email": "lucia.garcia@example.org",
    },
    "twins without keys": {"name_first": "Valentina", **NO_KEYS},
    "namesakes": {
        **NO_KEYS,
        "dob": "2009-11-23",
        "phone": "651 555 0199",
        "address_line1": "77 Elm Ave",
        "address_postal_code": "55021",
    },
    "no first name": {"name_first": None, **NO_KEYS},
}


@pytest.mark.parametrize("case", NOT_ONE)
def test_two_persons_are_no_pair(case: str) -> None:
    assert pairs({}, NOT_ONE[case]).empty


def test_alike_names_that_many_bear_are_those_of_twins() -> None:
    names = ["Jayden", "Jaylen"] * 4
    more = [
        {
            "name_first": name,
            "name_last": f"Zed{n}",
            "dob": f"2010-01-1{n}",
            **NO_KEYS,
            "phone": None,
            "address_line1": None,
        }
        for n, name in enumerate(names)
    ]
    twins = [{"name_first": "Jayden", **NO_KEYS}, {"name_first": "Jaylen", **NO_KEYS}]
    assert pairs(*twins, *more).empty
    assert len(pairs(*twins)) == 1  # where nobody else is called so, it may be a typing error


def test_a_district_without_duplicates_has_no_pairs() -> None:
    assert kx.probable_duplicates(others(300)).empty


def test_persons_are_compared_within_their_type() -> None:
    made = make(student("a", **PERSON), teacher("b", **{**PERSON, **NO_KEYS}))
    assert kx.probable_duplicates(made).empty
    across = kx.probable_duplicates(made, across_types=True)
    assert across["person_type"].tolist() == ["student / teacher"]


def test_what_a_pair_says() -> None:
    again = student("b", **{**PERSON, **NO_KEYS, "name_first": "Sofi"})
    made = make(
        student("a", **PERSON),
        again,
        school("north"),
        school("south"),
        link("a member_of north"),
        link("b member_of south"),
    )
    found = kx.probable_duplicates(made)
    assert found.drop(columns=["probability"]).to_dict("records") == [
        {
            "id_1": "a",
            "label_1": "Sofía García Núñez",
            "id_2": "b",
            "label_2": "Sofía García Núñez",
            "person_type": "student",
            "school_1": "north",
            "school_2": "south",
            "agree": "last name, date of birth, sex, phone, address",
            "alike": "first name",
            "differ": "school",
        }
    ]


def test_no_row_twice_no_one_with_themself_and_most_probable_first() -> None:
    found = pairs({}, NO_KEYS, {**NO_KEYS, "dob": "2012-03-06", "phone": None}, {"id": "p0"})
    ends = found[["id_1", "id_2"]].apply(frozenset, axis="columns")
    assert not ends.duplicated().any()
    assert (found["id_1"] != found["id_2"]).all()
    assert set(ends) == {frozenset(x) for x in (("p0", "p1"), ("p0", "p2"), ("p1", "p2"))}
    assert found["probability"].is_monotonic_decreasing
    assert found.equals(pairs({}, NO_KEYS, {**NO_KEYS, "dob": "2012-03-06", "phone": None}, {"id": "p0"}))


def test_the_threshold() -> None:
    weak = {**NO_KEYS, "phone": None, "address_line1": "9 Elm Ave", "address_postal_code": "55021", "dob": "2012-11-05"}
    assert pairs({}, weak).empty
    found = pairs({}, weak, threshold=1e-6)
    assert found["probability"].between(1e-6, 0.9).tolist() == [True]
    for wrong in (0, -1, 1.5, float("nan")):
        with pytest.raises(ValueError, match="above 0 and up to 1"):
            kx.probable_duplicates(make(student()), wrong)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_anybody(count: int) -> None:
    found = kx.probable_duplicates(make(*[student(f"p{n}") for n in range(count)]))
    assert found.empty
    assert (found.dtypes == pairs({}, NO_KEYS).dtypes).all()


def test_a_large_roster_teaches_the_model_and_gives_the_same_twice() -> None:
    from benchmarks.duplicates import damaged_district

    roster, twice = damaged_district(2_000)
    found = kx.probable_duplicates(roster)
    assert found.equals(kx.probable_duplicates(roster))
    ends = {(min(a, b), max(a, b)) for a, b in zip(found["id_1"], found["id_2"], strict=True)}
    assert len(ends & twice) >= 0.9 * len(twice)
    assert len(ends - twice) <= 1


def splinks_own(connection: duckdb.DuckDBPyConnection, count: int, learned: Learned) -> pd.DataFrame:
    """What Splink predicts by itself with the same blocks, comparisons and probabilities."""
    from splink import DuckDBAPI, Linker

    shares = connection.execute("SELECT DISTINCT name, name_share AS tf_name FROM ready").df()
    comparisons = [levels(comparison) for comparison in COMPARISONS]
    for comparison, rows in zip(COMPARISONS, comparisons, strict=True):
        for level, row in zip(comparison.levels, rows["comparison_levels"][1:], strict=True):
            row["m_probability"], row["u_probability"] = learned[comparison.name, level.sql]
            if level.frequency:
                row |= {"tf_adjustment_column": "name", "tf_adjustment_weight": 1.0}
    settings: dict[str, Any] = {
        "link_type": "dedupe_only",
        "unique_id_column_name": "row",
        "probability_two_random_records_match": 2 * 0.02 / (count - 1),
        "comparisons": comparisons,
        "blocking_rules_to_generate_predictions": [alike(columns) for columns in BLOCKS],
    }
    linker = Linker("ready", settings, db_api=DuckDBAPI(connection), set_up_basic_logging=False)
    register: Any = linker.table_management.register_term_frequency_lookup
    register(shares, "name")
    return linker.inference.predict().as_pandas_dataframe()


def test_the_pairs_and_their_probabilities_are_those_that_splink_predicts(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.duplicates import damaged_district

    theirs: list[pd.DataFrame] = []

    def beside(connection: duckdb.DuckDBPyConnection, which: str, prior: float, learned: Learned, **rest: Any) -> Any:
        count = connection.execute("SELECT count(*) FROM ready").fetchall()[0][0]
        theirs.append(splinks_own(connection, count, learned))
        return weighed(connection, which, prior, learned, **rest)

    monkeypatch.setattr(score, "weighed", beside)
    roster, _ = damaged_district(2_500)
    found = kx.probable_duplicates(roster, 0.001)
    known = roster.persons.drop_duplicates("id")["id"].reset_index(drop=True)
    expected = theirs[0]
    expected = expected[(expected["gamma_name"] > 0) & (expected["match_probability"] >= 0.001)]
    assert len(expected) > 50

    def by_pair(ids: Any, probabilities: pd.Series) -> dict[frozenset[str], float]:
        return dict(zip(map(frozenset, ids), probabilities.round(6), strict=True))

    ids = zip(known[expected["row_l"]], known[expected["row_r"]], strict=True)
    ours = by_pair(zip(found["id_1"], found["id_2"], strict=True), found["probability"])
    assert ours == pytest.approx(by_pair(ids, expected["match_probability"]), abs=2e-6)


def test_nothing_is_said_changed_or_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    opened: list[duckdb.DuckDBPyConnection] = []
    connect = duckdb.connect

    def watched(*args: Any, **options: Any) -> duckdb.DuckDBPyConnection:
        opened.append(connect(*args, **options))
        assert args == (":memory:",)
        return opened[-1]

    monkeypatch.setattr(duckdb, "connect", watched)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    level = logging.getLogger("splink").level
    roster = make_district(2_000)
    before = roster.persons.copy()
    kx.probable_duplicates(roster)
    pd.testing.assert_frame_equal(roster.persons, before)
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []
    assert logging.getLogger("splink").level == level
    assert len(opened) == 1
    with pytest.raises(duckdb.ConnectionException):
        opened[0].execute("SELECT 1")


def test_without_splink_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "splink", None)
    with pytest.raises(kx.ConfigurationError, match=r'pip install "kimono-explore\[duplicates\]"$'):
        kx.probable_duplicates(make(student()))


def test_splink_is_imported_by_nothing_else() -> None:
    code = (
        "import sys, kimono_explore as kx\n"
        "from kimono_explore.sandbox.district.build import make_district\n"
        "kx.check(make_district(20)); kx.probable_duplicates\nprint('splink' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_nicknames_stand_for_names_that_are_written_as_they_are_compared() -> None:
    from kimono_explore.roster.text import fold

    known = nicknames()
    assert known["bob"] == ["robert"]
    assert all(fold(name) == name and name.isalpha() for names in known.values() for name in names)
    assert all(short not in names for short, names in known.items())
