"""The report as it is printed: where Chromium puts each line of text on the pages of a PDF."""

from __future__ import annotations

import re
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import pytest
from lab import CHROMIUM, start_chromium

import kimono_explore as kx
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.flaws.catalogue import inject_flaws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Pages = dict[str, list["Sheet"]]

MM = 72 / 25.4
HEADING, PART = 10.4, 14.9  # points: the smallest heading, and that of a part
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")


class Line(NamedTuple):
    """A piece of text: from the left and from the top of its page, and its size, in points."""

    x: float
    y: float
    size: float


class Sheet(NamedTuple):
    """A page: its size in points, and its text from the top to the bottom."""

    width: float
    height: float
    lines: list[Line]

    def rows(self, below: float) -> int:
        """How many lines are further down than that."""
        return len({round(line.y) for line in self.lines if line.y > below + 1})


def texts(content: str, height: float) -> Iterator[Line]:
    """Where a page's text stands: Chromium writes it with few operators, and scales without turning."""
    at, kept, given = (1.0, 1.0, 0.0, 0.0), [], []
    x = y = size = 0.0
    for word in re.findall(r"<[^>]*>|\S+", content):
        if not word[0].isalpha():
            given.append(word)
            continue
        if word == "q":
            kept.append(at)
        elif word == "Q":
            at = kept.pop()
        elif word == "cm":
            a, _, _, d, e, f = map(float, given[-6:])
            at = (at[0] * a, at[1] * d, at[2] + at[0] * e, at[3] + at[1] * f)
        elif word == "Tf":
            size = float(given[-1])
        elif word == "Tm":
            x, y = map(float, given[-2:])
        elif word == "Td":
            x += float(given[-2])
        elif word == "Tj":
            yield Line(at[2] + at[0] * x, height - at[3] - at[1] * y, size * abs(at[1]))
        given.clear()


def sheets(pdf: bytes) -> list[Sheet]:
    objects = dict(re.findall(rb"(?m)^(\d+) 0 obj\s(.*?)\sendobj", pdf, re.DOTALL))
    found = []
    for page in [body for body in objects.values() if re.search(rb"/Type /Page\s", body)]:
        width, height = map(float, re.search(rb"/MediaBox \[0 0 (\S+) (\S+)\]", page).groups())
        packed = objects[re.search(rb"/Contents (\d+)", page)[1]]
        content = zlib.decompress(packed.partition(b"stream")[2].lstrip(b"\r\n"))
        lines = sorted(texts(content.decode("latin-1"), height), key=lambda line: line.y)
        found.append(Sheet(width, height, lines))
    return found


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """The pages of the report of a district with flaws, on both papers."""
    folder: Path = tmp_path_factory.mktemp("print")
    kx.check(inject_flaws(make_district(500))[0], as_of="2026-10-05").to_html(folder / "q.html")
    with start_chromium() as browser:
        page = browser.new_page()
        page.goto((folder / "q.html").as_uri())
        return {paper: sheets(page.pdf(format=paper, print_background=True)) for paper in ("A4", "Letter")}


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_no_heading_is_parted_from_what_it_is_about(paper: str, printed: Pages) -> None:
    assert len(printed[paper]) > 20
    for number, sheet in enumerate(printed[paper], 1):
        headings = [line.y for line in sheet.lines if line.size > HEADING]
        if headings:
            assert sheet.rows(headings[-1]) >= 2, f"page {number}"  # as a table's header and its first row


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_nothing_is_cut_off(paper: str, printed: Pages) -> None:
    # What is too wide makes Chromium shrink all pages: text of 10 points gets smaller.
    assert any(abs(line.size - 10) < 0.05 for line in printed[paper][0].lines)
    for number, sheet in enumerate(printed[paper], 1):
        assert all(12 * MM < line.x < sheet.width - 13 * MM for line in sheet.lines), f"page {number}"
        assert all(13 * MM < line.y < sheet.height - 14 * MM for line in sheet.lines), f"page {number}"


def test_a_number_stands_in_one_piece(tmp_path: Path) -> None:
    """As it is read out on the telephone: a browser breaks a line after a hyphen."""
    kx.check(inject_flaws(make_district(60))[0], as_of="2026-10-05").to_html(tmp_path / "q.html")
    with start_chromium() as browser:
        for width in (1300, 400):
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.goto((tmp_path / "q.html").as_uri())
            broken = "[...document.querySelectorAll('a > code')].filter(e => e.getClientRects().length > 1).length"
            assert page.evaluate(broken) == 0
            assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_only_before_a_part_a_page_is_half_empty(paper: str, printed: Pages) -> None:
    pages = printed[paper]
    for number, (sheet, after) in enumerate(pairwise(pages), 1):
        part = any(line.size > PART for line in after.lines if line.y < 110)
        assert part or sheet.lines[-1].y > sheet.height / 2, f"page {number}"
    # A school without people shares its page with others.
    assert sum(sheet.lines[-1].y < sheet.height / 2 for sheet in pages) <= 8
