"""One tidy table of relations, from what both ends say.

A membership may be stated by one side, both or neither: a section lists its students, a person lists its
sections. The union of both is the truth; ``stated_by`` keeps who said so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kimono_explore.decode.ids import IdIndex
from kimono_explore.decode.references import role_relation
from kimono_explore.frames import frame, to_pandas
from kimono_explore.schema import LINK_COLUMNS, OBJECT_TYPES, REFERENCES, RELATIONS, TABLE_OF, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from kimono_explore.decode.ids import Codes
    from kimono_explore.decode.raw_links import RawLinks

_PLACES = {relation: place for place, relation in enumerate(RELATIONS)}
_MEMBERSHIP = tuple(column.name for column in LINK_COLUMNS if column.path)


def merge_sides(ids: Mapping[str, pd.Series], raw: dict[str, RawLinks]) -> tuple[pd.DataFrame, list[Problem]]:
    """Merge what the objects of each table say about their relations.

    Parameters
    ----------
    ids : mapping of str to pandas.Series
        Table name -> its ``id`` column.
    raw : mapping of str to RawLinks
        Table name -> the links its objects state. The mapping is emptied to save memory.

    Returns
    -------
    pandas.DataFrame
        ``links``, ordered by relation, then by the places of source and target in their tables.
    list of Problem
        Values of a membership that its two sides state differently.
    """
    said = {table: links for table, links in raw.items() if len(links.near)}
    raw.clear()  # for a state these take gigabytes: each is released when it is no longer needed
    if not said:
        return frame("links"), []
    index = IdIndex({t: ids[table] for table, t in OBJECT_TYPES.items()})
    index.add_unknown(*(_distinct_ends(links) for links in said.values()))
    ends = [_ends(table, ids[table], links, index) for table, links in said.items()]
    source, target, relation, forward = (np.concatenate(columns) for columns in zip(*ends, strict=True))
    memberships = pa.concat_tables([links.table.select(_MEMBERSHIP) for links in said.values()]).unify_dictionaries()
    stated = dict(zip(_MEMBERSHIP, memberships.columns, strict=True))
    del said, ends, memberships
    # sections s1: {$students: [ana]} and persons ana: {$sections: [s1, s2]}
    # ->  ana student_in s1, stated by both; ana student_in s2, stated by its source (a link runs from the person)
    rows, partner = _pairs(_key(relation, source, target, index.size), forward, stated["membership_id"])
    source, target, relation, forward = source[rows], target[rows], relation[rows], forward[rows]
    differences: list[_Difference] = []

    def columns() -> Iterator[tuple[str, pa.Array]]:
        for name in _MEMBERSHIP:
            yield name, _coalesced(name, stated.pop(name), rows, partner, differences)
        for end, codes in (("source", source), ("target", target)):
            yield f"{end}_type", pa.DictionaryArray.from_arrays(index.kinds(codes), index.types)
            yield f"{end}_id", index.texts(codes)
        yield "relation", pa.DictionaryArray.from_arrays(relation, RELATIONS)
        by = np.where(partner >= 0, 2, np.where(forward, 0, 1)).astype(np.int8)
        yield "stated_by", pa.DictionaryArray.from_arrays(by, ["source", "target", "both"])

    links = to_pandas("links", columns())
    return links, [_problem(links.iloc[difference.row], difference) for difference in differences]


class _Difference(NamedTuple):
    """A value of a membership that its two sides state differently."""

    row: int
    column: str
    kept: object
    given: object


def _problem(link: pd.Series, found: _Difference) -> Problem:
    table = TABLE_OF[link["source_type"]]
    text = f"the two sides of {link['relation']} to {link['target_id']} differ: {found.kept} is kept"
    return Problem(table, link["source_id"], found.column, str(found.given), text)


def sort_links(links: pd.DataFrame, ids: Mapping[str, pd.Series]) -> pd.DataFrame:
    """The same links in the order of `merge_sides`."""
    index = IdIndex({t: ids[table] for table, t in OBJECT_TYPES.items()})
    ends = [(links["source_type"], links["source_id"]), (links["target_type"], links["target_id"])]
    source, target = index.add_unknown(*ends)
    relation = pd.Categorical(links["relation"], categories=list(RELATIONS)).codes
    order = np.argsort(_key(relation, source, target, index.size), kind="stable")
    return links.iloc[order].reset_index(drop=True)


def _distinct_ends(links: RawLinks) -> tuple[pd.Series, pd.Series]:
    """The types and ids of the far ends, without repeats."""
    types, ids = (_whole(links.table, name) for name in ("far_type", "far_id"))
    many = len(ids.dictionary)
    codes = np.unique(types.indices.to_numpy().astype(np.int64) * many + ids.indices.to_numpy())
    return (
        pd.Series(types.dictionary.take(codes // many), dtype="str"),
        pd.Series(ids.dictionary.take(codes % many), dtype="str"),
    )


def _ends(table: str, near_ids: pd.Series, links: RawLinks, index: IdIndex) -> tuple[NDArray[Any], ...]:
    """The links one table states: codes of source and target, position in RELATIONS, whether the source states it."""
    types, ids = (_whole(links.table, name) for name in ("far_type", "far_id"))
    code_of = np.stack(
        [
            index.codes(pd.Series(t, index=range(len(ids.dictionary))), pd.Series(ids.dictionary, dtype="str"))
            for t in types.dictionary.to_pylist()
        ]
    )
    far = code_of[types.indices.to_numpy(), ids.indices.to_numpy()]
    near = index.codes(pd.Series(OBJECT_TYPES[table], index=near_ids.index), near_ids)[links.near]
    forward = np.array([r.forward for r in REFERENCES])[links.reference]
    relation = np.array([_PLACES.get(r.relation or "", -1) for r in REFERENCES], dtype=np.int8)[links.reference]
    undecided = np.flatnonzero(relation < 0)
    if len(undecided):
        roles = _whole(links.table, "role")
        by_role = np.array(
            [_PLACES[role_relation(role)] for role in [*roles.dictionary.to_pylist(), None]], dtype=np.int8
        )
        relation[undecided] = by_role[pc.fill_null(roles.indices, -1).to_numpy()[undecided]]
    return np.where(forward, near, far), np.where(forward, far, near), relation, forward


def _whole(table: pa.Table, name: str) -> pa.DictionaryArray:
    return table.column(name).combine_chunks()


def _key(relation: NDArray[np.int8], source: Codes, target: Codes, size: int) -> NDArray[np.int64]:
    """A number for each link, equal where relation and both ends are; it sorts as `merge_sides` promises."""
    return (relation.astype(np.int64) * size + source) * size + target


def _pairs(keys: NDArray[np.int64], forward: NDArray[np.bool_], membership_id: pa.ChunkedArray) -> tuple[Codes, Codes]:
    """The statements to keep, in order: all that sources make, and those of targets that no source makes.

    Beside each: the target's statement of the same membership, or -1.
    """
    # keys 7 7 5, forward yes no no  ->  sorted 5 7 7: the second 7 is the target's statement, and the first one's partner
    keys *= 2
    keys += ~forward  # of equal keys, the source's statements come first
    order = np.argsort(keys, kind="stable").astype(np.int32)
    keys = keys[order] >> 1
    forward = forward[order]
    again = np.append(keys[1:] == keys[:-1], False)  # the next one has the same key
    first = ~np.append(False, again[:-1])
    turn = np.append(forward[:-1] & ~forward[1:], False) & again  # from a source's statement to a target's
    partner = np.full(len(keys), -1, dtype=np.int32)
    simple = np.flatnonzero(turn & first & ~np.append(again[1:], False))
    partner[simple] = simple + 1
    # A person can be in a section twice: those few are matched by membership id, then in their order.
    turn[simple] = False
    for last in np.flatnonzero(turn).tolist():
        start = last - int(np.argmax(first[: last + 1][::-1]))
        end = last + 1 + int(np.argmin(again[last + 1 :])) + 1
        names = membership_id.take(pa.array(order[start:end])).to_pylist()
        for mine, theirs in _pair_memberships(names[: last + 1 - start], names[last + 1 - start :]):
            partner[start + mine] = last + 1 + theirs
    paired = partner >= 0
    kept = np.ones(len(keys), dtype=bool)
    kept[partner[paired]] = False
    return order[kept], np.where(paired, order[partner], -1)[kept]


def _pair_memberships(mine: list[str | None], theirs: list[str | None]) -> list[tuple[int, int]]:
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


def _coalesced(
    name: str, stated: pa.ChunkedArray, rows: Codes, partner: Codes, differences: list[_Difference]
) -> pa.Array:
    """The rows' values; gaps are filled from the partner, and where the two differ, the source's value is kept."""
    # In one piece, and more than 2 GB of text may come together.
    whole = (stated.cast(pa.large_string()) if pa.types.is_string(stated.type) else stated).combine_chunks()
    dictionary = whole.dictionary if pa.types.is_dictionary(whole.type) else None
    values = whole if dictionary is None else whole.indices
    given = values.is_valid().to_numpy(zero_copy_only=False)
    both = np.flatnonzero((partner >= 0) & given[rows] & given[partner])
    for some in np.array_split(both, len(both) // 1_000_000 + 1):
        unequal = pc.not_equal(values.take(pa.array(rows[some])), values.take(pa.array(partner[some])))
        for row in some[unequal.to_numpy(zero_copy_only=False)].tolist():
            ours, theirs = (whole[int(place[row])].as_py() for place in (rows, partner))
            differences.append(_Difference(row, name, ours, theirs))
    filled = values.take(pa.array(np.where(given[rows] | (partner < 0), rows, partner)))
    return filled if dictionary is None else pa.DictionaryArray.from_arrays(filled, dictionary)
