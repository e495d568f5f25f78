"""One tidy table of relations, from what both ends say.

A membership may be stated by one side, both or neither: a section lists its students, a person lists its
sections. The union of both is the truth; ``stated_by`` keeps who said so.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kimono_explore.decode import RawLinks, role_relation
from kimono_explore.nodes import Numbering
from kimono_explore.tables import (
    LINK_COLUMNS,
    OBJECT_TYPES,
    REFERENCES,
    RELATIONS,
    Problem,
    frame,
    to_pandas,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_ENDS = ["source_type", "source_id", "relation", "target_type", "target_id"]
_MEMBERSHIP = tuple(column.name for column in LINK_COLUMNS if column.path)


def unite(ids: Mapping[str, pd.Series], raw: Mapping[str, RawLinks]) -> tuple[pd.DataFrame, list[Problem]]:
    """Unite what the objects of each table say of their relations.

    Parameters
    ----------
    ids : mapping of str to pandas.Series
        Table name -> its ``id`` column.
    raw : mapping of str to RawLinks
        Table name -> the links its objects state.

    Returns
    -------
    pandas.DataFrame
        ``links``, ordered by relation, then as source and target stand in their tables.
    list of Problem
        Values of a membership that its two sides state differently.
    """
    stated = pa.concat_tables([_stated(table, ids[table], links) for table, links in raw.items()])
    if not stated.num_rows:
        return frame("links"), []
    keys = _keys(ids, to_pandas("links", stated.select(_ENDS)))
    forward = stated.column("forward").to_numpy()
    own, other = np.flatnonzero(forward), np.flatnonzero(~forward)
    partner = _partners(keys, own, other, stated.column("membership_id"))
    paired = partner >= 0
    # Every statement of a source, then those of targets that no source made.
    alone = np.setdiff1d(other, partner[paired], assume_unique=True)
    rows = np.concatenate([own, alone])
    rows_partner = np.concatenate([partner, np.full(len(alone), -1)])
    order = np.argsort(keys[rows], kind="stable")
    rows, rows_partner = rows[order], rows_partner[order]
    links, problems = _coalesce(stated, rows, rows_partner)
    by = np.where(rows_partner >= 0, "both", np.where(forward[rows], "source", "target"))
    links = links.drop(["forward"]).append_column("stated_by", pa.array(by, pa.string()))
    return to_pandas("links", links.select([column.name for column in LINK_COLUMNS])), problems


def in_order(links: pd.DataFrame, ids: Mapping[str, pd.Series]) -> pd.DataFrame:
    """The same links in the order that `unite` gives them."""
    return links.iloc[np.argsort(_keys(ids, links), kind="stable")].reset_index(drop=True)


def _stated(table: str, ids: pd.Series, raw: RawLinks) -> pa.Table:
    """One table's statements with both ends and the relation spelled out."""
    near_id = pa.array(ids, pa.string(), from_pandas=True).take(pa.array(raw.near))
    near_type = pa.array([OBJECT_TYPES[table]] * len(raw.near), pa.string())
    forward = np.array([r.forward for r in REFERENCES])[raw.reference]
    named = np.array([r.relation or "" for r in REFERENCES], dtype=object)[raw.reference]
    undecided = np.flatnonzero(named == "")
    if len(undecided):
        roles = raw.table.column("role").take(pa.array(undecided)).to_pylist()
        named[undecided] = [role_relation(role) for role in roles]
    mask = pa.array(forward)
    far_id, far_type = raw.table.column("far_id"), raw.table.column("far_type")
    return pa.table(
        {
            "source_type": pc.if_else(mask, near_type, far_type),
            "source_id": pc.if_else(mask, near_id, far_id),
            "relation": pa.array(named, pa.string()),
            "target_type": pc.if_else(mask, far_type, near_type),
            "target_id": pc.if_else(mask, far_id, near_id),
            **{name: raw.table.column(name) for name in _MEMBERSHIP},
            "forward": mask,
        }
    )


def _keys(ids: Mapping[str, pd.Series], links: pd.DataFrame) -> NDArray[np.int64]:
    """A number for each link, equal where relation and both ends are; it sorts as `unite` promises."""
    numbering = Numbering({t: ids[table] for table, t in OBJECT_TYPES.items()})
    ends = [(links["source_type"], links["source_id"]), (links["target_type"], links["target_id"])]
    for types, names in ends:
        numbering.learn(types, names)
    source, target = (numbering.codes(types, names).astype(np.int64) for types, names in ends)
    relation = pd.Categorical(links["relation"], categories=list(RELATIONS)).codes.astype(np.int64)
    return (relation * numbering.size + source) * numbering.size + target


def _partners(
    keys: NDArray[np.int64], own: NDArray[np.int64], other: NDArray[np.int64], membership_id: pa.ChunkedArray
) -> NDArray[np.int64]:
    """For each statement of a source the target's statement of the same membership, or -1."""
    partner = np.full(len(own), -1, dtype=np.int64)
    once_own, once_other = _once(keys[own]), _once(keys[other])
    _, i, j = np.intersect1d(keys[own][once_own], keys[other][once_other], assume_unique=True, return_indices=True)
    partner[np.flatnonzero(once_own)[i]] = other[once_other][j]
    # A person can be in a section twice: those few are matched by membership id, then in their order.
    both = np.intersect1d(keys[own], keys[other])
    repeated = np.union1d(keys[own][~once_own], keys[other][~once_other])
    several = np.intersect1d(both, repeated)
    if len(several):
        groups: defaultdict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for side, members in enumerate((own, other)):
            for position in np.flatnonzero(np.isin(keys[members], several)):
                groups[int(keys[members[position]])][side].append(int(position))
        names = membership_id.to_pylist()
        for mine, theirs in groups.values():
            for i_own, i_other in _match([names[own[p]] for p in mine], [names[other[p]] for p in theirs]):
                partner[mine[i_own]] = other[theirs[i_other]]
    return partner


def _once(keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return np.asarray(counts[inverse] == 1)


def _match(mine: list[str | None], theirs: list[str | None]) -> list[tuple[int, int]]:
    """Pair two lists of membership ids: equal ids first, then in order where either id is unknown."""
    pairs = []
    free = list(range(len(theirs)))
    rest = []
    for i, name in enumerate(mine):
        same = next((j for j in free if name is not None and theirs[j] == name), None)
        if same is None:
            rest.append(i)
        else:
            free.remove(same)
            pairs.append((i, same))
    for i in rest:
        fitting = next((j for j in free if mine[i] is None or theirs[j] is None), None)
        if fitting is not None:
            free.remove(fitting)
            pairs.append((i, fitting))
    return pairs


def _coalesce(stated: pa.Table, rows: NDArray[np.int64], partner: NDArray[np.int64]) -> tuple[pa.Table, list[Problem]]:
    """The rows with what only their partner knows filled in; where the two differ, the source's value and a problem."""
    links = stated.take(pa.array(rows))
    index = pa.array(partner, mask=partner < 0)
    table_of = {t: table for table, t in OBJECT_TYPES.items()}
    problems: list[Problem] = []
    for name in _MEMBERSHIP:
        ours, theirs = links.column(name), stated.column(name).take(index)
        differ = np.flatnonzero(pc.fill_null(pc.not_equal(ours, theirs), False).to_numpy())
        for row in differ:
            link = links.slice(int(row), 1).to_pylist()[0]
            text = f"the two sides of {link['relation']} to {link['target_id']} differ: {link[name]} is kept"
            value = str(theirs[int(row)].as_py())
            problems.append(Problem(table_of[link["source_type"]], link["source_id"], name, value, text))
        position = links.column_names.index(name)
        links = links.set_column(position, name, pc.coalesce(ours, theirs))
    return links, problems
