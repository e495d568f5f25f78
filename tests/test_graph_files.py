"""Graphs as files that other tools read: networkx, igraph's format by the XML itself, pandas."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import networkx as nx
import pandas as pd
import pytest

import kimono_explore as kx
from kimono_explore.sandbox.district.build import make_district

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def graph() -> nx.MultiDiGraph:
    roster = make_district(30, seed=3)
    roster.persons.loc[0, "label"] = "O'Brien \x00 <b>&</b> \u202e"
    roster.links.loc[0, "target_id"] = "gone"
    return kx.build_graph(roster)


@pytest.mark.parametrize(("suffix", "read"), [(".graphml", nx.read_graphml), (".gexf", nx.read_gexf)])
def test_xml_holds_every_node_and_edge(graph: nx.MultiDiGraph, tmp_path: Path, suffix: str, read) -> None:
    path = tmp_path / f"graph{suffix}"
    kx.save_graph(graph, path)
    again = read(path)
    assert set(again.nodes) == set(graph.nodes)
    assert again.number_of_edges() == graph.number_of_edges()
    assert again.nodes["gone"]["missing"] is True
    odd = next(node for node, data in graph.nodes(data=True) if "O'Brien" in str(data["label"]))
    assert again.nodes[odd]["label"] == "O'Brien \\x00 <b>&</b> \\u202e"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_tables_are_as_graphframes_takes_them(graph: nx.MultiDiGraph, tmp_path: Path) -> None:
    kx.save_graph(graph, tmp_path / "graph")
    nodes, edges = (pd.read_parquet(tmp_path / "graph" / f"{name}.parquet") for name in ("nodes", "edges"))
    assert list(nodes.columns) == ["id", "type", "label", "missing"]
    assert set(nodes["id"]) == set(graph.nodes)
    assert nodes["missing"].sum() == sum(bool(missing) for _, missing in graph.nodes(data="missing"))
    found = sorted(edges[["src", "dst", "relation"]].itertuples(index=False, name=None))
    assert found == sorted((source, target, key) for source, target, key in graph.edges(keys=True))
    kx.save_graph(nx.MultiDiGraph(), tmp_path / "graph")  # replaced: it holds nothing else
    assert pd.read_parquet(tmp_path / "graph" / "edges.parquet").empty


def test_nothing_else_is_written_over(graph: nx.MultiDiGraph, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(kx.ConfigurationError, match="holds other files"):
        kx.save_graph(graph, tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    with pytest.raises(kx.ConfigurationError, match=r"ends in '.xlsx': use .graphml"):
        kx.save_graph(graph, tmp_path / "graph.xlsx")
    with pytest.raises(TypeError, match="save_graph needs a MultiDiGraph"):
        kx.save_graph(make_district(20), tmp_path / "g.gexf")  # type: ignore[arg-type]
