"""A snapshot brought up to date: equal to a load, or load anew; what no event announced is found where it is looked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import kimono_explore as kx
from kimono_explore.display import plural

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class District(kx.Sandbox):
    """A sandbox whose queue is processed, and what it served before and serves now."""

    before: kx.Roster
    now: kx.Roster

    def serve_this(self, **tables: pd.DataFrame) -> None:
        self._service.serve(replace(self.now, **tables))


def process(box: kx.Sandbox) -> District:
    box.__class__ = District
    assert isinstance(box, District)
    box.before = kx.load_roster(box.client, progress=False)
    box.process_tasks()
    box.now = box.roster
    return box


@pytest.fixture(scope="module")
def served() -> Iterator[District]:
    with kx.sandbox(students=20, flaws=False) as box:
        yield process(box)


@pytest.fixture
def district(served: District) -> District:
    served.serve_this()
    return served


@pytest.mark.parametrize(
    "dialect",
    [
        kx.Dialect(),
        kx.Dialect(paging=False, ids="top", finds="wrapped", tasks="1.0.0", school_years="text"),
        kx.Dialect(rollups="target", references="membership", max_page_size=10),
        kx.Dialect(rollups="both", references="wrapped", tasks="3.0.0", paging=False, max_page_size=7),
    ],
    ids=["usual", "no paging", "ten rows a page", "both sides"],
)
def test_a_refreshed_roster_is_the_one_that_a_load_gets(dialect: kx.Dialect) -> None:
    with kx.sandbox(students=20, flaws=False, dialect=dialect) as box:
        district = process(box)
        now = kx.refresh(district.before, district.client, objects=40, seed=1)
        assert now.load_anew == ()
        assert now.roster is not None
        assert now.asked["agrees"].all()
        loaded = kx.load_roster(district.client, progress=False)
        assert kx.compare(now.roster, loaded).summary[["added", "removed", "changed"]].to_numpy().sum() == 0
        assert len(district.before.persons) != len(loaded.persons)


def test_a_saved_snapshot_is_read(district: District, tmp_path: Path) -> None:
    district.before.save(tmp_path / "day")
    now = kx.refresh(tmp_path / "day", district.client)
    assert now.roster is not None
    assert now.roster.source is not None
    assert now.roster.source.endswith(f"brought up to date with {now.events} events")
    assert now.roster.loaded_at is not None
    assert district.before.loaded_at is not None
    assert now.roster.loaded_at > district.before.loaded_at
    assert repr(now).startswith(f"<Refreshed: {now.events} events, ")


def test_what_the_server_has_not_carried_out_is_no_refreshed_roster(district: District) -> None:
    district._service.serve(district.before)
    now = kx.refresh(district.before, district.client)
    assert now.roster is None
    assert now.load_anew[0].startswith("The server does not have what the queue announces (")
    assert "load anew" in repr(now)


def said(district: District) -> str:
    return " ".join(kx.refresh(district.before, district.client).load_anew)


def edited(roster: kx.Roster, table: str, row: int, **values: object) -> dict[str, pd.DataFrame]:
    df = roster.tables[table].copy()
    for column, value in values.items():
        df.loc[df.index[row], column] = value
    return {table: df}


@pytest.mark.parametrize("table", ["orgs", "persons", "grading_categories"])
def test_a_row_that_no_event_announced_is_found(district: District, table: str) -> None:
    df = district.now.tables[table]
    more = pd.concat([df, df.iloc[[0]].assign(id="nobody-said")], ignore_index=True)
    district.serve_this(**{table: more})
    assert f"{plural(len(more), 'row')}, {len(df)} expected" in said(district)
    district.serve_this(**{table: df.iloc[1:]})
    assert f"{plural(len(df) - 1, 'row')}, {len(df)} expected" in said(district)


def test_a_changed_value_in_a_list_of_one_page_is_found(district: District) -> None:
    id = district.now.courses["id"].iloc[3]
    district.serve_this(**edited(district.now, "courses", 3, title="Alchemy"))
    found = kx.refresh(district.before, district.client)
    assert found.load_anew == (f"Courses, page 0: 1 row with other values, such as that of {id}.",)
    asked = found.asked.set_index(["table", "what"])["agrees"]
    assert asked[~asked].index.tolist() == [("courses", "page 0")]


def test_another_row_in_place_of_one_is_found(district: District) -> None:
    district.serve_this(**edited(district.now, "terms", 0, id="another"))
    assert "Terms, page 0: 1 row not expected." in kx.refresh(district.before, district.client).load_anew


def test_links_that_no_event_announced_are_found(district: District) -> None:
    links = district.now.links
    enrolled = links.index[links["relation"] == "student_in"]
    district.serve_this(links=links.drop(enrolled[5]))
    assert "1 link fewer than expected" in said(district)
    person = links.loc[enrolled[5], "source_id"]
    own = links.loc[links["source_id"] == person, "target_id"]
    another = next(id for id in district.now.sections["id"] if id not in set(own))
    district.serve_this(**edited_links(links, enrolled[5], target_id=another))
    assert "1 link not expected" in said(district)
    district.serve_this(**edited_links(links, enrolled[5], start_date=pd.Timestamp("1999-09-09")))
    assert f"1 link with other values, such as that of {person}." in said(district)


def edited_links(links: pd.DataFrame, row: int, **values: object) -> dict[str, pd.DataFrame]:
    df = links.copy()
    for column, value in values.items():
        df.loc[row, column] = value
    return {"links": df}


def test_rows_that_moved_are_found_between_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    with kx.sandbox(students=20, flaws=False, dialect=kx.Dialect(max_page_size=10)) as box:
        old = kx.load_roster(box.client, progress=False)
        none = kx.load_tasks(box.client).iloc[:0]
        monkeypatch.setattr("kimono_explore.forecast.refreshed.load_tasks", lambda *_, **__: none)
        assert kx.refresh(old, box.client).load_anew == ()
        courses = old.courses
        assert len(courses) > 20
        box._service.serve(replace(box.roster, courses=pd.concat([courses.iloc[5:], courses.iloc[:5]])))
        found = kx.refresh(old, box.client)
    assert "Courses, page 0: the rows moved: others were expected on this page." in found.load_anew


def test_an_incomplete_snapshot_is_loaded_anew_without_a_request(district: District) -> None:
    lacking = pd.DataFrame([("persons", None, None, "3", "rows may be missing")], columns=[*district.now.problems])
    found = kx.refresh(replace(district.before, problems=lacking.astype(district.now.problems.dtypes)), district.client)
    assert found.load_anew == ("The snapshot is not complete: rows may be missing.",)
    assert found.asked.empty


def test_a_list_that_was_refused_must_still_be(district: District) -> None:
    refused = pd.DataFrame(
        [("grading_categories", None, None, "403", "the list was refused: 403")], columns=[*district.now.problems]
    )
    old = replace(
        district.before,
        problems=refused.astype(district.now.problems.dtypes),
        grading_categories=district.now.grading_categories.iloc[:0],
    )
    found = kx.refresh(old, district.client)
    assert found.load_anew == ("Grading categories were refused when the snapshot was loaded, and no longer are.",)


def test_events_from_before_the_snapshot_are_all_asked_for_or_none(district: District) -> None:
    found = kx.refresh(district.before, district.client, objects=1)
    assert len(found.load_anew) == 1
    assert found.load_anew[0].endswith("and are too many to ask for (objects=1).")
    assert found.asked.empty


def test_a_gap_in_the_queue_is_a_lost_event(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = kx.load_tasks(district.client)
    monkeypatch.setattr("kimono_explore.forecast.refreshed.load_tasks", lambda *_, **__: tasks.drop(tasks.index[5:8]))
    found = kx.refresh(district.before, district.client)
    assert found.load_anew[0] == "Sequence numbers are missing from the queue (3): their events are no longer in it."


def test_wrong_arguments_are_named(district: District) -> None:
    with pytest.raises(TypeError, match="refresh"):
        kx.refresh(district.before, "https://example.org")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="refresh"):
        kx.refresh(7, district.client)  # type: ignore[arg-type]
