"""What was added, removed and changed between two rosters."""

import numpy as np
import pandas as pd
import pytest

import kimono_explore as kx
from kimono_explore.compare import LINK_KEY
from kimono_explore.frames import frame
from kimono_explore.schema import TABLES

TABLE_NAMES = (*TABLES, "links")


def people(*rows: tuple[str | None, str], **more: list[object]) -> kx.Roster:
    return kx.Roster(
        persons=frame("persons", {"id": [id for id, _ in rows], "name_last": [name for _, name in rows], **more})
    )


def counts(diff: kx.Comparison, table: str) -> dict[str, int]:
    return diff.summary.set_index("table").loc[table].to_dict()


def enrolled(*rows: tuple[object, ...]) -> kx.Roster:
    columns = ("source_id", "target_id", "role", "status")
    links = {name: [row[n] for row in rows] for n, name in enumerate(columns)}
    fixed = {"source_type": "person", "relation": "student_in", "target_type": "section"}
    return kx.Roster(links=frame("links", {**links, **{name: [value] * len(rows) for name, value in fixed.items()}}))


def test_a_roster_does_not_differ_from_itself(small_roster: kx.Roster) -> None:
    diff = kx.compare(small_roster, small_roster)
    assert diff.summary["table"].tolist() == list(TABLE_NAMES)
    assert diff.summary[["added", "removed", "changed"]].to_numpy().sum() == 0
    assert diff.summary["unchanged"].tolist() == [len(df) for df in (*small_roster.tables.values(), small_roster.links)]
    assert len(diff.repeated) == 0
    assert [len(diff.changed(name)) for name in TABLE_NAMES] == [0] * 7


def test_the_order_of_rows_makes_no_difference(small_roster: kx.Roster) -> None:
    turned = {name: df.iloc[::-1] for name, df in small_roster.tables.items()}
    diff = kx.compare(small_roster, kx.Roster(**turned, links=small_roster.links.sample(frac=1, random_state=3)))
    assert diff.summary[["added", "removed", "changed"]].to_numpy().sum() == 0


def test_added_removed_and_changed_rows() -> None:
    diff = kx.compare(people(("01", "Ng"), ("02", "Ek"), ("1", "Li")), people(("1", "Lee"), ("03", "Oh"), ("01", "Ng")))
    assert counts(diff, "persons") == {"added": 1, "removed": 1, "changed": 1, "unchanged": 1}
    assert diff.added("persons")["id"].tolist() == ["03"]
    assert diff.removed("persons")["id"].tolist() == ["02"]
    assert diff.changed("persons").to_dict("records") == [
        {"id": "1", "label": "Lee", "column": "name_last", "old": "Li", "new": "Lee"}
    ]
    assert list(diff.added("persons").columns) == list(diff.new.persons.columns)


def test_values_that_came_or_went_are_changes() -> None:
    old = people(("1", "Ng"), ("2", "Ek"), dob=["2010-01-31", None], aup=[True, None], ext_grade=["05", "06"])
    new = people(("1", "Ng"), ("2", "Ek"), dob=["2010-02-01", "2011-03-04"], aup=[None, False], ext_house=["red", None])
    changed = kx.compare(old, new).changed("persons")
    assert changed[["id", "column", "old", "new"]].fillna("–").to_numpy().tolist() == [
        ["1", "dob", "2010-01-31", "2010-02-01"],
        ["1", "aup", "True", "–"],
        ["1", "ext_grade", "05", "–"],
        ["1", "ext_house", "–", "red"],
        ["2", "dob", "–", "2011-03-04"],
        ["2", "aup", "–", "False"],
        ["2", "ext_grade", "06", "–"],
    ]


def test_columns_can_be_ignored() -> None:
    old, new = people(("1", "Ng"), email=["a@x"]), people(("1", "Na"), email=["b@x"])
    assert counts(kx.compare(old, new, ignore=["email", "name_last"]), "persons")["changed"] == 0
    assert kx.compare(old, new, ignore=["email"]).changed("persons")["column"].tolist() == ["name_last"]


def test_a_column_of_another_type_is_compared_as_text() -> None:
    old, new = people(("1", "Ng"), ("2", "Ek")), people(("1", "Ng"), ("2", "Ek"))
    old.persons["ext_seats"] = pd.array([3, 4], dtype="Int64")
    new.persons["ext_seats"] = pd.array(["3", "5"], dtype="str")
    assert kx.compare(old, new).changed("persons")[["id", "old", "new"]].to_numpy().tolist() == [["2", "4", "5"]]


def test_a_repeated_id_is_compared_copy_by_copy_and_told() -> None:
    diff = kx.compare(people(("1", "Ng"), ("1", "Na")), people(("1", "Ng"), ("1", "Nu"), ("1", "No")))
    assert counts(diff, "persons") == {"added": 1, "removed": 0, "changed": 1, "unchanged": 1}
    assert diff.added("persons")["name_last"].tolist() == ["No"]
    assert diff.repeated.to_dict("records") == [{"table": "persons", "id": "1", "old": 2, "new": 3}]
    assert "occur more than once: 1," in diff._repr_html_()


def test_repeated_in_one_and_single_in_the_other() -> None:
    diff = kx.compare(people(("1", "Ng"), ("2", "Ek")), people(("1", "Ng"), ("1", "Ng"), ("3", "A"), ("3", "B")))
    assert diff.repeated[["id", "old", "new"]].to_numpy().tolist() == [["1", 1, 2], ["3", 0, 2]]


def test_rows_without_an_id_are_known_by_what_they_hold() -> None:
    diff = kx.compare(people((None, "Ng"), (None, "Ek"), ("1", "Li")), people((None, "Ek"), (None, "Oh"), ("1", "Li")))
    assert counts(diff, "persons") == {"added": 1, "removed": 1, "changed": 0, "unchanged": 2}
    assert diff.added("persons")["name_last"].tolist() == ["Oh"]
    assert diff.removed("persons")["name_last"].tolist() == ["Ng"]


def test_links_are_the_same_where_ends_relation_and_role_are() -> None:
    old = enrolled(("1", "a", "student", "Active"), ("2", "a", "student", "Active"), ("3", "a", None, "Active"))
    new = enrolled(("1", "a", "student", "Inactive"), ("2", "a", "aide", "Active"), ("3", "a", None, "Active"))
    diff = kx.compare(old, new)
    assert counts(diff, "links") == {"added": 1, "removed": 1, "changed": 1, "unchanged": 1}
    assert diff.added("links")["role"].tolist() == ["aide"]
    changed = diff.changed("links")
    assert list(changed.columns) == [*LINK_KEY, "column", "old", "new"]
    assert changed[["source_id", "column", "old", "new"]].to_numpy().tolist() == [["1", "status", "Active", "Inactive"]]


def test_links_without_an_end_are_not_lost() -> None:
    diff = kx.compare(
        enrolled(("1", None, "student", None)), enrolled(("1", None, "student", None), (None, "a", None, None))
    )
    assert counts(diff, "links") == {"added": 1, "removed": 0, "changed": 0, "unchanged": 1}
    assert diff.added("links")["target_id"].tolist() == ["a"]


def test_links_that_repeat_are_named() -> None:
    row = ("1", "a", "student", "Active")
    diff = kx.compare(enrolled(row, row), enrolled(row))
    assert counts(diff, "links") == {"added": 0, "removed": 1, "changed": 0, "unchanged": 1}
    assert diff.repeated.to_numpy().tolist() == [["links", "1 student_in a (student)", 2, 1]]


def test_an_empty_roster_lacks_everything(small_roster: kx.Roster) -> None:
    rows = [len(df) for df in (*small_roster.tables.values(), small_roster.links)]
    assert kx.compare(kx.Roster(), small_roster).summary["added"].tolist() == rows
    assert kx.compare(small_roster, kx.Roster()).summary["removed"].tolist() == rows
    assert kx.compare(kx.Roster(), kx.Roster()).summary["unchanged"].sum() == 0


def test_every_row_is_counted_once(small_roster: kx.Roster) -> None:
    rng = np.random.default_rng(5)
    persons, links = small_roster.persons.copy(), small_roster.links.sample(frac=0.9, random_state=1)
    persons.loc[rng.choice(len(persons), 20, replace=False), "email"] = "new@example.org"
    new = kx.Roster(**{**small_roster.tables, "persons": persons.iloc[7:]}, links=links)
    summary = kx.compare(small_roster, new).summary.set_index("table")
    in_both = summary["changed"] + summary["unchanged"]
    assert (in_both + summary["removed"]).tolist() == [
        *(len(df) for df in small_roster.tables.values()),
        len(small_roster.links),
    ]
    assert (in_both + summary["added"]).tolist() == [*(len(df) for df in new.tables.values()), len(links)]
    assert summary.loc["persons", "removed"] == 7


def test_an_unknown_table_is_named() -> None:
    with pytest.raises(ValueError, match=r"Unknown table 'person'. Choose one of: orgs, persons"):
        kx.compare(kx.Roster(), kx.Roster()).added("person")


def test_a_comparison_shows_itself_and_escapes() -> None:
    old, new = kx.Roster(source="<script>alert(1)</script>"), people(("1", "Ng"))
    diff = kx.compare(old, new)
    assert (
        repr(diff) == "<Comparison: 1 added, 0 removed, 0 changed; old: <script>alert(1)</script>, new: made in Python>"
    )
    assert "<script>" not in diff._repr_html_()
    assert "&lt;script&gt;" in diff._repr_html_()
