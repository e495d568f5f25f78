"""A made-up school district as a roster: schools, courses, timetables, people, and no mistakes in it.

Everything is counted in numpy first; ids, names and dates become Arrow arrays at the end, so that 100,000 students take
seconds.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kimono_explore.frames import frame, to_pandas
from kimono_explore.roster.roster import Roster
from kimono_explore.sandbox.district.names import (
    LEVELS,
    SCHOOLS,
    STATE,
    STREETS,
    SUBJECTS,
    TOWNS,
    Subject,
    draw_names,
)
from kimono_explore.sandbox.district.timetable import Cohort, Enrollment, Teaching, employ, enroll
from kimono_explore.schema import LINK_COLUMNS, OBJECT_TYPES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Dates = NDArray[np.datetime64]

_STAFF = ("Principal", "Counselor", "Nurse")
_GRADED = 10  # every tenth section has its grading categories
_CATEGORIES = ("Homework", "Tests", "Projects")


def make_district(students: int = 500, seed: int = 7, school_year: int = 2026, *, today: date | None = None) -> Roster:
    """Make up a district that has no mistakes.

    Parameters
    ----------
    students : int, default 500
        How many; from about 100 on, they go to elementary, middle and high schools; fewer share one school.
        With 0, there are only orgs, courses and terms.
    seed : int, default 7
        The same seed gives the same district.
    school_year : int, default 2026
        The calendar year in which the school year begins.
    today : datetime.date, optional
        The day on which the district's own record was updated, if that is after October 5 of the school year. Default: the
        present day, so that whoever loads a made-up district finds it fresh. All else follows from the seed alone.

    Returns
    -------
    Roster

    Raises
    ------
    ValueError
        ``students`` is negative.

    Examples
    --------
    >>> district = make_district(500)
    >>> district.orgs["org_type"].value_counts().to_dict()
    {'school': 3, 'lea': 1}
    >>> int((district.persons["person_type"] == "student").sum())
    500
    """
    if students < 0:
        raise ValueError(f"The number of students must be 0 or more, not {students}.")
    rng = np.random.default_rng([seed, students, school_year])
    stamp = _Stamp(rng, school_year)
    enrollment = enroll(rng, students)
    teaching = employ(rng, enrollment)
    terms, parents = _terms(stamp)
    loaded_at = datetime(school_year, 10, 5, 6, tzinfo=UTC)
    updated = datetime.combine(today or datetime.now(UTC).date(), time(), tzinfo=UTC)
    orgs, courses = _orgs(stamp, enrollment), _courses(stamp, enrollment)
    orgs.loc[0, "updated_at"] = max(updated, loaded_at.replace(hour=0))
    persons = _persons(stamp, enrollment, teaching)
    sections, graded = _sections(stamp, enrollment, teaching, courses), np.arange(0, len(enrollment.sections), _GRADED)
    categories = stamp.table("grading_categories", {"name": pa.array(list(_CATEGORIES) * len(graded))})
    tables: dict[str, pd.DataFrame] = {
        "orgs": orgs,
        "persons": persons,
        "courses": courses.drop(columns=["subject", "cohort"]),
        "sections": sections,
        "terms": terms,
        "grading_categories": categories,
    }
    link = _Linker(stamp, tables)
    _link_structure(link, enrollment, courses, parents, graded)
    _link_people(link, enrollment, teaching)
    source = f"a made-up district ({students:,} students, seed {seed})"
    return Roster(
        **cast("dict[str, Any]", tables),
        links=link.table(),
        source=source,
        loaded_at=loaded_at,
    )


class _Stamp:
    """Makes tables whose objects have an id, times before the school year, and the school year."""

    def __init__(self, rng: np.random.Generator, school_year: int) -> None:
        self.rng, self.school_year = rng, school_year

    def table(self, name: str, columns: Mapping[str, Collection[object]]) -> pd.DataFrame:
        """A table of as many rows as the columns have."""
        count = max(len(values) for values in columns.values())
        minutes = np.sort(self.rng.integers(0, 30 * 24 * 60, (2, count)), axis=0)
        created, updated = np.datetime64(f"{self.school_year}-07-05T08:00", "us") + minutes.astype("m8[m]")
        base = {
            "id": self.ids(count),
            "school_year": _same(str(self.school_year + 1), count),
            "created_at": pa.array(created, pa.timestamp("us", "UTC")),
            "updated_at": pa.array(updated, pa.timestamp("us", "UTC")),
        }
        title = columns.get("title", columns.get("name"))
        return frame(name, {**base, **({} if title is None else {"label": title}), **columns})

    def ids(self, count: int) -> pa.Array:
        """Random version 4 UUIDs, spelled out without a Python object each."""
        raw = self.rng.integers(0, 256, (count, 16), dtype=np.uint8)
        raw[:, 6] = raw[:, 6] & 0x0F | 0x40
        raw[:, 8] = raw[:, 8] & 0x3F | 0x80
        nibbles = np.column_stack([raw >> 4, raw & 15]).reshape(count, 2, 16).transpose(0, 2, 1).reshape(count, 32)
        text = np.full((count, 36), ord("-"), dtype=np.uint8)
        text[:, [i for i in range(36) if i not in (8, 13, 18, 23)]] = np.frombuffer(b"0123456789abcdef", np.uint8)[
            nibbles
        ]
        offsets = np.arange(0, 36 * count + 1, 36, dtype=np.int32)
        return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(text.tobytes()))

    def numbers(self, count: int, first: int, width: int) -> pa.Array:
        """Different numbers in no order, as text with leading zeros."""
        return _digits(self.rng.permutation(first + np.cumsum(self.rng.integers(1, 8, count))), width)


def _same(value: object, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value), count)


def _digits(numbers: object, width: int = 1) -> pa.Array:
    return pc.utf8_lpad(pa.array(numbers, pa.int64()).cast(pa.string()), width, "0")


def _text(*parts: object) -> pa.Array:
    """Texts and Arrow columns, one after the other."""
    return pc.binary_join_element_wise(*parts, "")


def _pick(texts: list[str] | tuple[str, ...], at: object) -> pa.Array:
    return pa.array(texts, pa.string()).take(pa.array(at, pa.int64()))


def _terms(stamp: _Stamp) -> tuple[pd.DataFrame, list[int]]:
    """The terms, and for each the row of its parent; -1 for the year."""
    year = stamp.school_year
    friday = {
        month: np.busday_offset(f"{year + (month < 8)}-{month:02d}", which, roll="forward", weekmask="Fri")
        for month, which in ((11, 0), (1, 2), (3, 3), (6, 0))
    }
    monday = np.busday_offset(f"{year}-08", 2, roll="forward", weekmask="Mon")
    ends = [friday[month] for month in (11, 1, 3, 6)]
    starts = [monday, *(end + 3 for end in ends[:3])]
    table = stamp.table(
        "terms",
        {
            "term_type": ["school_year", "semester", "semester", *["quarter"] * 4],
            "name": [f"{year}-{year + 1}", "Semester 1", "Semester 2", *(f"Quarter {i}" for i in (1, 2, 3, 4))],
            "description": [f"School year {year}-{year + 1}", "Fall", "Spring", "Fall", "Fall", "Spring", "Spring"],
            "start_date": np.array([starts[0], starts[0], starts[2], *starts]),
            "end_date": np.array([ends[3], ends[1], ends[3], *ends]),
            "status": _same("Active", 7),
        },
    )
    return table, [-1, 0, 0, 1, 1, 2, 2]


def _orgs(stamp: _Stamp, enrollment: Enrollment) -> pd.DataFrame:
    levels = enrollment.school_level
    order = stamp.rng.permutation(len(SCHOOLS))
    names = [
        f"{SCHOOLS[order[i % len(order)]]}{f' {i // len(order) + 1}' if i >= len(order) else ''} {title}"
        for i, title in enumerate(LEVELS[level].title if level >= 0 else "School" for level in levels)
    ]
    kinds = ["lea", *["school"] * len(levels)]
    local = ["0659", *(f"{i + 1:04d}" for i in range(len(levels)) if i != 658), "0000"][: len(kinds)]
    return stamp.table("orgs", {"org_type": kinds, "local_id": local, "name": ["Cannon River Public Schools", *names]})


def _courses(stamp: _Stamp, enrollment: Enrollment) -> pd.DataFrame:
    """The courses that have sections, in the order of the catalogue; all of them where there are no students."""
    if len(enrollment.sections):
        offered = {(s, c) for s, c in enrollment.sections[["subject", "cohort"]].itertuples(index=False)}
    else:
        offered = {
            (i, c) for i, s in enumerate(SUBJECTS) for c, k in enumerate(enrollment.cohorts) if k.level == s.level
        }
    rows = [(SUBJECTS[s], enrollment.cohorts[c], s, c) for s, c in sorted(offered, key=lambda pair: pair[::-1])]
    columns: dict[str, Collection[object]] = {
        "local_id": [f"{s.code}{c.first:02d}" for s, c, _, _ in rows],
        "title": [_title(s, c) for s, c, _, _ in rows],
        "description": [f"{s.department}, grade {c.label}" for s, c, _, _ in rows],
    }
    keys = {"subject": [s for _, _, s, _ in rows], "cohort": [c for _, _, _, c in rows]}
    return stamp.table("courses", columns).assign(**keys)


def _persons(stamp: _Stamp, enrollment: Enrollment, teaching: Teaching) -> pd.DataFrame:
    """Students, then teachers, then staff: a principal, a counselor and a nurse for each school."""
    rng, year = stamp.rng, stamp.school_year
    students, teachers = len(enrollment.grade), len(teaching.school)
    staff = len(_STAFF) * len(enrollment.school_level) if students else 0
    count, adults = students + teachers + staff, teachers + staff
    names = draw_names(rng, count)
    dob = _birthdays(rng, names.key, enrollment.grade, adults, year)
    grad_year = year + 13 - enrollment.grade
    kinds = [("student", students), ("teacher", teachers), ("staff", staff)]
    town = rng.integers(0, len(TOWNS), count)
    flats = rng.random(count) < 0.15
    grades = _pick(["KG", *(f"{grade:02d}" for grade in range(1, 13))], enrollment.grade)
    jobs = [*(f"{department} Teacher" for department in teaching.department), *list(_STAFF) * (staff // len(_STAFF))]
    prefix = pa.concat_arrays([pc.utf8_slice_codeunits(_digits(grad_year), 2), _same("", adults)])
    columns: dict[str, Collection[object]] = {
        "label": _text(names.first, " ", names.last),
        "person_type": pa.concat_arrays([_same(kind, size) for kind, size in kinds]),
        "local_id": pa.concat_arrays([stamp.numbers(students, 10_400, 8), stamp.numbers(adults, 2_100, 6)]),
        "state_id": pa.concat_arrays([stamp.numbers(students, 620_000_000, 13), stamp.numbers(adults, 310_000, 7)]),
        "name_last": names.last,
        "name_first": names.first,
        "name_middle": names.middle,
        "address_line1": _text(
            _digits(rng.integers(100, 9900, count)), " ", _pick(STREETS, rng.integers(0, len(STREETS), count))
        ),
        "address_line2": _text("Apt ", pa.array(rng.integers(1, 60, count), mask=~flats).cast(pa.string())),
        "address_city": _pick([city for city, _, _ in TOWNS], town),
        "address_state": _same(STATE, count),
        "address_postal_code": _pick([code for _, code, _ in TOWNS], town),
        "address_country": _same("US", count),
        # 555-0100 to 555-0199 are kept for made-up people.
        "phone": _text(
            "(", _pick([area for _, _, area in TOWNS], town), ") 555-01", _digits(rng.integers(0, 100, count), 2)
        ),
        "email": _emails(_text(prefix, names.spelling)),
        "sex": _pick(("F", "M", "X"), np.where(rng.random(count) < 0.01, 2, np.where(names.woman, 0, 1))),
        "dob": dob,
        "aup": rng.random(count) < 0.96,
        "grad_year": pa.concat_arrays([_digits(grad_year), pa.nulls(adults, pa.string())]),
        "ext_grade": pa.concat_arrays([grades, pa.nulls(adults, pa.string())]),
        "ext_position": pa.concat_arrays([pa.nulls(students, pa.string()), pa.array(jobs, pa.string())]),
    }
    return stamp.table("persons", columns)


def _birthdays(rng: np.random.Generator, names: Numbers, grade: Numbers, adults: int, year: int) -> Dates:
    """Dates of birth that fit the grade, or a working life, and that differ for people with the same name."""
    late = rng.random(len(grade)) < 0.03  # a year older than the others
    youngest = np.concatenate([year - 5 - grade - late, year - rng.integers(23, 66, adults)])
    september = np.array([f"{y}-09-01" for y in range(1900, year + 1)], dtype="M8[D]")
    turned = september[youngest - 1900]
    dob = turned - rng.integers(0, 360, len(turned))
    while True:
        key = names * 100_000 + (dob - np.datetime64("1900-01-01")).astype(np.int64)
        _, first = np.unique(key, return_index=True)
        again = np.setdiff1d(np.arange(len(key)), first, assume_unique=True)
        if not len(again):
            return dob
        dob[again] = turned[again] - rng.integers(0, 360, len(again))


def _emails(names: pa.Array) -> pa.Array:
    """An address for each person, with a number if several share the name."""
    series = names.to_pandas()
    times = series.groupby(series).cumcount().to_numpy() + 1
    number = pa.array(times, mask=times == 1).cast(pa.string()).fill_null("")
    return _text(names, number, "@example.org")


def _sections(stamp: _Stamp, enrollment: Enrollment, teaching: Teaching, courses: pd.DataFrame) -> pd.DataFrame:
    rows = enrollment.sections
    course = _course_rows(enrollment, courses)
    serial = rows.assign(course=course).groupby(["school", "course"]).cumcount() + 1
    same = rows.assign(course=course).groupby(["school", "course", "period"])["term"]
    letter = np.where(same.transform("size") > 1, same.cumcount() + 1, 0)
    suffixes = ["", *(f" {chr(ord('A') + i)}" if i < 26 else f" {i + 1}" for i in range(int(letter.max(initial=0))))]
    title, code = (pa.array(courses[name], pa.string()).take(pa.array(course)) for name in ("title", "local_id"))
    main = teaching.assigned[teaching.assigned["primary"]].set_index("section")["teacher"].reindex(rows.index)
    room = pd.Series(teaching.school).groupby(teaching.school).cumcount().to_numpy()[main.to_numpy(dtype=np.int64)]
    columns: dict[str, Collection[object]] = {
        "local_id": _text(code, "-", _digits(rows["school"] + 1, 3), "-", _digits(serial, 2)),
        "title": _text(title, " - Period ", _digits(rows["period"]), _pick(suffixes, letter)),
        "ext_period": _digits(rows["period"]),
        "ext_room": _digits(room + 101),
    }
    return stamp.table("sections", columns)


def _course_rows(enrollment: Enrollment, courses: pd.DataFrame) -> Numbers:
    """The row of each section's course."""
    keys = pd.MultiIndex.from_frame(courses[["subject", "cohort"]])
    wanted = pd.MultiIndex.from_frame(enrollment.sections[["subject", "cohort"]])
    return np.asarray(keys.get_indexer(wanted), dtype=np.int64)


def _title(subject: Subject, cohort: Cohort) -> str:
    """A course's title: the one for its grade, or the department's for a band of grades."""
    if len(subject.titles) == 1:
        return subject.titles[0].format(cohort.label)
    if cohort.first == cohort.last:
        return subject.titles[cohort.first - LEVELS[subject.level].first]
    name = subject.titles[0].removesuffix(" I") if subject.department == "World Languages" else subject.department
    return f"{name} {cohort.label}"


class _Linker:
    """Gathers the links between rows of the tables."""

    def __init__(self, stamp: _Stamp, tables: dict[str, pd.DataFrame]) -> None:
        self._stamp = stamp
        self._ids = {OBJECT_TYPES[name]: pa.array(df["id"], pa.string()) for name, df in tables.items()}
        self._parts: list[pa.Table] = []
        self.tables = tables

    def add(
        self, relation: str, source: str, rows: Numbers, target: str, to: Numbers, by: str, **columns: object
    ) -> None:
        """Link each of the rows of one type with a row of another."""
        ends = {
            "source_type": _same(source, len(rows)),
            "source_id": self._ids[source].take(pa.array(rows, pa.int64())),
            "relation": _same(relation, len(rows)),
            "target_type": _same(target, len(rows)),
            "target_id": self._ids[target].take(pa.array(to, pa.int64())),
            "stated_by": _same(by, len(rows)),
        }
        self._parts.append(pa.table({**ends, **columns}))

    def add_members(
        self, relation: str, role: str, persons: Numbers, target: str, to: Numbers, primary: object, **columns: object
    ) -> None:
        """Link persons with a school or section, each by a membership of its own that both sides state."""
        count = len(persons)
        membership = {
            "role": _same(role, count),
            "membership_id": self._stamp.ids(count),
            "status": _same("Active", count),
            "primary": pa.array(np.broadcast_to(np.asarray(primary, dtype=bool), count)),
        }
        self.add(relation, "person", persons, target, to, "both", **membership, **columns)

    def table(self) -> pd.DataFrame:
        """All of them as the links table."""
        table = pa.concat_tables(self._parts, promote_options="default")
        return to_pandas("links", table.select([column.name for column in LINK_COLUMNS]))


def _link_structure(
    link: _Linker, enrollment: Enrollment, courses: pd.DataFrame, parents: list[int], graded: Numbers
) -> None:
    """Orgs, terms, courses, sections and grading categories among each other."""
    rows = enrollment.sections
    schools = np.arange(1, len(enrollment.school_level) + 1)
    link.add("child_of", "org", schools, "org", np.zeros(len(schools), dtype=np.int64), "both")
    link.add("child_of", "term", np.arange(1, len(parents)), "term", np.array(parents[1:]), "both")
    level = np.array([cohort.level for cohort in enrollment.cohorts])[courses["cohort"]]
    teaches = (enrollment.school_level[None, :] == level[:, None]) | (enrollment.school_level[None, :] == -1)
    course, school = np.nonzero(teaches)
    link.add("offered_by", "course", course, "org", school + 1, "source")
    section = np.arange(len(rows))
    link.add("of_course", "section", section, "course", _course_rows(enrollment, courses), "both")
    held_at, in_term = rows["school"].to_numpy() + 1, rows["term"].to_numpy()
    link.add("held_at", "section", section, "org", held_at, "source")
    link.add("in_term", "section", section, "term", in_term, "source")
    category, of = np.arange(len(graded) * len(_CATEGORIES)), np.repeat(graded, len(_CATEGORIES))
    link.add("graded_in", "grading_category", category, "section", of, "source")
    link.add("graded_for", "grading_category", category, "term", in_term[of], "source")
    link.add("graded_for", "grading_category", category, "org", held_at[of], "source")


def _link_people(link: _Linker, enrollment: Enrollment, teaching: Teaching) -> None:
    """Persons with their schools and sections."""
    terms, persons = link.tables["terms"], link.tables["persons"]
    students = len(enrollment.grade)
    grade = pa.array(persons["ext_grade"].iloc[:students], pa.string())
    link.add_members(
        "member_of", "student", np.arange(students), "org", enrollment.school + 1, primary=True, grade=grade
    )
    employer = [teaching.school]
    if students:
        employer.append(np.repeat(np.arange(len(enrollment.school_level)), len(_STAFF)))
    works_at = np.concatenate(employer)
    link.add_members("member_of", "teacher", students + np.arange(len(works_at)), "org", works_at + 1, primary=True)
    second = teaching.second
    visitors, visited = students + second["teacher"].to_numpy(), second["school"].to_numpy() + 1
    link.add_members("member_of", "teacher", visitors, "org", visited, primary=False)
    term = enrollment.sections["term"].to_numpy()

    def dates(section: Numbers) -> dict[str, object]:
        days = {name: terms[name].to_numpy("M8[D]")[term[section]] for name in ("start_date", "end_date")}
        return {name: pa.array(values) for name, values in days.items()}

    seat, assigned = enrollment.seat_section, teaching.assigned
    link.add_members("student_in", "student", enrollment.seat_student, "section", seat, primary=True, **dates(seat))
    taught = assigned["section"].to_numpy()
    who = students + assigned["teacher"].to_numpy()
    link.add_members("teacher_in", "teacher", who, "section", taught, primary=assigned["primary"], **dates(taught))
