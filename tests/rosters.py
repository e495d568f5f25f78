"""Rosters for tests: how two are compared, and how hypothesis makes them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import strategies as st

from kimono_explore.decode.links import in_order
from kimono_explore.frames import frame
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import OBJECT_TYPES, REFERENCES, TABLES

SHARED = Path(__file__).parents[2] / "shared" / "data"
BUNDLES = ("kimono-minimal", "kimono-recommended", "grandbend-oneroster.zip", "oulad-oneroster.zip")


def bundle(name: str) -> Path:
    """A real bundle, or a skip that says why."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"real input is not here: ../shared/data/{name}")
    return path


def assert_equal(ours: Roster, theirs: Roster, *, without: tuple[str, ...] = ()) -> None:
    """Two rosters hold the same facts: table by table, and link by link."""
    for name in TABLES:
        pd.testing.assert_frame_equal(ours.tables[name], theirs.tables[name], obj=name)
    ids = {name: df["id"] for name, df in ours.tables.items()}
    left = in_order(ours.links, ids).drop(columns=list(without))
    right = in_order(theirs.links, ids).drop(columns=list(without))
    pd.testing.assert_frame_equal(left, right, obj="links")


TEXT = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
DATES = st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1))
TIMES = st.none() | st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC))
FLAGS = st.none() | st.booleans()
IDS = st.text("0123456789abcdefØ-/?#%.", min_size=2, max_size=8).filter(lambda text: text not in ("..", "."))
KINDS = {"text": TEXT, "date": DATES, "time": TIMES, "flag": FLAGS}
PERSON_TYPES = ("student", "Student", "teacher", "staff", "Staff")
EXTRA = {
    "ext_grade": TEXT,
    "ext_seats": st.none() | st.integers(-5, 2**62),
    "ext_gpa": st.none() | st.floats(0, 4).map(lambda x: x + 0.25),
    "ext_flag": FLAGS,
}


@st.composite
def tables(draw: st.DrawFn, name: str) -> pd.DataFrame:
    """One table with unique ids and any values in its columns."""
    ids = draw(st.lists(IDS, max_size=5, unique=True))
    columns: dict[str, object] = {"id": ids}
    for column in TABLES[name]:
        if column.name == "person_type":
            columns[column.name] = [draw(st.sampled_from(PERSON_TYPES)) for _ in ids]
        elif column.name != "id":
            columns[column.name] = [draw(KINDS[column.kind]) for _ in ids]
    for extra in draw(st.sets(st.sampled_from(sorted(EXTRA)))) if ids else ():
        columns[extra] = [draw(EXTRA[extra]) for _ in ids]
        if extra != "ext_grade" and all(value is None for value in columns[extra]):
            del columns[extra]
    return frame(name, columns)


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """A random roster: any tables, any links that the API can state, orphans among them."""
    made = {name: draw(tables(name)) for name in TABLES}
    seen = set()
    links = []
    for reference in REFERENCES:
        near = made[reference.table]["id"].tolist()
        far = made[next(n for n, t in OBJECT_TYPES.items() if t == reference.far_type)]["id"].tolist()
        if not near:
            continue
        count = draw(st.integers(0, 3 if reference.many else 1))
        for _ in range(count):
            one, other = draw(st.sampled_from(near)), draw(st.sampled_from([*far, "gone-1"]))
            kinds = made["persons"].set_index("id")["person_type"].str.lower()
            person = (
                (one if reference.forward else other)
                if "person"
                in (
                    OBJECT_TYPES[reference.table],
                    reference.far_type,
                )
                else None
            )
            role = reference.role
            if person is not None and role is None:
                role = "student" if kinds.get(person) == "student" else "teacher"
            relation = reference.relation or ("student_in" if role == "student" else "teacher_in")
            ends = (OBJECT_TYPES[reference.table], one), (reference.far_type, other)
            source, target = ends if reference.forward else ends[::-1]
            if (source, relation, target) in seen or (not reference.many and (reference.key, one) in seen):
                continue
            seen |= {(source, relation, target), (reference.key, one)}
            membership = relation in ("member_of", "student_in", "teacher_in")
            links.append(
                {
                    "source_type": source[0],
                    "source_id": source[1],
                    "relation": relation,
                    "target_type": target[0],
                    "target_id": target[1],
                    "role": role,
                    "membership_id": draw(st.none() | IDS) if membership else None,
                    "status": draw(st.none() | st.sampled_from(["Active", "Future"])) if membership else None,
                    "primary": draw(FLAGS) if membership else None,
                    "grade": None,
                    "start_date": draw(DATES) if membership else None,
                    "end_date": draw(DATES) if membership else None,
                    "stated_by": "source" if reference.forward else "target",
                }
            )
    names = frame("links").columns
    return Roster(**made, links=frame("links", {name: [link[name] for link in links] for name in names}))
