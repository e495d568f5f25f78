"""Who shares students at one school: courses by courses, and sections by students."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import ListedColormap
from scipy import sparse
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.sparse.csgraph import reverse_cuthill_mckee
from scipy.spatial.distance import squareform

from kimono_explore.display import plural
from kimono_explore.errors import expect
from kimono_explore.palette import QUIET, TYPE_COLORS
from kimono_explore.plots.measures import Pairs, names, pairs
from kimono_explore.plots.paper import HEAT_MAP, follows_paper
from kimono_explore.plots.style import (
    SMALL,
    TEXT,
    axes_or_new,
    empty_panel,
    heading,
    heat,
    join_parts,
    name_rows,
    short,
    titled,
)
from kimono_explore.roster.roster import Roster

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray


_MOST_COURSES, _MOST_NAMED, _MOST_CELLS = 30, 45, 1200


@follows_paper
def plot_shared_students(roster: Roster, org_id: str, ax: Axes | None = None, *, dark: bool | None = None) -> Axes:
    """Draw which courses of a school share students, as a matrix with courses that share many side by side.

    Parameters
    ----------
    roster : Roster
    org_id : str
        The school that holds the sections. If there are more than 30 courses, those with the most students are shown.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure.
    dark : bool, optional
        Draw on a dark or a white background. Default: follow matplotlib's style, such as
        ``plt.style.use("dark_background")``.

    Returns
    -------
    matplotlib.axes.Axes
        Each cell is the number of students in both courses; on the diagonal, in that course.

    Raises
    ------
    KeyError
        No org has this id.

    Examples
    --------
    >>> school = roster.orgs.query("org_type == 'school'")["id"].iloc[0]
    >>> kx.plot_shared_students(roster, school).get_title(loc="left")
    'Students that courses share, 2026-27'
    """
    expect("plot_shared_students", roster, Roster)
    seats, label = _enrollments(roster, org_id)
    courses = pairs(roster, "of_course")
    here = np.isin(courses.source, seats.target)
    every = np.unique(courses.target[here])
    sections, section = np.unique(np.concatenate([seats.target, courses.source[here]]), return_inverse=True)
    students, student = np.unique(seats.source, return_inverse=True)
    seated = _matrix(section[: len(seats.target)], student, (len(sections), len(students)))
    of_course = _matrix(np.searchsorted(every, courses.target[here]), section[len(seats.target) :],
                        (len(every), len(sections)))  # fmt: skip
    attends = of_course @ seated
    attends.data[:] = 1
    largest = np.argsort(-np.diff(attends.indptr), kind="stable")[:_MOST_COURSES]
    attends = attends[largest]
    shared = (attends @ attends.T).toarray().astype(np.int64)
    order = _cluster_order(shared)
    few = f"{len(order)} of {plural(len(every), 'course')}" if len(order) < len(every) else ""
    ax = axes_or_new(ax, len(order) + 8, dark=dark)
    heading(
        ax, titled("Students that courses share", roster), join_parts(label, few, "in both courses; diagonal: in one")
    )
    if not len(order):
        empty_panel(ax, "no students in sections of a course")
        return ax
    labels = names(roster, every[largest][order], 34)
    heat(ax, shared[np.ix_(order, order)], labels, labels, "students in both")
    return ax


@follows_paper
def plot_adjacency(roster: Roster, org_id: str, ax: Axes | None = None, *, dark: bool | None = None) -> Axes:
    """Draw who is in which section of a school, as a matrix of sections by students, ordered so that blocks stand out.

    Parameters
    ----------
    roster : Roster
    org_id : str
        The school that holds the sections.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure.
    dark : bool, optional
        Draw on a dark or a white background. Default: follow matplotlib's style, such as
        ``plt.style.use("dark_background")``.

    Returns
    -------
    matplotlib.axes.Axes
        A mark shows that a student is in a section. Groups that take the same classes appear as blocks; a section that
        draws students from everywhere appears as a line. Beyond 1,200 rows or columns, a cell represents several, and
        its shade shows how many of them are filled.

    Raises
    ------
    KeyError
        No org has this id.

    Examples
    --------
    >>> school = roster.orgs.query("org_type == 'school'")["id"].iloc[0]
    >>> kx.plot_adjacency(roster, school).get_title(loc="left")
    'Sections by students, 2026-27'
    """
    expect("plot_adjacency", roster, Roster)
    seats, label = _enrollments(roster, org_id)
    sections, section = np.unique(seats.target, return_inverse=True)
    students, student = np.unique(seats.source, return_inverse=True)
    ax = axes_or_new(ax, len(sections) + 4 if len(sections) <= _MOST_NAMED else 20, dark=dark)
    size = f"{plural(len(sections), 'section')}, {plural(len(students), 'student')}"
    heading(ax, titled("Sections by students", roster), join_parts(label, size))
    if not len(seats.source):
        empty_panel(ax, "no students in sections")
        return ax
    rows, columns = _block_order(section, student, len(sections), len(students))
    cells = _cells(rows[section], columns[student], len(sections), len(students))
    shades = HEAT_MAP if cells.max() < 1 or len(np.unique(cells)) > 2 else ListedColormap([TYPE_COLORS["section"]])
    ax.imshow(
        np.ma.masked_equal(cells, 0), cmap=shades, vmin=0, aspect="auto", interpolation="nearest",
        extent=(0, len(students), len(sections) - 0.5, -0.5),
    )  # fmt: skip
    if len(sections) <= _MOST_NAMED:
        by_row = np.empty(len(sections), dtype=np.int64)
        by_row[rows] = sections
        name_rows(ax, names(roster, by_row, 30), SMALL)
        ax.set_ylim(len(sections) - 0.5, -0.5)
    else:
        # The number of a row says nothing, and all the names do not fit.
        ax.set_yticks([])
        ax.set_ylabel(f"{plural(len(sections), 'section')}, one a row", color=QUIET, fontsize=TEXT)
    ax.set_xticks([])
    ax.set_xlabel(f"{plural(len(students), 'student')}, one a column", color=QUIET, fontsize=TEXT)
    return ax


def _enrollments(roster: Roster, org_id: str) -> tuple[Pairs, str]:
    """Who is in which section that the org holds, and the org's name."""
    code = roster.index.code(org_id, "org")
    held = pairs(roster, "held_at")
    seats = pairs(roster, "student_in")
    here = np.isin(seats.target, held.source[held.target == code])
    return Pairs(seats.source[here], seats.target[here]), short(str(roster.index.labels([code])[0]), 50)


def _matrix(rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> sparse.csr_array:
    return sparse.csr_array((np.ones(len(rows), np.int32), (rows, columns)), shape=shape)


def _cluster_order(shared: NDArray[np.int64]) -> NDArray[np.int64]:
    """The order in which courses that share a large part of their students are neighbors."""
    if len(shared) < 3:
        return np.arange(len(shared))
    own = np.diag(shared)
    either = own[:, None] + own[None, :] - shared
    apart = 1 - shared / np.maximum(either, 1)
    np.fill_diagonal(apart, 0)
    return leaves_list(linkage(squareform(apart, checks=False), "average", optimal_ordering=True)).astype(np.int64)


def _block_order(
    section: NDArray[np.int64], student: NDArray[np.int64], sections: int, students: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The place of each section and student: linked ones are near each other, small groups first."""
    size = sections + students
    half = _matrix(section, student + sections, (size, size))
    order = reverse_cuthill_mckee(sparse.csr_matrix(half + half.T), symmetric_mode=True)
    place = np.empty(size, dtype=np.int64)
    place[order] = np.arange(size)
    return np.argsort(np.argsort(place[:sections])), np.argsort(np.argsort(place[sections:]))


def _cells(rows: NDArray[np.int64], columns: NDArray[np.int64], height: int, width: int) -> NDArray[np.float64]:
    """The matrix, or where it is larger than a picture, the share of filled cells in each of its parts."""
    tall, wide = -(-height // _MOST_CELLS), -(-width // _MOST_CELLS)
    shape = (-(-height // tall), -(-width // wide))
    flat = np.bincount((rows // tall) * shape[1] + columns // wide, minlength=shape[0] * shape[1])
    return flat.reshape(shape) / (tall * wide)
