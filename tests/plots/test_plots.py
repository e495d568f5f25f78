"""Every figure of every roster is drawn without a warning, with words that can be read; and names are data."""

import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from hypothesis import Phase, given, settings
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from plot_rosters import NAMES, bars, clipped, draw, drawn_roster, overlaps, texts
from rosters import rosters

import kimono_explore as kx
from kimono_explore.frames import frame
from kimono_explore.palette import MISSING, QUIET, TYPE_COLORS
from kimono_explore.plots import fonts


@pytest.fixture(autouse=True)
def _nothing_left_open() -> Iterator[None]:
    yield
    plt.close("all")


def school_of(roster: kx.Roster) -> str:
    """The org that holds most sections, else any."""
    held = roster.links.loc[roster.links["relation"] == "held_at", "target_id"].value_counts()
    return str(held.index[0] if len(held) else roster.orgs["id"].iloc[0])


@cache
def report_of(name: str) -> kx.Report:
    return kx.check(drawn_roster(name), as_of="2026-10-05")


@cache
def days_of(name: str) -> kx.History:
    """A week in which this roster is there on Monday, another on Tuesday, and this one again on Friday, with a report."""
    days = kx.history(Path(tempfile.mkdtemp()) / "days")
    days.add(drawn_roster(name), "2026-10-05")
    days.add(drawn_roster("one school"), "2026-10-06")
    days.add(drawn_roster(name), "2026-10-09", report=report_of(name))
    return days


def around(roster: kx.Roster, table: str) -> Axes:
    ids = roster.tables[table]["id"]
    return kx.plot_neighborhood(kx.neighborhood(roster, ids.iloc[len(ids) // 2], type=table.removesuffix("s")))


FIGURES: dict[str, Callable[[str, kx.Roster], Axes | Figure]] = {
    "overview": lambda name, roster: kx.plot_overview(roster),
    "schema": lambda name, roster: kx.plot_schema(roster),
    "org tree": lambda name, roster: kx.plot_org_tree(roster),
    "terms": lambda name, roster: kx.plot_terms(roster),
    "sizes by school": lambda name, roster: kx.plot_section_sizes(roster),
    "sizes by course": lambda name, roster: kx.plot_section_sizes(roster, by="course"),
    "sizes by term": lambda name, roster: kx.plot_section_sizes(roster, by="term"),
    "students per teacher": lambda name, roster: kx.plot_teacher_load(roster),
    "sections per teacher": lambda name, roster: kx.plot_teacher_load(roster, of="sections"),
    "by grade": lambda name, roster: kx.plot_enrollment_matrix(roster, by="grade"),
    "by term": lambda name, roster: kx.plot_enrollment_matrix(roster, by="term"),
    "shared students": lambda name, roster: kx.plot_shared_students(roster, school_of(roster)),
    "adjacency": lambda name, roster: kx.plot_adjacency(roster, school_of(roster)),
    "around a section": lambda name, roster: around(roster, "sections"),
    "around a person": lambda name, roster: around(roster, "persons"),
    "around an org": lambda name, roster: around(roster, "orgs"),
    "quality": lambda name, roster: kx.plot_quality(report_of(name)),
    "history": lambda name, roster: kx.plot_history(days_of(name)),
    "comparison": lambda name, roster: kx.plot_comparison(kx.compare(roster, drawn_roster("300 schools"))),
}
NEEDS = {"shared students": "orgs", "adjacency": "orgs", "around a section": "sections", "around a person": "persons",
         "around an org": "orgs"}  # fmt: skip
DRAWN = [
    (name, figure)
    for name in NAMES
    for figure in FIGURES
    if not (name == "empty" and figure in NEEDS) and not (name == "one school" and NEEDS.get(figure) == "sections")
]


@pytest.mark.parametrize(("name", "figure"), DRAWN, ids=lambda value: value.replace(" ", "_"))
def test_words_neither_overlap_nor_are_cut_off(name: str, figure: str) -> None:
    made = FIGURES[figure](name, drawn_roster(name))
    whole = draw(made if isinstance(made, Figure) else made.get_figure())
    titles = [ax.get_title(loc="left") for ax in whole.axes]
    assert titles[0]
    assert overlaps(whole) == []
    assert clipped(whole) == []
    assert max(whole.get_size_inches()) < 24
    assert min(box.height for _, box in texts(whole)) > 2


def test_a_figure_is_closed_and_axes_stay_open(small_roster: kx.Roster) -> None:
    kx.plot_overview(small_roster)
    kx.plot_quality(kx.check(small_roster))
    assert plt.get_fignums() == []
    axes = kx.plot_terms(small_roster)
    assert plt.get_fignums() == [axes.get_figure().number]


@pytest.mark.parametrize(
    "plot",
    [
        kx.plot_schema,
        kx.plot_org_tree,
        kx.plot_terms,
        kx.plot_section_sizes,
        kx.plot_teacher_load,
        kx.plot_enrollment_matrix,
    ],
    ids=lambda plot: plot.__name__,
)
def test_axes_of_ones_own_are_used(plot: Callable[..., Axes], small_roster: kx.Roster) -> None:
    figure, axes = plt.subplots()
    assert plot(small_roster, ax=axes) is axes
    assert plt.get_fignums() == [figure.number]


def test_titles_say_what_and_when(small_roster: kx.Roster) -> None:
    overview = kx.plot_overview(small_roster)
    assert overview.get_suptitle() == "Cannon River Public Schools · 2026-27 · 60 students"
    assert kx.plot_org_tree(small_roster).get_title(loc="left") == "Orgs and their students, 2026-27"
    assert kx.plot_overview(kx.Roster(source="https://api.example.org/v2")).get_suptitle() == "Roster · an empty roster"


def test_the_overview_shows_the_tables_counts(small_roster: kx.Roster) -> None:
    types, schools, sizes, links = draw(kx.plot_overview(small_roster)).axes
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
    counted = small_roster.links["relation"].value_counts()
    assert bars(links) == {name.replace("_", " "): count for name, count in counted.items()}
    assert sum(patch.get_height() for patch in sizes.patches) == len(small_roster.sections)


def test_many_schools_are_summed_up_without_a_bar() -> None:
    roster = drawn_roster("300 schools")
    axes = draw(kx.plot_overview(roster)).axes[1]
    students = roster.links.query("relation == 'member_of'")["target_id"].value_counts()
    shown = bars(axes)
    assert len(shown) == 15
    assert list(shown.values()) == [*students.iloc[:14], 0]
    rest = students.iloc[14:]
    assert f"other ({len(rest)} schools)" in shown
    assert f"{rest.sum():,} in all, {rest.mean():.0f} each" in [text.get_text() for text in axes.texts]


def test_missing_ends_stand_out(small_roster: kx.Roster) -> None:
    links = small_roster.links.copy()
    links.loc[links["relation"] == "in_term", "target_id"] = "gone"
    links.loc[links["target_type"] == "org", "target_id"] = "a4203988-d04c-4b7e-9bcd-000000000000"
    _, schools, _, relations = draw(kx.plot_overview(kx.Roster(**small_roster.tables, links=links))).axes
    # A legend of a red that is too thin to see told nothing: the words themselves are red.
    assert relations.get_legend() is None
    assert "in red: an end was not delivered" in [text.get_text() for text in relations.texts]
    for text in relations.texts:
        if "broken" in text.get_text():
            assert text.get_color() == MISSING
    gone = {name: count for name, count in bars(relations, -1).items() if count}
    assert gone["in term"] == (links["relation"] == "in_term").sum()
    (label,) = schools.get_yticklabels()
    assert (label.get_text(), label.get_color()) == ("a4203988-d0… (not delivered)", MISSING)


def test_an_empty_roster_says_so() -> None:
    figure = draw(kx.plot_overview(kx.Roster()))
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["nothing to show"] * 4


def test_names_are_data() -> None:
    axes = kx.plot_enrollment_matrix(drawn_roster("hostile"))
    draw(axes.get_figure())
    shown = [label.get_text() for label in axes.get_yticklabels()]
    names = {words.split(" (o")[0] for words in shown}
    assert {"O'Neil", "$\\frac{", "two lines", "<img src=x onerro…", f"{'x' * 17}…"} <= names
    assert len(set(shown)) == len(shown)
    assert not any("\u202e" in words or "\n" in words for words in shown)


def test_a_letter_that_no_font_has_is_a_box(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_installed", tuple)
    fonts._family_with.cache_clear()
    text = plt.figure().text(0.1, 0.5, "")
    fonts.set_words(text, "Ada 李 $x$")
    fonts._family_with.cache_clear()
    assert text.get_text() == "Ada □ $x$"
    draw(text.get_figure())


def test_a_letter_of_an_installed_font_is_shown() -> None:
    if fonts._family_with("李") is None:
        pytest.skip("no font with Chinese letters is installed")
    text = plt.figure().text(0.1, 0.5, "")
    fonts.set_words(text, "Ada 李")
    assert text.get_text() == "Ada 李"
    assert len(text.get_fontfamily()) == 2
    draw(text.get_figure())


def test_a_name_from_right_to_left_does_not_turn_the_line() -> None:
    text = plt.figure().text(0.1, 0.5, "")
    fonts.set_words(text, "حداد (2)")
    assert text.get_text().startswith("\u200e")


def test_types_have_the_palettes_colours(small_roster: kx.Roster) -> None:
    from matplotlib.colors import to_hex

    axes = kx.plot_overview(small_roster).axes[0]
    drawn = [to_hex(bar.get_facecolor()).upper() for bar in axes.containers[0]]
    kinds = ("org", "course", "section", "student", "teacher", "staff", "term", "grading_category")
    assert drawn == [TYPE_COLORS[kind] for kind in kinds]
    assert QUIET not in drawn


@settings(max_examples=10, phases=[Phase.generate, Phase.shrink])  # without the tracing that explains: it is slow here
@given(rosters())
def test_any_roster_can_be_drawn(roster: kx.Roster) -> None:
    for figure, made in FIGURES.items():
        if figure not in NEEDS and figure not in ("quality", "comparison"):
            whole = made("", roster)
            assert (whole.axes[0] if isinstance(whole, Figure) else whole).get_title(loc="left")
            plt.close("all")
    for id in roster.orgs["id"]:
        assert kx.plot_adjacency(roster, id).get_title(loc="left").startswith("Sections by students")
        assert kx.plot_shared_students(roster, id).get_title(loc="left").startswith("Students that courses share")
        plt.close("all")
    diff = kx.compare(roster, roster)
    assert diff.summary[["added", "removed", "changed"]].to_numpy().sum() == 0


def test_terms_without_dates_are_named_and_not_drawn() -> None:
    terms = frame("terms", {"id": ["a", "b"], "name": ["Autumn", "Spring"]})
    axes = kx.plot_terms(kx.Roster(terms=terms))
    assert [text.get_text() for text in axes.texts].count("no dates") == 2
    plt.close("all")
