"""``make pictures``: what docs/images shows, taken of what runs: the widgets in JupyterLab, the report, two plots."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from lab import Lab, start_chromium, start_lab
from tour import shoot_tour

import kimono_explore as kx
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.flaws.catalogue import inject_flaws

if TYPE_CHECKING:
    from playwright.sync_api import Browser

IMAGES = Path(__file__).parents[1] / "docs" / "images"
MADE_UP = """
import kimono_explore as kx
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.flaws.catalogue import inject_flaws
roster, _ = inject_flaws(make_district(500))
report = kx.check(roster, as_of="2026-10-05")
"""
CELLS = {
    "browse": MADE_UP
    + """
browser = kx.browse(roster, report)
browser.search("world languages", type="section")
browser.pick(browser.table["label"].tolist().index("World Languages 6 - Period 6"))
browser._relations.value = ("student_in", "from")
browser
""",
    "quality_widget": MADE_UP
    + """
inspector = kx.inspect_quality(report)
inspector.select_cause(5)
inspector
""",
    "network": MADE_UP
    + """
school = course = roster.courses["id"].iloc[40]
kx.show_network(kx.neighborhood(roster, course, radius=2, limit=120), height=560)
""",
    "tasks": """
import kimono_explore as kx
box = kx.sandbox(students=500)
roster = kx.load_roster(box.client, progress=False)
inspector = kx.inspect_tasks(box.client, roster, allow_changes=True)
inspector.filter(type="data_event", action="CHANGE")
inspector.pick(inspector.table.query("object_type == 'RDM:STUDENT'")["id"].iloc[0])
inspector
""",
}


def main() -> None:
    """Take all of them."""
    mpl.use("agg")
    roster, _ = inject_flaws(make_district(500))
    kx.plot_overview(roster).savefig(IMAGES / "overview.png", dpi=100)
    section = kx.neighborhood(roster, roster.sections["id"].iloc[len(roster.sections) // 2])
    figure = kx.plot_neighborhood(section).get_figure(root=True)
    assert figure is not None
    figure.savefig(IMAGES / "section.png", dpi=100)
    with tempfile.TemporaryDirectory() as folder, start_chromium() as browser:
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        kx.check(roster, as_of="2026-10-05").to_html(Path(folder) / "quality.html")
        page.goto((Path(folder) / "quality.html").as_uri())
        page.screenshot(path=IMAGES / "quality.png")
        shoot_tour(browser, IMAGES / "tour.webp")
        with start_lab(Path(folder), Path(folder) / "settings") as lab:
            for name, cell in CELLS.items():
                shoot(lab, browser, name, cell)


def shoot(lab: Lab, browser: Browser, name: str, cell: str) -> None:
    """One widget, without the notebook around it."""
    page = browser.new_page(viewport={"width": 1300, "height": 2200})
    lab.run(page, name, cell.strip())
    shown = page.locator(".kx-panel, .kx-graph").first  # not the progress of the checks
    page.locator(".kx-graph canvas, .kx-table .kx-cell").first.wait_for()
    page.wait_for_timeout(4000)  # the network's labels fade in
    shown.screenshot(path=IMAGES / f"{name}.png")
    page.close()


if __name__ == "__main__":
    main()
