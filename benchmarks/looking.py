"""Graphs, neighborhoods, search and snapshots, beside what networkx and pandas offer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import networkx as nx
import numpy as np
import pandas as pd
import pyarrow as pa

import kimono_explore as kx
from kimono_explore.frames import frame, to_arrow
from kimono_explore.json_text import encode
from kimono_explore.sandbox.dialect import Dialect
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.speaker import Speaker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_QUERIES = ("liam", "name42", "user1234", "@example", "name7", "user9")
_COLUMNS = ["name_first", "name_last", "email", "local_id", "state_id"]


# A district of 200,000 students as a graph.


def prepare_district(folder: Path, size: float) -> None:
    """A district without flaws, as a snapshot."""
    make_district(int(200_000 * size)).save(folder / "district")


def graph_ours(folder: Path) -> Callable[[], object]:
    """`build_graph`."""
    roster = kx.open_roster(folder / "district")
    return lambda: _size(kx.build_graph(roster))


def graph_edgelist(folder: Path) -> Callable[[], object]:
    """`from_pandas_edgelist` and `set_node_attributes`."""
    roster = kx.open_roster(folder / "district")
    return lambda: _size(_by_edgelist(roster))


def graph_rustworkx(folder: Path) -> Callable[[], object]:
    """rustworkx, of the codes of both ends: the graph holds no names, no types and no relations."""
    import rustworkx

    roster = kx.open_roster(folder / "district")

    def run() -> object:
        index = roster.index
        graph = rustworkx.PyDiGraph(multigraph=True)
        graph.add_nodes_from(range(index.size))
        graph.add_edges_from_no_data(list(zip(index.source.tolist(), index.target.tolist(), strict=True)))
        return [graph.num_nodes(), graph.num_edges()]

    return run


def graph_igraph(folder: Path) -> Callable[[], object]:
    """igraph, of the codes as well."""
    import igraph

    roster = kx.open_roster(folder / "district")

    def run() -> object:
        index = roster.index
        graph = igraph.Graph(n=index.size, edges=np.column_stack([index.source, index.target]), directed=True)
        return [graph.vcount(), graph.ecount()]

    return run


def _by_edgelist(roster: kx.Roster) -> nx.MultiDiGraph[str]:
    ends = ("source_id", "target_id", ["relation", "role"])
    graph = nx.from_pandas_edgelist(roster.links, *ends, create_using=nx.MultiDiGraph, edge_key="relation")
    for name, df in roster.tables.items():
        described = df.assign(type=name, missing=False).set_index("id")[["type", "label", "missing"]]
        nx.set_node_attributes(graph, described.to_dict("index"))
    return graph


def _size(graph: nx.MultiDiGraph[str]) -> list[int]:
    return [len(graph), graph.number_of_edges()]


# 1,000,000 persons with six sections each.


def prepare_million(folder: Path, size: float) -> None:
    """Students in sections of 25, with names, e-mail addresses and local ids."""
    persons, per = int(1_000_000 * size), 6
    sections = max(1, persons * per // 25)
    chance = np.random.default_rng(1)
    ids = pa.array([f"{i * 2654435761 % 2**32:08x}-0000-4000-8000-{i:012x}" for i in range(persons)])
    section_ids = pa.array([f"{i * 2654435761 % 2**32:08x}-1111-4000-8000-{i:012x}" for i in range(sections)])
    first = chance.choice(["Ana", "José", "Liam", "Þórr", "Emma", "Noah", "Zoë", "Mia", "Ravi", "Aoife"], persons)
    columns = {
        "id": ids,
        "person_type": pa.array(["student"] * persons),
        "name_first": pa.array(first),
        "name_last": pa.array([f"Name{i % 5000}" for i in range(persons)]),
        "email": pa.array([f"user{i}@example.org" for i in range(persons)]),
        "local_id": pa.array([f"{i:08}" for i in range(persons)]),
        "state_id": pa.array([f"{i * 7:010}" for i in range(persons)]),
    }
    source, target = np.repeat(np.arange(persons), per), chance.integers(0, sections, persons * per)
    links = {
        "source_id": ids.take(pa.array(source)),
        "target_id": section_ids.take(pa.array(target)),
        **{name: pa.array([value] * (persons * per)) for name, value in (
            ("source_type", "person"), ("relation", "student_in"), ("target_type", "section"), ("role", "student"),
            ("stated_by", "both"))},
    }  # fmt: skip
    tables = {"persons": frame("persons", columns), "sections": frame("sections", {"id": section_ids})}
    kx.Roster(**tables, links=frame("links", links)).save(folder / "million")


def first_ours(folder: Path) -> Callable[[], object]:
    """The first `neighborhood`, which makes the index."""
    roster = kx.open_roster(folder / "million")
    person = roster.persons["id"].iloc[len(roster.persons) // 2]
    return lambda: len(kx.neighborhood(roster, person, 2, limit=10_000))


def first_built(folder: Path) -> Callable[[], object]:
    """The graph of everything, and `ego_graph`."""
    roster = kx.open_roster(folder / "million")
    person = roster.persons["id"].iloc[len(roster.persons) // 2]
    return lambda: len(nx.ego_graph(_by_edgelist(roster), person, 2, undirected=True))


def hundred_ours(folder: Path) -> Callable[[], object]:
    """A hundred neighborhoods once the index is there."""
    roster = kx.open_roster(folder / "million")
    people = roster.persons["id"].iloc[:: max(1, len(roster.persons) // 100)].tolist()
    roster.search("x")
    kx.neighborhood(roster, people[0])
    return lambda: [len(kx.neighborhood(roster, person, 2, limit=10_000)) for person in people]


def hundred_ego(folder: Path) -> Callable[[], object]:
    """A hundred `ego_graph`s once the graph is there: a view without directions, for `undirected=True` copies all of it."""
    roster = kx.open_roster(folder / "million")
    people = roster.persons["id"].iloc[:: max(1, len(roster.persons) // 100)].tolist()
    graph = _by_edgelist(roster).to_undirected(as_view=True)
    return lambda: [len(nx.ego_graph(graph, person, 2)) for person in people]


def search_ours(folder: Path) -> Callable[[], object]:
    """Six searches, after a first one."""
    roster = kx.open_roster(folder / "million")
    roster.search("x")
    return lambda: [roster.search(text).attrs["found"] for text in _QUERIES]


def search_contains(folder: Path) -> Callable[[], object]:
    """Six times `str.contains` over five columns."""
    persons = kx.open_roster(folder / "million").persons

    def run() -> object:
        found = []
        for text in _QUERIES:
            hits = [persons[name].str.contains(text, case=False, regex=False, na=False) for name in _COLUMNS]
            found.append(int(np.logical_or.reduce(hits).sum()))
        return found

    return run


def first_search(folder: Path) -> Callable[[], object]:
    """The first search of a roster, one letter."""
    roster = kx.open_roster(folder / "million")
    return lambda: roster.search("e", type="person").attrs["found"]


def first_contains(folder: Path) -> Callable[[], object]:
    """The same by `str.contains`."""
    persons = kx.open_roster(folder / "million").persons

    def run() -> object:
        accents = persons["name_first"].str.normalize("NFKD").str.contains("e", case=False, regex=False, na=False)
        hits = [persons[name].str.contains("e", case=False, regex=False, na=False) for name in [*_COLUMNS, "id"]]
        return int(np.logical_or.reduce([accents, *hits]).sum())

    return run


# A snapshot of 600,000 students.


def prepare_snapshot(folder: Path, size: float) -> None:
    """The same roster as a snapshot, as CSV, as pickles; and the size of its JSON, by a sample."""
    roster = make_district(int(600_000 * size))
    roster.save(folder / "snapshot")
    for name in _FILES:
        getattr(roster, name).to_csv(folder / f"{name}.csv", index=False)
        getattr(roster, name).to_pickle(folder / f"{name}.pickle")
    with duckdb.connect(folder / "roster.duckdb") as connection:
        for name in _FILES:
            connection.register("df", to_arrow(name, getattr(roster, name)))
            connection.execute(f"CREATE TABLE {name} AS FROM df")
    speaker, sent = Speaker(roster, Dialect()), 0.0
    for name, df in roster.tables.items():
        rows = range(0, len(df), max(1, len(df) // 500))
        shown = speaker.objects(name, rows)
        sent += len(encode(shown)) / max(1, len(shown)) * len(df)
    sizes = {
        kind: sum(path.stat().st_size for path in folder.rglob(f"*.{kind}")) for kind in ("parquet", "csv", "pickle")
    }
    listed = ", ".join(f"{kind} {size / 1e6:,.0f} MB" for kind, size in sizes.items())
    (folder / "note.txt").write_text(f"On disk: {listed}; as JSON of the API about {sent / 1e6:,.0f} MB.")


_FILES = ("orgs", "persons", "courses", "sections", "terms", "grading_categories", "links", "problems")


def open_ours(folder: Path) -> Callable[[], object]:
    """`open_roster`."""

    def run() -> object:
        roster = kx.open_roster(folder / "snapshot")
        return [len(getattr(roster, name)) for name in _FILES]

    return run


def open_csv(folder: Path) -> Callable[[], object]:
    """`read_csv`, ids as text, dates as dates."""

    def run() -> object:
        dates = {"persons": ["dob"], "terms": ["start_date", "end_date"], "links": ["start_date", "end_date"]}
        frames = [pd.read_csv(folder / f"{n}.csv", dtype="str", parse_dates=dates.get(n, False)) for n in _FILES]
        return [len(df) for df in frames]

    return run


def open_pickle(folder: Path) -> Callable[[], object]:
    """`read_pickle`."""
    return lambda: [len(pd.read_pickle(folder / f"{name}.pickle")) for name in _FILES]


def open_duckdb(folder: Path) -> Callable[[], object]:
    """A database of DuckDB, each table as a DataFrame."""

    def run() -> object:
        with duckdb.connect(folder / "roster.duckdb", read_only=True) as connection:
            return [len(connection.sql(f"FROM {name}").df()) for name in _FILES]

    return run
