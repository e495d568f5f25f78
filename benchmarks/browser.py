"""``python -m benchmarks.browser [students ...]``: what one waits for in Chromium, from an event to the painted result.

``kimono-explore app`` is opened on made-up districts; a graph of many nodes is drawn in a bare page. With ``--against``, another
checkout does the same in turn, so that the ratio holds on a busy machine, too. The times are medians.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import TimeoutError as TookTooLong
from playwright.sync_api import sync_playwright

from benchmarks.__main__ import machine
from kimono_explore.palette import MISSING, TYPE_COLORS, TYPE_OUTLINES
from kimono_explore.sandbox.district.build import make_district

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    from playwright.sync_api import Browser, Page, Route

    Times = dict[str, list[float]]

ROOT = Path(__file__).parents[1]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
ROW = ".kx-table >> nth=0 >> .kx-body [role=row]:not([aria-busy])"
_LETTERS, _PAUSE = 12, 80
_SHARES = {"org": 0.01, "course": 0.05, "section": 0.14, "teacher": 0.1, "student": 0.7}
_STEP = 30.0
_WATCH = """() => {
  window.until = (done) => new Promise((tell, fail) => {
    const end = performance.now() + 30_000;
    const look = () => {
      if (done()) requestAnimationFrame(tell); // painted
      else if (performance.now() > end) fail(new Error(`it never came: ${done}`));
      else requestAnimationFrame(look);
    };
    look();
  });
  window.watch = (event, done) => {
    let from;
    const note = ({ timeStamp }) => (from = timeStamp);
    addEventListener(event, note, true);
    window.told = window.until(() => from !== undefined && done())
      .then(() => performance.now() - from).finally(() => removeEventListener(event, note, true));
  };
  window.text = (place) => [...document.querySelectorAll(place)].find((one) => one.getClientRects().length > 0)?.textContent ?? "";
  window.other = (place) => {
    const before = window.text(place);
    return () => !["", before].includes(window.text(place));
  };
}"""


def main() -> int:
    """Measure each size, and the graph, and print a row for each thing that is waited for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.browser", description=__doc__)
    parser.add_argument("students", nargs="*", type=int, default=[500, 100_000])
    parser.add_argument("--against", type=Path, help="another checkout of this repository")
    parser.add_argument("--runs", type=int, default=5, help="how often each is measured (default: 5)")
    parser.add_argument("--nodes", type=int, default=20_000, help="of the graph (default: 20,000; 0: no graph)")
    options = parser.parse_args()
    checkouts = [ROOT, *([options.against.resolve()] if options.against else [])]
    print(
        machine(),
        f", load {os.getloadavg()[0]:.1f}\n\n| where | what | ours | the other | ratio |\n|---|---|---|---|---|",
        sep="",
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        for students in options.students:
            with tempfile.TemporaryDirectory() as folder:
                _report(f"{students:,} students", in_app(browser, checkouts, students, Path(folder), options.runs))
        for arrangement in ("layers", "force") if options.nodes else ():
            times = in_graph(browser, checkouts, scene(options.nodes, arrangement), options.runs)
            _report(f"{options.nodes:,} nodes, {arrangement}", times)
        browser.close()
    print(f"\nLoad at the end: {os.getloadavg()[0]:.1f}")
    return 0


def _report(where: str, times: list[Times]) -> None:
    for what, mine in times[0].items():
        ours, *others = (statistics.median(one[what]) for one in (times[0], *times[1:]))
        unit = "" if "frames" in what else " ms"
        known = bool(others) and not math.isnan(others[0])
        theirs = f"{others[0]:,.0f}{unit} | {others[0] / ours:.2f}" if known else "none | " if others else " | "
        print(f"| {where} | {what} (of {len(mine)}) | {ours:,.0f}{unit} | {theirs} |", flush=True)


# The page of the app.


def in_app(browser: Browser, checkouts: list[Path], students: int, folder: Path, runs: int) -> list[Times]:
    """The times of each checkout, in turn: one after the other does the same."""
    roster = make_district(students)
    roster.save(folder / "district")
    names = _names(roster.persons, runs + 1)
    times: list[Times] = [{what: [] for what in ACTS} for _ in checkouts]
    with ExitStack() as stack:
        pages = [stack.enter_context(_opened(browser, checkout, folder)) for checkout in checkouts]
        for run, name in enumerate(names):
            for page, mine in zip(pages, times, strict=True):
                for what, act in ACTS.items():
                    taken = act(page, run, name)
                    if run > 0:  # the first is not counted: files are read, and code is compiled
                        mine[what].append(taken)
    return times


@contextmanager
def _opened(browser: Browser, checkout: Path, folder: Path) -> Iterator[Page]:
    command = [sys.executable, "-m", "kimono_explore", "app", "district", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(checkout), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            page = browser.new_page(viewport={"width": 1300, "height": 900})
            page.set_default_timeout(120_000)
            page.goto(process.stdout.readline().strip())
            page.wait_for_selector(ROW)
            page.evaluate(_WATCH)
            yield page
            page.close()
        finally:
            process.terminate()


def _names(persons: pd.DataFrame, count: int) -> list[str]:
    """What is typed: as many letters of a first and a last name."""
    first, last = persons["name_first"].fillna(""), persons["name_last"].fillna("")
    whole = first + " " + last
    long = whole[
        (whole.str.len() >= _LETTERS) & (first.str.len() <= _LETTERS - 5) & whole.str.fullmatch("[A-Za-z]+ [A-Za-z]+")
    ]
    return [name[:_LETTERS] for name in long.drop_duplicates().sample(count, random_state=1)]


def _click(page: Page, run: int, _: str) -> float:
    """A row of the list, until the object's name is there; it stays open for the graph."""
    page.evaluate("watch('pointerdown', other('.kx-panel .kx h3'))")
    page.locator(ROW).nth(run + 2).click()
    return _told(page)


def _expand(page: Page, _: int, __: str) -> float:
    """The node to the left of the object, until the graph says that it has more."""
    page.locator("canvas.kx-canvas").first.focus()
    page.keyboard.press("ArrowLeft")
    page.evaluate("watch('keydown', other('.kx-counts'))")
    page.keyboard.press("Space")
    taken = _told(page)
    page.get_by_role("button", name="Close", exact=True).click()
    page.evaluate("until(() => text('.kx-panel .kx h3') === '')")
    return taken


def _brush(page: Page, _: int, __: str) -> float:
    """A range of the first header that has an order, until the rows are counted anew; NaN before there were such headers."""
    picture = page.locator(".kx-header.kx-ordered:visible .kx-picture").first
    try:
        picture.wait_for(timeout=10_000)
    except TookTooLong:
        return math.nan
    bars = picture.bounding_box()
    assert bars is not None
    page.mouse.move(bars["x"] + bars["width"] * 0.1, bars["y"] + 10)
    page.mouse.down()
    page.mouse.move(bars["x"] + bars["width"] * 0.5, bars["y"] + 10, steps=4)
    page.evaluate("watch('pointerup', other('.kx-count'))")
    page.mouse.up()
    taken = _told(page)
    page.get_by_role("button", name="Clear all").click()
    page.evaluate("until(() => !text('.kx-count').includes(' of '))")
    return taken


def _search(page: Page, _: int, name: str) -> float:
    """Typed letter by letter: from the last, until rows are there in which all of it is marked."""
    before = page.locator(".kx-count").first.inner_text()
    word = name.split()[-1].lower()
    done = f"() => [...document.querySelectorAll('.kx-mark')].some((one) => one.textContent.toLowerCase() === {word!r})"
    page.evaluate(f"watch('input', {done})")
    page.get_by_role("textbox", name="Search").focus()
    page.keyboard.type(name, delay=_PAUSE)
    taken = _told(page)
    page.get_by_role("textbox", name="Search").fill("")
    page.evaluate(f"until(() => text('.kx-count') === {before!r})")
    return taken


ACTS: dict[str, Callable[[Page, int, str], float]] = {
    "click a row": _click,
    "expand in the graph": _expand,
    "brush in a header": _brush,
    "rows after the last letter": _search,
}


def _told(page: Page) -> float:
    return float(page.evaluate("told"))


# A graph of many nodes.


def in_graph(browser: Browser, checkouts: list[Path], drawn: dict[str, Any], runs: int) -> list[Times]:
    """The times of each checkout's front end, in turn."""
    colors = {kind: [color, *TYPE_OUTLINES[kind]] for kind, color in TYPE_COLORS.items()}
    traits = {
        "scene": drawn,
        "colors": {**colors, "missing": [MISSING, MISSING, MISSING]},
        "panel": False,
        "height": 520,
    }
    times: list[Times] = [{} for _ in checkouts]
    for _ in range(runs):
        for checkout, mine in zip(checkouts, times, strict=True):
            page = browser.new_page(viewport={"width": 900, "height": 700})
            page.route("**/*", _serving(checkout / "kimono_explore" / "widgets" / "static"))
            page.goto("http://graph.invalid/")
            page.wait_for_function("typeof measure === 'function'")
            for what, taken in page.evaluate("(traits) => measure(traits)", traits).items():
                mine.setdefault(what, []).append(taken)
            page.close()
    return times


def _serving(static: Path) -> Callable[[Route], None]:
    files = {"graph.js": static / "graph.js", "graph.css": static / "graph.css"}
    files["measure.js"] = Path(__file__).with_name("browser_graph.js")
    start = '<link rel="stylesheet" href="graph.css"><script type="module" src="measure.js"></script>'

    def serve(route: Route) -> None:
        path = files.get(route.request.url.rsplit("/", 1)[1])
        kind = {".js": "text/javascript", ".css": "text/css"}.get(path.suffix if path else "", "text/html")
        route.fulfill(body=path.read_text(encoding="utf-8") if path else start, content_type=kind)

    return serve


def scene(nodes: int, arrangement: str) -> dict[str, Any]:
    """So many nodes, each linked with a section, in layers or around a middle; a few are missing, some have findings."""
    chance = random.Random(1)
    kinds = [kind for kind, share in _SHARES.items() for _ in range(int(nodes * share))]
    many = len(kinds)
    sections = [n for n, kind in enumerate(kinds) if kind == "section"]
    x, y = _in_layers(kinds) if arrangement == "layers" else _around(many, chance)
    return {
        "ids": [str(n) for n in range(many)], "labels": [f"Name {n} of somebody" for n in range(many)], "notes": kinds,
        "kinds": kinds, "missing": [int(chance.random() < 0.01) for _ in kinds], "counts": [1] * many,
        "findings": [int(chance.random() < 0.05) for _ in kinds], "x": x, "y": y, "from": list(range(many)),
        "to": [chance.choice(sections) for _ in kinds], "relation": [0] * many, "relations": ["student in"], "many": [1] * many,
        "columns": [[0, "orgs"]] if arrangement == "layers" else [], "legend": [["student", "student"]], "focus": None,
    }  # fmt: skip


def _in_layers(kinds: list[str]) -> tuple[list[float], list[float]]:
    x, y, left = [], [], 0.0
    for kind in _SHARES:
        count = kinds.count(kind)
        rows = int(count**0.5 * 1.2) + 1
        x += [left + n // rows * _STEP for n in range(count)]
        y += [(n % rows - rows / 2) * _STEP for n in range(count)]
        left = x[-1] + 215
    return x, y


def _around(many: int, chance: random.Random) -> tuple[list[float], list[float]]:
    spread = _STEP * many**0.5
    return [chance.gauss(0, spread) for _ in range(many)], [chance.gauss(0, spread) for _ in range(many)]


if __name__ == "__main__":
    sys.exit(main())
