"""One color for each type of object, in every picture: the Okabe-Ito palette, made for color-blind people.

tests/test_palette.py measures it: any two colors that are used together can be told apart with any of the three kinds
of color blindness.
"""

from __future__ import annotations

from typing import Literal

from kimono_explore.schema import RELATION_ROWS, TASK_TYPE_ROWS

TYPE_COLORS: dict[str, str] = {
    "org": "#0072B2",  # blue
    "course": "#E69F00",  # orange
    "section": "#009E73",  # bluish green
    "teacher": "#D55E00",  # vermillion
    "student": "#56B4E9",  # sky blue
    "person": "#56B4E9",
    "staff": "#CC79A7",  # reddish purple
    "term": "#4B0082",  # indigo: the palette's yellow cannot be read on white, and darker, few tell it from vermillion
    "grading_category": "#6B6B6B",
}
TYPE_OUTLINES: dict[str, tuple[str, str]] = {
    "org": ("#00568A", "#4FA9DF"),
    "course": ("#A36A00", "#F5C04F"),
    "section": ("#00704F", "#3CC79E"),
    "teacher": ("#9E4300", "#FF8F4D"),
    "student": ("#1F77AC", "#9AD4F5"),
    "person": ("#1F77AC", "#9AD4F5"),
    "staff": ("#99507A", "#E6A9CB"),
    "term": ("#35005E", "#B794F6"),
    "grading_category": ("#4D4D4D", "#A8AEB6"),
}
"""The outline of a mark on a light and on a dark page: the contrast that pale fills lack (WCAG 2: at least 3)."""
MISSING = "#B3261E"
"""For what was not delivered."""

INK, QUIET, LINE = "#1F2328", "#59636E", "#C9CED6"
"""Text, secondary text, and lines."""

TASK_COLORS: dict[str, str] = {row.name: row.color for row in TASK_TYPE_ROWS} | {"unknown": "#6B6B6B"}
"""One color for each type of task, from the same palette."""

SEVERITY_COLORS: dict[str, str] = {"error": "#D55E00", "warning": "#E69F00", "information": "#56B4E9"}
"""One color for each severity of a check, from the same palette; the word is always shown beside it."""

HEAT: tuple[str, ...] = ("#EAF2FA", "#B7D4EC", "#78B2DC", "#3A8BC4", "#0F62A0", "#083B6B")
"""From few to many in heat maps: one hue, and each step as much darker as the one before."""

CHANGE_COLORS: dict[str, str] = {"added": "#0072B2", "removed": "#D55E00", "changed": "#E69F00", "unchanged": "#C9CED6"}
"""What a comparison found, from the same palette; the side of the bar and a number say it too."""

RELATION_COLORS: dict[str, tuple[str, Literal["-", "--", ":"]]] = {
    row.name: (TYPE_COLORS.get(row.color or "", QUIET), row.line) for row in RELATION_ROWS
}
"""One color and one line style for each relation: the color of the type that it leads to or comes from."""

DARK_PAPER = "#14171C"
ON_DARK: dict[str, str] = {
    light.lower(): dark
    for light, dark in {
        INK: "#E8EBEF",
        QUIET: "#A4AEBA",
        LINE: "#48515E",
        MISSING: "#FF8D83",
        TYPE_COLORS["org"]: "#4FA9DF",
        TYPE_COLORS["student"]: "#9AD4F5",
        TYPE_COLORS["term"]: "#B794F6",
        TYPE_COLORS["grading_category"]: "#A8AEB6",
    }.items()
}
"""The shade on dark paper of a color that is made for white; a color that is not named here can be read on both."""
