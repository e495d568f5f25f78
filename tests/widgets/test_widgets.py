"""The widgets without a browser: what a person sees is what a notebook can ask for."""

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pandas as pd
import pytest
from builders import course, lea, link, make, school, section, student, term

import kimono_explore as kx
from kimono_explore.api.operations import Operation
from kimono_explore.frames import frame
from kimono_explore.roster.lazy import LazyRoster
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.flaws.catalogue import inject_flaws
from kimono_explore.sandbox.task_queue import Refusal
from kimono_explore.widgets import queue
from kimono_explore.widgets.browser import Browser
from kimono_explore.widgets.controls import Button, Field, walk
from kimono_explore.widgets.listing import listing
from kimono_explore.widgets.table import DataTable
from kimono_explore.widgets.task_html import describe_task

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def flawed() -> tuple[kx.Roster, kx.Report]:
    roster, _ = inject_flaws(make_district(60))
    return roster, kx.check(roster, as_of="2026-10-05")


@pytest.fixture
def box() -> Iterator[kx.Sandbox]:
    with kx.sandbox(students=60) as sandbox:
        yield sandbox


@pytest.fixture
def inspector(box: kx.Sandbox) -> queue.TaskInspector:
    return kx.inspect_tasks(box.client, allow_changes=True)


# browse


def test_a_search_finds_what_the_roster_finds(small_roster: kx.Roster) -> None:
    browser = kx.browse(small_roster)
    browser.search("mathematics", type="section")
    found = small_roster.search("mathematics", type="section", limit=200)
    pd.testing.assert_frame_equal(browser.table, found)
    browser.pick(1)
    assert browser.selected == found["id"].iloc[1]


def test_all_people_are_there_at_first_sight(flawed: tuple[kx.Roster, kx.Report]) -> None:
    roster, report = flawed
    browser = kx.browse(roster, report)
    pd.testing.assert_frame_equal(browser.table, listing(roster, "person", report))
    assert {"type", "id", "label", "local_id", "detail"} <= set(browser.table)
    assert browser.finder.results.view["left"] == len(roster.persons)
    assert [column["name"] for column in browser.finder.results.view["columns"]] == [
        "name", "kind", "school", "grade", "sex", "sections", "local_id", "findings", "id"]  # fmt: skip
    assert browser.finder.results.view["sort"] == [0, False]
    browser.finder.types.value = "section"
    assert browser.table["id"].tolist() == roster.sections["id"].tolist()
    browser.search("algebra")
    assert browser.table.attrs["found"] == len(browser.table)
    browser.search("  ")
    assert len(browser.table) == len(roster.persons)


def test_a_list_beside_an_object_has_fewer_columns_and_keeps_its_filter(flawed: tuple[kx.Roster, kx.Report]) -> None:
    roster, report = flawed
    browser = kx.browse(roster, report)
    assert browser._object.hidden
    browser.finder.results._answer_filter({"column": 1, "bars": [0]})
    picked = browser.finder.results.page(3, 1)["at"]
    browser.finder.results.pick(picked)
    assert browser.selected == browser.table["id"].iloc[picked[0]]
    assert (browser._object.hidden, browser._list.share, browser._object.share) == (False, 1, 2)
    assert [column["name"] for column in browser.finder.results.view["columns"]] == ["name", "kind", "findings"]
    assert browser.finder.results.filter == {"kind": ["student"]}
    assert browser.finder.results.selected_rows == picked
    browser.show_list()
    assert (browser.selected, browser._object.hidden) == (None, True)
    assert len(browser.finder.results.view["columns"]) == 9
    browser.finder.results.pick(picked)  # the same again
    assert browser.selected == browser.table["id"].iloc[picked[0]]


def test_the_state_holds_the_columns_and_an_older_one_is_still_read(flawed: tuple[kx.Roster, kx.Report]) -> None:
    roster, report = flawed
    browser, again = kx.browse(roster, report), kx.browse(roster, report)
    chosen = {"hidden": ["sex"], "pinned": ["name"], "widths": {"school": 300}}
    browser.finder.results.arrangement = chosen
    browser.search("algebra")
    browser.search("")
    state = json.loads(json.dumps(browser.state))
    assert state["columns"] == chosen
    again.state = state
    assert again.state == state
    assert "sex" not in [column["name"] for column in again.finder.results.view["columns"]]
    del state["columns"]
    again.state = state
    assert again.state == {**state, "columns": {}}


def test_the_filter_is_read_set_and_copied_as_python_that_runs(flawed: tuple[kx.Roster, kx.Report]) -> None:
    roster, report = flawed
    browser = kx.browse(roster, report)
    names = list(browser.finder.results.df.columns)
    assert browser.filter == {}
    pd.testing.assert_frame_equal(browser.shown, browser.table.loc[browser.finder.results.shown.index])
    for chosen in (
        {"kind": ["teacher"]},
        {"grade": ["02", "03"], "sex": ["F"]},
        {"findings": ["1"], "kind": ["student"]},
    ):
        browser.filter = chosen
        assert browser.filter == chosen
        assert 0 < len(browser.shown) < len(browser.table)
        kept = eval(browser.finder.results.code, {"df": browser.table})
        assert kept.index.tolist() == sorted(browser.shown.index)
    assert browser.finder.results.view["columns"][names.index("kind")]["title"] == "Type"
    for wrong, said in (
        ({"hair": ["red"]}, "Unknown column 'hair'"),
        ({"grade": ["99"]}, "'99' is not a bar of grade"),
    ):
        with pytest.raises(ValueError, match=said):
            browser.filter = wrong
        assert browser.filter == chosen
    browser.filter = {}
    assert len(browser.shown) == len(browser.table)


def test_the_state_holds_the_order_and_how_far_the_picture_goes(small_roster: kx.Roster) -> None:
    browser, again = kx.browse(small_roster), kx.browse(small_roster)
    browser.finder.results.sort(list(browser.finder.results.df.columns).index("sections"), descending=True)
    browser.select(small_roster.sections["id"].iloc[0])
    browser._radius.value = 2
    again.state = json.loads(json.dumps(browser.state))
    assert again.state == browser.state
    assert again.state["sort"] == ["sections", True]
    pd.testing.assert_frame_equal(again.shown, browser.shown)
    assert again._network.scene["ids"] == browser._network.scene["ids"]
    again.state = {"sort": ["no such column", True], "radius": 7}
    assert (again.state["sort"], again._radius.value) == (["name", False], 1)
    browser.finder.results.sort(None)
    again.state = browser.state
    assert again.state["sort"] is None


def test_what_was_meant_is_one_click_away(small_roster: kx.Roster, tmp_path: Path) -> None:
    small_roster.save(tmp_path / "monday")
    for roster in (small_roster, tmp_path / "monday"):
        browser = kx.browse(roster)
        assert browser.finder.meant.hidden
        browser.search("mathmatics")
        meant = small_roster.search("mathematics", limit=1000)
        assert browser.finder.meant.description == f"Did you mean mathematics? It finds {len(meant):,}."
        browser.finder.meant.click()
        assert (browser.finder.text.value, browser.finder.meant.hidden) == ("mathematics", True)
        assert len(browser.table) == len(meant)


def test_the_types_count_what_a_search_finds(small_roster: kx.Roster, tmp_path: Path) -> None:
    small_roster.save(tmp_path / "monday")
    for roster in (small_roster, LazyRoster(tmp_path / "monday")):
        browser = kx.browse(roster)
        everything = browser.finder.types.options
        assert (f"courses {len(small_roster.courses)}", "course") in everything
        browser.search("science")
        for words, type in browser.finder.types.options[1:]:
            many = len(small_roster.search("science", type, limit=1000))
            assert int(words.rsplit(" ", 1)[1]) == many == browser.table.attrs["by_type"][type]
        browser.search("")
        assert browser.finder.types.options == everything
    browser = kx.browse(small_roster)
    browser.search("science", type="term")
    counts = {type: len(small_roster.search("science", type, limit=1000)) for type in ("course", "section")}
    assert [words for words, type in browser.finder.types.options if type in counts] == [
        f"{type}s {many}" for type, many in counts.items()
    ]


def test_people_who_are_found_are_narrowed_by_type_school_and_grade(small_roster: kx.Roster) -> None:
    browser = kx.browse(small_roster)
    everybody = browser.table.set_index("id")
    browser.search("smith", type="person")
    titles = [column["title"] for column in browser.finder.results.view["columns"]]
    assert titles[:4] == ["Type", "Name", "School", "Grade"]
    for name in ("kind", "school", "grade"):
        found, listed = browser.table[name].astype("str"), everybody[name].reindex(browser.table["id"]).astype("str")
        assert found.tolist() == listed.tolist()
    grades = browser.finder.results.bars(list(browser.finder.results.df.columns).index("grade"))
    assert grades == [grade for grade in everybody["grade"].cat.categories if grade in set(browser.table["grade"])]
    many = len(browser.table)
    browser.filter = {"grade": grades[:1]}
    assert 0 < len(browser.shown) < many
    assert set(browser.shown["grade"]) == {grades[0]}
    browser.search("mathematics")  # sections and courses, perhaps the e-mail of somebody
    assert "kind" not in browser.finder.results.df.columns
    assert {"type", "label"} <= set(browser.finder.results.df.columns)


def test_a_search_that_finds_nothing_says_what_else_matches_and_leads_back() -> None:
    roster = make(student("ana"), course("art"), section("art2"))
    browser = kx.browse(roster)
    assert browser.finder.widen.hidden
    browser.search("art", type="person")
    assert "No person matches “art”. Of other types: 1 course, 1 section." in browser._status.value
    assert browser.finder.widen.description == "Search all types"
    browser.finder.widen.click()
    assert (browser.finder.types.value, len(browser.table), browser.finder.widen.hidden) == ("", 2, True)
    browser.search("<b>nobody</b>")
    assert "Nothing matches “&lt;b&gt;nobody&lt;/b&gt;”." in browser._status.value
    assert browser.finder.widen.description == "Clear the search"
    browser.finder.widen.click()
    assert (browser.finder.text.value, browser.table["id"].tolist(), browser.finder.widen.hidden) == ("", ["ana"], True)
    browser.search("nobody", type="course")  # of no other type either
    assert browser.finder.widen.description == "Clear the search"
    browser.finder.widen.click()
    assert (browser.finder.types.value, browser.finder.text.value) == ("course", "")
    assert browser.table["id"].tolist() == ["art"]


def test_on_disk_all_types_can_be_searched_where_one_finds_nothing(tmp_path: Path) -> None:
    make(student("ana"), course("art")).save(tmp_path / "kept")
    browser = kx.browse(LazyRoster(tmp_path / "kept"))
    browser.search("art", type="person")
    assert browser.finder.widen.description == "Search all types"
    browser.finder.widen.click()
    assert browser.table["id"].tolist() == ["art"]
    browser.search("nobody")
    assert browser.finder.widen.description == "Clear the search"


def test_enter_in_the_search_opens_the_first_result(small_roster: kx.Roster) -> None:
    browser = kx.browse(small_roster)
    browser.finder.results.sort(0, descending=True)
    browser.finder.text.enter()
    assert browser.selected == browser.shown["id"].iloc[0] != browser.table["id"].iloc[0]
    browser.show_list()
    browser.finder.text.enter()
    assert browser.selected == browser.shown["id"].iloc[0]
    browser.search("nobody of this name")
    kept = browser.selected
    browser.finder.text.enter()
    assert browser.selected == kept


async def _typed_and_entered(browser: Browser, text: str) -> str | None:
    """What Enter opens at once after the last letter, before the search has waited for more."""
    browser.finder.text.value = text
    browser.finder.text.enter()
    return browser.selected


def test_enter_leads_back_to_the_first_result_from_wherever_one_went(small_roster: kx.Roster) -> None:
    browser = kx.browse(small_roster)
    browser.search("mathematics", type="course")
    browser.finder.text.enter()
    first = browser.selected
    browser._related.pick([0])
    assert browser.selected != first
    browser.finder.text.enter()
    assert browser.selected == first == browser.shown["id"].iloc[0]


def test_enter_looks_for_what_is_typed_by_then(small_roster: kx.Roster) -> None:
    browser = kx.browse(small_roster)
    opened = asyncio.run(_typed_and_entered(browser, "mathematics"))
    assert opened == small_roster.search("mathematics")["id"].iloc[0]


def test_what_the_filter_leaves_out_is_pale_in_the_picture(flawed: tuple[kx.Roster, kx.Report]) -> None:
    roster, _ = flawed
    browser = kx.browse(roster)
    section = roster.links.query("relation == 'student_in'")["target_id"].value_counts().index[0]
    browser.select(section, "section")
    network = browser._network
    assert (network._faded, sum(network.scene["faded"])) == (frozenset(), 0)
    people = {node for node, data in network.graph.nodes(data=True) if data["type"] == "person" and not data["missing"]}
    browser.filter = {"kind": ["teacher"]}
    kept = set(browser.shown["id"])
    assert network._faded == people - kept != set()
    assert f"; the {len(people - kept)} that the filter leaves out are pale" in network.heading[1]
    faded = {node for node, pale in zip(network.scene["ids"], network.scene["faded"], strict=True) if pale}
    assert {name for node in faded for name in network._scene.groups.get(node, [node])} == people - kept
    browser.select(roster.courses["id"].iloc[0])
    browser.select(section, "section")
    assert network._faded == people - kept
    browser.filter = {}
    assert (network._faded, sum(network.scene["faded"])) == (frozenset(), 0)


def test_the_picture_of_a_school_leaves_nobody_out(flawed: tuple[kx.Roster, kx.Report]) -> None:
    roster, _ = flawed
    browser = kx.browse(roster)
    school = roster.links.query("relation == 'member_of'")["target_id"].value_counts().index[0]
    browser.select(school, "org")
    near = browser._description.relations if browser._description else pd.DataFrame()
    assert len(browser._network.graph) == len(near[["type", "id"]].drop_duplicates()) + 1 > 100
    assert "not drawn" not in browser._network.heading[1]
    assert sum(browser._network.scene["counts"]) == len(browser._network.graph)
    assert len(browser._network.scene["ids"]) <= 100


def test_two_questions_are_one_click_each(small_roster: kx.Roster) -> None:
    student = small_roster.persons.query("person_type == 'student'")["id"].iloc[0]
    browser = kx.browse(small_roster, id=student)
    browser._shares.click()
    shared = kx.shared_classes(small_roster, student)
    assert browser.related["id"].tolist() == shared["person_id"].tolist()
    assert browser.related["classes"].tolist() == shared["classes"].tolist()
    browser._related.pick([0])
    assert browser.selected == shared["person_id"].iloc[0]
    section = small_roster.sections["id"].iloc[0]
    browser.select(section)
    assert browser._shares.hidden
    for only_here in (section, small_roster.courses["id"].iloc[0]):
        browser.select(only_here)
        browser._lost.click()
        pd.testing.assert_frame_equal(browser.related, kx.dependents(small_roster, only_here))


def test_questions_are_answered_by_a_snapshot_as_by_its_roster(small_roster: kx.Roster, tmp_path: Path) -> None:
    small_roster.save(tmp_path / "monday")
    stored = kx.browse(LazyRoster(tmp_path / "monday"))
    assert len(stored.table) == len(small_roster.persons)
    teacher = small_roster.persons.query("person_type == 'teacher'")["id"].iloc[0]
    stored.select(teacher)
    stored._shares.click()
    shared = kx.shared_classes(small_roster, teacher)
    assert stored.related[["id", "classes"]].to_numpy().tolist() == shared[["person_id", "classes"]].to_numpy().tolist()
    stored._lost.click()
    lost = kx.dependents(small_roster, teacher)
    pd.testing.assert_frame_equal(stored.related, lost)


def test_a_path_says_which_hubs_it_goes_around() -> None:
    roster = make(student("ana"), student("ben"), student("eva"), student("zoe"), lea(), school(), section("art"),
                  section("law"), term(), link("ana member_of district"), link("zoe member_of district"),
                  link("ana student_in art"), link("ben student_in art"), link("ben student_in law"),
                  link("zoe student_in law"), link("eva member_of district"))  # fmt: skip
    browser = kx.browse(roster, id="ana")
    browser._mark.click()
    browser.select("zoe")
    browser._connect.click()
    assert len(browser.related) == 5
    assert "A shorter one, through district, says little and was avoided." in browser._status.value
    browser.select("eva")
    browser._connect.click()
    assert "Only district connects the two." in browser._status.value
    browser.select("art")
    browser._connect.click()
    assert browser._status.value.count("Only") + browser._status.value.count("avoided") == 0


def test_a_state_brings_back_what_was_on_screen(flawed: tuple[kx.Roster, kx.Report]) -> None:
    roster, report = flawed
    browser = kx.browse(roster, report)
    browser.finder.types.value = "section"
    browser.finder.results.choose(list(browser.finder.results.df.columns).index("teachers"), [0])
    for id in (roster.sections["id"].iloc[0], roster.courses["id"].iloc[0], roster.orgs["id"].iloc[0]):
        browser.select(id)
    browser.back()
    browser._relations.value = browser._relations.options[-1][1]
    state = json.loads(json.dumps(browser.state))
    again = kx.browse(roster, report)
    again.state = state
    assert again.state == state == browser.state
    assert (again.selected, again._places, again._at) == (browser.selected, browser._places, 1)
    pd.testing.assert_frame_equal(again.table, browser.table)
    pd.testing.assert_frame_equal(again.related, browser.related)
    assert again.finder.results.view["left"] == browser.finder.results.view["left"]
    assert not again._forward.disabled
    start = browser.selected
    browser._mark.click()
    browser.select(roster.persons["id"].iloc[0])
    browser._connect.click()
    state = json.loads(json.dumps(browser.state))
    assert (state["start"], state["path"]) == (["course", start], ["course", start])
    again.state = state
    assert again.state == state
    pd.testing.assert_frame_equal(again.related, browser.related)
    assert set(again._network.graph) == set(browser._network.graph)
    again.forward()
    again.back()  # the path is no longer there, but where it began still is
    assert (again.state["start"], again.state["path"]) == (state["start"], None)
    first = kx.browse(roster, report)
    again.state = first.state
    assert (again.selected, len(again.table)) == (None, len(roster.persons))
    other = kx.browse(make_district(20))  # which holds none of these
    other.state = {**state, "search": "math", "places": [["section", "gone"], *state["places"][2:]], "at": 1}
    assert other.finder.text.value == "math"
    assert other.selected in (None, state["places"][2][1])
    other.state = {}
    assert (other.selected, other.finder.text.value) == (None, "")


def test_relations_on_screen_are_those_of_describe(small_roster: kx.Roster) -> None:
    section = small_roster.sections["id"].iloc[0]
    browser = kx.browse(small_roster, id=section)
    relations = small_roster.describe(section).relations
    counts = relations.groupby(["relation", "direction"], observed=True).size()
    shown = dict(browser._relations.options)
    assert {key: int(text.rsplit(" ", 1)[1]) for text, key in shown.items()} == counts.to_dict()
    browser._relations.value = ("student_in", "from")
    students = relations[relations["relation"] == "student_in"]
    assert set(browser.related["id"]) == set(students["id"])


def test_back_and_forward_go_the_way_that_was_gone(small_roster: kx.Roster) -> None:
    section, course, org = (df["id"].iloc[0] for df in (small_roster.sections, small_roster.courses, small_roster.orgs))
    browser = kx.browse(small_roster, id=section)
    browser.select(course)
    browser.select(org)
    browser.back()
    browser.back()
    assert (browser.selected, browser._back.disabled, browser._forward.disabled) == (section, True, False)
    browser.forward()
    assert browser.selected == course
    browser.select(section)
    assert browser._forward.disabled
    assert [crumb.description for crumb in browser._trail.children if not crumb.hidden][-1][
        :10
    ] == browser._description.label[:10]


def test_two_objects_are_connected_by_a_path(small_roster: kx.Roster) -> None:
    student = small_roster.persons["id"].iloc[0]
    course = small_roster.courses["id"].iloc[-1]
    browser = kx.browse(small_roster, id=student)
    browser._mark.click()
    browser.select(course)
    browser._connect.click()
    pd.testing.assert_frame_equal(browser.related, kx.shortest_path(small_roster, student, course, count=3))
    graph = nx.Graph(kx.build_graph(small_roster).to_undirected())
    for _, way in browser.related.groupby("way")["id"]:
        assert way.iloc[[0, -1]].tolist() == [student, course]
        assert nx.is_simple_path(graph, way.tolist())


def test_the_three_best_paths_are_drawn_from_one_end_to_the_other() -> None:
    names = ("art", "band", "chess", "drama")
    roster = make(student("ana"), student("bo"), *(section(name) for name in names),
                  *(link(f"{who} student_in {name}") for who in ("ana", "bo") for name in names))  # fmt: skip
    browser = kx.browse(roster, id="ana")
    browser._mark.click()
    browser.select("bo")
    browser._connect.click()
    through = browser.related["id"].iloc[1::3].tolist()
    assert len(set(through) & set(names)) == 3
    scene = browser._network.scene
    assert sorted(scene["ids"]) == sorted(["ana", "bo", *through])
    assert len(scene["from"]) == 6
    left = dict(zip(scene["ids"], scene["x"], strict=True))
    assert left["ana"] < left[through[0]] == left[through[2]] < left["bo"]
    assert [words for _, words in scene["columns"]] == ["students", "sections", "students"]
    assert browser._network.heading[0].count(" and ") == 1
    assert "2 other ways are listed and drawn below." in browser._status.value
    browser.select("ana")
    assert browser._network.heading[0] == browser._description.label
    browser.select("ana")
    browser._mark.click()
    browser.select("bo")
    browser._radius.value = 0
    before = browser._network.scene
    browser._connect.click()
    assert browser._network.scene == before


def test_an_object_shows_what_was_found_about_it(flawed: tuple[kx.Roster, kx.Report]) -> None:
    roster, report = flawed
    failing = report.failures("invalid_email").iloc[0]
    browser = kx.browse(roster, report, id=failing["id"])
    assert "Invalid e-mail address" in browser._head.value


def test_a_report_that_comes_later_is_shown_as_one_that_was_there(flawed: tuple[kx.Roster, kx.Report]) -> None:
    roster, report = flawed
    id = report.findings.loc[report.findings["table"] == "sections", "id"].dropna().iloc[0]
    there, later = kx.browse(roster, report), kx.browse(roster)
    for browser in (there, later):
        browser.search("a", type="section")
        browser.select(id, "section")
    assert "findings" not in later.table
    assert later._head.value != there._head.value
    later.report = report
    assert later.state == there.state
    assert later._head.value == there._head.value
    pd.testing.assert_frame_equal(later.table, there.table)
    later.search("")
    there.search("")
    pd.testing.assert_frame_equal(later.table, there.table)
    assert later.table["findings"].sum() > 0
    assert later._network.scene == there._network.scene


def test_an_object_that_was_not_delivered_says_so() -> None:
    links = frame("links", {"source_type": ["person"], "source_id": ["p"], "relation": ["member_of"],
                            "target_type": ["org"], "target_id": ["s"], "stated_by": ["source"]})  # fmt: skip
    browser = kx.browse(kx.Roster(persons=frame("persons", {"id": ["p"]}), links=links), id="s")
    assert "was not delivered" in browser._head.value
    assert browser.related["id"].tolist() == ["p"]


def test_an_unknown_id_is_an_error_in_the_notebook(small_roster: kx.Roster) -> None:
    with pytest.raises(KeyError, match="nobody"):
        kx.browse(small_roster, id="nobody")


def test_an_empty_roster_can_be_browsed() -> None:
    browser = kx.browse(kx.Roster())
    browser.search("anything")
    assert len(browser.table) == 0
    assert "Nothing matches “anything”." in browser._status.value


def test_names_are_escaped_in_every_html() -> None:
    persons = frame("persons", {"id": ["p"], "name_last": [HOSTILE], "email": [HOSTILE], f"ext_{HOSTILE}": [HOSTILE]})
    orgs = frame("orgs", {"id": ["s"], "name": [HOSTILE]})
    links = frame("links", {"source_type": ["person"], "source_id": ["p"], "relation": ["member_of"],
                            "target_type": ["org"], "target_id": ["s"], "stated_by": ["both"]})  # fmt: skip
    roster = kx.Roster(persons=persons, orgs=orgs, links=links)
    report = kx.check(roster)
    inspector = kx.inspect_quality(report)
    inspector.select("invalid_email")
    inspector.pick(0)
    assert inspector.browser is not None
    htmls = [w.value for w in (inspector._about, inspector.browser._head, inspector.browser._status)]
    assert all("<img" not in html for html in htmls)
    assert "&lt;img" in inspector.browser._head.value


def test_a_callback_that_raises_shows_its_error(small_roster: kx.Roster) -> None:
    browser = kx.browse(small_roster)
    browser.guarded(lambda: {}["<b>"])()
    assert 'role="alert"' in browser._status.value
    assert "KeyError" in browser._status.value
    assert "<b>&lt;b&gt;" not in browser._status.value
    assert "&lt;b&gt;" in browser._status.value


# The task queue


def test_filters_count_what_is_in_the_queue(box: kx.Sandbox, inspector: queue.TaskInspector) -> None:
    tasks = kx.load_tasks(box.client)
    for name in ("type", "action", "object_type", "tenant_id"):
        counts = tasks[name].dropna().value_counts().to_dict()
        options = [(text, value) for text, value in inspector._filters[name].options if value]
        assert {value: int(text.rsplit(" ", 1)[1].replace(",", "")) for text, value in options} == counts
    inspector.filter(type="data_event", action="CHANGE")
    expected = tasks[(tasks["type"] == "data_event") & (tasks["action"] == "CHANGE")]
    assert set(inspector.table["id"]) == set(expected["id"])


def test_looking_hands_nothing_out(box: kx.Sandbox, inspector: queue.TaskInspector) -> None:
    inspector.refresh()
    assert box.queue._delivered == {}
    assert len(box.queue.hand_out()) > 0


def test_a_filter_stays_when_the_queue_is_read_again(box: kx.Sandbox, inspector: queue.TaskInspector) -> None:
    inspector.filter(type="sync_event")
    box.queue.delete(inspector.table["id"].iloc[0])
    box.queue._tasks["new"] = {**box.queue.all()[0], "id": "new", "type": "sync_event"}
    inspector.refresh()
    assert inspector._filters["type"].value == "sync_event"
    assert set(inspector.table["type"]) == {"sync_event"}
    assert "1 came, 1 went" in inspector._status.value


def test_a_picked_task_is_told_in_a_sentence() -> None:
    task = pd.Series({"type": "data_event", "action": "CHANGE", "object_type": "RDM:STUDENT", "label": "Ana Silva",
                      "object_id": "p1", "changes": {"email": "old"}, "data": {"email": "new"}})  # fmt: skip
    assert describe_task(task) == "Change student Ana Silva: email old -> new"
    moved = pd.Series({**task, "changes": {"address": {"city": "Y" * 50, "line2": None}},
                       "data": {"address": {"city": "Z", "line2": None, "line1": "1"}}})  # fmt: skip
    assert describe_task(moved) == f"Change student Ana Silva: address.city {'Y' * 39}… -> Z"


def test_the_detail_shows_changes_and_object(box: kx.Sandbox) -> None:
    roster = kx.load_roster(box.client, progress=False)
    inspector = kx.inspect_tasks(box.client, roster)
    known = inspector.tasks[inspector.tasks["object_id"].isin(roster.persons["id"])]
    changed = known[known["changes"].map(lambda changes: isinstance(changes, dict) and len(changes) > 0)].iloc[0]
    inspector.pick(changed["id"])
    field, before = next(iter(changed["changes"].items()))
    html = inspector._detail.value
    assert f"<th>{field}</th><td><del>{before}</del>" in html
    assert roster.describe(changed["object_id"]).label in html.split("In the roster")[1]


def test_a_task_of_a_sync_says_how_far_it_is(inspector: queue.TaskInspector) -> None:
    grouped = inspector.tasks[inspector.tasks["group_id"].notna()]
    inspector.pick(grouped["id"].iloc[0])
    group = grouped["group_id"].iloc[0]
    assert f"Sync group</h4>{group}: started" in inspector._detail.value


def test_acknowledging_asks_first_and_can_be_cancelled(box: kx.Sandbox, inspector: queue.TaskInspector) -> None:
    ids = inspector.tasks["id"].iloc[:2].tolist()
    inspector.pick(*ids)
    inspector.acknowledge("success")
    assert "Acknowledge 2 tasks as success?" in inspector._confirm_box.children[0].value
    inspector.cancel()
    inspector.confirm()
    assert (box.queue.acknowledged, len(inspector.history)) == ([], 0)
    inspector.acknowledge("error", "the school is unknown", "app-1")
    inspector.confirm()
    assert box.queue.acknowledged == [
        {"task_id": id, "status": "error", "message": "the school is unknown", "$sys.app_id": "app-1"}
        for id in sorted(ids, key=inspector.history["id"].tolist().index)
    ]
    assert inspector.history["accepted"].tolist() == [True, True]
    assert not inspector.tasks["id"].isin(ids).any()


def test_what_is_refused_stays_picked(
    box: kx.Sandbox, inspector: queue.TaskInspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = inspector.tasks["id"].iloc[:2]
    monkeypatch.setattr(
        box.queue, "_refusal", lambda ack: Refusal(first, 409, "it is locked") if ack["task_id"] == first else None
    )
    inspector.pick(first, second)
    inspector.acknowledge("success")
    inspector.confirm()
    assert inspector.picked["id"].tolist() == [first]
    outcome = inspector.history.set_index("id")
    assert (outcome["accepted"][first], outcome["accepted"][second]) == (False, True)
    assert "it is locked" in outcome["message"][first]
    assert "1 task acknowledged as success." in inspector._outcome.value
    assert "The server refused 1 task: it is locked (400). It is still selected." in inspector._outcome.value
    assert outcome["status"].to_dict() == {first: "refused", second: "done"}


def test_a_status_that_needs_a_message_is_not_asked_about(inspector: queue.TaskInspector) -> None:
    inspector.pick(inspector.tasks["id"].iloc[0])
    with pytest.raises(ValueError, match="needs a message"):
        inspector.acknowledge("retry")
    assert not inspector._confirm_box.is_open


def test_deleting_asks_first(box: kx.Sandbox, inspector: queue.TaskInspector) -> None:
    id = inspector.tasks["id"].iloc[0]
    inspector.pick(id)
    inspector.delete()
    assert box.queue.find(id) is not None
    inspector.confirm()
    assert box.queue.find(id) is None
    assert inspector.history[["act", "id", "status"]].to_numpy().tolist() == [["delete", id, "done"]]


def test_an_interrupted_act_keeps_what_was_done(
    inspector: queue.TaskInspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = queue.ack_tasks, []

    def interrupted(*arguments: object, **options: object) -> object:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(queue, "ack_tasks", interrupted)
    inspector.pick(*inspector.tasks["id"].iloc[:3])
    inspector.acknowledge()
    inspector.confirm()
    assert inspector.history["accepted"].tolist() == [True, False, False]
    assert inspector.history["status"].tolist() == ["done", "not known", "not sent"]
    assert inspector.history["message"].iloc[2] == "Not attempted: interrupted first."
    assert set(inspector.picked["id"]) == set(inspector.history["id"].iloc[1:])


@pytest.mark.parametrize("act", ["acknowledge", "delete"])
def test_what_is_not_known_is_not_called_refused(
    inspector: queue.TaskInspector, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    real, answers = inspector.client.request, iter(["lost", "refused", "not sent", ""])

    def request(operation: Operation, **options: object) -> bytes:
        fault = next(answers, "") if operation.method != "GET" else ""
        if fault == "refused":
            raise kx.PermissionDeniedError("You may not.", 403)
        if fault:
            error = kx.ConnectionFailedError(fault)
            error.sent = fault == "lost"
            raise error
        return real(operation, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(inspector.client, "request", request)
    inspector.pick(*inspector.tasks["id"].iloc[:4])
    getattr(inspector, act)()
    inspector.confirm()
    assert inspector.history["status"].tolist() == ["not known", "refused", "not sent", "done"]
    assert inspector.history["accepted"].tolist() == [False, False, False, True]
    past = {"acknowledge": "acknowledged as success", "delete": "deleted"}[act]
    for sentence in (
        f"1 task {past}.",
        "The server refused 1 task: you are not allowed to do this (403). It is still selected.",
        f"No answer says whether 1 task was {past}. It is still in the queue. It is still selected.",
        "1 task was not sent. It is still selected.",
    ):
        assert sentence in inspector._outcome.value
    assert set(inspector.picked["id"]) == set(inspector.history["id"].iloc[:3])


def test_who_only_looks_cannot_change(box: kx.Sandbox) -> None:
    inspector = kx.inspect_tasks(box.client)
    inspector.pick(inspector.tasks["id"].iloc[0])
    with pytest.raises(kx.KimonoError, match="allow_changes=True"):
        inspector.acknowledge()
    assert not [w.description for w in buttons(inspector) if w.description.startswith(("Acknowledge", "Delete"))]


def test_a_queue_that_cannot_be_read_says_why(small_sandbox: kx.Sandbox) -> None:
    inspector = kx.inspect_tasks(kx.connect(small_sandbox.base_url, token="wrong"))
    assert "AuthenticationError" in inspector._status.value
    assert len(inspector.tasks) == 0


# Quality


def test_checks_on_screen_are_those_that_failed(flawed: tuple[kx.Roster, kx.Report]) -> None:
    _, report = flawed
    inspector = kx.inspect_quality(report)
    failed = report.summary[report.summary["status"] == "failed"]
    assert set(inspector.checks["id"]) == set(failed["id"])
    inspector.filter("error")
    assert set(inspector.checks["id"]) == set(failed.loc[failed["severity"] == "error", "id"])
    org_id = report.findings["org_id"].dropna().iloc[0]
    inspector.filter(org_id=org_id)
    mine = report.findings[report.findings["org_id"] == org_id]
    assert (
        dict(zip(inspector.checks["id"], inspector.checks["failed"], strict=True))
        == mine["check"].value_counts().to_dict()
    )


def test_a_row_opens_its_object_and_all_rows_are_saved(flawed: tuple[kx.Roster, kx.Report]) -> None:
    _, report = flawed
    inspector = kx.inspect_quality(report)
    inspector.select("invalid_email")
    pd.testing.assert_frame_equal(inspector.table, report.failures("invalid_email").reset_index(drop=True))
    inspector.pick(0)
    assert inspector.browser is not None
    assert inspector.browser.selected == inspector.table["id"].iloc[0]
    sent: list[tuple[dict[str, object], list[bytes]]] = []
    inspector._rows.send = lambda content, buffers=None: sent.append((content, buffers or []))
    inspector._rows._hear(None, {"kind": "save", "as": "csv"}, [])
    assert sent[0][0]["name"] == "invalid_email.csv"
    saved = pd.read_csv(io.BytesIO(sent[0][1][0]), dtype="str")
    assert saved["id"].tolist() == inspector.table["id"].tolist()
    offered = {column["name"]: column["shown"] for column in inspector._rows.view["menu"]}
    assert {name for name, shown in offered.items() if not shown} == {"table", "org_id"}
    assert set(offered) == set(inspector.table.dropna(axis="columns", how="all").columns)


def test_a_report_on_tasks_can_be_inspected(box: kx.Sandbox) -> None:
    report = kx.check_tasks(kx.load_tasks(box.client), now="2026-10-05T12:00:00Z")
    inspector = kx.inspect_quality(report)
    inspector.select(inspector.checks["id"].iloc[0])
    assert len(inspector.table) == report.summary.set_index("id")["failed"][inspector.check]


# What they are made of


def test_a_table_leaves_nothing_out() -> None:
    table = DataTable(label="rows", many=True)
    table.fill(pd.DataFrame({"n": range(20_001)}))
    assert (table.view["total"], table.page(20_000)["rows"]) == (20_001, [["20000"]])
    table.pick([20_001, 20_000, 1])
    assert table.selected_rows == [20_000, 1]


def test_every_control_has_a_name(flawed: tuple[kx.Roster, kx.Report], inspector: queue.TaskInspector) -> None:
    roster, report = flawed
    for panel in (kx.browse(roster, report), kx.inspect_quality(report), inspector):
        for widget in buttons(panel):
            assert widget.description or widget.hidden, widget
        for widget in walk(panel):
            if isinstance(widget, Field):
                assert widget.label, widget
            if isinstance(widget, DataTable):
                assert widget.label != "Table", widget


def buttons(panel: object) -> list[Button]:
    return [found for found in walk(panel) if isinstance(found, Button)]
