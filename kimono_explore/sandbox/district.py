"""A made-up school district, realistic in shape, the same for the same seed.

Schools come by level. In elementary schools a homeroom takes its subjects together; from grade 6 on a grade's
students follow its courses in cohorts that rotate through five periods, and choose electives for the others.
Everything is drawn with numpy, so that a state's worth of students takes minutes, not hours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kimono_explore.folding import fold
from kimono_explore.roster import Roster
from kimono_explore.sandbox.names import FAMILY, GIVEN, PLACES, STREETS, TOWNS
from kimono_explore.tables import REFERENCES, frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Texts = NDArray[np.object_]


class Level(NamedTuple):
    """A kind of school: its grades (0 is kindergarten) and how many students one has."""

    name: str
    grades: range
    size: int


LEVELS = (
    Level("Elementary", range(6), 450),
    Level("Middle", range(6, 9), 700),
    Level("High", range(9, 13), 1400),
)
_ALONE = Level("Community", range(13), 200)

# Subjects that a homeroom takes; those from Art on are taught by specialists.
_HOMEROOM = ("Language Arts", "Mathematics", "Science", "Social Studies", "Art", "Music", "Physical Education")
_CORE = {
    6: ("English 6", "Mathematics 6", "Science 6", "World Cultures 6", "Physical Education 6"),
    7: ("English 7", "Mathematics 7", "Life Science 7", "State History 7", "Physical Education 7"),
    8: ("English 8", "Pre-Algebra 8", "Earth Science 8", "US History 8", "Health 8"),
    9: ("English 9", "Algebra I", "Biology", "World Geography", "Physical Education 9"),
    10: ("English 10", "Geometry", "Chemistry", "World History", "Health 10"),
    11: ("English 11", "Algebra II", "Physics", "US History", "Career Studies 11"),
    12: ("English 12", "Precalculus", "Environmental Science", "Government", "Senior Seminar"),
}
_ELECTIVES = {
    "Middle": ((("Band 6-8", "Choir 6-8", "Art 6-8"), "year"), (("Spanish 6-8", "Coding 6-8", "Theatre 6-8"), "year")),
    "High": (
        (("Spanish I", "French I", "Navajo Language I", "Symphonic Band", "Studio Art"), "year"),
        (("Economics", "Psychology", "Creative Writing"), "fall"),
        (("Statistics", "Journalism", "Computer Science"), "spring"),
    ),
}
_SECTION_SIZE = 25
_GRADES = ("KG", *(f"{n:02}" for n in range(1, 13)))


@dataclass
class _Plan:
    """The district in numbers, before it becomes tables."""

    sections: list[tuple[int, int, int, int]] = field(default_factory=list)  # course, school, term, period
    courses: dict[str, int] = field(default_factory=dict)
    students: list[Ints] = field(default_factory=list)  # who is in which section, by number
    student_sections: list[Ints] = field(default_factory=list)
    subjects: list[tuple[int, str]] = field(default_factory=list)  # by section: the school and what its teacher teaches

    def add_section(self, title: str, school: int, term: int, period: int, taught_by: str) -> int:
        course = self.courses.setdefault(title, len(self.courses))
        self.sections.append((course, school, term, period))
        self.subjects.append((school, taught_by))
        return len(self.sections) - 1

    def enroll(self, students: Ints, sections: Ints) -> None:
        self.students.append(students)
        self.student_sections.append(sections)


def make_district(students: int = 500, seed: int = 7, school_year: int = 2026) -> Roster:
    """Make up a school district.

    Parameters
    ----------
    students : int, default 500
    seed : int, default 7
        The same seed gives the same district.
    school_year : int, default 2026
        The year in which the school year begins.

    Returns
    -------
    Roster
        One LEA, its schools, terms, courses, sections and people, without a flaw.

    Examples
    --------
    >>> district = make_district(students=100)
    >>> int((district.persons["person_type"] == "student").sum())
    100
    """
    if students < 0:
        raise ValueError("students is a whole number from 0.")
    rng = np.random.default_rng([seed, students, school_year])
    grade = np.sort(np.arange(students) % 13)
    school_level, school_of = _schools(grade)
    plan = _Plan()
    for school, level in enumerate(school_level):
        for g in level.grades:
            members = rng.permutation(np.flatnonzero((school_of == school) & (grade == g)))
            _plan_grade(plan, rng, school, g, members)
        if len(school_level) > 1:
            _plan_electives(plan, rng, school, level, np.flatnonzero(school_of == school))
    teachers = _teachers(plan)
    return _tables(plan, rng, grade, school_level, school_of, teachers, school_year)


def _schools(grade: Ints) -> tuple[list[Level], Ints]:
    """The level of each school, and the school of each student."""
    if len(grade) < 60:
        return [_ALONE], np.zeros(len(grade), dtype=np.int64)
    levels: list[Level] = []
    school_of = np.zeros(len(grade), dtype=np.int64)
    for level in LEVELS:
        members = np.flatnonzero((grade >= level.grades[0]) & (grade <= level.grades[-1]))
        count = max(1, round(len(members) / level.size))
        school_of[members] = len(levels) + np.arange(len(members)) % count
        levels += [level] * count
    return levels, school_of


def _plan_grade(plan: _Plan, rng: np.random.Generator, school: int, grade: int, members: Ints) -> None:
    """A grade's homerooms, or its cohorts and their core courses."""
    if not len(members):
        return
    groups = max(1, round(len(members) / _SECTION_SIZE))
    group = np.sort(rng.integers(0, 10 * groups, len(members))) * groups // (10 * groups)
    group = np.arange(len(members)) * groups // len(members) if len(np.unique(group)) < groups else group
    for n in range(groups):
        here = members[group == n]
        home = f"homeroom {_GRADES[grade]}-{n}"
        for slot, subject in enumerate(_HOMEROOM if grade < 6 else _CORE[grade]):
            if grade < 6:
                title, period = f"{subject} {'K' if grade == 0 else grade}", slot + 1
                taught_by = home if slot < 4 else subject
            else:
                title, period = subject, (slot + n) % 5 + 1
                taught_by = f"{('English', 'Mathematics', 'Science', 'Social Studies', 'Wellness')[slot]}"
            section = plan.add_section(title, school, _TERM["year"], period, taught_by)
            plan.enroll(here, np.full(len(here), section))


def _plan_electives(plan: _Plan, rng: np.random.Generator, school: int, level: Level, members: Ints) -> None:
    for slot, (titles, term) in enumerate(_ELECTIVES.get(level.name, ())):
        count = min(len(titles), max(1, len(members) // 15))
        choice = np.arange(len(members)) % count
        rng.shuffle(choice)
        for n, title in enumerate(titles[:count]):
            chosen = members[choice == n]
            groups = max(1, round(len(chosen) / (_SECTION_SIZE + 10 * ("Band" in title))))
            for g in range(groups):
                here = chosen[np.arange(len(chosen)) % groups == g]
                section = plan.add_section(title, school, _TERM[term], min(6 + slot, 7), title)
                plan.enroll(here, np.full(len(here), section))


def _teachers(plan: _Plan) -> tuple[list[tuple[int, str]], Ints]:
    """The school and subject of each teacher, and the teacher of each section."""
    load: dict[tuple[int, str], tuple[int, int]] = {}  # school and subject -> the teacher at work, sections so far
    people: list[tuple[int, str]] = []
    assigned = np.empty(len(plan.sections), dtype=np.int64)
    for section, key in enumerate(plan.subjects):
        teacher, count = load.get(key, (-1, 0))
        most = 12 if key[1] in _HOMEROOM else 5
        if teacher < 0 or count >= most:
            people.append(key)
            teacher, count = len(people) - 1, 0
        assigned[section] = teacher
        load[key] = (teacher, count + 1)
    return people, assigned


_TERM = {"year": 0, "fall": 1, "spring": 2}
_SUPPORT = ("Principal", "Counselor", "Nurse")


def _tables(
    plan: _Plan,
    rng: np.random.Generator,
    grade: Ints,
    levels: Sequence[Level],
    school_of: Ints,
    teachers: tuple[list[tuple[int, str]], Ints],
    school_year: int,
) -> Roster:
    year = _Year(school_year)
    orgs = _orgs(rng, levels, year)
    terms = _terms(rng, year)
    staff_school = np.array([school for school, _ in teachers[0]] + [s for s in range(len(levels)) for _ in _SUPPORT])
    persons = _persons(rng, grade, len(teachers[0]), len(staff_school) - len(teachers[0]), year)
    courses, sections = _courses(rng, plan, year), _sections(rng, plan, year)
    org, term, course, section, person = (
        table["id"].to_numpy(dtype=object) for table in (orgs, terms, courses, sections, persons)
    )
    numbers = np.array(plan.sections, dtype=np.int64).reshape(-1, 4)
    staff = len(grade) + np.arange(len(staff_school))
    offered = np.unique(numbers[:, :2], axis=0)
    links = _Links(rng)
    links.add("org", org[1:], "child_of", "org", np.repeat(org[:1], len(org) - 1), "both")
    links.add("term", term[1:], "child_of", "term", term[_PARENTS], "both")
    links.add("course", course[offered[:, 0]], "offered_by", "org", org[1:][offered[:, 1]], "source")
    links.add("section", section, "of_course", "course", course[numbers[:, 0]], "both")
    links.add("section", section, "held_at", "org", org[1:][numbers[:, 1]], "source")
    links.add("section", section, "in_term", "term", term[numbers[:, 2]], "source")
    links.add("person", person[: len(grade)], "member_of", "org", org[1:][school_of], "both", role="student")
    links.add("person", person[staff], "member_of", "org", org[1:][staff_school], "both", role="teacher")
    if len(levels) > 1:
        few = np.arange(0, len(teachers[0]), 25)
        second = (staff_school[few] + 1) % len(levels)
        links.add("person", person[staff[few]], "member_of", "org", org[1:][second], "both", role="teacher")
    who = np.concatenate([np.array([], dtype=np.int64), *plan.students])
    where = np.concatenate([np.array([], dtype=np.int64), *plan.student_sections])
    spans = np.array([(terms["start_date"][n].date(), terms["end_date"][n].date()) for n in range(3)], dtype=object)
    links.add(
        "person", person[who], "student_in", "section", section[where], "both", "student", spans[numbers[where, 2]]
    )
    teaching, taught = _with_coteachers(rng, teachers)
    lead = np.arange(len(taught)) < len(plan.sections)
    spans_taught = spans[numbers[taught, 2]]
    links.add(
        "person",
        person[staff[teaching]],
        "teacher_in",
        "section",
        section[taught],
        "both",
        "teacher",
        spans_taught,
        lead,
    )
    categories = _categories(rng, len(section), year)
    category = categories["id"].to_numpy(dtype=object)
    graded = np.arange(0, len(section), 5)
    links.add("grading_category", category[: len(graded)], "graded_in", "section", section[graded], "source")
    links.add("grading_category", category[: len(graded)], "graded_for", "term", term[numbers[graded, 2]], "source")
    links.add(
        "grading_category",
        category[len(graded) :],
        "graded_for",
        "org",
        org[1:][: len(category) - len(graded)],
        "source",
    )
    return Roster(
        orgs=orgs,
        persons=persons,
        courses=courses,
        sections=sections,
        terms=terms,
        grading_categories=categories,
        links=frame("links", links.columns()),
        source=f"a made-up district of {len(grade):,} students",
        loaded_at=year.created,
        rollups=frozenset(f"{r.table}.{r.key}" for r in REFERENCES),
    )


class _Year:
    def __init__(self, begins: int) -> None:
        self.begins = begins
        self.name = f"{begins}-{(begins + 1) % 100:02}"
        self.created = datetime(begins, 7, 20, 5, 0, tzinfo=UTC)

    def stamp(self, rng: np.random.Generator, ids: Texts) -> dict[str, object]:
        """The columns that every table has."""
        created = np.datetime64(f"{self.begins}-07-20T05:00:00", "us") + rng.integers(0, 7200, len(ids)) * 1_000_000
        updated = created + rng.integers(0, 40 * 86400, len(ids)) * np.timedelta64(1_000_000, "us")
        as_times = [stamps.astype("datetime64[us]").tolist() for stamps in (created, updated)]
        return {
            "id": ids,
            "school_year": [str(self.begins + 1)] * len(ids),
            "created_at": [stamp.replace(tzinfo=UTC) for stamp in as_times[0]],
            "updated_at": [stamp.replace(tzinfo=UTC) for stamp in as_times[1]],
        }


def uuids(rng: np.random.Generator, count: int) -> Texts:
    """Random UUIDs (version 4) as text."""
    raw = rng.integers(0, 256, (count, 16), dtype=np.uint8)
    raw[:, 6] = raw[:, 6] & 0x0F | 0x40
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    text = raw.tobytes().hex()
    found = np.empty(count, dtype=object)
    found[:] = [
        f"{text[i : i + 8]}-{text[i + 8 : i + 12]}-{text[i + 12 : i + 16]}-{text[i + 16 : i + 20]}-{text[i + 20 : i + 32]}"
        for i in range(0, 32 * count, 32)
    ]
    return found


def _orgs(rng: np.random.Generator, levels: Sequence[Level], year: _Year) -> pd.DataFrame:
    names = ["Piñon Valley Unified School District"]
    kinds: dict[str, int] = {}
    for level in levels:
        n = kinds[level.name] = kinds.get(level.name, -1) + 1
        place = PLACES[(n + 7 * len(level.name)) % len(PLACES)].replace("-", " ")
        again = n // len(PLACES)
        names.append(f"{place} {level.name} School{f' No. {again + 1}' if again else ''}")
    stamp = year.stamp(rng, uuids(rng, len(names)))
    return frame(
        "orgs",
        {
            **stamp,
            "label": names,
            "name": names,
            "org_type": ["lea", *["school"] * len(levels)],
            "local_id": ["001", *(f"{100 + n:03}" for n in range(len(levels)))],
            "ext_level": [None, *(level.name for level in levels)],
        },
    )


_PARENTS = np.array([0, 0, 1, 1, 2, 2])


def _terms(rng: np.random.Generator, year: _Year) -> pd.DataFrame:
    y = year.begins
    rows = [
        (f"School Year {year.name}", "school_year", date(y, 8, 17), date(y + 1, 5, 28)),
        (f"Fall Semester {y}", "semester", date(y, 8, 17), date(y, 12, 18)),
        (f"Spring Semester {y + 1}", "semester", date(y + 1, 1, 5), date(y + 1, 5, 28)),
        (f"Quarter 1 {year.name}", "quarter", date(y, 8, 17), date(y, 10, 16)),
        (f"Quarter 2 {year.name}", "quarter", date(y, 10, 19), date(y, 12, 18)),
        (f"Quarter 3 {year.name}", "quarter", date(y + 1, 1, 5), date(y + 1, 3, 12)),
        (f"Quarter 4 {year.name}", "quarter", date(y + 1, 3, 15), date(y + 1, 5, 28)),
    ]
    names, kinds, starts, ends = (list(column) for column in zip(*rows, strict=True))
    stamp = year.stamp(rng, uuids(rng, len(rows)))
    return frame(
        "terms",
        {
            **stamp,
            "label": names,
            "name": names,
            "term_type": kinds,
            "start_date": starts,
            "end_date": ends,
            "status": ["Active"] * 7,
        },
    )


def _persons(rng: np.random.Generator, grade: Ints, teachers: int, support: int, year: _Year) -> pd.DataFrame:
    students, count = len(grade), len(grade) + teachers + support
    given, family = rng.integers(0, len(GIVEN), count), rng.integers(0, len(FAMILY), count)
    middle = np.where(rng.random(count) < 0.4, rng.integers(0, len(GIVEN), count), -1)
    # A child of grade g turns 6 + g in the school year; staff are 24 to 64.
    age = np.concatenate([grade + 5, rng.integers(24, 64, count - students)])
    born = np.datetime64(f"{year.begins}-09-01") - (age * 365.25).astype(int) - rng.integers(0, 364, count)
    born = _apart(given, family, born)
    first, last = np.array(GIVEN, dtype=object)[given], np.array(FAMILY, dtype=object)[family]
    number = np.arange(count)
    local = [f"{n:08}" for n in 10_400 + 3 * number[:students]] + [
        f"{n:06}" for n in 700 + 7 * number[: count - students]
    ]
    town = rng.integers(0, len(TOWNS), count)
    street = rng.integers(0, len(STREETS), count)
    house = rng.integers(100, 9900, count)
    kind = np.array(["student"] * students + ["teacher"] * teachers + ["staff"] * support, dtype=object)
    return frame(
        "persons",
        {
            **year.stamp(rng, uuids(rng, count)),
            "label": first + " " + last,
            "person_type": kind,
            "local_id": local,
            "state_id": [f"{n:09}" for n in 300_000_017 + 11 * number[: students + teachers]] + [None] * support,
            "name_first": first,
            "name_last": last,
            "name_middle": [GIVEN[n] if n >= 0 else None for n in middle],
            "address_line1": [f"{n} {STREETS[s]} Street" for n, s in zip(house, street, strict=True)],
            "address_city": [TOWNS[t][0] for t in town],
            "address_state": ["NM"] * count,
            "address_postal_code": [TOWNS[t][1] for t in town],
            "address_country": ["US"] * count,
            "phone": [f"(505) 555-01{n:02}" for n in rng.integers(0, 100, count)],
            "email": _emails(given, family, number),
            "sex": rng.choice(np.array(["F", "M"], dtype=object), count),
            "dob": born.tolist(),
            "aup": [bool(x) for x in rng.random(count) < 0.95],
            "grad_year": [str(year.begins + 13 - g) for g in grade] + [None] * (count - students),
            "ext_grade": [_GRADES[g] for g in grade] + [None] * (count - students),
            "ext_title": [None] * (students + teachers) + [_SUPPORT[n % len(_SUPPORT)] for n in range(support)],
        },
    )


def _apart(given: Ints, family: Ints, born: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """No two people share name and birthday: those who would are born a day later."""
    born = born.astype("datetime64[D]")
    while True:
        key = (given * len(FAMILY) + family) * 200_000 + born.astype(np.int64)
        _, first = np.unique(key, return_index=True)
        again = np.setdiff1d(np.arange(len(key)), first, assume_unique=True)
        if not len(again):
            return born
        born[again] += 1


def _emails(given: Ints, family: Ints, number: Ints) -> list[str]:
    def plain(names: Iterable[str], default: str) -> list[str]:
        return ["".join(c for c in fold(name) if "a" <= c <= "z") or default for name in names]

    first, last = plain(GIVEN, "g"), plain(FAMILY, "f")
    return [f"{first[g]}.{last[f]}.{n}@example.org" for g, f, n in zip(given, family, number, strict=True)]


def _courses(rng: np.random.Generator, plan: _Plan, year: _Year) -> pd.DataFrame:
    titles = list(plan.courses)
    stamp = year.stamp(rng, uuids(rng, len(titles)))
    codes = [f"{fold(title)[:3].upper()}{100 + n}" for n, title in enumerate(titles)]
    return frame("courses", {**stamp, "label": titles, "title": titles, "local_id": codes})


def _sections(rng: np.random.Generator, plan: _Plan, year: _Year) -> pd.DataFrame:
    titles = list(plan.courses)
    names, local, periods, rooms = [], [], [], []
    counts: dict[tuple[int, int], int] = {}
    for course, school, _, period in plan.sections:
        n = counts[course, school] = counts.get((course, school), 0) + 1
        names.append(f"{titles[course]} - Period {period}, {n}")
        local.append(f"{100 + school}-{100 + course}-{n:02}")
        periods.append(str(period))
        rooms.append(str(100 + (course * 7 + n) % 80))
    return frame(
        "sections",
        {
            **year.stamp(rng, uuids(rng, len(names))),
            "label": names,
            "title": names,
            "local_id": local,
            "ext_period": np.array(periods, dtype=object),
            "ext_room": np.array(rooms, dtype=object),
        },
    )


def _categories(rng: np.random.Generator, sections: int, year: _Year) -> pd.DataFrame:
    kinds = ("Homework", "Tests", "Projects", "Participation")
    count = len(range(0, sections, 5)) + 1
    names = [kinds[n % len(kinds)] for n in range(count)]
    return frame("grading_categories", {**year.stamp(rng, uuids(rng, count)), "label": names, "name": names})


def _with_coteachers(rng: np.random.Generator, teachers: tuple[list[tuple[int, str]], Ints]) -> tuple[Ints, Ints]:
    """Who teaches which section: everyone's own, then the co-teachers of about one in twelve."""
    people, assigned = teachers
    sections = np.arange(len(assigned))
    school = np.array([s for s, _ in people], dtype=np.int64)
    second = (assigned + 1) % max(1, len(people))
    shared = (rng.random(len(sections)) < 0.08) & (second != assigned)
    if len(sections):
        shared &= school[second] == school[assigned]
    return np.concatenate([assigned, second[shared]]), np.concatenate([sections, sections[shared]])


class _Links:
    """The rows of ``links`` while they are made."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._parts: dict[str, list[object]] = {}

    def add(
        self,
        source_type: str,
        source: Texts,
        relation: str,
        target_type: str,
        target: Texts,
        stated_by: str,
        role: str | None = None,
        spans: NDArray[np.object_] | None = None,
        primary: NDArray[np.bool_] | None = None,
    ) -> None:
        count = len(source)
        none = [None] * count
        columns: dict[str, Iterable[object]] = {
            "source_type": [source_type] * count,
            "source_id": source,
            "relation": [relation] * count,
            "target_type": [target_type] * count,
            "target_id": target,
            "role": [role] * count,
            "membership_id": uuids(self._rng, count) if role else none,
            "status": ["Active" if role else None] * count,
            "primary": none if primary is None else primary.tolist(),
            "start_date": none if spans is None else spans[:, 0],
            "end_date": none if spans is None else spans[:, 1],
            "stated_by": [stated_by] * count,
        }
        for name, values in columns.items():
            self._parts.setdefault(name, []).extend(values)

    def columns(self) -> dict[str, list[object]]:
        return self._parts


if TYPE_CHECKING:
    import pandas as pd
