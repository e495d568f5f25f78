"""A graph as a file for other tools: Gephi, yEd, Neo4j, GraphFrames."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx
import pyarrow as pa
import pyarrow.parquet as pq

from kimono_explore.atomic import atomic_file, atomic_folder
from kimono_explore.display import printable
from kimono_explore.errors import ConfigurationError, expect

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_XML: dict[str, Callable[..., None]] = {".graphml": nx.write_graphml, ".gexf": nx.write_gexf}
_TABLES = ("nodes.parquet", "edges.parquet")


def save_graph(graph: nx.MultiDiGraph[str], path: str | os.PathLike[str], *, private: bool = True) -> None:
    r"""Save a graph for another tool.

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        A graph from `build_graph` or `neighborhood`.
    path : str or path
        The suffix determines the format: ``.graphml`` (yEd, Gephi, igraph), ``.gexf`` (Gephi), or a folder for
        nodes.parquet (id, type, label, missing) and edges.parquet (src, dst, relation, role). The columns are named as
        GraphFrames expects; Neo4j and pandas read the files too. A folder that holds anything else is not replaced.
    private : bool, default True
        Make the files readable only by you. False leaves that to your umask.

    Raises
    ------
    ConfigurationError
        The path has another suffix, or is a folder that holds other files.

    Notes
    -----
    Characters that XML cannot represent, such as ``\x00``, are spelled out in labels. Edges to and from objects that
    were not delivered are included; the nodes of these objects are marked ``missing``.

    Examples
    --------
    >>> import pandas as pd
    >>> kx.save_graph(kx.build_graph(roster, types=["org"]), tmp_path / "orgs.graphml")
    >>> kx.save_graph(kx.build_graph(roster), tmp_path / "graph")
    >>> pd.read_parquet(tmp_path / "graph" / "edges.parquet").columns.tolist()
    ['src', 'dst', 'relation', 'role']
    """
    expect("save_graph", graph, nx.MultiDiGraph)
    expect("save_graph", path, str, os.PathLike)
    path = Path(path)
    if path.suffix in _XML:
        with atomic_file(path, private=private) as file, file.open("wb") as opened:
            _XML[path.suffix](_plain(graph), opened)
    elif path.suffix:
        raise ConfigurationError(f"{path.name} ends in {path.suffix!r}: use .graphml, .gexf, or the name of a folder.")
    else:
        _save_tables(graph, path, private=private)


def _plain(graph: nx.MultiDiGraph[str]) -> nx.MultiDiGraph[str]:
    """The graph with attributes that XML can hold; what is missing is left out."""
    plain: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    plain.add_nodes_from((printable(node), _attributes(data)) for node, data in graph.nodes(data=True))
    for source, target, key, data in graph.edges(keys=True, data=True):
        plain.add_edge(printable(source), printable(target), key, **_attributes(data))
    return plain


def _attributes(data: dict[str, Any]) -> dict[str, Any]:
    kept = {
        name: value for name, value in data.items() if isinstance(value, (str, bool, int, float)) and value == value
    }
    return {name: printable(value) if isinstance(value, str) else value for name, value in kept.items()}


def _save_tables(graph: nx.MultiDiGraph[str], path: Path, *, private: bool) -> None:
    if path.is_file() or (path.is_dir() and not {file.name for file in path.iterdir()} <= set(_TABLES)):
        raise ConfigurationError(f"{path} holds other files; nothing was written. Name a new folder.")
    nodes = [
        (node, data.get("type"), data.get("label"), bool(data.get("missing"))) for node, data in graph.nodes(data=True)
    ]
    edges = [
        (source, target, data.get("relation", key), data.get("role"))
        for source, target, key, data in graph.edges(keys=True, data=True)
    ]
    with atomic_folder(path, private=private) as new:
        _write(new / _TABLES[0], nodes, ("id", "type", "label", "missing"))
        _write(new / _TABLES[1], edges, ("src", "dst", "relation", "role"))


def _write(path: Path, rows: Sequence[tuple[object, ...]], names: tuple[str, ...]) -> None:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    types = [pa.bool_() if name == "missing" else pa.string() for name in names]
    arrays = [pa.array(column, type, from_pandas=True) for column, type in zip(columns, types, strict=True)]
    pq.write_table(pa.table(dict(zip(names, arrays, strict=True))), path, compression="zstd")
