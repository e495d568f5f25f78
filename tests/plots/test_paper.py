"""Pictures on dark paper: all words can be read, no colour for white paper is left, and nothing else changes."""

from collections.abc import Callable, Iterator
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.colors import to_hex, to_rgba, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from plot_rosters import drawn_roster

import kimono_explore as kx
from kimono_explore.palette import CHANGE_COLORS, DARK_PAPER, HEAT, INK, ON_DARK, SEVERITY_COLORS, TYPE_COLORS
from kimono_explore.plots.paper import HEAT_MAP

Drawn = Callable[..., Axes | Figure]
ROSTER = "sandbox 500"


def contrast(one: str, other: str) -> float:
    """As WCAG 2 counts it."""
    lights = []
    for color in (one, other):
        parts = np.array(to_rgba(color)[:3])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        lights.append(float(linear @ (0.2126, 0.7152, 0.0722)) + 0.05)
    return max(lights) / min(lights)


@pytest.fixture(autouse=True)
def _nothing_left_open() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Drawn]:
    with kx.sandbox(students=500) as box:
        roster, tasks = kx.load_roster(box.client, progress=False), kx.load_tasks(box.client)
    report = kx.check(roster, as_of="2026-10-05", progress=False)
    days = kx.history(tmp_path_factory.mktemp("paper") / "days")
    for day in ("2026-10-05", "2026-10-09"):
        days.add(roster, day, report=report)
    other = drawn_roster("empty")
    school = str(roster.links.loc[roster.links["relation"] == "held_at", "target_id"].value_counts().index[0])
    around = kx.neighborhood(roster, roster.sections["id"].iloc[0])
    made: dict[str, Drawn] = {
        "plot_adjacency": lambda **how: kx.plot_adjacency(roster, school, **how),
        "plot_comparison": lambda **how: kx.plot_comparison(kx.compare(other, roster), **how),
        "plot_enrollment_matrix": lambda **how: kx.plot_enrollment_matrix(roster, **how),
        "plot_history": lambda **how: kx.plot_history(days, **how),
        "plot_neighborhood": lambda **how: kx.plot_neighborhood(around, **how),
        "plot_org_tree": lambda **how: kx.plot_org_tree(roster, **how),
        "plot_overview": lambda **how: kx.plot_overview(roster, **how),
        "plot_quality": lambda **how: kx.plot_quality(report, **how),
        "plot_schema": lambda **how: kx.plot_schema(roster, **how),
        "plot_section_sizes": lambda **how: kx.plot_section_sizes(roster, **how),
        "plot_shared_students": lambda **how: kx.plot_shared_students(roster, school, **how),
        "plot_tasks": lambda **how: kx.plot_tasks(tasks, **how),
        "plot_teacher_load": lambda **how: kx.plot_teacher_load(roster, **how),
        "plot_terms": lambda **how: kx.plot_terms(roster, **how),
    }
    return made


def figure_of(picture: Axes | Figure) -> Figure:
    figure = picture if isinstance(picture, Figure) else picture.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    return figure


def colors(figure: Figure) -> set[str]:
    """Every colour that is drawn with."""
    found: set[str] = set()
    for artist in figure.findobj(lambda artist: artist.get_visible()):
        if isinstance(artist, Line2D) and artist.get_markersize() == 0:  # a tick without a length
            continue
        if (isinstance(artist, Text) and artist.get_text()) or isinstance(artist, Line2D):
            found.add(to_hex(artist.get_color()))
        elif isinstance(artist, Patch):
            found |= {to_hex(color) for color in (artist.get_facecolor(), artist.get_edgecolor()) if to_rgba(color)[3]}
        elif isinstance(artist, Collection) and artist.get_array() is None and artist.get_paths():
            both = [*to_rgba_array(artist.get_facecolor()), *to_rgba_array(artist.get_edgecolor())]
            found |= {to_hex(color) for color in both}
    return found


def test_every_picture_can_be_dark(pictures: dict[str, Drawn]) -> None:
    assert sorted(pictures) == sorted(name for name in kx.__all__ if name.startswith("plot_"))
    for name, draw in pictures.items():
        figure = figure_of(draw(dark=True))
        assert to_hex(figure.get_facecolor()) == DARK_PAPER.lower(), name
        left = colors(figure) & {*ON_DARK, "#ffffff", "#000000"}
        assert left == set(), f"{name} draws in a colour for white paper"


def test_words_can_be_read_on_dark_paper(pictures: dict[str, Drawn]) -> None:
    for name, draw in pictures.items():
        figure = figure_of(draw(dark=True))
        words = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text().strip()]
        # Numbers in the colour of the paper stand on a pale cell of a heat map.
        on_paper = [text for text in words if to_hex(text.get_color()) != DARK_PAPER.lower()]
        assert len(on_paper) > 2, name
        faint = {text.get_text() for text in on_paper if contrast(to_hex(text.get_color()), DARK_PAPER) < 4.5}
        assert faint == set(), name


def test_white_paper_is_as_it_was(pictures: dict[str, Drawn]) -> None:
    for name, draw in pictures.items():
        plain, white = colors(figure_of(draw())), colors(figure_of(draw(dark=False)))
        assert plain == white, name
        assert plain & set(ON_DARK), name


def test_a_picture_follows_the_style_of_matplotlib(pictures: dict[str, Drawn]) -> None:
    with plt.style.context("dark_background"):
        followed = figure_of(pictures["plot_terms"]())
        white = figure_of(pictures["plot_terms"](dark=False))
    assert to_hex(followed.get_facecolor()) == "#000000"
    assert colors(followed) & set(ON_DARK) == set()
    assert to_hex(white.get_facecolor()) == to_hex(white.axes[0].get_facecolor()) == "#ffffff"
    assert INK.lower() in colors(white)


def test_axes_on_dark_paper_of_ones_own_are_followed(pictures: dict[str, Drawn]) -> None:
    figure, (mine, other) = plt.subplots(1, 2, facecolor="#202020")
    other.set_title("mine", color=INK)
    pictures["plot_teacher_load"](ax=mine)
    assert to_hex(mine.get_facecolor()) == "#202020"
    assert colors(figure) & set(ON_DARK) == {INK.lower()}  # what is not ours stays


def test_ticks_that_come_later_are_dark_too(pictures: dict[str, Drawn]) -> None:
    axes = pictures["plot_teacher_load"](dark=True)
    assert isinstance(axes, Axes)
    axes.set_ylim(0, 4000)
    axes.locator_params("y", nbins=20)
    assert colors(figure_of(axes)) & set(ON_DARK) == set()


def test_a_name_in_red_stays_in_red(pictures: dict[str, Drawn]) -> None:
    axes = pictures["plot_org_tree"](dark=True)
    assert isinstance(axes, Axes)
    figure_of(axes)
    red = [label.get_text() for label in axes.get_yticklabels() if to_hex(label.get_color()) == "#ff8d83"]
    assert len(red) == 3
    assert all("(not delivered)" in text for text in red)


def test_heat_goes_from_dark_to_pale(pictures: dict[str, Drawn]) -> None:
    axes = pictures["plot_enrollment_matrix"](dark=True)
    assert isinstance(axes, Axes)
    shades = axes.images[0].get_cmap()
    assert [to_hex(shades(0.0)), to_hex(shades(1.0))] == [HEAT[-1].lower(), HEAT[0].lower()]
    assert to_hex(HEAT_MAP(0.0)) == HEAT[0].lower()


@pytest.mark.parametrize("group", [TYPE_COLORS, SEVERITY_COLORS, CHANGE_COLORS], ids=["types", "severities", "changes"])
def test_marks_stand_out_on_dark_paper_and_differ(group: dict[str, str]) -> None:
    shades = {ON_DARK.get(color.lower(), color).lower() for color in group.values()}
    assert len(shades) == len(set(group.values()))
    faint = {shade for shade in shades if contrast(shade, DARK_PAPER) < 3}
    assert faint <= {"#48515e"}  # what is unchanged is meant to be quiet
    assert min(contrast(one, other) for one, other in combinations(sorted(shades), 2)) > 1
