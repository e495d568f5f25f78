"""The numbers behind bars, marks and cells are those of the tables."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from plot_rosters import bar_colors, bars, draw, drawn_roster, legend_colors, links

import kimono_explore as kx
from kimono_explore.frames import frame
from kimono_explore.palette import CHANGE_COLORS, MISSING, SEVERITY_COLORS, TASK_COLORS, TYPE_COLORS
from kimono_explore.tasks import task_table

REAL = ("sandbox", "Grand Bend", "OULAD")


@pytest.fixture(autouse=True)
def _nothing_left_open() -> Iterator[None]:
    yield
    plt.close("all")


def distinct(roster: kx.Roster, relation: str, role: str | None = None) -> pd.DataFrame:
    rows = roster.links[roster.links["relation"] == relation]
    rows = rows if role is None else rows[rows["role"] == role]
    ends = rows[["source_type", "source_id", "target_type", "target_id"]].dropna()
    return ends.drop_duplicates().rename(columns={"source_id": "source", "target_id": "target"})


def rows_of(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def columns_of(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_xticklabels()]


def cells(axes: Axes) -> np.ndarray:
    return np.ma.filled(axes.images[0].get_array(), 0)


def words(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_the_schema_counts_tables_and_links() -> None:
    roster = drawn_roster("sandbox")
    said = words(kx.plot_schema(roster))
    assert {f"{len(df):,}" for df in roster.tables.values()} <= set(said)
    counts = roster.links["relation"].value_counts()
    assert f"{counts['student_in']:,} student in" in said
    assert f"{counts['held_at']:,} held at" in said
    missing = ~roster.links.query("relation == 'member_of'")["target_id"].isin(roster.orgs["id"])
    assert f"{missing.sum()} broken" in said
    assert "Not links that the API has: 2 in term, section to course" in said


@pytest.mark.parametrize("name", REAL)
def test_the_org_tree_counts_students(name: str) -> None:
    roster = drawn_roster(name)
    axes = kx.plot_org_tree(roster)
    students = distinct(roster, "member_of", "student")["target"].value_counts()
    drawn = [round(bar.get_width()) for bar in axes.containers[0]]
    assert sorted(n for n in drawn if n) == sorted(students)
    assert len(drawn) == len(set(roster.orgs["id"]) | set(students.index))


def test_the_org_tree_is_a_tree() -> None:
    axes = kx.plot_org_tree(drawn_roster("Grand Bend"))
    assert rows_of(axes) == [
        "Grand Bend ISD",
        "\u2003└ Grand Bend Elementary School",
        "\u2003└ Grand Bend High School",
        "\u2003└ Grand Bend Middle School",
    ]
    assert words(axes)[-4:] == ["960 below", "400 · 01–05", "320 · 09–12", "240 · 06–08"]


def test_a_ring_of_orgs_is_cut_once() -> None:
    ring = [("org", a, "child_of", "org", b, None) for a, b in ("ab", "bc", "ca", "da")]
    orgs = frame("orgs", {"id": list("abcd"), "name": list("ABCD")})
    axes = kx.plot_org_tree(kx.Roster(orgs=orgs, links=links(ring)))
    assert sorted(row.split()[-1] for row in rows_of(axes)) == ["A", "B", "C", "D"]


def test_300_schools_are_all_counted() -> None:
    roster = drawn_roster("300 schools")
    axes = kx.plot_org_tree(roster)
    students = roster.links.query("relation == 'member_of'")["target_id"].value_counts()
    shown = bars(axes)
    other = next(name for name in shown if "other" in name)
    count = int(other.split("(")[1].split()[0])
    assert len(shown) - 2 + count == 300
    rest = sum(students.sort_values(ascending=False).iloc[len(shown) - 2 :])
    assert any(text.startswith(f"{rest:,} in all") for text in words(axes))


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize(("by", "relation"), [("school", "held_at"), ("course", "of_course"), ("term", "in_term")])
def test_section_sizes_are_those_of_the_links(name: str, by: str, relation: str) -> None:
    roster = drawn_roster(name)
    axes = kx.plot_section_sizes(roster, by=by)
    seats = distinct(roster, "student_in")["target"].value_counts()
    held = distinct(roster, relation)
    held = held[held["source"].isin(roster.sections["id"])]
    size = held["source"].map(seats).fillna(0)
    expected = size.groupby([held["target_type"].astype("str"), held["target"]]).median()
    drawn = [float(line[0][0]) for line in axes.collections[1].get_segments()]
    assert sum(n in set(expected) for n in drawn) >= len(drawn) - 2
    if len(expected) <= 25:
        assert set(expected) <= set(drawn)


def test_the_sections_of_oulad_are_large() -> None:
    axes = kx.plot_section_sizes(drawn_roster("OULAD"))
    assert max(end[0] for line in axes.collections[0].get_segments() for end in line) == 2498
    assert [text for text in words(axes) if text in ("22", "1,556.5")] == ["1,556.5", "22"]


@pytest.mark.parametrize("name", ["sandbox", "Grand Bend"])
def test_the_load_of_teachers_is_counted_by_different_students(name: str) -> None:
    roster = drawn_roster(name)
    teaching, learning = distinct(roster, "teacher_in"), distinct(roster, "student_in")
    met = teaching.merge(learning, left_on="target", right_on="target")[["source_x", "source_y"]].drop_duplicates()
    known = set(roster.persons["id"])
    teachers = set(roster.persons.loc[roster.persons["person_type"] == "teacher", "id"]) | (
        set(teaching["source"]) & known
    )
    load = pd.Series(sorted(teachers)).map(met["source_x"].value_counts()).fillna(0)
    axes = kx.plot_teacher_load(roster)
    step = axes.patches[0].get_width()
    expected, _ = np.histogram(load, np.arange(0, load.max() + 1 + step, step))
    assert [bar.get_height() for bar in axes.containers[0]] == expected.tolist()
    assert f"median {load.median():,g}" in words(axes)
    sections = pd.Series(sorted(teachers)).map(teaching["source"].value_counts()).fillna(0)
    assert f"median {sections.median():,g}" in words(kx.plot_teacher_load(roster, of="sections"))


def test_students_by_school_and_grade() -> None:
    roster = drawn_roster("Grand Bend")
    axes = kx.plot_enrollment_matrix(roster)
    members = distinct(roster, "member_of", "student")
    grade = members["source"].map(roster.persons.set_index("id")["ext_grades"])
    school = members["target"].map(roster.orgs.set_index("id")["name"])
    expected = pd.crosstab(school, grade).loc[rows_of(axes), columns_of(axes)]
    assert cells(axes).tolist() == expected.to_numpy().tolist()
    assert sum(int(text) for text in words(axes) if text.isdigit()) == 960


def test_enrollments_by_course_and_term() -> None:
    axes = kx.plot_enrollment_matrix(drawn_roster("OULAD"))
    assert axes.get_title(loc="left") == "Enrollments by course and term, 2013-14"
    assert columns_of(axes) == ["2013B", "2013J", "2014B", "2014J"]
    assert cells(axes).sum() == 32593
    assert cells(axes)[rows_of(axes).index("Module CCC")].tolist() == [0, 0, 1936, 2498]


def test_grades_without_a_name_of_their_own() -> None:
    rows = [("person", id, "member_of", "org", "o", "student") for id in "abcd"]
    roster = kx.Roster(
        orgs=frame("orgs", {"id": ["o"], "name": ["North"]}),
        persons=frame("persons", {"id": list("abcd"), "ext_grades": ["10,11", "KG", "2", None]}),
        links=links(rows),
    )
    assert columns_of(kx.plot_enrollment_matrix(roster)) == ["KG", "02", "10", "none"]


def test_the_grade_of_a_picture_is_that_of_the_checks() -> None:
    rows = [("person", id, "member_of", "org", "o", "student") for id in "abcd"]
    members = links(rows).assign(
        grade=pd.Categorical(["09", "9", None, "10"]), status=pd.Categorical(["Active", None, None, "Historical"])
    )
    roster = kx.Roster(
        orgs=frame("orgs", {"id": ["o"], "name": ["North"]}),
        persons=frame("persons", {"id": list("abcd"), "ext_grade": ["08", None, "9th", "11"]}),
        links=members,
    )
    # The current membership counts before the person's own column, and "9" is "09".
    axes = kx.plot_enrollment_matrix(roster)
    assert (columns_of(axes), cells(axes).tolist()) == (["09", "11", "9th"], [[2, 1, 1]])


def test_terms_are_as_long_as_they_last() -> None:
    roster = drawn_roster("OULAD")
    axes = kx.plot_terms(roster, today=dt.date(2014, 3, 1))
    epoch = pd.Timestamp("1970-01-01")
    expected = {
        name: ((start - epoch).days, (end - epoch).days + 1)
        for name, start, end in zip(
            *(roster.terms[column] for column in ("name", "start_date", "end_date")), strict=True
        )
    }
    drawn = {
        rows_of(axes)[round(bar.get_y() + bar.get_height() / 2)]: (bar.get_x(), bar.get_x() + bar.get_width())
        for bar in axes.patches
        if to_hex(bar.get_facecolor()).upper() == TYPE_COLORS["term"]
    }
    assert drawn == expected
    assert [text for text in words(axes) if "section" in text] == [
        "3 sections",
        "6 sections",
        "6 sections",
        "7 sections",
    ]
    (overlap,) = [bar for bar in axes.patches if to_hex(bar.get_facecolor()).upper() == MISSING]
    assert (overlap.get_x(), overlap.get_x() + overlap.get_width()) == (expected["2014B"][0], expected["2013J"][1])
    (today,) = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert today.get_xdata()[0] == (pd.Timestamp("2014-03-01") - epoch).days
    assert list(legend_colors(axes).values()) == ["term", "overlap", "today"]


def test_terms_of_several_schools_do_not_overlap_and_a_break_is_a_gap() -> None:
    axes = kx.plot_terms(drawn_roster("Grand Bend"), today=dt.date(2010, 9, 1))
    assert not any(to_hex(bar.get_facecolor()).upper() == MISSING for bar in axes.patches)
    (gap,) = [bar for bar in axes.patches if bar.get_hatch()]
    assert gap.get_width() == 17  # 18 December to 3 January
    assert len(set(rows_of(axes))) == 7


def test_terms_with_odd_dates_are_told() -> None:
    rows = {"id": list("abcde"), "name": list("ABCDE"), "start_date": ["2026-08-01", None, None, "2026-12-01", "1900-01-01"],
            "end_date": ["2026-12-20", "2026-09-30", None, "2026-11-01", "1900-06-01"]}  # fmt: skip
    in_term = [("section", f"s{n}", "in_term", "term", "a", None) for n in range(3)]
    axes = kx.plot_terms(kx.Roster(terms=frame("terms", rows), links=links(in_term)), today=dt.date(2026, 9, 1))
    draw(axes.get_figure())
    said = dict(zip([*"EABDC"], [text for text in words(axes) if text], strict=True))
    assert said["A"] == "3 sections"
    assert said["B"] == "no start date"
    assert said["C"] == "no dates"
    assert said["D"] == "ends before it starts"
    assert said["E"] == "← 1900"


@pytest.mark.parametrize(("name", "org"), [("Grand Bend", "255901001"), ("OULAD", "OU")])
def test_shared_students_are_those_in_both_courses(name: str, org: str) -> None:
    roster = drawn_roster(name)
    axes = kx.plot_shared_students(roster, org)
    held = distinct(roster, "held_at").set_index("target")["source"].loc[[org]]
    course = distinct(roster, "of_course").set_index("source")["target"]
    seats = distinct(roster, "student_in")
    seats = seats[seats["target"].isin(held)]
    seats = pd.DataFrame({"student": seats["source"], "course": seats["target"].map(course)}).drop_duplicates()
    attends = pd.crosstab(seats["student"], seats["course"])
    shared = attends.T @ attends
    drawn = cells(axes)
    assert sorted(np.diag(drawn)) == sorted(np.diag(shared.to_numpy()))[-len(drawn) :]
    assert (drawn == drawn.T).all()
    if len(drawn) == len(shared):
        assert drawn.sum() == shared.to_numpy().sum()


def test_the_adjacency_fills_a_cell_for_each_seat() -> None:
    roster = drawn_roster("Grand Bend")
    axes = kx.plot_adjacency(roster, "255901001")
    held = distinct(roster, "held_at").set_index("target")["source"].loc["255901001"]
    seats = distinct(roster, "student_in")
    seats = seats[seats["target"].isin(held)]
    drawn = cells(axes)
    assert drawn.shape == (seats["target"].nunique(), seats["source"].nunique())
    assert drawn.sum() == len(seats)
    assert sorted(drawn.sum(axis=1)) == sorted(seats["target"].value_counts())


def test_a_large_adjacency_is_summed_up() -> None:
    axes = kx.plot_adjacency(drawn_roster("OULAD"), "OU")
    drawn = cells(axes)
    assert drawn.shape[1] <= 1200
    assert drawn.sum() * 24 == pytest.approx(32593)  # a cell stands for 24 students
    assert drawn.max() <= 1


def test_an_unknown_org_is_told() -> None:
    with pytest.raises(KeyError, match="No org has the id 'nowhere'"):
        kx.plot_adjacency(drawn_roster("Grand Bend"), "nowhere")
    with pytest.raises(ValueError, match="Unknown by='year'"):
        kx.plot_section_sizes(kx.Roster(), by="year")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", REAL)
def test_quality_shows_the_reports_counts(name: str) -> None:
    report = kx.check(drawn_roster(name), as_of="2026-10-05")
    checks, orgs = draw(kx.plot_quality(report)).axes[:2]
    failed = report.summary.query("status == 'failed'")
    drawn = [round(bar.get_width()) for bar in checks.containers[0]]
    assert sorted(drawn, reverse=True) == sorted(failed["failed"], reverse=True)[:20]
    assert bar_colors(checks) == set(legend_colors(checks))
    assert set(legend_colors(checks).values()) <= set(SEVERITY_COLORS)
    counts = report.by_org().drop(columns="total")
    counts = counts[counts.index.get_level_values("org_id").notna()]
    found = cells(orgs)
    assert found.max() == counts.iloc[:15].to_numpy().max()
    if len(counts) <= 15 and (counts.sum() > 0).sum() <= 14:
        assert found.sum() == counts.to_numpy().sum()


def test_a_report_on_tasks_has_one_panel(small_sandbox: kx.Sandbox) -> None:
    tasks = kx.load_tasks(small_sandbox.client)
    assert len(draw(kx.plot_quality(kx.check_tasks(tasks))).axes) == 1


def made_tasks(*rows: dict[str, object]) -> pd.DataFrame:
    import json

    return task_table(
        [json.dumps({"schema": "3.0.0", "id": str(n), "tenant_id": "t", **row}).encode() for n, row in enumerate(rows)]
    )


def test_tasks_are_counted_by_type_and_syncs_are_spans() -> None:
    with kx.sandbox(students=60) as box:
        tasks = kx.load_tasks(box.client)
    queue, syncs = draw(kx.plot_tasks(tasks)).axes
    height: dict[str, float] = {}
    for bar in queue.patches:
        color = to_hex(bar.get_facecolor()).upper()
        height[color] = height.get(color, 0) + bar.get_height()
    counts = tasks["type"].value_counts()
    assert height == {TASK_COLORS[kind]: count for kind, count in counts.items()}
    assert set(legend_colors(queue).values()) == {f"{kind.replace('_', ' ')} ({n})" for kind, n in counts.items()}
    events = tasks[tasks["type"] == "sync_event"]
    spans = [bar for bars in syncs.containers for bar in bars]
    assert len(spans) == events["group_id"].nunique()
    ended = events[events["action"].str.endswith("END")]["group_id"].nunique()
    assert sum(to_hex(bar.get_facecolor()).upper() == TASK_COLORS["sync_event"] for bar in spans) == ended


def test_tasks_of_unknown_types_and_without_a_time_are_told() -> None:
    tasks = made_tasks(
        {"type": "surprise", "created_at": "2026-10-05T06:00:00Z"},
        {"type": "data_event", "created_at": "2026-10-05T07:00:00Z"},
        {"type": "data_event"},
    )
    figure = draw(kx.plot_tasks(tasks))
    assert len(figure.axes) == 1
    assert list(legend_colors(figure.axes[0]).values()) == ["data event (1)", "unknown (1)"]
    assert "1 task without a time left out" in words(figure.axes[0])
    assert words(draw(kx.plot_tasks(tasks.iloc[2:])).axes[0])[-1] == "no task says when it was made"
    assert words(draw(kx.plot_tasks(tasks.iloc[:0])).axes[0])[-1] == "no tasks"


def test_a_comparison_shows_its_summary(small_roster: kx.Roster) -> None:
    persons = small_roster.persons.iloc[4:].assign(email="x@example.org")
    new = kx.Roster(**{**small_roster.tables, "persons": persons}, links=small_roster.links.iloc[9:])
    old = kx.Roster(**{**small_roster.tables, "sections": small_roster.sections.iloc[3:]}, links=small_roster.links)
    diff = kx.compare(old, new)
    axes = kx.plot_comparison(diff)
    draw(axes.get_figure())
    summary = diff.summary.set_index(diff.summary["table"].str.replace("_", " "))
    removed, added, changed = (bars(axes, n) for n in range(3))
    assert {name: -n for name, n in removed.items()} == summary["removed"].to_dict()
    assert added == summary["added"].to_dict()
    assert changed == summary["changed"].to_dict()
    assert bar_colors(axes) == set(legend_colors(axes)) == {CHANGE_COLORS[n] for n in ("added", "removed", "changed")}
    assert axes.get_title(loc="left") == f"3 added, 13 removed, {len(persons)} changed"


def test_no_difference_is_said(small_roster: kx.Roster) -> None:
    axes = kx.plot_comparison(kx.compare(small_roster, small_roster))
    assert axes.get_title(loc="left") == "No difference"
    same = [len(df) for df in (*small_roster.tables.values(), small_roster.links)]
    assert [bar.get_width() for bar in axes.containers[0]] == same
    assert "no difference in any table" in words(kx.plot_comparison(kx.compare(kx.Roster(), kx.Roster())))


def test_terms_of_one_name_are_told_apart_by_school_and_dates() -> None:
    names = ["Fall", "Fall", "Fall", "Traditional", "Traditional", "Spring", "Same", "Same"]
    starts = (
        [dt.date(2026, 8, 17)] * 3
        + [dt.date(2026, 8, 17), dt.date(2027, 1, 4), dt.date(2027, 1, 4)]
        + [dt.date(2026, 8, 17)] * 2
    )
    ends = [dt.date(2026, 12, 18)] * 4 + [dt.date(2027, 6, 4)] * 2 + [dt.date(2026, 12, 18)] * 2
    ids = [f"255901001-{n}-FallSemester" for n in range(8)]
    roster = kx.Roster(
        orgs=frame("orgs", {"id": ["n", "s"], "name": ["North High", "South High"], "org_type": ["school"] * 2}),
        terms=frame("terms", {"id": ids, "name": names, "start_date": starts, "end_date": ends}),
        sections=frame("sections", {"id": ["a", "b"], "title": ["A", "B"]}),
        links=links([
            ("section", "a", "held_at", "org", "n", None), ("section", "a", "in_term", "term", ids[0], None),
            ("section", "b", "held_at", "org", "s", None), ("section", "b", "in_term", "term", ids[1], None),
        ]),
    )  # fmt: skip
    shown = [label.get_text() for label in kx.plot_terms(roster).get_yticklabels()]
    assert sorted(shown) == [
        "Fall (Aug 2026 to Dec 2026)", "Fall (North High)", "Fall (South High)", "Same (Aug 2026 to Dec 2026 · 1)",
        "Same (Aug 2026 to Dec 2026 · 2)", "Spring",
        "Traditional (Aug 2026 to Dec 2026)", "Traditional (Jan 2027 to Jun 2027)",
    ]  # fmt: skip


def test_a_large_adjacency_has_no_row_numbers() -> None:
    roster = drawn_roster("sandbox")
    axes = draw(kx.plot_adjacency(roster, roster.orgs.query("org_type == 'school'")["id"].iloc[0]).figure).axes[0]
    assert len(axes.get_yticks()) == len(axes.get_xticks()) == 0
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("74 sections, one a row", "234 students, one a column")


def test_a_history_draws_the_numbers_of_its_table(tmp_path: Path) -> None:
    roster = drawn_roster("sandbox")
    days, report = kx.history(tmp_path / "days"), kx.check(roster, as_of="2026-10-05")
    later = kx.Roster(**{**roster.tables, "persons": roster.persons.iloc[5:]}, links=roster.links.iloc[2:])
    days.add(roster, "2026-10-05", report=report)
    days.add(later, "2026-10-06")
    days.add(roster, "2026-10-09")
    figure, table = kx.plot_history(days), days.table()
    persons, sections, rows, changes, findings = figure.axes
    drawn = [line.get_ydata().tolist() for line in persons.get_lines()]
    n = len(roster.persons)
    assert drawn == [[n, n - 5, n - 5], [n, n]]
    assert [len(line.get_ydata()) for line in rows.get_lines()] == [3, 2]
    assert {value for line in sections.get_lines() for value in line.get_ydata()} == {len(roster.sections)}
    heights = {bars.get_label(): [bar.get_height() for bar in bars] for bars in changes.containers}
    assert heights == {"added": [0, 0, 7], "changed": [0, 0, 0], "removed": [0, 7, 0]}
    found = {bars.get_label(): bars[0].get_height() for bars in findings.containers}
    assert found == {name: table.loc[0, name] for name in ("error", "warning", "information")}
    hatched = [patch for patch in persons.patches if patch.get_hatch()]
    assert [(patch.get_x(), patch.get_width()) for patch in hatched] == [
        (pd.Timestamp("2026-10-07").timestamp() / 86400, 2)
    ]


def test_a_history_without_a_day_says_so(tmp_path: Path) -> None:
    figure = kx.plot_history(kx.history(tmp_path / "days"))
    assert figure.axes[0].get_title(loc="left") == "No day is kept, so far"
