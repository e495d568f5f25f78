"""Ways that mean something, who shares classes, what hangs on an object: each against a second opinion."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING

import networkx as nx
import pytest
from builders import course, lea, link, make, school, section, student, teacher, term

import kimono_explore as kx

if TYPE_CHECKING:
    import pandas as pd


@pytest.fixture(scope="module")
def flawed() -> kx.Roster:
    with kx.sandbox(students=120) as box:
        return kx.load_roster(box.client, progress=False)


@pytest.fixture(params=["clean", "flawed"])
def district(request: pytest.FixtureRequest, small_roster: kx.Roster, flawed: kx.Roster) -> kx.Roster:
    return small_roster if request.param == "clean" else flawed


def people() -> kx.Roster:
    """Ana and Bo share two classes, Ana and Cy one; Dee shares nothing but the term and the district."""
    return make(
        lea(), school(), term(), course(), *(section(name) for name in ("art", "band", "chess")),
        *(student(name) for name in ("ana", "bo", "cy", "dee")), teacher("tom"), student("bo"),
        *(link(f"{who} student_in {what}") for who, what in
          (("ana", "art"), ("ana", "band"), ("bo", "art"), ("bo", "band"), ("bo", "art"), ("cy", "art"), ("dee", "chess"))),
        link("tom teacher_in band"),
        *(link(f"{what} in_term year") for what in ("art", "band", "chess")),
        *(link(f"{who} member_of district") for who in ("ana", "bo", "cy", "dee")),
        link("art of_course algebra"), link("band of_course algebra"), link("chess held_at school"),
        link("ana student_in gone", types=("person", "section")),
    )  # fmt: skip


# Ways


def inner(way: pd.DataFrame) -> list[str]:
    return way["id"].iloc[1:-1].tolist()


def test_a_way_leads_through_classes_and_not_through_the_district() -> None:
    assert inner(kx.shortest_path(people(), "bo", "cy")) == ["art"]
    assert inner(kx.shortest_path(people(), "bo", "cy", avoid_hubs=False)) in (["art"], ["district"])
    # Only the term, or the district, leads to Dee.
    assert inner(kx.shortest_path(people(), "ana", "dee")) == ["district"]
    # Both ends may be what is avoided in between.
    assert inner(kx.shortest_path(people(), "cy", "year")) == ["art"]
    assert kx.shortest_path(people(), "ana", "ana")["id"].tolist() == ["ana"]


def test_a_longer_way_without_hubs_comes_before_a_short_one_with_them() -> None:
    roster = make(
        lea(), school(), section("art"), section("band"), student("ana"), student("bo"), student("cy"),
        link("ana student_in art"), link("bo student_in art"), link("bo student_in band"), link("cy student_in band"),
        link("ana member_of district"), link("cy member_of district"),
    )  # fmt: skip
    assert inner(kx.shortest_path(roster, "ana", "cy")) == ["art", "bo", "band"]
    assert inner(kx.shortest_path(roster, "ana", "cy", avoid_hubs=False)) == ["district"]


def test_what_has_many_links_is_a_hub() -> None:
    many = [student(f"p{n}") for n in range(120)]
    roster = make(
        school(), section("art"), section("band"), *many,
        *(link(f"p{n} member_of school") for n in range(120)),
        link("p0 student_in art"), link("p1 student_in art"), link("p1 student_in band"), link("p2 student_in band"),
    )  # fmt: skip
    assert inner(kx.shortest_path(roster, "p0", "p2")) == ["art", "p1", "band"]
    assert inner(kx.shortest_path(roster, "p0", "p3")) == ["school"]


def test_several_ways_share_nothing_in_between() -> None:
    ways = kx.shortest_path(people(), "ana", "bo", count=5)
    assert ways.columns[0] == "way"
    assert [inner(way) for _, way in ways.groupby("way")] == [["art"], ["band"]]
    with pytest.raises(ValueError, match="count must be an integer >= 1"):
        kx.shortest_path(people(), "ana", "bo", count=0)
    direct = kx.shortest_path(people(), "ana", "art", count=3)
    assert [inner(way) for _, way in direct.groupby("way")] == [[], ["band", "bo"]]
    assert kx.shortest_path(make(student("a"), student("b")), "a", "b", count=2).empty


def meaningful(roster: kx.Roster, keep: set[str], *, hubs: bool) -> nx.Graph:
    """The graph without terms, orgs that are not schools, and, where asked, without what has over 100 links."""
    graph = nx.Graph()
    ends = roster.links[["source_type", "source_id", "target_type", "target_id"]].astype("str").dropna()
    kinds = dict(zip(roster.orgs["id"], roster.orgs["org_type"].str.lower(), strict=True))
    degree: defaultdict[str, int] = defaultdict(int)
    for row in ends.itertuples():
        for end in (f"{row.source_type}:{row.source_id}", f"{row.target_type}:{row.target_id}"):
            degree[end] += 1
        graph.add_edge(f"{row.source_type}:{row.source_id}", f"{row.target_type}:{row.target_id}")
    for node in list(graph):
        type, _, id = node.partition(":")
        broad = type == "term" or (type == "org" and isinstance(kinds.get(id), str) and kinds[id] != "school")
        if node not in keep and (broad or (not hubs and degree[node] > 100)):
            graph.remove_node(node)
    return graph


def test_ways_are_as_long_as_networkx_says(district: kx.Roster) -> None:
    starts = district.persons["id"].dropna().drop_duplicates().sample(4, random_state=1)
    ends = district.persons["id"].dropna().drop_duplicates().sample(4, random_state=2)
    asked = [(("person", start), ("person", end)) for start, end in zip(starts, ends, strict=True)]
    # Of what is avoided between the ends, an end itself may be one.
    for table, type in (("orgs", "org"), ("terms", "term"), ("sections", "section")):
        asked += [((type, id), ("person", ends.iloc[0])) for id in district.tables[table]["id"].dropna().unique()[:4]]
    for (start_type, start), (end_type, end) in asked:
        keep = {f"{start_type}:{start}", f"{end_type}:{end}"}
        way = kx.shortest_path(district, start, end, start_type, end_type)
        for hubs in (False, True):
            graph = meaningful(district, keep, hubs=hubs)
            if keep <= set(graph) and nx.has_path(graph, *sorted(keep)):
                names = (way["type"] + ":" + way["id"]).tolist()
                assert set(names) <= set(graph)
                assert len(way) == nx.shortest_path_length(graph, *sorted(keep)) + 1
                break
        steps = set(
            zip(district.links["source_id"], district.links["relation"], district.links["target_id"], strict=True)
        )
        rows = way.to_dict("records")
        for here, there in itertools.pairwise(rows):
            pair = (here["id"], there["id"]) if here["direction"] == "to" else (there["id"], here["id"])
            assert (pair[0], here["relation"], pair[1]) in steps


# Shared classes


def classes_by_hand(roster: kx.Roster, person: str) -> dict[str, set[str]]:
    rows = roster.links[roster.links["relation"].isin(["student_in", "teacher_in"])]
    rows = rows[(rows["source_type"] == "person") & (rows["target_type"] == "section")]
    found: defaultdict[str, set[str]] = defaultdict(set)
    own = set(rows.loc[rows["source_id"] == person, "target_id"].dropna())
    for who, what in zip(rows["source_id"], rows["target_id"], strict=True):
        if isinstance(who, str) and who != person and what in own:
            found[who].add(what)
    return dict(found)


def test_who_shares_most_classes() -> None:
    shared = kx.shared_classes(people(), "ana")
    assert shared.to_dict("list") == {
        "person_id": ["bo", "cy", "tom"],
        "name": ["Bo Silva", "Cy Silva", "Tom Berg"],
        "person_type": ["student", "student", "teacher"],
        "classes": [2, 1, 1],
        "sections": ["art, band", "art", "band"],
    }
    assert kx.shared_classes(people(), "dee").empty
    assert kx.shared_classes(people(), "dee").columns.tolist() == list(shared.columns)
    assert (kx.shared_classes(people(), "dee").dtypes == shared.dtypes).all()
    assert kx.shared_classes(make(student("a")), "a").empty
    nobody = make(section("art"), link("x student_in art", types=("person", "section")),
                  link("y student_in art", types=("person", "section"), stated_by="target"))  # fmt: skip
    assert kx.shared_classes(nobody, "x")["name"].tolist() == ["y"]
    assert kx.shared_classes(nobody, "x")["person_type"].isna().all()
    with pytest.raises(KeyError, match="No person has the id 'art'"):
        kx.shared_classes(people(), "art")


def test_shared_classes_are_those_counted_by_hand(district: kx.Roster) -> None:
    for person in district.persons["id"].dropna().drop_duplicates().sample(12, random_state=3):
        shared = kx.shared_classes(district, person)
        by_hand = classes_by_hand(district, person)
        counts = dict(zip(shared["person_id"], shared["classes"], strict=True))
        assert counts == {who: len(what) for who, what in by_hand.items()}
        assert shared["classes"].is_monotonic_decreasing
        titles = district.sections.drop_duplicates("id").set_index("id")["title"]
        for row in shared.head(5).itertuples():
            assert len(by_hand[row.person_id]) == row.classes
            for section_id in by_hand[row.person_id]:
                title = titles.get(section_id)
                assert (title if isinstance(title, str) else "") in row.sections


# What hangs on an object


def lost_by_hand(roster: kx.Roster, type: str, id: str) -> dict[tuple[str, str, str, str], int]:
    """What hangs only on an object, by taking it out: the objects that then have no such link with anything delivered."""
    rows = roster.links.astype({"source_type": "str", "target_type": "str", "relation": "str"})
    known = {(t, i) for t in ("org", "person", "course", "section", "term", "grading_category")
             for i in roster.table(t)["id"].dropna()}  # fmt: skip
    links = [
        (relation, (st, s), (tt, t))
        for relation, st, s, tt, t in rows[
            ["relation", "source_type", "source_id", "target_type", "target_id"]
        ].to_numpy()
        if isinstance(s, str) and isinstance(t, str)
    ]
    gone, found = (type, id), {}
    for relation, source, target in links:
        for near, direction in ((target, "to"), (source, "from")):
            far = source if direction == "to" else target
            if far != gone or near == gone or near not in known:
                continue
            others = {
                (s if direction == "to" else t)
                for r, s, t in links
                if r == relation and (t if direction == "to" else s) == near
            }
            if not {other for other in others - {gone, near} if other in known}:
                key = (*near, relation, direction)
                found[key] = found.get(key, 0) + 1
    return found


def found(df: pd.DataFrame) -> dict[tuple[str, str, str, str], int]:
    keys = df[["type", "id", "relation", "direction"]].itertuples(index=False, name=None)
    return dict(zip(keys, df["lost"].tolist(), strict=True))


def test_what_would_be_lost_with_a_section() -> None:
    lost = kx.dependents(people(), "art")
    assert lost.columns.tolist() == ["type", "id", "label", "relation", "direction", "lost", "left"]
    # Ana and Bo have the band; the class that was not delivered holds nobody.
    assert found(lost) == {("person", "cy", "student_in", "from"): 1}
    assert lost["label"].tolist() == ["Cy Silva"]
    every = kx.dependents(people(), "art", only=False)
    assert every.set_index("id")["left"].to_dict() == {"cy": 0, "algebra": 1, "ana": 1, "bo": 1, "year": 2}
    assert every.set_index("id")["lost"].to_dict() == {"cy": 1, "algebra": 1, "ana": 1, "bo": 2, "year": 1}
    assert found(kx.dependents(people(), "chess")) == {
        ("person", "dee", "student_in", "from"): 1,
        ("org", "school", "held_at", "to"): 1,
    }
    assert kx.dependents(make(section("alone")), "alone").empty
    assert list(kx.dependents(make(section("alone")), "alone").columns) == list(lost.columns)


def test_what_was_not_delivered_is_not_what_others_hang_on() -> None:
    roster = make(section("art"), student("ana"), link("ana student_in art"),
                  link("ana student_in gone", types=("person", "section")))  # fmt: skip
    assert kx.dependents(roster, "art")["id"].tolist() == ["ana"]
    assert kx.dependents(roster, "gone")["id"].tolist() == []
    assert kx.dependents(roster, "gone", only=False)["left"].tolist() == [1]


def test_dependents_are_those_counted_by_hand(district: kx.Roster) -> None:
    for table, type in (("sections", "section"), ("orgs", "org"), ("terms", "term"), ("persons", "person")):
        for id in district.tables[table]["id"].dropna().drop_duplicates().sample(2, random_state=4):
            lost = kx.dependents(district, id, type)
            assert found(lost) == lost_by_hand(district, type, id)
            assert (lost["left"] == 0).all()
            every = kx.dependents(district, id, type, only=False)
            assert found(every[every["left"] == 0]) == found(lost)
