"""The widgets in a real browser: JupyterLab in Debian's Chromium, as a person uses them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import axe_playwright_python
import pytest
from lab import CHROMIUM, Lab, nothing_wrong, start_chromium, start_lab
from playwright.sync_api import Page, expect

import kimono_explore as kx
from kimono_explore.sandbox.district.build import make_district

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator

pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None, reason="there is no /usr/bin/chromium on this machine: apt-get install chromium"
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
ROOT = Path(__file__).parents[2]
HOSTILE = ["<img src=x onerror=alert(1)>", "O'Neil", "Þórr", "محمد", "👩‍🎓"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with start_lab(tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("settings")) as lab:
        yield lab


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with start_chromium() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page; after the test: no error in the console, no dialog, no request that left the machine."""
    page = chromium.new_page(viewport={"width": 1300, "height": 1400})
    # JupyterLab says this of its own requests to a kernel where a page is left early, a kernel comes late or is replaced.
    with nothing_wrong(page, but="Canceled future for|/api/kernels/.* 404|404 .*/api/kernels/"):
        yield page
        page.close()


def test_search_pick_follow_three_relations_and_go_back(lab: Lab, page: Page) -> None:
    lab.run(
        page,
        "browse",
        "import kimono_explore as kx\nfrom kimono_explore.sandbox.district.build import make_district\n"
        "roster = make_district(60)\nbrowser = kx.browse(roster)\nbrowser",
    )
    search = page.get_by_role("textbox", name="Search")
    search.fill("mathematics")
    expect(page.locator(".kx[role=status]").first).to_contain_text("found", timeout=30_000)
    page.get_by_role("button", name="sections", exact=False).first.click()
    first = page.locator(".kx-table").nth(0).locator(".kx-body [role=row]").first
    expect(first.locator("[role=gridcell]").first).to_have_text("section")
    title = first.locator("[role=gridcell]").nth(1).inner_text()
    first.click()
    heading = page.locator(".kx-panel .kx h3")
    expect(heading).to_have_text(title)
    # To the course, to its school, to a person of the school.
    visited = [title]
    for chip, kind in (("course", "course"), ("offered by", "org"), ("people", "person")):
        page.locator(".kx-chips button", has_text=chip).last.click()
        row = page.locator(".kx-table").nth(1).locator(".kx-body [role=row]").first
        expect(row.locator("[role=gridcell]").first).to_have_text(kind)
        name = row.locator("[role=gridcell]").nth(1).inner_text()
        row.click()
        expect(heading).to_have_text(name)
        visited.append(name)
    back = page.get_by_role("button", name="Back")
    for name in visited[-2::-1]:
        back.click()
        expect(heading).to_have_text(name)
    expect(back).to_be_disabled()
    page.get_by_role("button", name="Forward").click()
    expect(heading).to_have_text(visited[1])
    expect(page.locator(".kx-panel canvas").first).to_be_visible()


def test_all_people_are_there_a_bar_narrows_and_a_row_opens(lab: Lab, page: Page) -> None:
    lab.run(
        page,
        "first_sight",
        "import kimono_explore as kx\nfrom kimono_explore.sandbox.district.build import make_district\n"
        "roster = make_district(60)\nbrowser = kx.browse(roster)\nbrowser",
    )
    roster = make_district(60)
    table = page.locator(".kx-table").first
    count = table.locator(".kx-count")
    expect(count).to_contain_text(f"{len(roster.persons)} rows, sorted by name", timeout=60_000)
    wide = table.bounding_box()
    table.locator(".kx-header").nth(1).locator(".kx-bar").first.click()
    students = int((roster.persons["person_type"] == "student").sum())
    expect(count).to_contain_text(f"{students} of {len(roster.persons)} rows")
    expect(table.locator(".kx-token")).to_contain_text("type is student")
    row = table.locator(".kx-body [role=row]").nth(2)
    last, first = row.locator("[role=gridcell]").first.inner_text().split(", ")
    row.click()
    expect(page.locator(".kx-panel .kx h3")).to_have_text(f"{first} {last}")
    expect(table.locator(".kx-header")).to_have_count(2)  # beside an object: the name and the type
    expect(count).to_contain_text(f"{students} of {len(roster.persons)} rows")
    expect(row).to_have_attribute("aria-selected", "true")
    narrow = table.bounding_box()
    assert wide is not None
    assert narrow is not None
    assert narrow["width"] < wide["width"] / 2
    page.get_by_role("button", name="Who shares most classes").click()
    expect(page.locator(".kx[role=status]").first).to_contain_text("in the same classes")
    page.get_by_role("textbox", name="Search").fill("mathmatics")
    page.get_by_role("button", name="Did you mean mathematics?").click()
    expect(table.locator(".kx-body [role=row]").first).to_contain_text("Mathematics")
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".kx-panel .kx h3")).to_be_hidden()


def test_a_cell_that_is_run_again_keeps_its_place(lab: Lab, page: Page) -> None:
    lab.run(
        page,
        "again",
        "import kimono_explore as kx\nfrom kimono_explore.sandbox.district.build import make_district\n"
        "browser = kx.browse(make_district(60))\nbrowser",
    )
    page.get_by_role("textbox", name="Search").fill("science")
    expect(page.locator(".kx[role=status]").first).to_have_text(f"{len(make_district(60).search('science'))} found")
    page.locator(".kx-table").first.locator(".kx-body [role=row]").nth(1).click()
    heading = page.locator(".kx-panel .kx h3")
    expect(heading).to_be_visible()
    name, prompt = heading.inner_text(), page.locator(".jp-InputPrompt").first
    before = prompt.inner_text()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    expect(prompt).not_to_have_text(before)
    expect(prompt).to_have_text(re.compile(r"\[\d+\]"))
    expect(heading).to_have_text(name)
    expect(page.get_by_role("textbox", name="Search")).to_have_value("science")


def test_a_table_is_used_by_keyboard(lab: Lab, page: Page) -> None:
    lab.run(
        page,
        "keyboard",
        "import kimono_explore as kx\nfrom kimono_explore.sandbox.district.build import make_district\n"
        "browser = kx.browse(make_district(60))\nbrowser",
        "'a cell below'",  # where JupyterLab's own arrow would lead
    )
    search = page.get_by_role("textbox", name="Search")
    search.focus()
    page.keyboard.type("science")
    # While somebody types, a table of what the first letters find may come, and go: the last is waited for.
    found = len(make_district(60).search("science"))
    expect(page.locator(".kx[role=status]").first).to_have_text(f"{found} found")
    rows = page.locator(".kx-table").nth(0).locator(".kx-body [role=row]")
    expect(page.get_by_role("grid").nth(0)).to_have_attribute("aria-rowcount", str(found + 1))  # with the header
    first_cells = page.locator(".kx-table").nth(0).locator("[role=gridcell][aria-colindex='1']")
    first_cells.first.focus()
    expect(first_cells.first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(first_cells.nth(1)).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator(".kx-panel .kx h3")).to_have_text(rows.nth(1).locator("[role=gridcell]").nth(1).inner_text())
    heading = page.locator(".kx-panel .kx h3").inner_text()
    for key in ("d", "d", "b", "ArrowDown", "ArrowDown"):  # in a notebook: this cell away, a new one, two down
        page.keyboard.press(key)
    expect(first_cells.nth(3)).to_be_focused()
    expect(page.locator(".jp-CodeCell")).to_have_count(2)
    search.fill("math")  # a table drawn anew hears a key once, as the first did
    expect(rows.first).to_contain_text("Math")
    first_cells.first.focus()
    page.keyboard.press("ArrowDown")
    expect(first_cells.nth(1)).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator(".kx-panel .kx h3")).not_to_have_text(heading)
    back = page.get_by_role("button", name="Back")
    expect(back).to_be_enabled()
    back.focus()
    expect(back).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".kx-panel .kx h3")).to_have_text(heading)
    for name in ("Path from here", "Path to here"):
        page.get_by_role("button", name=name).focus()
        expect(page.get_by_role("button", name=name)).to_be_focused()
    page.keyboard.press("Shift+Enter")  # which runs a cell everywhere
    expect(page.locator(".jp-CodeCell").nth(1)).to_have_class(re.compile("jp-mod-active"))


def test_tasks_are_acknowledged_once_somebody_confirms(lab: Lab, page: Page) -> None:
    with kx.sandbox(students=60) as box:
        before = [str(task["id"]) for task in box.queue.all()]
        syncs = sorted((str(t["created_at"]), str(t["id"])) for t in box.queue.all() if t["type"] == "sync_event")
        lab.run(
            page,
            "tasks",
            "import kimono_explore as kx\n"
            f"client = kx.connect({box.base_url!r}, token={box.credentials.token!r})\n"
            "inspector = kx.inspect_tasks(client, allow_changes=True)\ninspector",
        )
        page.locator(".kx-chips button", has_text="sync event").click(timeout=60_000)
        table = page.locator(".kx-table").first
        expect(table.locator(".kx-body [role=row]")).to_have_count(5)
        table.locator(".kx-body [role=row]").nth(0).click()
        table.locator(".kx-body [role=row]").nth(1).click(modifiers=["Control"])
        expect(page.get_by_text("2 tasks are picked")).to_be_visible()
        page.get_by_role("button", name="Acknowledge 2 tasks …").click()
        expect(page.get_by_role("alertdialog")).to_contain_text("Acknowledge 2 tasks as success?")
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator(".kx-panel").get_by_text("Nothing was done.")).to_be_visible()
        assert [str(task["id"]) for task in box.queue.all()] == before
        page.get_by_role("button", name="Acknowledge 2 tasks …").click()
        page.get_by_role("button", name="Acknowledge 2 tasks", exact=True).click()
        expect(page.get_by_text("2 tasks acknowledged as success.")).to_be_visible()
        expect(table.locator(".kx-body [role=row]")).to_have_count(3)
        expect(page.locator(".kx[role=status]").first).to_contain_text(f"{len(before) - 2} tasks in the queue")
        left = {str(task["id"]) for task in box.queue.all()}
        assert set(before) - left == {id for _, id in syncs[-2:]}  # the newest come first


def test_a_second_enter_deletes_nothing(lab: Lab, page: Page) -> None:
    with kx.sandbox(students=60) as box:
        before = [str(task["id"]) for task in box.queue.all()]
        lab.run(
            page,
            "enter",
            "import kimono_explore as kx\n"
            f"client = kx.connect({box.base_url!r}, token={box.credentials.token!r})\n"
            "inspector = kx.inspect_tasks(client, allow_changes=True)\n"
            "inspector.pick(*inspector.table['id'].iloc[:3])\ninspector",
        )
        delete = page.get_by_role("button", name="Delete 3 tasks …")
        cancel = page.get_by_role("button", name="Cancel", exact=True)
        for pause in (0, 20, 60, 150, 400):  # milliseconds: before the question is there, and after
            delete.focus()
            page.keyboard.press("Enter")
            page.wait_for_timeout(pause)
            page.keyboard.press("Enter")
            page.wait_for_timeout(600)
            if cancel.is_visible():  # both were before it: the question is asked, and waits
                expect(cancel).to_be_focused()
                page.keyboard.press("Enter")
            expect(cancel).to_be_hidden()
            expect(delete).to_be_focused()  # where it began
        page.keyboard.press("Enter")
        expect(cancel).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Delete 3 tasks", exact=True)).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator(".kx-panel").get_by_text("Nothing was done.")).to_be_visible()
        expect(delete).to_be_focused()
        assert [str(task["id"]) for task in box.queue.all()] == before
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Delete 3 tasks", exact=True).click()
        expect(page.locator(".kx[role=status]").first).to_contain_text(f"{len(before) - 3} tasks in the queue")
        assert len(box.queue.all()) == len(before) - 3


def test_a_closed_client_is_a_line_and_a_retry(lab: Lab, page: Page) -> None:
    with kx.sandbox(students=60) as box:
        before = len(box.queue.all())
        connect = f"kx.connect({box.base_url!r}, token={box.credentials.token!r})"
        lab.run(
            page,
            "retry",
            f"import kimono_explore as kx\ninspector = kx.inspect_tasks({connect}, allow_changes=True)\n"
            f"old, inspector.client = inspector.client, {connect}\ninspector.client.close()\ninspector",
            # What a person does once the line says it.
            f"inspector._retry.on_click(lambda _: setattr(inspector, 'client', {connect}))",
        )
        facet = page.get_by_role("group", name="Kind").get_by_role("button", name="sync event 5")
        facet.focus()
        page.keyboard.press("Enter")
        expect(facet).to_have_attribute("aria-pressed", "true")
        expect(facet).to_be_focused()
        expect(page.get_by_role("group", name="What happens").get_by_role("button", name="ADD 0")).to_be_visible()
        rows = page.locator(".kx-table").first.locator(".kx-body [role=row]")
        expect(rows).to_have_count(5)
        page.get_by_role("button", name="Select all 5 that match").click()
        page.get_by_role("button", name="Delete 5 tasks …").click()
        expect(page.get_by_role("alertdialog", name="Delete 5 tasks?")).to_be_visible()
        page.evaluate(AXE.read_text(encoding="utf-8"))
        for part in (".kx-facet", ".kx-confirm"):
            found = page.evaluate("what => axe.run(what)", part)
            assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found["violations"]] == []
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Refresh").click()
        expect(page.get_by_role("alert")).to_contain_text("The client was closed in this notebook.")
        expect(rows).to_have_count(5)
        expect(page.get_by_role("button", name="Delete 5 tasks …")).to_be_disabled()
        retry = page.get_by_role("button", name="Retry")
        retry.click()
        retry.click()
        expect(page.get_by_role("alert")).to_have_count(0)
        expect(retry).to_be_hidden()
        expect(page.get_by_role("button", name="Delete 5 tasks …")).to_be_enabled()
        assert len(box.queue.all()) == before


def test_the_three_panels_are_shown_twice_and_keep_the_keyboard(lab: Lab, page: Page) -> None:
    with kx.sandbox(students=20) as box:
        lab.run(
            page,
            "three",
            "import kimono_explore as kx\nfrom kimono_explore.sandbox.district.build import make_district\n"
            "roster = make_district(60)\nbrowser = kx.browse(roster)\nbrowser",
            f"client = kx.connect({box.base_url!r}, token={box.credentials.token!r})\n"
            "kx.inspect_tasks(client, allow_changes=True)",
            "kx.inspect_quality(kx.check(roster))",
            "import ipywidgets\nipywidgets.HBox([browser])",
        )
        panels = page.locator(".kx-panel")
        expect(panels).to_have_count(4, timeout=60_000)
        expect(panels.nth(2).get_by_role("grid", name="Causes")).to_be_visible()
        first, again = panels.nth(0), panels.nth(3)
        search = first.get_by_role("textbox", name="Search")
        search.focus()
        page.keyboard.type("mathematics", delay=30)
        expect(search).to_have_value("mathematics")
        expect(again.get_by_role("textbox", name="Search")).to_have_value("mathematics")
        expect(again.locator(".kx[role=status]")).to_have_text("8 found")
        expect(search).to_be_focused()
        row = again.locator(".kx-body [role=row]").nth(1)
        row.click()
        title = row.locator("[role=gridcell]").nth(1).inner_text()
        for panel in (first, again):
            expect(panel.locator(".kx h3")).to_have_text(title)
        expect(again.locator(".kx-grid :focus")).to_have_count(1)
        close = again.get_by_role("button", name="Close")
        close.focus()
        page.keyboard.press("Enter")  # which hides the button that has the keyboard
        expect(close).to_be_hidden()
        expect(again.locator(":focus")).to_have_count(1)
        page.keyboard.press("/")
        expect(again.get_by_role("textbox", name="Search")).to_be_focused()
        page.set_viewport_size({"width": 900, "height": 1400})
        expect(first).to_have_class(re.compile("kx-narrow"))
        page.evaluate(AXE.read_text(encoding="utf-8"))
        panels.nth(0).locator(".kx-body [role=row]").first.click()
        expect(panels.nth(0).locator(".kx h3")).to_be_visible()
        page.wait_for_function("document.activeElement.contains(document.querySelector('.kx-panel .kx h3'))")
        no_fault(page, ".kx-panel")


def test_a_finding_leads_to_its_rows_and_its_object(lab: Lab, page: Page) -> None:
    lab.run(
        page,
        "quality",
        "import kimono_explore as kx\nfrom kimono_explore.sandbox.district.build import make_district\n"
        "from kimono_explore.sandbox.flaws.catalogue import inject_flaws\nroster, _ = inject_flaws(make_district(60))\n"
        'few = ["invalid_email", "untrimmed_text", "section_without_teacher", "missing_local_id"]\n'
        'inspector = kx.inspect_quality(kx.check(roster, few, as_of="2026-10-05"))\ninspector',
    )
    page.get_by_role("button", name="Checks").click(timeout=60_000)
    checks = page.locator(".kx-table", has=page.get_by_role("grid", name="Checks"))
    count = checks.locator(".kx-count")
    before = count.inner_text(timeout=60_000)
    page.get_by_role("combobox", name="severity").select_option("warning")
    expect(count).not_to_have_text(before)  # rows that move under the pointer are not those that were aimed at
    checks.get_by_text("Invalid e-mail address", exact=True).click()
    expect(page.locator(".kx-panel .kx h3").first).to_have_text("Invalid e-mail address")
    failing = page.get_by_role("grid", name="Failing rows").locator(".kx-body [role=row]")
    expect(failing).to_have_count(2)
    name = failing.first.locator("[role=gridcell]").first.inner_text()
    failing.first.click()
    expect(page.locator(".kx-panel .kx h3").nth(1)).to_have_text(name)
    expect(page.locator(".kx li", has_text="Invalid e-mail address")).to_be_visible()
    rows = page.locator(".kx-table", has=page.get_by_role("grid", name="Failing rows"))
    with page.expect_download(timeout=60_000) as saved:
        rows.get_by_role("button", name="CSV").click()
    assert saved.value.suggested_filename == "invalid_email.csv"
    assert len(saved.value.path().read_text(encoding="utf-8-sig").splitlines()) == 3


def test_names_are_shown_as_text(lab: Lab, page: Page) -> None:
    lab.run(
        page,
        "hostile",
        "import pandas as pd\nimport kimono_explore as kx\nfrom kimono_explore.frames import frame\n"
        f"names = {HOSTILE!r}\n"
        "n = len(names)\n"
        'persons = frame("persons", {"id": [f"p{i}" for i in range(n)], "person_type": ["student"] * n, "name_last": names, '
        '"email": names, "ext_nick": names})\n'
        'orgs = frame("orgs", {"id": ["s"], "org_type": ["school"], "name": names[:1]})\n'
        'links = frame("links", {"source_type": ["person"] * n, "source_id": persons["id"], "relation": ["member_of"] * n, '
        '"target_type": ["org"] * n, "target_id": ["s"] * n, "role": ["student"] * n, "stated_by": ["both"] * n})\n'
        "roster = kx.Roster(orgs=orgs, persons=persons, links=links)\n"
        'browser = kx.browse(roster, kx.check(roster), id="p0")\nbrowser.search("p", type="person")\nbrowser',
        'inspector = kx.inspect_quality(browser.report)\ninspector.select("invalid_email")\ninspector.pick(0)\ninspector',
    )
    expect(page.locator(".kx-panel .kx h3").first).to_have_text(HOSTILE[0], timeout=60_000)
    cells = page.locator(".kx-table [role=gridcell]")
    for name in HOSTILE:
        expect(cells.get_by_text(name, exact=True).first).to_be_attached()
    assert page.locator("img[src='x']").count() == 0
    # A name that is written from right to left keeps its own order and stays at the left of its column.
    for shown in (page.locator(".kx-panel .kx h3").first, cells.first.locator(".kx-text")):
        expect(shown).to_have_css("unicode-bidi", "plaintext")
        expect(shown).to_have_css("text-align", "left")


def test_a_broken_callback_shows_its_error_in_the_widget(lab: Lab, page: Page) -> None:
    lab.run(
        page,
        "broken",
        "import kimono_explore as kx\nfrom kimono_explore.sandbox.district.build import make_district\n"
        "roster = make_district(20)\nbrowser = kx.browse(roster)\nbrowser",
        'roster.search = lambda *a, **k: 1 / 0\n"broken"',
    )
    expect(page.get_by_text("'broken'")).to_be_visible(timeout=60_000)
    page.get_by_role("textbox", name="Search").fill("x")
    expect(page.get_by_role("alert")).to_contain_text("ZeroDivisionError")


def test_a_picture_made_in_a_hidden_tab_is_drawn_when_it_is_shown(lab: Lab, page: Page) -> None:
    lab.run(
        page,
        "hidden",
        "import ipywidgets\nimport kimono_explore as kx\nfrom kimono_explore.sandbox.district.build import make_district\n"
        "roster = make_district(60)\nbrowser = kx.browse(roster, id=roster.sections['id'][0])\n"
        "ipywidgets.Tab([ipywidgets.HTML('first'), browser], titles=['One', 'Two'])",
    )
    expect(page.locator("canvas.kx-canvas")).to_be_attached(timeout=30_000)
    page.get_by_role("tab", name="Two").click()
    page.wait_for_function("document.querySelector('canvas.kx-canvas').getBoundingClientRect().width > 300")
    expect(page.locator(".kx-panel .kx h3")).to_be_visible()


TABLE = """
import numpy as np, pandas as pd
from kimono_explore.widgets.table import DataTable
n = ROWS
table = DataTable(pd.DataFrame({
    "name": [f"person {i}" for i in range(n)],
    "grade": np.arange(n) % 13,
    "school": pd.array((["Lincoln", "Pine", None, "Lincoln"] * n)[:n], dtype="str"),
    "id": [f"1f9b3c7d-38de-4968-b5d0-{i:012x}" for i in range(n)],
}), label="People", many=True)
table
"""
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")


def cell(page: Page, row: int, column: int) -> Locator:
    return page.locator(f".kx-body [role=row][aria-rowindex='{row + 2}'] [aria-colindex='{column + 1}']")


EACH_ROW_IN_ITS_PLACE = """first => {
    const rows = [...document.querySelectorAll(".kx-body [role=row]:not(.kx-away)")];
    const place = row => row.getAttribute("aria-rowindex") - 2;
    return rows.length > 3 && rows.every(row =>
        place(row) > first && row.querySelector("[role=gridcell]").innerText === `person ${place(row)}`);
}"""


def test_a_table_of_a_state_is_scrolled_filtered_and_sorted(lab: Lab, page: Page) -> None:
    lab.run(page, "state", TABLE.replace("ROWS", "600_000").strip())
    grid = page.get_by_role("grid", name="People")
    expect(grid).to_have_attribute("aria-rowcount", "600001", timeout=60_000)
    grid.evaluate("grid => { grid.scrollTop = grid.scrollHeight }")
    expect(cell(page, 599_999, 0)).to_have_text("person 599999")
    grid.evaluate("grid => { grid.scrollTop = grid.scrollHeight / 2 }")
    page.wait_for_function(EACH_ROW_IN_ITS_PLACE, arg=290_000)
    page.locator(".kx-header").nth(1).locator(".kx-bar").nth(9).locator(".kx-hit").click()
    expect(page.locator(".kx-words")).to_have_text(["grade is 9"])
    page.locator(".kx-header").nth(1).locator(".kx-bar").nth(10).locator(".kx-hit").click(modifiers=["Control"])
    page.locator(".kx-header").nth(2).locator(".kx-bar").first.locator(".kx-hit").click()
    expect(page.locator(".kx-words")).to_have_text(["grade is 9 or 10", "school is Lincoln"])
    left = sum(1 for n in range(600_000) if n % 13 in (9, 10) and n % 4 in (0, 3))
    expect(page.locator(".kx-count")).to_have_text(f"{left:,} of 600,000 rows")
    header = page.get_by_role("columnheader", name="name")
    for order in ("ascending", "descending", "none"):
        header.locator(".kx-name").click()
        expect(header).to_have_attribute("aria-sort", order)
    page.get_by_role("button", name="Without: grade is 9 or 10").click()
    expect(page.locator(".kx-words")).to_have_text(["school is Lincoln"])
    page.get_by_role("button", name="Clear all").click()
    expect(page.locator(".kx-sentence")).to_be_hidden()
    expect(page.locator(".kx-count")).to_have_text("600,000 rows")


def test_a_table_has_one_tab_stop_and_keys_for_all(lab: Lab, page: Page) -> None:
    lab.run(page, "grid_keys", TABLE.replace("ROWS", "5_000").strip(), "table.selected_rows")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    expect(cell(page, 0, 0)).to_have_attribute("tabindex", "0", timeout=60_000)
    cell(page, 0, 0).focus()
    keyboard = page.keyboard
    for keys, row, column in (
        ("ArrowDown ArrowRight", 1, 1), ("End", 1, 3), ("Home", 1, 0), ("Control+End", 4_999, 3),
        ("ArrowDown", 4_999, 3), ("Control+Home", 0, 0), ("PageDown", 6, 0), ("PageUp", 0, 0),
    ):  # fmt: skip
        for key in keys.split():
            keyboard.press(key)
        expect(cell(page, row, column)).to_be_focused()
        assert page.locator(".kx-grid [tabindex='0']").count() == 1
    keyboard.press("Enter")
    expect(page.locator(".kx-body [aria-selected=true]")).to_have_count(1)
    keyboard.press("Shift+ArrowDown")
    keyboard.press("Shift+ArrowDown")
    expect(page.locator(".kx-body [aria-selected=true]")).to_have_count(3)
    keyboard.press("c")
    expect(page.locator(".kx-count")).to_have_text("id copied")
    assert page.evaluate("navigator.clipboard.readText()") == "1f9b3c7d-38de-4968-b5d0-000000000002"
    for key in ("ArrowUp", "ArrowUp", "ArrowUp", "ArrowRight"):
        keyboard.press(key)
    expect(page.get_by_role("columnheader", name="grade")).to_be_focused()
    for key in ("Enter", "ArrowRight", "ArrowRight", "Space"):
        keyboard.press(key)
    expect(page.locator(".kx-words")).to_have_text(["grade is 2"])
    keyboard.press("Backspace")
    expect(page.locator(".kx-words")).to_have_count(0)
    keyboard.press("Escape")
    keyboard.press("Space")
    expect(page.get_by_role("columnheader", name="grade")).to_have_attribute("aria-sort", "ascending")
    keyboard.press("Escape")
    expect(page.locator(".kx-grid :focus")).to_have_count(0)
    expect(page.locator(".jp-CodeCell")).to_have_count(2)


def test_axe_finds_no_fault_in_a_table(lab: Lab, page: Page) -> None:
    shown = "display(table, DataTable(table.df.head(0)), DataTable(table.df.head(1)), DataTable())"
    lab.run(page, "axe", TABLE.replace("ROWS", "5_000").strip().removesuffix("table") + shown)
    expect(page.locator(".kx-table")).to_have_count(4, timeout=60_000)
    page.locator(".kx-header").nth(2).locator(".kx-bar").first.locator(".kx-hit").click()
    expect(page.locator(".kx-words")).to_have_count(1)
    cell(page, 3, 1).first.click()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    no_fault(page, ".kx-table")


QUESTIONS = """
import numpy as np, pandas as pd
from kimono_explore.widgets.table import DataTable
n = 2_000
table = DataTable(pd.DataFrame({
    "name": [f"{chr(65 + i % 26)}dams {i}, <b>José</b>" for i in range(n)],
    "born": pd.Timestamp("2010-01-01") + pd.to_timedelta(np.arange(n), unit="D"),
    "score": np.arange(n) % 20,
    "local_id": [f"{i:08}" for i in range(n)],
    "id": [f"1f9b3c7d-38de-4968-b5d0-{i:012x}" for i in range(n)],
}), label="People")
table.fill(table.df, marks={"name": ["jose"]})
table
"""


def drag(page: Page, bars: Locator, first: int, last: int) -> None:
    """Drag over the bars of a header."""
    begin, end = (bars.nth(n).locator(".kx-hit").bounding_box() for n in (first, last))
    page.mouse.move(begin["x"] + begin["width"] / 2, begin["y"] + 8)
    page.mouse.down()
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + 8, steps=5)


def test_a_table_answers_questions(lab: Lab, page: Page) -> None:
    lab.run(page, "questions", QUESTIONS.strip())
    count, keyboard = page.locator(".kx-count"), page.keyboard
    expect(count).to_have_text("2,000 rows", timeout=60_000)
    # A range by dragging: letters, then numbers; with the keyboard: dates.
    name, born, score = (page.get_by_role("columnheader", name=text) for text in ("name", "born", "score"))
    drag(page, name.locator(".kx-bar"), 4, 1)
    expect(name.locator(".kx-caption")).to_have_text("B to E308")
    page.mouse.up()
    expect(page.locator(".kx-words")).to_have_text(["name begins with B to E"])
    drag(page, score.locator(".kx-bar"), 3, 12)
    page.mouse.up()
    expect(page.locator(".kx-words")).to_have_text(["name begins with B to E", "score is 3 to 12"])
    expect(name).to_have_attribute("aria-sort", "none")  # what is let go is no click
    born.focus()
    for key in ("Enter", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowLeft"):
        keyboard.press(key)
    left = [n for n in range(2_000) if n % 26 in (1, 2, 3, 4) and 3 <= n % 20 <= 12]
    expect(page.locator(".kx-words").nth(1)).to_have_text("born is 2011-01-01 to 2012-12-30")
    keyboard.press("Backspace")
    expect(page.locator(".kx-words")).to_have_count(2)
    keyboard.press("Escape")
    expect(count).to_have_text(f"{len(left)} of 2,000 rows")
    # What was searched for is marked, and stays text.
    expect(cell(page, 0, 0)).to_have_text(f"{chr(65 + left[0] % 26)}dams {left[0]}, <b>José</b>")
    expect(cell(page, 0, 0).locator(".kx-mark")).to_have_text("José")
    cell(page, 0, 4).hover()
    expect(cell(page, 0, 4)).to_have_attribute("title", f"1f9b3c7d-38de-4968-b5d0-{left[0]:012x}")
    # Columns: chosen and pinned by keyboard, widened by keyboard and pointer.
    columns = page.get_by_role("button", name="Columns")
    columns.focus()
    keyboard.press("Enter")
    expect(page.get_by_role("checkbox", name="name")).to_be_focused()
    for key in ("ArrowDown", "Space", "ArrowDown", "ArrowDown", "Tab", "Space"):
        keyboard.press(key)
    expect(page.get_by_role("button", name="Pin local_id")).to_have_attribute("aria-pressed", "true")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    no_fault(page, ".kx-table")
    keyboard.press("Escape")
    expect(columns).to_be_focused()
    expect(columns).to_have_text("Columns 4 of 5")
    expect(page.get_by_role("columnheader")).to_have_count(4)
    before = name.bounding_box()["width"]
    name.focus()
    keyboard.press("Alt+ArrowRight")
    page.wait_for_function(f"document.activeElement.offsetWidth === {round(before) + 16}")
    handle = score.locator(".kx-handle").bounding_box()
    page.mouse.move(handle["x"] + 3, handle["y"] + 20)
    page.mouse.down()
    page.mouse.move(handle["x"] + 903, handle["y"] + 20, steps=3)
    page.mouse.up()
    page.locator(".kx-grid").evaluate("grid => { grid.scrollLeft = 400 }")
    grid, pinned = page.locator(".kx-grid").bounding_box(), cell(page, 1, 0).bounding_box()
    assert abs(grid["x"] - pinned["x"]) < 2
    assert page.locator(".kx-grid [tabindex='0']").count() == 1
    score.locator(".kx-handle").dispatch_event("dblclick")
    page.wait_for_function("[...document.querySelectorAll('.kx-header')].at(2).offsetWidth < 200")
    # Files, of what is on screen.
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    rows = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert rows[0] == '"local_id","name","score","id"'
    assert [row.split(",")[0] for row in rows[1:]] == [f'"{n:08}"' for n in left]
    expect(count).to_have_text("people.csv is saved where your browser saves files")
    with page.expect_download() as download:
        page.get_by_role("button", name="Excel").click()
    assert download.value.suggested_filename == "people.xlsx"
    assert Path(download.value.path()).read_bytes().startswith(b"PK")


DAYS = """
import tempfile
import kimono_explore as kx
from kimono_explore.sandbox.district.build import make_district
first = make_district(60)
student = kx.browse(first).finder.results.shown.query("kind == 'student'")["id"].iloc[0]  # on top of the list
later = kx.Roster(**{**first.tables, "persons": first.persons.query("id != @student")},
                  links=first.links.query("source_id != @student"))
days = kx.history(tempfile.mkdtemp() + "/days")
days.add(first, "2026-10-05")
days.add(later, "2026-10-06")
browser = kx.browse(days)
browser.day = "2026-10-05"
browser.select(student)
browser
"""


def test_a_day_is_chosen_and_the_object_tells_its_life(lab: Lab, page: Page) -> None:
    lab.run(page, "days", DAYS.strip())
    panel = page.locator(".kx-panel")
    day = page.get_by_role("combobox", name="Day")
    expect(day).to_have_value("2026-10-05", timeout=60_000)
    name = panel.locator(".kx h3").inner_text()
    page.get_by_role("button", name="History").click()
    expect(panel.get_by_text("gone from the roster")).to_be_visible()
    page.get_by_role("button", name="Day after").click()
    expect(day).to_have_value("2026-10-06")
    expect(panel.locator(".kx[role=status]").first).to_have_text(f"{name} is not in the roster on 6 October 2026.")
    expect(panel.get_by_text("gone from the roster")).to_be_visible()
    expect(panel.locator("canvas")).to_be_hidden()
    expect(page.get_by_role("button", name="Day after")).to_have_attribute("aria-disabled", "true")
    day.select_option("2026-10-05")
    expect(panel.locator("canvas").first).to_be_visible()
    expect(panel.locator(".kx-table").first.locator("[aria-selected=true]")).to_have_count(1)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    no_fault(page, ".kx-panel")


def no_fault(page: Page, what: str) -> None:
    """Axe finds none, light and dark."""
    for theme in ("light", "dark"):
        page.evaluate("theme => document.body.setAttribute('data-jp-theme-light', String(theme === 'light'))", theme)
        expect(page.locator(what).first).to_have_attribute("data-kx-theme", theme)
        page.wait_for_timeout(300)  # colours change in 120 ms
        found = page.evaluate("what => axe.run(what)", what)
        assert len(found["passes"]) > 10
        assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found["violations"]] == []


GRAPH = """
import kimono_explore as kx
from kimono_explore.sandbox.district.build import make_district
roster = make_district(500)
size = roster.links[roster.links["relation"] == "student_in"]["target_id"].value_counts()
network = kx.show_network(kx.neighborhood(roster, str(size.index[0])))
network
"""


def test_a_graph_is_searched_opened_and_taken_back_by_keyboard(lab: Lab, page: Page, tmp_path: Path) -> None:
    lab.run(page, "graph_keys", GRAPH.strip(), "print(network.selected, len(network.scene['ids']), network.undoable)")
    canvas = page.locator("canvas.kx-canvas")
    expect(canvas).to_be_visible(timeout=60_000)
    counts = page.locator(".kx-counts")
    expect(counts).to_contain_text("and what it is linked with")
    title = page.locator(".kx-name")
    before = title.inner_text()
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(title).not_to_have_text(before)
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Find by name")).to_be_focused()
    page.keyboard.type("students")
    expect(page.get_by_role("combobox", name="Find by name")).to_have_value("students")
    expect(page.locator(".kx-hits [role=option]")).to_contain_text("Nothing in this graph is called")
    page.keyboard.press("Escape")
    expect(canvas).to_be_focused()
    # The group is the only one with a number: its legend says what opens it.
    expect(page.get_by_text("group, double-click opens it")).to_be_visible()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(title).to_contain_text("students")
    member = page.locator("button.kx-item").first
    name = member.inner_text()
    page.get_by_role("button", name="Open the group").click()
    expect(page.get_by_text("group, double-click opens it")).to_have_count(0)
    page.get_by_role("combobox", name="Find by name").fill(name)
    page.locator(".kx-hits [role=option]", has_text=name).first.wait_for()
    page.keyboard.press("Enter")
    expect(title).to_have_text(name)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("group, double-click opens it")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    page.get_by_role("button", name="Force").click()
    expect(page.get_by_role("button", name="Force")).to_have_attribute("aria-pressed", "true")
    with page.expect_download() as saved:
        page.get_by_role("button", name="SVG").click()
    saved.value.save_as(tmp_path / "graph.svg")
    drawn = ElementTree.parse(tmp_path / "graph.svg").getroot()
    texts = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert any(text and "students" in text for text in texts)
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}circle"))) > 3
    with page.expect_download() as saved:
        page.get_by_role("button", name="PNG").click()
    saved.value.save_as(tmp_path / "graph.png")
    assert (tmp_path / "graph.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_axe_finds_no_fault_in_a_graph(lab: Lab, page: Page) -> None:
    lab.run(page, "graph_axe", GRAPH.strip())
    expect(page.locator("canvas.kx-canvas")).to_be_visible(timeout=60_000)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    no_fault(page, ".kx-graph")
    page.get_by_role("combobox", name="Find by name").fill("a")
    page.locator(".kx-hits [role=option]").first.wait_for()
    no_fault(page, ".kx-graph")


def test_a_click_in_the_graph_opens_the_object_beside_it(lab: Lab, page: Page) -> None:
    code = GRAPH.replace("network = kx.show_network(kx.neighborhood(roster, ", "browser = kx.browse(roster, id=")
    lab.run(page, "graph_browse", code.replace("))\nnetwork", ")\nbrowser").strip())
    canvas = page.locator("canvas.kx-canvas")
    expect(canvas).to_be_visible(timeout=60_000)
    heading = page.locator(".kx-panel .kx h3").first
    before = heading.inner_text()
    box = canvas.bounding_box()
    assert box is not None
    page.wait_for_timeout(500)
    drawn = canvas.screenshot()
    # The object in the middle stands in the middle of its layer; its teacher or school is found by walking over the canvas.
    for part in range(2, 40):
        for height in range(2, 20):
            place = {"x": box["width"] * part / 40, "y": box["height"] * height / 20}
            canvas.hover(position=place)
            hover = page.locator(".kx-hover")
            if hover.is_visible() and not hover.inner_text().startswith(before) and "group" not in hover.inner_text():
                name = hover.inner_text().split("\n")[0]
                canvas.click(position=place)
                expect(heading).to_contain_text(name)
                assert canvas.screenshot() != drawn  # what is selected is marked; the rest stays where it is
                return
    raise AssertionError("no other node was found")


def test_a_notebook_that_is_opened_again_shows_what_was_on_screen(lab: Lab, page: Page) -> None:
    lab.run(page, "reopened", GRAPH.strip(), "print('the end')")
    expect(page.locator("canvas.kx-canvas")).to_be_visible(timeout=60_000)
    static = page.locator(".kx-static")
    expect(static).to_be_attached()
    expect(static).to_be_hidden()  # the widget itself is there
    title = page.locator(".kx-name").inner_text()
    # The picture may be renewed after it was saved: JupyterLab would ask whether to leave what is not.
    for _ in range(100):
        page.keyboard.press("Control+s")
        page.wait_for_timeout(200)
        saved = "kx-static" in (lab.folder / "reopened.ipynb").read_text("utf-8")
        if saved and not page.locator(".jp-mod-dirty").count():
            break
    address = page.url
    page.goto("about:blank")
    assert lab.ask(page, "DELETE", f"kernels/{lab.kernel}").ok
    page.goto(address)
    expect(static).to_be_visible(timeout=60_000)
    expect(page.locator(".jp-OutputArea-output b", has_text=title)).to_be_visible()
    expect(page.get_by_text("Error displaying widget")).to_be_hidden()
