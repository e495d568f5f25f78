"""Who sits where, and who teaches: the timetable of a made-up district, in numbers.

Students of one school and grade are split into groups that go through the day together, each group's timetable
shifted by a period, so that nobody has two sections at once and no section is asked to seat more than it can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from kimono_explore.sandbox.district.names import CLASSROOM, HOMEROOM, LEVELS, SUBJECTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

_LEVELS_FROM = 100  # with fewer students there is one K-12 school, and neighboring grades learn together
_BANDS = ((0, 2), (3, 5), (6, 8), (9, 12))
_DEPARTMENTS = sorted({subject.department for subject in SUBJECTS})
_SUPPORT = "Special Education"
_SECTIONS_A_TEACHER = 5
_CO_TAUGHT = 0.08  # the share of secondary sections with a second teacher
_YEAR, _SEMESTERS, _QUARTERS = 0, 1, 3  # where each kind of term begins in the terms table


class Cohort(NamedTuple):
    """Grades that learn together: one grade, or a band of grades in a small school."""

    level: int
    first: int
    last: int

    @property
    def label(self) -> str:
        """The grade as titles show it: ``K``, ``7`` or ``6-8``."""
        names = [str(grade) if grade else "K" for grade in (self.first, self.last)]
        return names[0] if self.first == self.last else "-".join(names)


class Enrollment(NamedTuple):
    """Of each student grade, cohort and school; of each section what, where and when; and the seats."""

    cohorts: list[Cohort]
    school_level: Numbers  # of each school its level; -1 for all grades
    grade: Numbers
    cohort: Numbers
    school: Numbers
    sections: pd.DataFrame  # school, cohort, subject, term, period, group
    seat_student: Numbers
    seat_section: Numbers


class Teaching(NamedTuple):
    """Who teaches: of each teacher the school and department; assignments of teachers to sections; second schools."""

    school: Numbers
    department: list[str]
    assigned: pd.DataFrame  # section, teacher, primary
    second: pd.DataFrame  # teacher, school


def enroll(rng: np.random.Generator, students: int) -> Enrollment:
    """Place the students in grades, schools and sections."""
    by_level = students >= _LEVELS_FROM or students == 0
    if by_level:
        cohorts = [Cohort(i, g, g) for i, level in enumerate(LEVELS) for g in range(level.first, level.last + 1)]
    else:
        level_of = [next(i for i, level in enumerate(LEVELS) if first <= level.last) for first, _ in _BANDS]
        cohorts = [Cohort(i, *band) for i, band in zip(level_of, _BANDS, strict=True)]
    share = rng.uniform(0.96, 1.04, 13)
    edges = np.round(np.cumsum(share) / share.sum() * students).astype(np.int64)
    grade = rng.permutation(np.repeat(np.arange(13), np.diff(edges, prepend=0)))
    cohort_of = np.concatenate([np.full(c.last - c.first + 1, i) for i, c in enumerate(cohorts)])
    cohort = cohort_of[grade]
    school_level, school = [-1], np.zeros(students, dtype=np.int64)
    if by_level:
        school_level = []
        for i, level in enumerate(LEVELS):
            here = np.flatnonzero((grade >= level.first) & (grade <= level.last))
            count = max(1, round(len(here) / level.students))
            school[here] = len(school_level) + _split(rng, grade[here], np.full(13, count), 0, len(here))
            school_level += [i] * count
    sections: list[pd.DataFrame] = []
    seats: list[tuple[Numbers, Numbers]] = []
    for level_index in range(len(LEVELS)):
        placed = _timetable(
            rng, level_index, np.array([c.level for c in cohorts])[cohort] == level_index, school, cohort
        )
        offset = sum(map(len, sections))
        sections.append(placed[0])
        seats.append((placed[1], placed[2] + offset))
    seat_student, seat_section = (np.concatenate(side) for side in zip(*seats, strict=True))
    order = np.lexsort((seat_section, seat_student))
    found = pd.concat(sections, ignore_index=True)
    levels = np.array(school_level)
    return Enrollment(cohorts, levels, grade, cohort, school, found, seat_student[order], seat_section[order])


def employ(rng: np.random.Generator, enrollment: Enrollment) -> Teaching:
    """Give every section a teacher, some secondary ones a second, and a few teachers a second school."""
    sections = enrollment.sections
    main, people = _main_teachers(sections)
    departments = [_DEPARTMENTS[d] for d in people["department"]]
    secondary = np.array([s.level > 0 for s in SUBJECTS], dtype=bool)[sections["subject"]]
    helped = sections[secondary & (rng.random(len(sections)) < _CO_TAUGHT)].sort_values(["school", "period"])
    helper = helped.assign(seat=helped.groupby("school").cumcount() // _SECTIONS_A_TEACHER).groupby(["school", "seat"])
    co = pd.DataFrame({"section": helped.index, "teacher": len(people) + helper.ngroup().to_numpy()})
    school = np.concatenate([people["school"], helper["school"].first()]).astype(np.int64)
    departments += [_SUPPORT] * (len(school) - len(people))

    schools = len(enrollment.school_level)
    several = schools > 1 and len(school)
    visitor = np.sort(rng.choice(len(school), max(2, len(school) // 100), replace=False)) if several else np.arange(0)
    other = (school[visitor] + 1) % schools
    second = pd.DataFrame({"teacher": visitor, "school": other})
    first_section = sections.drop_duplicates("school").reset_index().set_index("school")["index"]
    visit = pd.DataFrame({"section": first_section.reindex(other).to_numpy(), "teacher": visitor})
    assigned = pd.concat([main.assign(primary=True), co.assign(primary=False), visit.assign(primary=False)])
    assigned = assigned.astype({"section": np.int64, "teacher": np.int64}).sort_values(
        ["teacher", "section"], kind="stable"
    )
    return Teaching(school, departments, assigned.drop_duplicates(["section", "teacher"], ignore_index=True), second)


def _main_teachers(sections: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The main teacher of each section, and of each teacher the school and department."""
    department = np.array([_DEPARTMENTS.index(s.department) for s in SUBJECTS])[sections["subject"]]
    # An elementary group has one teacher for all its subjects; the others share out their department's sections.
    group = np.where(department == _DEPARTMENTS.index("Homeroom"), sections["group"], -1)
    team, moment = ["school", "department", "group"], ["period", "term"]
    rows = sections.assign(department=department, group=group).sort_values(team + moment, kind="stable")
    at_once = rows.groupby(team + moment)["term"].transform("size")
    sections_of_team = rows.groupby(team)["term"].transform("size")
    needed = np.maximum(
        -(-sections_of_team // _SECTIONS_A_TEACHER), at_once.groupby([rows[c] for c in team]).transform("max")
    )
    # Sections at the same time are next to each other, so taking turns gives each its own teacher.
    rows["seat"] = np.where(rows["group"] >= 0, 0, rows.groupby(team).cumcount() % np.maximum(needed, 1))
    teacher = rows.groupby([*team, "seat"]).ngroup()
    people = rows.assign(teacher=teacher).drop_duplicates("teacher").sort_values("teacher")
    return pd.DataFrame({"section": rows.index, "teacher": teacher.to_numpy()}), people


def _timetable(
    rng: np.random.Generator, level: int, here: NDArray[np.bool_], school: Numbers, cohort: Numbers
) -> tuple[pd.DataFrame, Numbers, Numbers]:
    """The sections of a level, and its seats: which student sits in which section."""
    subjects = [(i, s) for i, s in enumerate(SUBJECTS) if s.level == level]
    periods = 1 + max(s.slot for _, s in subjects)
    student = np.flatnonzero(here)
    low, _, high = HOMEROOM if level == 0 else CLASSROOM
    group, rotation = _groups(rng, school[student] * 64 + cohort[student], None if level == 0 else periods)
    names = ("school", "cohort", "subject", "term", "period", "group")
    columns: dict[str, list[Numbers]] = {name: [] for name in names}
    seats: list[tuple[Numbers, Numbers]] = []
    count = 0
    for slot in range(periods):
        choices = sorted({s.choice for _, s in subjects if s.slot == slot})
        part = _split(rng, group, np.clip(np.bincount(group) // (low + 2), 1, len(choices)), low, 10 * high)
        # The first choice is open to every group; which of the others are depends on the group.
        chosen = np.where(part == 0, 0, 1 + (part - 1 + rotation) % max(1, len(choices) - 1))
        for choice in choices:
            rows = np.array([i for i, s in subjects if (s.slot, s.choice) == (slot, choice)])
            takers = np.flatnonzero(chosen == choice)
            lane = _split(
                rng, group[takers], np.clip(np.bincount(group[takers]) // (low + 2), 1, len(rows)), low, 10 * high
            )
            lanes = group[takers] * len(rows) + lane
            for step in range(len(rows)):
                subject = rows[(lane + step) % len(rows)]
                seat = lanes * 64 + _parts(rng, lanes, np.array([s.size for s in SUBJECTS])[subject])
                _, first, index = np.unique(seat, return_index=True, return_inverse=True)
                one = takers[first]
                columns["school"].append(school[student[one]])
                columns["cohort"].append(cohort[student[one]])
                columns["subject"].append(subject[first])
                columns["term"].append(np.full(len(first), {1: _YEAR, 2: _SEMESTERS, 4: _QUARTERS}[len(rows)] + step))
                columns["period"].append((slot + rotation[one] + cohort[student[one]]) % periods + 1)
                columns["group"].append(group[one])
                seats.append((student[takers], index.reshape(-1) + count))
                count += len(first)
    found = pd.DataFrame({name: np.concatenate(parts).astype(np.int64) for name, parts in columns.items()})
    student_of, section_of = (np.concatenate(side).astype(np.int64) for side in zip(*seats, strict=True))
    return found, student_of, section_of


def _groups(rng: np.random.Generator, pool: Numbers, periods: int | None) -> tuple[Numbers, Numbers]:
    """Split each school's grades into groups; of each student the group, and its number in the grade.

    Without periods a group is a homeroom. Else this is the most there are, each for several sections at a time.
    """
    _, pool = np.unique(pool, return_inverse=True)
    size = np.bincount(pool)
    if periods is None:
        low, usual, high = HOMEROOM
        count = np.maximum(-(-size // high), np.rint(size / usual))
    else:
        low, high = CLASSROOM[0], 10 * CLASSROOM[2]
        count = np.minimum(periods, size // (low + 9))
    number = _split(rng, pool, np.maximum(count, 1).astype(np.int64), low, high)
    return np.unique(pool * 64 + number, return_inverse=True)[1].astype(np.int64), number


def _parts(rng: np.random.Generator, bins: Numbers, size: Numbers) -> Numbers:
    """Split each bin of students into sections of the size that their subject has."""
    count = np.bincount(bins)
    low, usual, high = (np.zeros(len(count), dtype=np.int64) for _ in range(3))
    low[bins], usual[bins], high[bins] = size[:, 0], size[:, 1], size[:, 2]
    parts = np.maximum(np.rint(count / np.maximum(usual, 1)), np.ceil(count / np.maximum(high, 1)))
    return _split(rng, bins, np.maximum(parts, 1).astype(np.int64), low, high)


def _split(rng: np.random.Generator, bins: Numbers, parts: Numbers, low: Numbers | int, high: Numbers | int) -> Numbers:
    """Split each bin at random into a number of parts: uneven ones, but within the bounds if possible.

    Parameters
    ----------
    bins : array of int
        The bin of each item.
    parts, low, high : array of int
        Of each bin the number of parts, and the bounds of a part's size.

    Returns
    -------
    array of int
        The part of each item, from 0.
    """
    if not len(bins):
        return np.zeros(0, dtype=np.int64)
    size = np.bincount(bins, minlength=len(parts))
    mean = size / parts[: len(size)]
    slack = np.clip(np.minimum(high - 1 - mean, mean - 1 - low) / np.maximum(mean, 1) / 2, 0, 0.15)
    order = np.lexsort((rng.random(len(bins)), bins))
    starts = np.concatenate([[0], np.cumsum(size)[:-1]])
    rank = np.empty(len(bins), dtype=np.int64)
    rank[order] = np.arange(len(bins)) - starts[bins[order]]
    position = (rank + 0.5) / mean[bins]
    # Each border between two parts is moved a little; the outer ones stay.
    border = np.rint(position).astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(parts + 1)[:-1]])
    moved = rng.uniform(-1, 1, int((parts + 1).sum()))
    inner = (border > 0) & (border < parts[bins])
    at = border + np.where(inner, moved[offsets[bins] + np.minimum(border, parts[bins])] * slack[bins], 0.0)
    return np.clip(np.where(position >= at, border, border - 1), 0, parts[bins] - 1)
