"""The neighborhood: every object is named, nothing overlaps, many become a group, and no line crosses a name."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import networkx as nx
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.text import Annotation
from plot_rosters import HOSTILE, clipped, draw, drawn_roster, links, overlaps

import kimono_explore as kx
from kimono_explore.frames import frame
from kimono_explore.palette import MISSING, RELATION_COLORS, TYPE_COLORS


@pytest.fixture(autouse=True)
def _nothing_left_open() -> Iterator[None]:
    yield
    plt.close("all")


def school(students: int, names: list[str] | None = None) -> kx.Roster:
    """A section with so many students, at a school, with a teacher."""
    people = [f"p{n}" for n in range(students)]
    given = names or [f"Student Number {n}" for n in range(students)]
    return kx.Roster(
        orgs=frame("orgs", {"id": ["o1"], "name": ["North"]}),
        sections=frame("sections", {"id": ["s1"], "title": ["Art"]}),
        persons=frame("persons", {"id": ["t1", *people], "label": ["Bo Larsen", *given]}),
        links=links(
            [
                ("section", "s1", "held_at", "org", "o1", None),
                ("person", "t1", "teacher_in", "section", "s1", "teacher"),
                *(("person", id, "student_in", "section", "s1", "student") for id in people),
            ]
        ),
    )


def labels(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts if isinstance(text, Annotation)]


def legend(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def lines(axes: Axes) -> list[PathPatch]:
    return [patch for patch in axes.patches if isinstance(patch, PathPatch)]


def test_every_node_and_every_colour_has_a_name(small_roster: kx.Roster) -> None:
    graph = kx.neighborhood(small_roster, small_roster.sections["id"][0])
    axes = kx.plot_neighborhood(graph)
    draw(axes.get_figure())
    assert len(labels(axes)) == len(graph)
    named = {name.replace(" ", "_") for name in legend(axes)}
    dots = {to_hex(dot.get_facecolor()[0]).upper() for dot in axes.collections}
    assert dots == {TYPE_COLORS[name] for name in named if name in TYPE_COLORS}
    drawn = {(to_hex(line.get_edgecolor()).upper(), line.get_linestyle()) for line in lines(axes)}
    styles = {"-": "solid", "--": "dashed", ":": "dotted"}
    assert {(color, styles.get(style, style)) for color, style in drawn} == {
        (color, styles[style]) for name, (color, style) in RELATION_COLORS.items() if name in named
    }
    assert named - set(TYPE_COLORS) == {relation for _, _, relation in graph.edges(keys=True)}
    assert axes.get_title(loc="left").startswith("Around ")


@pytest.mark.parametrize("students", [1, 30, 60])
def test_labels_do_not_overlap(students: int) -> None:
    axes = kx.plot_neighborhood(kx.neighborhood(school(students), "s1"))
    draw(axes.get_figure())
    assert len(labels(axes)) == students + 3
    assert overlaps(axes.get_figure()) == []
    assert clipped(axes.get_figure()) == []


def test_those_that_are_linked_alike_share_a_box_and_a_line() -> None:
    axes = kx.plot_neighborhood(kx.neighborhood(school(30), "s1"))
    assert len([patch for patch in axes.patches if isinstance(patch, FancyBboxPatch)]) == 1
    assert "30 students" in [text.get_text() for text in axes.texts]
    assert len(lines(axes)) == 3


def test_no_line_crosses_a_name(small_roster: kx.Roster) -> None:
    for id in (small_roster.sections["id"][0], small_roster.orgs["id"][1], small_roster.courses["id"][3]):
        axes = kx.plot_neighborhood(kx.neighborhood(small_roster, id, limit=120))
        draw(axes.get_figure())
        boxes = [text.get_window_extent().padded(-2) for text in axes.texts if isinstance(text, Annotation)]
        crossed = [
            (line, box)
            for line in lines(axes)
            for path in [line.get_path().transformed(axes.transData)]
            for box in boxes
            if path.intersects_bbox(box, filled=False)
        ]
        assert crossed == []


def test_a_class_that_is_wider_than_a_slide_becomes_a_group() -> None:
    assert "140 students" in labels(kx.plot_neighborhood(kx.neighborhood(school(140), "s1")))


def test_beyond_150_nodes_people_become_a_group() -> None:
    axes = kx.plot_neighborhood(kx.neighborhood(school(300), "s1"))
    draw(axes.get_figure())
    assert sorted(labels(axes)) == ["300 students", "Art", "Bo Larsen", "North"]


def test_what_cannot_be_read_becomes_a_group(small_roster: kx.Roster) -> None:
    axes = kx.plot_neighborhood(kx.neighborhood(small_roster, small_roster.persons["id"][5], radius=2, limit=140))
    draw(axes.get_figure())
    assert len(labels(axes)) < 140
    assert max(axes.get_figure().get_size_inches()) < 24
    assert overlaps(axes.get_figure()) == []


def test_what_was_left_out_and_what_is_missing_is_told() -> None:
    roster = school(30)
    roster.orgs = frame("orgs")
    axes = kx.plot_neighborhood(kx.neighborhood(roster, "s1", limit=10))
    assert axes.get_title(loc="left") == "Around Art · 23 more are left out"
    assert "o1 (missing)" in labels(axes)
    assert "missing" in legend(axes)
    assert MISSING in [to_hex(dot.get_edgecolor()[0]).upper() for dot in axes.collections]


def test_a_ring_of_parents_is_drawn() -> None:
    roster = kx.Roster(
        orgs=frame("orgs", {"id": ["a", "b"], "name": ["A", "B"]}),
        links=links([("org", "a", "child_of", "org", "b", None), ("org", "b", "child_of", "org", "a", None)]),
    )
    axes = kx.plot_neighborhood(kx.neighborhood(roster, "a"))
    draw(axes.get_figure())
    assert sorted(labels(axes)) == ["A", "B"]


def test_names_are_data() -> None:
    axes = kx.plot_neighborhood(kx.neighborhood(school(len(HOSTILE), list(HOSTILE)), "s1"))
    draw(axes.get_figure())
    assert {"O'Neil", "$\\frac{", "two lines", "<img src=x onerror=alert(1)>", f"{'x' * 33}…"} <= set(labels(axes))


def test_an_axes_of_ones_own_is_used(small_roster: kx.Roster) -> None:
    figure, axes = plt.subplots()
    assert kx.plot_neighborhood(kx.neighborhood(small_roster, small_roster.sections["id"][0]), ax=axes) is axes
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize("radius", [1, 2, 3])
def test_a_picture_of_60_fits_a_slide(radius: int) -> None:
    roster = drawn_roster("sandbox")
    for id in (roster.orgs["id"].iloc[1], roster.sections["id"].iloc[3], roster.persons["id"].iloc[0]):
        axes = kx.plot_neighborhood(kx.neighborhood(roster, id, radius=radius, limit=60))
        width, height = axes.figure.get_size_inches()
        assert width <= 16
        assert height <= 9.5
        plt.close(axes.figure)


def test_many_that_are_linked_each_otherwise_are_bounded() -> None:
    """What has nothing in common stands in no box: a column of 60 was 20 inches tall."""
    graph = nx.MultiDiGraph(focus="s")
    graph.add_node("s", type="section", label="Art", missing=False)
    for n in range(60):
        graph.add_node(f"p{n}", type="person", label=f"Person {n}", missing=False)
        graph.add_edge(f"p{n}", "s", "student_in", relation="student_in", role="student")
        graph.add_node(f"o{n % 7}-{n // 9}", type="org", label=f"Org {n}", missing=False)
        graph.add_edge(f"p{n}", f"o{n % 7}-{n // 9}", "member_of", relation="member_of", role="student")
    axes = kx.plot_neighborhood(graph)
    width, height = axes.figure.get_size_inches()
    assert width <= 16
    assert height <= 9.5
