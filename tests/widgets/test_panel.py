"""A panel without a browser: its controls, and what passes between it and a page, whoever the page is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets
import pandas as pd
import pytest
import traitlets
from comm.base_comm import BaseComm
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kimono_explore as kx
from kimono_explore.sandbox.flaws.catalogue import inject_flaws
from kimono_explore.widgets.channel import Channel
from kimono_explore.widgets.controls import Button, Choice, Column, Html, Number, Row, Text, id_of, walk
from kimono_explore.widgets.parts import Panel
from kimono_explore.widgets.table import DataTable

if TYPE_CHECKING:
    from collections.abc import Iterator


class Page(BaseComm):
    """What a page knows of a panel: its state when it was opened, and what came since."""

    def __init__(self, panel: Panel) -> None:
        super().__init__(target_name="jupyter.widget", primary=False)
        self.messages: list[dict[str, Any]] = []
        self.panel, panel.comm = panel, self
        self.state = own(panel)

    def publish_msg(self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any) -> None:
        if data.get("content") != {}:  # an empty message only makes the server pass on what came before it
            self.messages.append(data)
        if data["method"] == "update":
            self.state.update(data["state"])

    def close(self, *_: object, **__: object) -> None:
        self._closed = True

    def says(self, message: object) -> None:
        self.handle_msg({"content": {"data": {"method": "custom", "content": message}}, "buffers": []})

    def click(self, control: Button) -> None:
        self.says({"kind": "click", "control": control.id})

    def set(self, control: Any, value: object, said: object = "me:1") -> None:
        self.says({"kind": "set", "control": control.id, "value": value, "said": said})


def own(panel: Panel) -> dict[str, Any]:
    """A panel's state without what every widget has."""
    every = {*anywidget.AnyWidget.class_trait_names(), "_anywidget_id", "_css", "_esm"}
    return {name: value for name, value in panel.get_state().items() if name not in every}


@pytest.fixture
def browser(small_roster: kx.Roster) -> Any:
    return kx.browse(small_roster)


@pytest.fixture
def page(browser: Any) -> Page:
    return Page(browser)


@pytest.fixture
def box() -> Iterator[kx.Sandbox]:
    with kx.sandbox(students=20) as sandbox:
        yield sandbox


# Controls


def test_a_button_that_is_disabled_does_nothing() -> None:
    clicked: list[Button] = []
    button = Button("Go", disabled=True)
    button.on_click(clicked.append)
    button.click()
    button.disabled = False
    button.click()
    assert clicked == [button]


def test_a_choice_keeps_what_is_chosen() -> None:
    choice = Choice("letter", [("all 3", ""), ("a 2", "a"), ("b 1", "b")])
    assert choice.value == ""
    choice.value = "b"
    choice.options = [("all 1", ""), ("b 1", "b")]
    assert choice.value == "b"
    choice.options = ["c", "d"]
    assert (choice.value, choice.options) == ("c", [("c", "c"), ("d", "d")])
    with pytest.raises(traitlets.TraitError, match=r"'x' cannot be chosen. There are: \['c', 'd'\]"):
        choice.value = "x"
    choice.options = []
    assert choice.value is None


def test_a_choice_has_keys_for_values_of_any_kind() -> None:
    choice = Choice("relation", [("teachers 2", ("taught_by", "from")), ("graph", 1), ("none", None)])
    keys = [key for _, key in choice.state()["options"]]
    assert keys == ['["taught_by", "from"]', "1", "null"]
    choice.take(keys[1])
    assert choice.value == 1
    choice.take(keys[0])
    assert choice.value == ("taught_by", "from")
    for wrong in ("x", 1, None, ["taught_by", "from"], {}):
        choice.take(wrong)
        assert choice.value == ("taught_by", "from")


@pytest.mark.parametrize("wrong", ["5", -1, float("nan"), float("inf"), 10**400, True, None, [1], {}])
def test_a_number_takes_numbers_only(wrong: object) -> None:
    number = Number("every", value=5)
    number.take(wrong)
    assert number.value == 5
    number.take(7)
    assert number.value == 7


def test_what_python_sets_is_no_word_of_a_page() -> None:
    text = Text("Search")
    text.take("math", "me:1")
    assert (text.value, text.said) == ("math", "me:1")
    text.value = "mathematics"
    assert text.said == ""
    text.take("mathe", "me:2")
    text.take(["math"], "me:3")
    assert (text.value, text.said) == ("mathe", "me:2")


def test_what_is_hidden_is_left_out_with_all_that_is_in_it() -> None:
    inside = Html("in")
    outside = Row([Column([inside], hidden=True), Html("out")])
    assert inside in list(walk(outside))
    assert [part.value for part in walk(outside, hidden=False) if isinstance(part, Html)] == ["out"]


# What a page is told


def test_a_page_that_was_told_all_knows_what_a_new_one_does(small_roster: kx.Roster, browser: Any, page: Page) -> None:
    browser.search("mathematics", type="section")
    browser.pick(0)
    browser._relations.value = browser._relations.options[-1][1]
    browser._mark.click()
    browser.show_list()
    browser.select(small_roster.persons["id"].iloc[0])
    assert page.state == own(browser)
    assert page.state[browser._head.id]["value"] == browser._head.value
    assert page.state[f"{id_of(browser._related)}.view"] == browser._related.view
    assert page.state[browser._object.id]["hidden"] is False


def test_a_page_can_draw_all_that_is_named(browser: Any, page: Page) -> None:
    boxes = [state for state in page.state.values() if isinstance(state, dict) and "children" in state]
    named = {page.state["root"], *(child for box in boxes for child in box["children"])}
    kinds = {page.state[id]["kind"] for id in named}
    assert kinds == {"column", "row", "html", "button", "text", "choice", "table", "graph"}


def test_news_of_one_turn_are_one_message_and_what_is_under_way_is_told_at_once(browser: Any, page: Page) -> None:
    async def work() -> None:
        browser.finder.text.placeholder = "a"
        browser.finder.text.placeholder = "b"
        browser._back.tooltip = "c"
        assert page.messages == []
        await asyncio.sleep(0)
        browser.say("Reading ...")  # before something that takes its time
        assert "Reading ..." in page.state[browser._status.id]["value"]

    asyncio.run(work())
    assert [sorted(message["state"]) for message in page.messages] == [
        sorted([browser.finder.text.id, browser._back.id]), [browser._status.id]]  # fmt: skip
    assert page.state[browser.finder.text.id]["placeholder"] == "b"


def test_what_is_in_a_panel_opens_nothing_of_its_own(small_roster: kx.Roster, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    real = ipywidgets.comm.create_comm

    def create(**options: Any) -> object:
        opened.append(options["data"]["state"]["_model_name"])
        return real(**options)

    monkeypatch.setattr(ipywidgets.comm, "create_comm", create)
    kx.browse(small_roster, id=small_roster.sections["id"].iloc[0])
    assert sorted(opened) == ["AnyModel", "LayoutModel"]
    DataTable()
    assert opened.count("AnyModel") == 2


def test_a_table_with_a_connection_of_its_own_is_given_the_panels() -> None:
    panel, table = Panel(), DataTable(pd.DataFrame({"n": [1, 2]}))
    panel.children = [table]
    assert isinstance(table.comm, Channel)
    page = Page(panel)
    table.choose(0, [0])
    assert page.state == own(panel)
    assert page.state[f"{id_of(table)}.view"]["left"] == 1
    table.hidden = True
    assert page.state[id_of(table)] == {"kind": "table", "hidden": True}


# What a page says


def test_what_a_page_does_happens(small_roster: kx.Roster, browser: Any, page: Page) -> None:
    page.set(browser.finder.text, "mathematics")
    found = small_roster.search("mathematics", limit=200)
    assert browser.table["id"].tolist() == found["id"].tolist()
    assert page.state[browser.finder.text.id]["said"] == "me:1"
    page.set(browser.finder.types, "section")
    browser.pick(0)
    page.click(browser._leave)
    assert browser.selected is None


def test_a_table_hears_and_answers_through_the_panel(browser: Any, page: Page) -> None:
    id = id_of(browser.finder.results)
    page.says({"kind": "message", "control": id, "content": {"kind": "page", "start": 3, "request": 9}})
    answer = page.messages[-1]["content"]
    assert (answer["control"], answer["content"]["request"]) == (id, 9)
    assert answer["content"]["at"] == browser.finder.results.page(3)["at"]
    content = {"kind": "pick", "filled": browser.finder.results.view["filled"], "rows": [2]}
    page.says({"kind": "message", "control": id, "content": content})
    assert browser.selected == browser.table["id"].iloc[2]
    assert page.state[f"{id}.selected_rows"] == [2]


def test_a_panel_in_a_panel_is_worked_from_both(small_roster: kx.Roster) -> None:
    roster, _ = inject_flaws(small_roster)
    inspector = kx.inspect_quality(kx.check(roster))
    assert inspector.browser is not None
    outer, inner = Page(inspector), Page(inspector.browser)
    inspector.select("invalid_email")
    inspector.pick(0)
    assert inspector.browser.finder.text.id in outer.state
    first, second = roster.persons["id"].iloc[:2]
    inspector.browser.select(first)
    inspector.browser.select(second)
    outer.click(inspector.browser._back)
    assert inspector.browser.selected == first
    inner.click(inspector.browser._forward)
    assert inspector.browser.selected == second
    assert (outer.state, inner.state) == (own(inspector), own(inspector.browser))


def test_what_is_not_on_screen_cannot_be_clicked(box: kx.Sandbox) -> None:
    inspector = kx.inspect_tasks(box.client, allow_changes=True)
    page = Page(inspector)
    before = [task["id"] for task in box.queue.all()]
    page.click(inspector._delete)  # nothing is picked
    assert not inspector._confirm_box.is_open
    inspector.pick(before[0])
    page.click(inspector._confirm_box._do)  # nothing is asked
    page.click(inspector._delete)
    assert inspector._confirm_box.is_open
    assert page.state[inspector._confirm_box._cancel.id]["focused"] == 1
    assert page.state[inspector._confirm_box.id]["escape"] == inspector._confirm_box._cancel.id
    page.click(inspector._confirm_box._cancel)
    page.click(inspector._confirm_box._do)
    assert [task["id"] for task in box.queue.all()] == before
    page.click(inspector._delete)
    page.click(inspector._confirm_box._do)
    assert [task["id"] for task in box.queue.all()] == before[1:]


def test_an_error_stands_in_the_panel(browser: Any, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ValueError("<b>")

    monkeypatch.setattr(browser.finder, "_search", fail)
    page.set(browser.finder.types, "section")
    shown = page.state[browser._status.id]["value"]
    assert 'role="alert"' in shown
    assert "&lt;b&gt;" in shown


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=5,
)
INNER = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["page", "sort", "filter", "pick", "range"]) | ANY,
        "do": st.sampled_from(["find", "pin", "select", "expand", "open", "arrange"]) | ANY,
        **dict.fromkeys(("start", "request", "column", "bars", "rows", "filled", "version", "first", "last"), ANY),
        **dict.fromkeys(("node", "x", "y", "force", "text", "number", "descending"), ANY),
    },
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["set", "click", "message"]) | ANY, which=st.integers(0, 60), value=ANY, content=INNER | ANY
)
def test_what_is_no_message_of_ours_is_let_be(
    browser: Any, kind: object, which: int, value: object, content: object
) -> None:
    ids = [id_of(part) for part in walk(browser)]
    for control in (ids[which % len(ids)], value):
        message = {"kind": kind, "control": control, "value": value, "said": value, "content": content}
        browser._hear(browser, message, [])
    browser._hear(browser, value, [])
    assert 'role="alert"' not in browser._status.value
