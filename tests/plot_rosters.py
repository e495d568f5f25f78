"""Rosters to draw: made up, real, hardly anything, far too much, hostile; and what is asked of a drawn figure."""

from __future__ import annotations

import warnings
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.text import Text
from rosters import bundle

import kimono_explore as kx
from kimono_explore.frames import frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

LINK = ("source_type", "source_id", "relation", "target_type", "target_id", "role")
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "$\\frac{",
    "O'Neil",
    "Þórr",
    "ليلى حداد",
    "李小龙 👩‍🏫",
    "x" * 200,
    "two\nlines\u202e",
)
NAMES = ("sandbox", "Grand Bend", "OULAD", "one school", "empty", "300 schools", "hostile")


@cache
def drawn_roster(name: str) -> kx.Roster:
    """One of the rosters that every figure is drawn of."""
    if name == "sandbox":
        with kx.sandbox(students=500) as box:
            return kx.load_roster(box.client, progress=False)
    if name in ("Grand Bend", "OULAD"):
        return kx.read_oneroster(bundle({"Grand Bend": "grandbend", "OULAD": "oulad"}[name] + "-oneroster.zip"))
    if name == "empty":
        return kx.Roster()
    if name == "one school":
        return kx.Roster(
            orgs=frame("orgs", {"id": ["01"], "name": ["North School"], "org_type": ["school"]}),
            persons=frame("persons", {"id": ["p1", "p2"], "person_type": ["student", "teacher"]}),
            links=links(
                [
                    ("person", "p1", "member_of", "org", "01", "student"),
                    ("person", "p2", "member_of", "org", "01", "teacher"),
                ]
            ),
        )
    return large_district(HOSTILE if name == "hostile" else None)


def links(rows: list[tuple[str | None, ...]]) -> pd.DataFrame:
    return frame("links", {name: [row[n] for row in rows] for n, name in enumerate(LINK)})


def large_district(names: tuple[str, ...] | None) -> kx.Roster:
    """300 schools of very different sizes, 160 courses, 60 terms; with names that do harm, where they are given."""
    rng = np.random.default_rng(1)
    schools, students = [f"o{n:03}" for n in range(300)], [f"p{n}" for n in range(4000)]
    sections, courses, terms = (
        [f"s{n}" for n in range(900)],
        [f"c{n}" for n in range(160)],
        [f"t{n}" for n in range(60)],
    )
    home = [schools[n] for n in np.minimum(rng.geometric(0.012, len(students)) - 1, 299)]
    rows: list[tuple[str | None, ...]] = [("org", id, "child_of", "org", "lea", None) for id in schools]
    rows += [("person", id, "member_of", "org", org, "student") for id, org in zip(students, home, strict=True)]
    for n, id in enumerate(sections):
        rows += [
            ("section", id, "held_at", "org", schools[n % 300], None),
            ("section", id, "of_course", "course", courses[n % 160], None),
            ("section", id, "in_term", "term", terms[n % 60], None),
            ("person", f"q{n % 200}", "teacher_in", "section", id, "teacher"),
        ]
    rows += [("person", id, "student_in", "section", sections[(7 * n + 13 * k) % 900], "student")
             for n, id in enumerate(students) for k in range(3)]  # fmt: skip
    starts = pd.date_range("2020-08-01", periods=60, freq="40D")

    def called(kind: str, count: int) -> list[str]:
        return [names[n % len(names)] if names else f"{kind} {n}" for n in range(count)]

    return kx.Roster(
        orgs=frame("orgs", {"id": ["lea", *schools], "name": ["Great Plains Unified District", *called("Elementary School Number", 300)],
                            "org_type": ["lea"] + ["school"] * 300}),
        persons=frame("persons", {"id": [*students, *(f"q{n}" for n in range(200))], "label": called("Person", 4200),
                                  "person_type": ["student"] * 4000 + ["teacher"] * 200,
                                  "ext_grade": [f"{1 + n % 12:02}" for n in range(4000)] + [None] * 200}),
        courses=frame("courses", {"id": courses, "title": called("Course", 160)}),
        sections=frame("sections", {"id": sections, "title": called("Section", 900)}),
        terms=frame("terms", {"id": terms, "name": called("Term", 60), "term_type": ["term"] * 60, "start_date": list(starts.date),
                              "end_date": list((starts + pd.Timedelta(days=38)).date)}),
        links=links(rows),
    )  # fmt: skip


def draw(figure: Figure) -> Figure:
    """Draw it for real, with warnings as errors: a letter without a glyph would be one."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FigureCanvasAgg(figure).draw()  # the canvas of a figure that pyplot does not hold draws nothing
    return figure


def texts(figure: Figure) -> list[tuple[str, Bbox]]:
    """All words that can be seen, and where."""
    seen = [text for text in _seen(figure) if text.get_text().strip() and text.get_visible()]
    return [(text.get_text(), text.get_window_extent()) for text in seen]


def _seen(figure: Figure) -> list[Text]:
    """Texts, without the labels of ticks that stand outside of their axes."""
    hidden = set()
    for ax in figure.axes:
        for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                outside = not min(low, high) - 1e-9 <= tick.get_loc() <= max(low, high) + 1e-9
                hidden.add(tick.label2)
                if outside or not ax.axison or not tick.label1.get_visible():
                    hidden.add(tick.label1)
    return [text for text in figure.findobj(Text) if text not in hidden]


def overlaps(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of words whose boxes meet; the air around letters, a pixel and a half, does not count."""
    boxes = [(words, box.padded(-1.5)) for words, box in texts(figure)]
    return [(one, other) for (one, a), (other, b) in combinations(boxes, 2) if a.overlaps(b)]


def clipped(figure: Figure) -> list[str]:
    """Words that leave the figure."""
    whole = figure.bbox.padded(2)
    return [words for words, box in texts(figure) if not (whole.contains(*box.min) and whole.contains(*box.max))]


def legend_colors(ax: Axes) -> dict[str, str]:
    """What the legend says of each colour."""
    legend = ax.get_legend()
    if legend is None:
        return {}
    words = [text.get_text() for text in legend.get_texts()]
    return {to_hex(_color(handle)).upper(): name for handle, name in zip(legend.legend_handles, words, strict=True)}


def _color(handle: object) -> object:
    return handle.get_facecolor() if hasattr(handle, "get_facecolor") else handle.get_color()


def bar_colors(ax: Axes) -> set[str]:
    """The colours of bars that can be seen."""
    return {
        to_hex(bar.get_facecolor()).upper()
        for bars in ax.containers
        for bar in bars
        if bar.get_width() and bar.get_height()
    }


def bars(ax: Axes, container: int = 0) -> dict[str, int]:
    names = [label.get_text() for label in ax.get_yticklabels()]
    return dict(zip(names, [round(bar.get_width()) for bar in ax.containers[container]], strict=True))
