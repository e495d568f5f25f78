"""What the pictures say equals what the tables say; nothing overlaps; no name breaks them."""

import warnings
from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Annotation

import kimono_explore as kx
from kimono_explore.palette import TYPE_COLORS
from kimono_explore.tables import frame

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "$\\frac{",
    "O'Neil",
    "Þórr",
    "ليلى حداد",
    "李 👩‍🏫",
    "x" * 200,
    "two\nlines",
]


@pytest.fixture(autouse=True)
def _nothing_left_open() -> Iterator[None]:
    yield
    plt.close("all")


def drawn(figure: Figure) -> Figure:
    """Draw it for real, with warnings as errors: a letter without a glyph would be one."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.canvas.draw()
    return figure


def bars(axes: Axes) -> dict[str, int]:
    names = [label.get_text() for label in axes.get_yticklabels()]
    return dict(zip(names, [round(bar.get_width()) for bar in axes.containers[0]], strict=True))


def labels(axes: Axes) -> list[Annotation]:
    return [text for text in axes.texts if isinstance(text, Annotation)]


def overlaps(axes: Axes) -> list[tuple[str, str]]:
    """Pairs of labels whose boxes meet."""
    shown = [(text.get_text(), text.get_window_extent()) for text in labels(axes)]
    return [(a, b) for n, (a, one) in enumerate(shown) for b, other in shown[:n] if one.overlaps(other)]


def test_the_overview_shows_the_tables_counts(small_roster: kx.Roster) -> None:
    types, schools, sizes, links = drawn(kx.plot_overview(small_roster)).axes
    people = small_roster.persons["person_type"].value_counts()
    assert bars(types) == {
        "orgs": len(small_roster.orgs),
        "courses": len(small_roster.courses),
        "sections": len(small_roster.sections),
        "students": people["student"],
        "teachers": people["teacher"],
        "staff": people["staff"],
        "terms": 7,
        "grading categories": len(small_roster.grading_categories),
    }
    assert sum(bars(schools).values()) == people["student"]
    assert bars(links) == small_roster.links["relation"].value_counts().to_dict()
    assert sum(patch.get_height() for patch in sizes.patches) == len(small_roster.sections)


def test_many_schools_are_summed_up() -> None:
    orgs = [f"o{n:03}" for n in range(300)]
    people = [f"p{n}" for n in range(600)]
    roster = kx.Roster(
        orgs=frame("orgs", {"id": orgs, "name": [f"School {id}" for id in orgs]}),
        persons=frame("persons", {"id": people, "person_type": ["student"] * 600}),
        links=frame(
            "links",
            {
                "source_type": ["person"] * 600,
                "source_id": people,
                "relation": ["member_of"] * 600,
                "target_type": ["org"] * 600,
                "target_id": orgs * 2,
                "role": ["student"] * 600,
            },
        ),
    )
    shown = bars(drawn(kx.plot_overview(roster)).axes[1])
    assert len(shown) == 15
    assert shown["other (286 schools)"] == 572


def test_missing_ends_stand_out(small_roster: kx.Roster) -> None:
    links = small_roster.links.copy()
    links.loc[links["relation"] == "in_term", "target_id"] = "gone"
    axes = drawn(kx.plot_overview(kx.Roster(**small_roster.tables, links=links))).axes[3]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["an end is missing"]
    assert sum(bar.get_width() for bar in axes.containers[-1]) == (links["relation"] == "in_term").sum()


def test_an_empty_roster_says_so() -> None:
    figure = drawn(kx.plot_overview(kx.Roster()))
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["nothing to show"] * 4


def test_the_overview_leaves_no_figure_open(small_roster: kx.Roster) -> None:
    kx.plot_overview(small_roster)
    assert plt.get_fignums() == []


def test_a_neighborhood_names_every_node_and_every_colour(small_roster: kx.Roster) -> None:
    graph = kx.neighborhood(small_roster, small_roster.sections["id"][0])
    axes = kx.plot_neighborhood(graph)
    drawn(axes.get_figure())
    assert len(labels(axes)) == len(graph)
    legend = {text.get_text() for text in axes.get_legend().get_texts()}
    used = {
        to_hex(points.get_edgecolor()[0]).upper() for points in axes.collections[1:] if points.get_linewidth()[0] < 2
    }
    assert used <= {TYPE_COLORS[name.replace(" ", "_")].upper() for name in legend}
    assert {"section", "student", "teacher", "course", "org", "term"} <= legend
    assert axes.get_title(loc="left").startswith("Around ")


@pytest.mark.parametrize("students", [1, 30, 140])
def test_labels_do_not_overlap(students: int) -> None:
    axes = kx.plot_neighborhood(kx.neighborhood(school(students), "s1"))
    drawn(axes.get_figure())
    assert len(labels(axes)) == students + 3
    assert overlaps(axes) == []


def school(students: int, names: list[str] | None = None) -> kx.Roster:
    """A section with so many students, at a school, with a teacher."""
    people = [f"p{n}" for n in range(students)]
    given = names or [f"Student Number {n}" for n in range(students)]
    ends = [("section", "s1", "held_at", "org", "o1", None), ("person", "t1", "teacher_in", "section", "s1", "teacher")]
    rows = [*ends, *(("person", id, "student_in", "section", "s1", "student") for id in people)]
    columns = ("source_type", "source_id", "relation", "target_type", "target_id", "role")
    return kx.Roster(
        orgs=frame("orgs", {"id": ["o1"], "name": ["North"]}),
        sections=frame("sections", {"id": ["s1"], "title": ["Art"]}),
        persons=frame("persons", {"id": ["t1", *people], "label": ["Bo Larsen", *given]}),
        links=frame("links", {name: [row[n] for row in rows] for n, name in enumerate(columns)}),
    )


def test_beyond_150_nodes_people_become_a_group() -> None:
    axes = kx.plot_neighborhood(kx.neighborhood(school(300), "s1"))
    drawn(axes.get_figure())
    assert sorted(text.get_text() for text in labels(axes)) == ["300 students", "Art", "Bo Larsen", "North"]


def test_what_was_left_out_and_what_is_missing_is_told() -> None:
    roster = school(30)
    roster.orgs = frame("orgs")
    axes = kx.plot_neighborhood(kx.neighborhood(roster, "s1", limit=10))
    assert axes.get_title(loc="left") == "Around Art · 23 more are left out"
    assert "o1 (missing)" in [text.get_text() for text in labels(axes)]
    assert "missing" in [text.get_text() for text in axes.get_legend().get_texts()]


def test_names_are_data(small_roster: kx.Roster) -> None:
    axes = kx.plot_neighborhood(kx.neighborhood(school(len(HOSTILE), HOSTILE), "s1"))
    drawn(axes.get_figure())
    shown = [text.get_text() for text in labels(axes)]
    assert "O'Neil" in shown
    assert "$\\frac{" in shown
    assert "two lines" in shown
    assert f"{'x' * 23}…" in shown
    orgs = small_roster.orgs.assign(name=(HOSTILE * 9)[: len(small_roster.orgs)])
    roster = kx.Roster(**{**small_roster.tables, "orgs": orgs}, links=small_roster.links, source="$\\frac{")
    drawn(kx.plot_overview(roster))


def test_an_axes_of_ones_own_is_used(small_roster: kx.Roster) -> None:
    figure, axes = plt.subplots()
    assert kx.plot_neighborhood(kx.neighborhood(small_roster, small_roster.sections["id"][0]), ax=axes) is axes
    assert plt.get_fignums() == [figure.number]
