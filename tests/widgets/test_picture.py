"""The picture that a widget leaves in a saved notebook: what was on screen, as text, and renewed while one works."""

from __future__ import annotations

import asyncio
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import nbformat
import pandas as pd
import pytest
from nbconvert import HTMLExporter
from nbconvert.preprocessors import ExecutePreprocessor

import kimono_explore as kx
from kimono_explore.widgets.picture import picture
from kimono_explore.widgets.table import DataTable
from kimono_explore.widgets.words import column_words

if TYPE_CHECKING:
    from pathlib import Path

VIEW = "application/vnd.jupyter.widget-view+json"


class Words(HTMLParser):
    """The texts of a page, and its tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts, self.tags = list[str](), list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if data.strip() and self.tags[-1:] != ["style"]:
            self.texts.append(data.strip())


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is displayed, and what displays are renewed to."""
    seen: list[Any] = []

    class Handle:
        def update(self, data: dict[str, str], raw: bool) -> None:
            assert raw
            seen.append(("renewed", data))

    def display(data: dict[str, Any], **options: Any) -> Handle:
        assert options.pop("raw")
        seen.append(("new", data))
        return Handle()

    monkeypatch.setattr("IPython.display.display", display)
    return seen


def test_a_widget_is_displayed_with_a_picture_in_an_output_of_its_own(
    small_roster: kx.Roster, shown: list[Any]
) -> None:
    section = small_roster.sections["id"].iloc[0]
    browser = kx.browse(small_roster, id=section)
    browser._ipython_display_()
    (_, view), (_, drawn) = shown
    assert view[VIEW]["model_id"] == browser.model_id
    assert view["text/plain"] == "Browser()"
    assert "text/html" not in view
    assert VIEW not in drawn
    label = small_roster.describe(section).label
    assert label in Words(drawn["text/html"]).texts


def test_it_is_renewed_once_when_one_pauses(
    small_roster: kx.Roster, shown: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kimono_explore.widgets.picture._AFTER", 0.05)
    browser = kx.browse(small_roster)
    browser._ipython_display_()

    async def work() -> None:
        for id in small_roster.sections["id"].iloc[:3]:
            browser.select(id)
        await asyncio.sleep(0.3)

    asyncio.run(work())
    renewed = [data["text/html"] for what, data in shown if what == "renewed"]
    assert len(renewed) == 1
    assert small_roster.describe(small_roster.sections["id"].iloc[2]).label in Words(renewed[0]).texts


def test_names_are_text_in_it_and_what_is_hidden_is_not_in_it() -> None:
    hostile = "<script>alert(1)</script>\u202e"
    table = DataTable(pd.DataFrame({"name": [hostile, "Ana"], "<b>": [1, 2]}), label="<i>People</i>")
    words = Words(picture(table))
    assert not {"script", "b", "i"} & set(words.tags)
    assert "<script>alert(1)</script>" in " ".join(words.texts)
    assert "\u202e" not in picture(table)
    table.hidden = True
    assert "Ana" not in picture(table)


def test_a_table_has_the_titles_and_the_empty_cells_that_are_on_screen() -> None:
    table = DataTable(pd.DataFrame({"created_at": ["noon"], "findings": [None]}), words=column_words)
    words = Words(picture(table))
    assert [title for title in ("Created", "Findings") if title in words.texts] == ["Created", "Findings"]
    assert "None" not in words.texts


def test_a_long_table_says_what_is_below() -> None:
    table = DataTable(pd.DataFrame({"n": range(100), "even": ["yes", "no"] * 50}), label="Numbers")
    assert "Numbers: 100 rows, the first 20 below" in Words(picture(table)).texts
    table.choose(1, [0])
    assert f"Numbers: 50 of 100 rows, the first 20 below; {table.sentence}" in Words(picture(table)).texts
    assert picture(DataTable()).count("<table") == 0


def test_a_graph_is_told_in_words(small_roster: kx.Roster) -> None:
    network = kx.show_network(kx.neighborhood(small_roster, small_roster.sections["id"].iloc[0]))
    texts = Words(picture(network)).texts
    assert network.info["title"] in texts
    assert [row[1] for row in network.info["rows"]] == [
        text for text in texts if text in {r[1] for r in network.info["rows"]}
    ]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_an_executed_notebook_shows_it_as_a_page(tmp_path: Path) -> None:
    code = """
import kimono_explore as kx
from kimono_explore.sandbox.district.build import make_district
roster = make_district(60)
browser = kx.browse(roster, id=roster.sections["id"][0])
browser
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    ExecutePreprocessor(timeout=120, store_widget_state=False).preprocess(
        notebook, {"metadata": {"path": str(tmp_path)}}
    )
    outputs = notebook.cells[0].outputs
    assert [VIEW in output.data for output in outputs] == [True, False]
    assert outputs[0].data["text/plain"] == "Browser()"
    page, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    words = Words(page)
    assert "The view as last seen. Run the cell to work with it." in words.texts
    assert any("Period" in text for text in words.texts)
