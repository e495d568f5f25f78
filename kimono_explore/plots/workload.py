"""Section sizes, teacher load, and enrollment by school and grade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse

from kimono_explore.display import in_grade_order, plural
from kimono_explore.errors import expect
from kimono_explore.palette import INK, LINE, QUIET, TYPE_COLORS
from kimono_explore.plots.measures import (
    codes_of,
    counted,
    grades,
    names,
    pairs,
    row_of,
    section_sizes,
    top,
)
from kimono_explore.plots.overview import draw_sizes
from kimono_explore.plots.paper import follows_paper
from kimono_explore.plots.style import (
    SMALL,
    TEXT,
    Name,
    axes_or_new,
    count_axis,
    district,
    empty_panel,
    heading,
    heat,
    join_parts,
    name_rows,
    other_row,
    titled,
)
from kimono_explore.roster.roster import Roster

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray


_MOST_ROWS, _MOST_COLUMNS = 25, 24
_GROUPS = {"school": ("held_at", "school"), "course": ("of_course", "course"), "term": ("in_term", "term")}


@follows_paper
def plot_section_sizes(
    roster: Roster,
    by: Literal["school", "course", "term"] = "school",
    ax: Axes | None = None,
    *,
    dark: bool | None = None,
) -> Axes:
    """Draw how many students the sections of each school, course or term have.

    Parameters
    ----------
    roster : Roster
    by : {"school", "course", "term"}, default "school"
        The 25 with the most sections each have a row; the others share one.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure.
    dark : bool, optional
        Draw on a dark or a white background. Default: follow matplotlib's style, such as
        ``plt.style.use("dark_background")``.

    Returns
    -------
    matplotlib.axes.Axes
        In each row, a line from the smallest section to the largest, a bar over the middle half, and a mark at the
        median. On the right, the median and the number of sections.

    Raises
    ------
    ValueError
        ``by`` is unknown.

    Examples
    --------
    >>> kx.plot_section_sizes(roster, by="term").get_title(loc="left")
    'Students per section by term, 2026-27'
    """
    expect("plot_section_sizes", roster, Roster)
    if by not in _GROUPS:
        raise ValueError(f"Unknown by={by!r}. Choose one of: {', '.join(_GROUPS)}.")
    relation, noun = _GROUPS[by]
    sizes, groups = _grouped_sizes(roster, relation)
    ranked = counted(groups[groups >= 0])
    shown, rest = top(ranked, _MOST_ROWS)
    row_numbers = row_of(groups, shown.index)
    row_numbers[groups < 0] = len(shown) + (len(rest) > 0)
    labels = names(roster, shown.index.to_numpy())
    labels += other_row(len(rest), noun)
    labels += [Name(f"no {noun}")] * bool((groups < 0).any())
    ax = axes_or_new(ax, len(labels) + 1, dark=dark)
    heading(ax, titled(f"Students per section by {by}", roster), district(roster))
    if not len(sizes):
        empty_panel(ax, "no sections")
        return ax
    quantiles = pd.Series(sizes).groupby(row_numbers).quantile(np.array([0, 0.25, 0.5, 0.75, 1])).unstack()
    count = np.bincount(row_numbers, minlength=len(labels))
    low, first, middle, third, high = (quantiles.iloc[:, n].to_numpy() for n in range(5))
    rows = np.arange(len(labels))
    ax.hlines(rows, low, high, color=QUIET, linewidth=1.2, zorder=1)
    ax.barh(rows, third - first, left=first, height=0.55, color=TYPE_COLORS["section"], zorder=2)
    ax.vlines(middle, rows - 0.38, rows + 0.38, color=INK, linewidth=2, zorder=3)
    name_rows(ax, labels)
    _numbers_beside(ax, {"median": [f"{value:,g}" for value in middle], "sections": [f"{n:,}" for n in count]})
    ax.set_xlim(0, max(1.0, float(high.max())) * 1.02)
    count_axis(ax, "x", "students per section: smallest, middle half, median, largest")
    ax.grid(axis="x", color=LINE, linewidth=0.5)
    ax.set_axisbelow(True)
    return ax


def _grouped_sizes(roster: Roster, relation: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The size and group of each section: -1 if no group is known, one row per group if there are several."""
    sizes = section_sizes(roster)
    grouped = pairs(roster, relation)
    known = np.isin(grouped.source, sizes.index.to_numpy())
    ungrouped = np.setdiff1d(sizes.index.to_numpy(), grouped.source)
    sections = np.concatenate([grouped.source[known], ungrouped])
    groups = np.concatenate([grouped.target[known], np.full(len(ungrouped), -1, dtype=np.int64)])
    return np.asarray(sizes.reindex(sections), dtype=np.int64), groups.astype(np.int64)


def _numbers_beside(ax: Axes, columns: dict[str, list[str]]) -> None:
    """Columns of numbers to the right of the axes, a row for each of its rows."""
    for n, (name, numbers) in enumerate(columns.items()):
        x = 56 * (n + 1)
        style: dict[str, Any] = {
            "xycoords": ("axes fraction", "data"),
            "textcoords": "offset points",
            "ha": "right",
            "va": "center",
        }
        for row, words in enumerate(numbers):
            ax.annotate(words, (1, row), (x, 0), fontsize=TEXT, color=INK, annotation_clip=False, **style)
        ax.annotate(
            name, (1, 1), (x, 6), xycoords="axes fraction", textcoords="offset points", ha="right", fontsize=SMALL, color=QUIET
        )  # fmt: skip


@follows_paper
def plot_teacher_load(
    roster: Roster,
    of: Literal["students", "sections"] = "students",
    ax: Axes | None = None,
    *,
    dark: bool | None = None,
) -> Axes:
    """Draw how many students or sections each teacher has.

    Parameters
    ----------
    roster : Roster
    of : {"students", "sections"}, default "students"
        A student in two sections of a teacher counts once.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure.
    dark : bool, optional
        Draw on a dark or a white background. Default: follow matplotlib's style, such as
        ``plt.style.use("dark_background")``.

    Returns
    -------
    matplotlib.axes.Axes
        Teachers are persons of that type, and anyone else who teaches a section.

    Raises
    ------
    ValueError
        ``of`` is unknown.

    Examples
    --------
    >>> kx.plot_teacher_load(roster).get_title(loc="left")
    'Students per teacher, 2026-27'
    """
    expect("plot_teacher_load", roster, Roster)
    if of not in ("students", "sections"):
        raise ValueError(f"Unknown of={of!r}. Choose one of: students, sections.")
    teachers, sections, students = _teacher_loads(roster)
    ax = axes_or_new(ax, dark=dark)
    idle = int((sections == 0).sum())
    note = join_parts(
        district(roster), f"{idle:,} of {plural(len(teachers), 'teacher')} without a section" if idle else ""
    )
    title = titled(f"{of.capitalize()} per teacher", roster)
    draw_sizes(ax, students if of == "students" else sections, title, of, "teachers", "teacher", 13, note)
    return ax


def _teacher_loads(roster: Roster) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The teachers, and how many sections and different students each has."""
    index, people = roster.index, roster.persons
    teaching, learning = pairs(roster, "teacher_in"), pairs(roster, "student_in")
    codes = codes_of(roster, "person")
    first = people[people["id"].notna()].drop_duplicates("id")
    by_type = codes[(first["person_type"].str.lower() == "teacher").to_numpy(dtype=bool)]
    teachers = np.union1d(by_type, teaching.source)
    teachers = teachers[~index.missing(teachers)]
    size = max(1, index.size)
    taught = sparse.csr_array((np.ones(len(teaching.source), np.int32), teaching), shape=(size, size))[teachers]
    enrolled = sparse.csr_array((np.ones(len(learning.source), np.int32), (learning.target, learning.source)),
                              shape=(size, size))  # fmt: skip
    students = np.diff((taught @ enrolled).indptr)
    return teachers, np.diff(taught.indptr).astype(np.int64), students.astype(np.int64)


@follows_paper
def plot_enrollment_matrix(
    roster: Roster, by: Literal["grade", "term"] | None = None, ax: Axes | None = None, *, dark: bool | None = None
) -> Axes:
    """Draw the number of students by school and grade, or of enrollments by course and term.

    Parameters
    ----------
    roster : Roster
    by : {"grade", "term"}, optional
        ``"grade"``: students by school and grade. ``"term"``: enrollments by course and term. Default: by grade if
        any grade is known, else by term.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure.
    dark : bool, optional
        Draw on a dark or a white background. Default: follow matplotlib's style, such as
        ``plt.style.use("dark_background")``.

    Returns
    -------
    matplotlib.axes.Axes
        A heat map; empty cells are zero. Rows with the most students come first; all beyond the 25th share one row.

    Raises
    ------
    ValueError
        ``by`` is unknown.

    Examples
    --------
    >>> kx.plot_enrollment_matrix(roster).get_title(loc="left")
    'Students by school and grade, 2026-27'
    """
    expect("plot_enrollment_matrix", roster, Roster)
    if by not in (None, "grade", "term"):
        raise ValueError(f"Unknown by={by!r}. Choose one of: grade, term.")
    known = grades(roster)
    if by is None:
        by = "grade" if known.notna().any() else "term"
    if by == "grade":
        what, row, noun = "Students by school and grade", "school", "students"
        members = pairs(roster, "member_of", "student")
        said = known.reindex(members.source)
        ordered = in_grade_order(said.dropna().unique().tolist())
        columns = [Name(grade) for grade in ordered] + [Name("none")] * bool(said.isna().any())
        place = row_of(said.to_numpy(dtype=object), pd.Index(ordered))
        rows_of = members.target
    else:
        what, row, noun = "Enrollments by course and term", "course", "enrollments"
        rows_of, place, columns = _by_term(roster)
    shown, rest = top(counted(rows_of), _MOST_ROWS)
    line = row_of(rows_of, shown.index)
    labels = names(roster, shown.index.to_numpy()) + other_row(len(rest), row)
    ax = axes_or_new(ax, len(labels) + 2, dark=dark)
    heading(ax, titled(what, roster), district(roster))
    if not len(rows_of):
        empty_panel(ax, f"no {noun}")
        return ax
    cells = np.zeros((len(labels), len(columns)), dtype=np.int64)
    np.add.at(cells, (line, place), 1)
    heat(ax, cells, labels, columns, noun)
    ax.set_xlabel("grade" if by == "grade" else "term", color=QUIET, fontsize=TEXT)
    return ax


def _by_term(roster: Roster) -> tuple[NDArray[np.int64], NDArray[np.int64], list[Name]]:
    """The course of each enrollment, the column of its term, and the columns: terms in the order of their dates."""
    learning, courses, terms = pairs(roster, "student_in"), pairs(roster, "of_course"), pairs(roster, "in_term")
    size = np.bincount(learning.target, minlength=max(1, roster.index.size))
    both = pd.DataFrame({"section": courses.source, "course": courses.target}).merge(
        pd.DataFrame({"section": terms.source, "term": terms.target}), on="section"
    )
    both = both.loc[both.index.repeat(size[both["section"].to_numpy()])]
    shown, rest = top(counted(both["term"].to_numpy()), _MOST_COLUMNS)
    table = roster.terms[roster.terms["id"].notna()].drop_duplicates("id")
    start = pd.Series(table["start_date"].to_numpy(), index=codes_of(roster, "term")).reindex(shown.index)
    ordered = shown.index.to_numpy()[np.argsort(start.to_numpy(), kind="stable")]  # those without a date come last
    course, place = both["course"].to_numpy(dtype=np.int64), row_of(both["term"].to_numpy(), pd.Index(ordered))
    columns = names(roster, ordered, 18) + [Name(f"other ({len(rest):,})")] * (len(rest) > 0)
    return course, place, columns
