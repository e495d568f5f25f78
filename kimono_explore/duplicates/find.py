"""Splink on DuckDB, in memory and on this machine: pairs with the probability that they are one person."""

from __future__ import annotations

import logging
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pandas as pd

from kimono_explore.duplicates.model import COMPARISONS, SAID, TRAINING, alike, levels
from kimono_explore.errors import ConfigurationError, expect, expect_options
from kimono_explore.roster.roster import Roster
from kimono_explore.scratch import scratch_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from kimono_explore.duplicates.model import Learned

_EXPECTED = 0.02
"""Before anything is compared: the share of persons who are there twice."""
_ENOUGH = 2_000
"""Of fewer persons nothing is learned: too few of them are there twice."""
_SAMPLE = 300_000
"""Pairs drawn by chance, from which u is estimated."""
_OURS = 100
"""Our own m count as much as what this number of duplicates teaches."""
_LESSON = 20
"""Pairs from which m can be learned at all."""
_APART = 4
"""What is learned of m lies between ours by this number and ours times it: without duplicates, a roster teaches nonsense."""
_SEED = 1


def probable_duplicates(roster: Roster, threshold: float = 0.9, *, across_types: bool = False) -> pd.DataFrame:
    """Find pairs of person records that are probably the same person, even if no key matches.

    A Fellegi-Sunter model, run with `Splink <https://moj-analytical-services.github.io/splink/>`_, compares names
    (allowing for accents, case, the order of compound names, nicknames and typos), date of birth, ids, e-mail, phone
    and address. Nothing is merged, and nothing leaves the machine. Twins are not paired: first names must be equal or
    similar.

    Parameters
    ----------
    roster : Roster
    threshold : float, default 0.9
        The minimum probability of a pair, above 0 and up to 1.
    across_types : bool, default False
        Also compare persons of different types, such as a student and a teacher.

    Returns
    -------
    pandas.DataFrame
        One row per pair, most probable first: probability, id_1, label_1, id_2, label_2, person_type, school_1,
        school_2, and agree, alike and differ (the fields that are equal, similar or different). Persons without an id,
        first name or last name are left out; if several rows share an id, the first is used.

    Raises
    ------
    ConfigurationError
        Splink is not installed.
    ValueError
        The threshold is out of range.

    Notes
    -----
    For 2,000 or more persons, the rate at which fields agree by chance (u) is estimated from random pairs drawn with a
    fixed seed, and the rate at which they agree for the same person (m) by expectation maximization. For fewer, fixed
    values are used. Two persons in a hundred are expected to be duplicated. The same roster always gives the same
    pairs.

    Examples
    --------
    >>> twice = roster.persons.head(1).assign(id="new", state_id=None, local_id=None, email=None)
    >>> again = kx.Roster(persons=pd.concat([roster.persons, twice], ignore_index=True))
    >>> kx.probable_duplicates(again)[["id_2", "agree"]].to_dict("records")
    [{'id_2': 'new', 'agree': 'first name, last name, ...date of birth, sex, phone, address'}]
    """
    expect("probable_duplicates", roster, Roster)
    expect_options("probable_duplicates", "number", threshold=threshold)
    if not 0 < threshold <= 1:
        raise ValueError(f"The threshold is a probability above 0 and up to 1, not {threshold}.")
    persons = roster.persons[roster.persons["id"].notna()].drop_duplicates("id").reset_index(drop=True)
    with _quiet(), _connected() as connection:
        schools = _schools(roster, persons["id"])
        pairs = _pairs(connection, persons, schools, threshold, across_types)
    return _described(roster, persons, schools, pairs)


@contextmanager
def _quiet() -> Iterator[None]:
    """Splink without its messages, which are for those who build models."""
    logger = logging.getLogger("splink")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _connected() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in which Splink works."""
    try:
        import splink  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "splink":
            raise
        raise ConfigurationError(
            'probable_duplicates needs Splink, which is not installed. Run: pip install "kimono-explore[duplicates]"'
        ) from None
    with scratch_database(keep_order=False) as connection:
        yield connection


def _pairs(
    connection: duckdb.DuckDBPyConnection,
    persons: pd.DataFrame,
    schools: pd.Series,
    threshold: float,
    across_types: bool,
) -> pd.DataFrame:
    """The rows of persons, ``row_l`` and ``row_r``, with probability and the level of each comparison."""
    from kimono_explore.duplicates.keys import prepare
    from kimono_explore.duplicates.score import weighed

    prepare(connection, persons, schools)
    count = int(_one(connection, "SELECT count(*) FROM ready"))
    learned = _learned(connection, count, across_types) if count >= _ENOUGH else None
    share = _share_expected(count)
    prior = math.log(share / (1 - share))
    least = min(threshold, 1 - 1e-9)
    return weighed(connection, "l.row < r.row", prior, learned, said=SAID, across_types=across_types, threshold=least)


def _share_expected(count: int) -> float:
    """The share of all pairs of this number of persons who are expected to be one person."""
    return min(2 * _EXPECTED / max(count - 1, 1), _EXPECTED)


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:  # noqa: ANN401
    return connection.execute(query).fetchall()[0][0]


def _learned(connection: duckdb.DuckDBPyConnection, count: int, across_types: bool) -> Learned:
    """What this roster teaches of m and u, with our own values where it teaches little."""
    from splink import DuckDBAPI, Linker

    settings: dict[str, Any] = {
        "link_type": "dedupe_only",
        "unique_id_column_name": "row",
        "probability_two_random_records_match": _share_expected(count),
        "comparisons": [levels(comparison) for comparison in COMPARISONS],
    }
    linker = Linker("ready", settings, db_api=DuckDBAPI(connection), set_up_basic_logging=False)
    threads = int(_one(connection, "SELECT current_setting('threads')"))
    connection.execute("SET threads = 1")  # a sample can be drawn again only by one thread
    linker.training.estimate_u_using_random_sampling(max_pairs=_SAMPLE, seed=_SEED)
    connection.execute(f"SET threads = {threads}")
    for rule in (alike(columns, across_types) for columns in TRAINING):
        if _one(connection, f"SELECT count(*) FROM ready l JOIN ready r ON {rule} AND l.row < r.row") >= _LESSON:
            linker.training.estimate_parameters_using_expectation_maximisation(rule)
    trained = linker.misc.save_model_to_json()["comparisons"]
    pairs = min(_SAMPLE, count * (count - 1) / 2)
    share = count * _EXPECTED / (count * _EXPECTED + _OURS)
    learned: Learned = {}
    for comparison, model in zip(COMPARISONS, trained, strict=True):
        for level, values in zip(comparison.levels, model["comparison_levels"][1:], strict=True):
            m, u = (values.get(f"{name}_probability") for name in "mu")
            m = min(max(m, level.m / _APART), level.m * _APART) if isinstance(m, float) else level.m
            u = u if isinstance(u, float) else 0.0
            seldom = min(level.u, 3 / pairs)
            learned[comparison.name, level.sql] = (share * m + (1 - share) * level.m, max(u, seldom))
    return learned


def _described(roster: Roster, persons: pd.DataFrame, schools: pd.Series, pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs with ids, names, schools and words."""
    low = pairs[["row_l", "row_r"]].min(axis="columns").astype("int64")
    high = pairs[["row_l", "row_r"]].max(axis="columns").astype("int64")
    sides = [persons.iloc[rows.to_numpy()].reset_index(drop=True) for rows in (low, high)]
    orgs = roster.orgs.dropna(subset=["id"]).drop_duplicates("id").set_index("id")["label"]
    columns: dict[str, pd.Series] = {"probability": pairs["probability"].astype("float64").round(6)}
    for number, side in enumerate(sides, 1):
        columns |= {f"id_{number}": side["id"].astype("str"), f"label_{number}": side["label"].astype("str")}
    kinds = [side["person_type"].astype("str") for side in sides]
    columns["person_type"] = kinds[0].where(
        (kinds[0] == kinds[1]) | (kinds[0].isna() & kinds[1].isna()),
        kinds[0].fillna("–") + " / " + kinds[1].fillna("–"),
    )
    for number, rows in enumerate((low, high), 1):
        held = schools.iloc[rows.to_numpy()].reset_index(drop=True)
        columns[f"school_{number}"] = held.map(orgs).astype("str").fillna(held)
    columns |= _words(pairs)
    order = ["probability", "label_1", "id_1", "id_2"]
    return pd.DataFrame(columns).sort_values(order, ascending=[False, True, True, True], ignore_index=True)


def _words(pairs: pd.DataFrame) -> dict[str, pd.Series]:
    """For each pair the fields that agree, are alike, and differ."""
    rows: dict[str, list[list[str]]] = {
        outcome: [[] for _ in range(len(pairs))] for outcome in ("agree", "alike", "differ")
    }
    for comparison in (*COMPARISONS, *SAID) if len(pairs) else ():
        for at, gamma in enumerate(pairs[f"gamma_{comparison.name}"].tolist()):
            if gamma >= 0:
                level = comparison.levels[len(comparison.levels) - 1 - gamma]
                for outcome, fields in rows.items():
                    fields[at].extend(getattr(level, outcome))
    return {outcome: pd.Series([", ".join(words) for words in fields], dtype="str") for outcome, fields in rows.items()}


def _schools(roster: Roster, ids: pd.Series) -> pd.Series:
    """The id of each person's first school."""
    links = roster.links[roster.links["relation"] == "member_of"].drop_duplicates("source_id")
    first = pd.Series(links["target_id"].astype("str").to_numpy(), index=links["source_id"].astype("str"), dtype="str")
    return ids.astype("str").map(first).astype("str")
