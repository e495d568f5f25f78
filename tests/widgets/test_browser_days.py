"""A history is browsed: a day is picked, what was searched for stays, and an object tells its history."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from builders import course, link, make, section, student, teacher

import kimono_explore as kx
from kimono_explore.errors import BundleError, ConfigurationError
from kimono_explore.widgets.days import long_day, short_day
from kimono_explore.widgets.life import MOST, life_html, tell
from kimono_explore.widgets.picture import picture

if TYPE_CHECKING:
    from pathlib import Path

FIRST, SECOND, THIRD = (dt.date(2026, 10, n) for n in (2, 5, 6))
HOSTILE = "<img src=x onerror=alert(1)>"


def roster(*students: Any, math: str = "Math 5") -> kx.Roster:
    """A section and its teacher, with these students in it."""
    links = [link(f"{row['id']} student_in math") for _, row in students]
    return make(
        *students,
        teacher("ben"),
        course(),
        section("math", title=math),
        link("ben teacher_in math"),
        link("math of_course algebra"),
        *links,
    )


@pytest.fixture
def days(tmp_path: Path) -> kx.History:
    """Dan joins on the second day, when Ana moves to grade 9, and leaves on the third."""
    history = kx.history(tmp_path / "days")
    history.add(roster(student("ana", grade="08"), student("cem", grade="08")), FIRST)
    history.add(roster(student("ana", grade="09"), student("cem", grade="08"), student("dan", grade="09")), SECOND)
    history.add(roster(student("ana", grade="09"), student("cem", grade="08")), THIRD)
    return history


def told(browser: kx.Browser) -> list[tuple[str, str]]:
    """The life of the object on screen: days and words."""
    assert browser.history is not None
    place = browser._places[browser._at]
    changes = browser.history.changes({"person": "persons", "section": "sections"}[place.type], place.id)
    return [(short_day(day), line) for day, _, lines in tell(changes, place.type, {}) for line in lines]


def test_the_last_day_is_opened_and_another_is_chosen(days: kx.History) -> None:
    browser = kx.browse(days.folder)
    assert browser.day == THIRD
    assert [text for text, _ in browser._days.menu.options] == ["Tue 6 Oct 2026", "Mon 5 Oct 2026", "Fri 2 Oct 2026"]
    assert sorted(browser.table["id"]) == ["ana", "ben", "cem"]
    assert (browser._days.earlier.disabled, browser._days.later.disabled) == (False, True)
    browser._days.earlier.click()
    assert browser.day == SECOND
    assert sorted(browser.table["id"]) == ["ana", "ben", "cem", "dan"]
    assert ("people 4", "person") in browser.finder.types.options
    browser._days.menu.take("2026-10-02")
    assert (browser.day, browser._days.earlier.disabled) == (FIRST, True)
    browser.day = "2026-10-05"
    assert browser._days.menu.value == "2026-10-05"


def test_search_filter_and_order_stay(days: kx.History) -> None:
    browser = kx.browse(days)
    names = list(browser.finder.results.df.columns)
    grade = names.index("grade")
    browser.finder.results.choose(grade, [browser.finder.results.bars(grade).index("09")])
    browser.finder.results.sort(names.index("kind"), descending=True)
    assert browser.finder.results.shown["name"].tolist() == ["Silva, Ana"]
    browser.day = SECOND
    assert sorted(browser.finder.results.shown["name"]) == ["Silva, Ana", "Silva, Dan"]
    assert browser.finder.results._sorted_by == (names.index("kind"), True)
    browser.search("dan")
    assert browser.table["id"].tolist() == ["dan"]
    browser.day = THIRD
    assert (browser.finder.text.value, len(browser.table)) == ("dan", 0)


def test_the_object_stays_and_is_said_to_be_missing(days: kx.History) -> None:
    browser = kx.browse(days, id="math")
    browser._relations.value = ("student_in", "from")
    assert len(browser.related) == 2
    browser.day = SECOND
    assert (browser.selected, browser._relations.value, len(browser.related)) == ("math", ("student_in", "from"), 3)
    browser.select("dan")
    browser.day = THIRD
    assert "This person is not in the roster on 6 October 2026." in browser._head.value
    assert "Dan Silva" in browser._head.value
    assert "Dan Silva is not in the roster on 6 October 2026." in browser._status.value
    assert (browser.selected, browser.related.empty, browser._around.hidden) == ("dan", True, True)
    browser.back()
    assert (browser.selected, browser._around.hidden) == ("math", False)
    browser.forward()
    assert "not in the roster" in browser._head.value
    browser.day = SECOND
    assert "not in the roster" not in browser._head.value
    assert not browser._around.hidden
    row = browser.table["id"].tolist().index("dan")
    assert browser.finder.results.selected_rows == [row]
    assert [place.id for place in browser._places] == ["math", "dan"]


def test_what_is_on_screen_comes_back(days: kx.History) -> None:
    browser = kx.browse(days)
    browser.day = SECOND
    browser.search("an")
    browser.select("math")
    browser.select("dan")
    browser.day = THIRD
    browser._tell_life.click()
    state = json.loads(json.dumps(browser.state))
    assert (state["day"], state["life"]) == ("2026-10-06", True)
    again = kx.browse(days)
    again.state = {**state, "day": "2026-10-05"}
    assert (again.day, again.selected, "not in the roster" in again._head.value) == (SECOND, "dan", False)
    again.state = state
    assert again.state == state
    assert "Dan Silva" in again._head.value
    assert "gone from the roster" in again._life.value
    again.state = {**state, "day": "2020-01-01", "places": [["person", "nobody"]], "at": 0}
    assert (again.day, again.selected) == (THIRD, None)


def test_a_life_in_words(days: kx.History) -> None:
    browser = kx.browse(days, id="ana")
    assert browser._life.value == ""
    assert told(browser) == [
        ("5 Oct 2026", "grade: 08 → 09"),
        ("2 Oct 2026", "first seen, as this is the first day in the history"),
    ]
    browser._tell_life.click()
    assert browser._tell_life.description == "Hide history"
    assert "5 Oct 2026<br>after 2 Oct 2026" in browser._life.value
    assert "grade: 08 → 09" in browser._life.value
    browser.day = SECOND
    browser.select("dan")
    assert told(browser) == [
        ("6 Oct 2026", "gone from the roster"),
        ("6 Oct 2026", "left Math 5"),
        ("5 Oct 2026", "first seen"),
        ("5 Oct 2026", "joined Math 5"),
    ]
    assert "joined Math 5" in browser._life.value  # it stays open
    browser.select("math")
    assert told(browser)[:2] == [("6 Oct 2026", "Dan Silva left"), ("5 Oct 2026", "Dan Silva joined")]
    browser._tell_life.click()
    assert browser._life.hidden


def events(*rows: dict[str, Any]) -> pd.DataFrame:
    at = {"day": pd.Timestamp(SECOND), "day_before": pd.Timestamp(FIRST)}
    names = ["day", "day_before", "what", "column", "old", "new", "other_type", "other_id"]
    return pd.DataFrame([at | row for row in rows], columns=names)


def said(changes: pd.DataFrame, type: str, names: dict[tuple[str, str], str] | None = None) -> list[str]:
    return [line for *_, lines in tell(changes, type, names or {}) for line in lines]


@pytest.mark.parametrize(
    ("type", "event", "words"),
    [
        ("person", {"what": "back"}, "back in the roster"),
        ("person", {"what": "copy added"}, "another row with this id appeared"),
        ("person", {"what": "changed", "column": "email", "new": "a@b"}, "e-mail: none → a@b"),
        ("person", {"what": "changed", "column": "ext_bus", "old": "4", "new": "5"}, "bus: 4 → 5"),
        ("term", {"what": "changed", "column": "end_date", "old": "2026-06-01 00:00:00"}, "ends: 2026-06-01 → none"),
        ("person", {"what": "link added", "column": "teacher_in", "new": "Art", "other_type": "section"}, "began to teach Art"),
        ("section", {"what": "link gone", "column": "of_course", "old": "Art", "other_type": "course"}, "course: Art gone"),
        ("course", {"what": "link added", "column": "of_course", "new": "A1", "other_type": "section"}, "sections: A1 added"),
        ("org", {"what": "link added", "column": "child_of", "new": "LEA", "other_type": "org"}, "parent or child: LEA added"),
    ],
)  # fmt: skip
def test_every_kind_of_event_has_its_words(type: str, event: dict[str, Any], words: str) -> None:
    end = {"other_id": "x"} if "other_type" in event else {}
    assert said(events(event | end), type) == [words]


def test_a_link_that_changed_names_its_other_end() -> None:
    event = {"what": "link changed", "column": "student_in.status", "old": "Active", "new": "Inactive"}
    changed = events(event | {"other_type": "section", "other_id": "math"})
    assert said(changed, "person", {("section", "math"): "Math 5"}) == ["Math 5, status: Active → Inactive"]
    assert said(changed, "person") == ["math, status: Active → Inactive"]


def test_what_came_or_went_alike_on_a_day_is_one_line() -> None:
    gone = {"what": "link gone", "column": "student_in", "other_type": "section"}
    rows = [gone | {"old": name, "other_id": name} for name in ("Art", "{}", "Math")]
    came = {"what": "link added", "column": "teacher_in", "other_type": "section", "new": "Music", "other_id": "m"}
    assert said(events({"what": "gone"}, *rows, came), "person") == [
        "gone from the roster",
        "left Art, {} and Math",
        "began to teach Music",
    ]
    people = [row | {"other_type": "person"} for row in rows[::2]]
    assert said(events(*people), "section") == ["Art and Math left"]


def test_a_long_life_says_how_much_is_left_out() -> None:
    rows = [{"what": "changed", "column": "grade", "old": str(n), "new": str(n + 1)} for n in range(MOST + 7)]
    html = life_html(events(*rows), "person", {})
    assert html.count("grade:") == MOST
    assert "and 7 more, of that day or earlier" in html
    assert "57 changes on 1 day" in html
    assert "earlier" not in life_html(events(*rows[:MOST]), "person", {})


def test_hostile_names_are_text(tmp_path: Path) -> None:
    history = kx.history(tmp_path / "days")
    history.add(roster(student("ana"), math="Art"), FIRST)
    history.add(roster(student("ana"), student("dan", name_last=HOSTILE), math=HOSTILE), SECOND)
    history.add(roster(student("ana"), math=HOSTILE), THIRD)
    browser = kx.browse(history, id="math")
    browser._tell_life.click()
    assert "&lt;img" in browser._life.value
    browser.day = SECOND
    browser.select("dan")
    browser.day = THIRD
    assert "&lt;img" in browser._head.value
    assert "<img" not in picture(browser)


def test_what_goes_wrong_is_said_in_the_widget(days: kx.History, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = kx.browse(days, id="ana")

    def damaged(*_: object) -> None:
        raise BundleError("persons.parquet is damaged.")

    monkeypatch.setattr(days, "open", damaged)
    browser._days.earlier.click()
    assert "persons.parquet is damaged." in browser._status.value
    assert (browser.day, browser._days.menu.value) == (THIRD, "2026-10-06")
    monkeypatch.setattr(days, "changes", damaged)
    browser._tell_life.click()
    assert "persons.parquet is damaged." in browser._status.value
    assert browser._life.value == ""


def test_an_object_that_is_only_named_has_no_life(tmp_path: Path) -> None:
    history = kx.history(tmp_path / "days")
    history.add(make(student("ana"), link("ana student_in gone")), FIRST)
    browser = kx.browse(history, id="gone")
    browser._tell_life.click()
    assert "No section has the id" in browser._life.value


def test_wrong_use_is_answered_in_one_line(days: kx.History, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no days yet; history\.add\(roster\) adds one\.$"):
        kx.browse(kx.history(tmp_path / "none"))
    with pytest.raises(ValueError, match=r"A report covers one day"):
        kx.browse(days, kx.check(days.open(THIRD), ["missing_id"]))
    browser = kx.browse(days)
    with pytest.raises(ValueError, match=r"2026-10-04 is not kept; the nearest: 2026-10-02, 2026-10-05\."):
        browser.day = "2026-10-04"
    assert browser.day == THIRD
    with pytest.raises(ValueError, match=r"5 is not a day\. Write it as"):
        browser.day = 5  # type: ignore[assignment]
    alone = kx.browse(days.open(THIRD))
    assert (alone.day, alone.state["day"], alone._days.hidden, alone._tell_life.hidden) == (None, None, True, True)
    with pytest.raises(ConfigurationError, match="without days"):
        alone.day = THIRD


def test_days_in_words() -> None:
    assert (short_day(SECOND), long_day(SECOND)) == ("5 Oct 2026", "5 October 2026")
