"""The tables that the rules of the other tools look at: those of the roster, and what somebody would join before validating.

All tools get the same. Each row says in `table` and `id` whose finding it would be. `lines` of the benchmark counts this apart.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from kimono_explore import Roster

TABLE_OF = {
    "org": "orgs",
    "person": "persons",
    "course": "courses",
    "section": "sections",
    "term": "terms",
    "grading_category": "grading_categories",
}
MEMBERSHIPS = ("member_of", "student_in", "teacher_in")
INACTIVE = ("historical", "inactive", "tobedeleted")


def make_views(roster: Roster, as_of: str) -> dict[str, pd.DataFrame]:
    """Every table by name."""
    day = pd.Timestamp(as_of)
    views = {name: df.assign(table=name) for name, df in roster.tables.items()}
    for name in ("courses", "sections", "orgs", "terms"):
        df = views[name]
        views[name] = df.assign(called=df["name" if name in ("orgs", "terms") else "title"].fillna(df["label"]))
    views["terms"]["days"] = (views["terms"]["end_date"] - views["terms"]["start_date"]).dt.days
    views["objects"] = _objects(views)
    views["distinct_ids"] = views["objects"].dropna(subset="id").drop_duplicates(["table", "id"])
    links = views["links"] = _links(roster, day)
    valid = views["valid"] = links[links["whole"]]
    views["persons"] = _persons(views["persons"], valid, day)
    places = {name: _first(valid, name) for name in ("held_at", "in_term", "of_course")}
    ids = views["sections"]["id"]
    sections = views["sections"].assign(
        org=ids.map(places["held_at"]), term=ids.map(places["in_term"]), course=ids.map(places["of_course"])
    )
    seated = valid[(valid["relation"] == "student_in") & valid["current"]]
    sections["students"] = ids.map(seated.groupby("target_id")["source_id"].nunique()).fillna(0).astype("int64")
    sections["course_org"] = sections["course"] + " " + sections["org"]
    views["sections"] = sections
    offers = valid[valid["relation"] == "offered_by"]
    views["offered"] = views["courses"].merge(
        offers[["source_id", "target_id", "pair"]], left_on="id", right_on="source_id"
    )
    views["sections"]["offered_somewhere"] = sections["course"].isin(offers["source_id"]) & sections["org"].notna()
    views["seats"] = _seats(views)
    parents = valid[valid["relation"] == "child_of"].merge(
        views["terms"][["id", "start_date", "end_date"]].rename(columns={"id": "target_id"}).add_prefix("parent_"),
        left_on="target_id",
        right_on="parent_target_id",
    )
    parents = parents[["source_id", "parent_start_date", "parent_end_date"]].rename(columns={"source_id": "id"})
    views["child_terms"] = views["terms"].merge(parents, on="id")
    return views


def _objects(views: dict[str, pd.DataFrame]) -> pd.DataFrame:
    objects = pd.concat([views[name][["table", "id"]] for name in TABLE_OF.values()], ignore_index=True)
    key = objects["id"].str.lower().str.replace("[^a-z0-9]", "", regex=True).str.lstrip("0")
    return objects.assign(id_key=key)


def _links(roster: Roster, day: pd.Timestamp) -> pd.DataFrame:
    links = roster.links.astype(
        dict.fromkeys(("source_type", "target_type", "relation", "stated_by", "role", "status", "grade"), "str")
    )
    links["status"] = links["status"].str.lower()
    known = {f"{kind} {id}" for kind, table in TABLE_OF.items() for id in roster.tables[table]["id"].dropna()}
    links["source_key"] = links["source_type"] + " " + links["source_id"]
    links["target_key"] = links["target_type"] + " " + links["target_id"]
    near = links["source_key"].isin(known)
    links["whole"] = near & links["target_key"].isin(known)
    links["table"] = links["source_type"].where(near, links["target_type"]).map(TABLE_OF)
    links["id"] = links["source_id"].where(near, links["target_id"])
    links["shape"] = links["relation"] + " " + links["source_type"] + " " + links["target_type"]
    links["pair"] = links["source_id"] + " " + links["target_id"]
    begins = roster.terms.dropna(subset="id").drop_duplicates("id").set_index("id")["start_date"]
    terms = links[links["relation"] == "in_term"]
    ends = roster.terms.dropna(subset="id").drop_duplicates("id").set_index("id")["end_date"]
    opens = links["target_id"].map(terms["target_id"].map(begins).groupby(terms["source_id"]).min())
    closes = links["target_id"].map(terms["target_id"].map(ends).groupby(terms["source_id"]).max())
    begun, ended = ~links["start_date"].gt(day), links["end_date"].lt(day)
    links["dated"] = begun & ~ended
    gone = links["status"].isin(["historical", "inactive", "future", "tobedeleted"])
    # What has not begun, or nobody knows when, is looked at before the fact.
    ahead = opens.gt(day) | (opens.isna() & (links["relation"] != "member_of"))
    links["current"] = (begun | ahead) & ~ended & ~gone
    links["kept"] = links["current"] | closes.lt(day)  # a section that is over keeps the people it had
    return links


def _persons(persons: pd.DataFrame, valid: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    schools = valid[(valid["relation"] == "member_of") & valid["current"] & valid["grade"].notna()]
    grade = schools.drop_duplicates("source_id").set_index("source_id")["grade"]
    names = persons["name_first"].map(_plain) + "|" + persons["name_last"].map(_plain)
    own = persons["ext_grade"] if "ext_grade" in persons else pd.Series(index=persons.index, dtype="str")
    return persons.assign(
        email_folded=persons["email"].str.lower(),
        name_key=names.where(names != "|"),
        grade=persons["id"].map(grade).fillna(own),
        age=(day - persons["dob"]).dt.days / 365.25,
        graduates_at=pd.to_numeric(persons["grad_year"], errors="coerce") - persons["dob"].dt.year,
        person_status=persons["ext_status"].str.lower() if "ext_status" in persons else None,
    )


def _plain(text: object) -> str:
    marks = unicodedata.normalize("NFKD", text.casefold()) if isinstance(text, str) else ""
    return re.sub(r"\s", "", "".join(c for c in marks if not unicodedata.combining(c)))


def _first(valid: pd.DataFrame, relation: str) -> pd.Series:
    return valid[valid["relation"] == relation].drop_duplicates("source_id").set_index("source_id")["target_id"]


def _seats(views: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Who is in a section or teaches it, with the person, the section and the first and last day of its terms."""
    valid, sections, terms = views["valid"], views["sections"], views["terms"]
    used = valid[valid["relation"] == "in_term"].merge(
        terms[["id", "start_date", "end_date"]].rename(
            columns={"id": "term", "start_date": "opens", "end_date": "closes"}
        ),
        left_on="target_id",
        right_on="term",
    )
    span = (
        used[["source_id", "opens", "closes"]]
        .groupby("source_id")
        .agg(opens=("opens", "min"), closes=("closes", "max"))
    )
    about = sections[["id", "org"]].rename(columns={"id": "target_id"}).dropna(subset="target_id")
    about["section_status"] = sections["ext_status"].str.lower() if "ext_status" in sections else None
    about = about.drop_duplicates("target_id").join(span, on="target_id")
    who = views["persons"][["id", "person_type", "dob", "person_status", "grad_year"]].rename(
        columns={"id": "source_id"}
    )
    who["grad_year"] = pd.to_numeric(who["grad_year"], errors="coerce")
    who = who.dropna(subset="source_id").drop_duplicates("source_id")
    seats = valid[valid["relation"].isin(["student_in", "teacher_in"])]
    seats = seats.merge(who, on="source_id", how="left").merge(about, on="target_id", how="left")
    return seats.assign(
        person_org=seats["source_id"] + " " + seats["org"],
        earliest=seats["opens"] - pd.Timedelta(days=30),
        latest=seats["closes"] + pd.Timedelta(days=30),
    )
