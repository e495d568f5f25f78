"""Running the checks: over a roster in memory, a snapshot on disk, or a task queue."""

from __future__ import annotations

import os
import time
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import narwhals as nw
import pandas as pd

from kimono_explore.atomic import whole
from kimono_explore.errors import BundleError, ConfigurationError, expect, expect_options
from kimono_explore.files.snapshot import PARTS, is_snapshot, part, read_manifest
from kimono_explore.progress import Bar
from kimono_explore.quality.catalogue import ROSTER_CHECKS, TASK_CHECKS, by_name, choose
from kimono_explore.quality.causes import group_by_cause
from kimono_explore.quality.checks.queue import QueueContext
from kimono_explore.quality.config import Config, beside, read_config, waive
from kimono_explore.quality.context import CheckContext
from kimono_explore.quality.day import day_of, own_day
from kimono_explore.quality.definition import Frame, NotApplicable
from kimono_explore.quality.engines import make_engine
from kimono_explore.quality.outcome import PLACE, Outcome, no_failures
from kimono_explore.quality.report import Report
from kimono_explore.roster.open import read_source
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import GRADE_COLUMNS, TABLE_OF, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pandas.api.extensions import ExtensionArray
    from pyspark.sql import SparkSession

    from kimono_explore.files.snapshot import Manifest
    from kimono_explore.quality.definition import Check, CheckResult, Parameter
    from kimono_explore.quality.engines import Answer, Engine

_IN_MEMORY = 1_000_000
"""A snapshot of at most this many rows is checked faster in memory."""
_TOGETHER = 32
"""How many checks run together on a roster of ordinary size; a large one runs them one by one, so that its bar moves."""


def check(
    roster: Roster | str | os.PathLike[str],
    checks: Iterable[str] | None = None,
    *,
    exclude: Iterable[str] = (),
    params: Mapping[str, Mapping[str, Parameter]] | None = None,
    config: str | os.PathLike[str] | None = None,
    as_of: date | str | None = None,
    engine: str | SparkSession | None = None,
    max_rows: int = 1_000_000,
    progress: bool | None = None,
    memory: str | None = None,
) -> Report:
    """Find what is wrong with a roster.

    Parameters
    ----------
    roster : Roster, str or path
        A path is a snapshot folder, which is read from disk as needed, or a OneRoster bundle.
    checks : iterable of str, optional
        The ids or numbers of the checks to run. Default: all of `checks`.
    exclude : iterable of str
        Checks to leave out, by id or number.
    params : mapping of str to mapping, optional
        Parameters to override, by check, such as ``{"oversize_section": {"bound": 40}}``.
    config : str or path, optional
        A ``quality.toml``: parameters, severities, checks turned on and off, waived findings. Arguments of the call
        take precedence over it. Default: the ``quality.toml`` beside a snapshot, if there is one.
    as_of : date or str, optional
        The day that counts as today for ages, terms and memberships. Default: the day the roster was loaded, if it is
        within a term in use; otherwise a day in the nearest such term, and the report says so (``as_of_reason``).
    engine : {"polars", "duckdb"} or SparkSession, optional
        Where the checks run; the results are the same. Default: Polars for a roster in memory or a snapshot of up to
        1,000,000 rows; DuckDB, which can process more than fits in memory, for a larger snapshot or if ``memory`` is
        given.
    max_rows : int, default 1,000,000
        The maximum number of failing rows to keep for each check; all are counted.
    progress : bool, optional
        Show a progress bar. Default: in a notebook or terminal, once the checks have taken two seconds.
    memory : str, optional
        How much memory DuckDB may use, such as ``"4GB"``; data that does not fit goes to a private temporary folder.
        Default: 80% of the machine's memory. The failing rows are not included in this.

    Returns
    -------
    Report

    Raises
    ------
    ConfigurationError
        A check, parameter or engine is unknown, ``as_of`` is not a date, or ``config`` contains something unknown.
    BundleError
        The path is neither a snapshot nor a OneRoster bundle.

    Examples
    --------
    >>> report = kx.check(roster, as_of="2026-10-05")
    >>> report.summary.loc[report.summary["status"] == "failed", "id"].tolist()
    []
    """
    expect("check", roster, Roster, str, os.PathLike)
    expect("check", config, str, os.PathLike, None)
    expect_options("check", "list", or_none=True, checks=checks)
    expect_options("check", "list", exclude=exclude)
    expect_options("check", "dict", or_none=True, params=params)
    expect_options("check", "whole number", max_rows=max_rows)
    if config is None and not isinstance(roster, Roster) and is_snapshot(roster):
        config = beside(roster)
    settled = read_config(config)
    chosen = _chosen(checks, exclude, params or {}, settled, ROSTER_CHECKS)
    again = partial(check, checks=checks, exclude=exclude, params=params, config=config, progress=False)
    if not isinstance(roster, Roster) and not is_snapshot(roster):
        roster = read_source(roster)
    with closing(make_engine(engine or _usual_engine(roster, memory), memory)) as running:
        seen = _in_memory(roster, running) if isinstance(roster, Roster) else _on_disk(roster, running)
        context = CheckContext(running, seen.frames, seen.rollups, day_of(as_of) or seen.loaded_at.date())
        began = time.perf_counter()
        reason = ""
        if as_of is None:
            context.as_of, reason = own_day(context, context.today)
        with seen.unchanged():
            outcomes = _run(chosen, context, max_rows, progress, 1 if _is_large(roster) else _TOGETHER)
            _add_labels(outcomes, context)
            notices = waive(outcomes, settled.waivers, context.today)
            labels, district = _org_labels(context), _district(context)
            explained = group_by_cause(outcomes, context)
    seconds = time.perf_counter() - began
    report = Report(
        outcomes, seen.source, context.as_of, running.name, seconds, labels, seen.roster, reason, explained, district
    )
    report.remember(notices, again, config)
    return report


def _usual_engine(roster: Roster | str | os.PathLike[str], memory: str | None) -> str:
    return "duckdb" if memory is not None or (not isinstance(roster, Roster) and _is_large(roster)) else "polars"


def _is_large(roster: Roster | str | os.PathLike[str]) -> bool:
    if isinstance(roster, Roster):
        return sum(len(getattr(roster, name)) for name in PARTS) > _IN_MEMORY
    rows = read_manifest(roster).rows
    return not rows or sum(rows.values()) > _IN_MEMORY  # a folder that Spark wrote says nothing of its rows


def grades_by_person(roster: Roster) -> pd.Series:
    """The grade of each person by id, as the checks of grades see it on the roster's own day.

    It is the published code (`kimono_explore.quality.grades`); what has none is as it was said. Who has none is left out.

    Examples
    --------
    >>> sorted(grades_by_person(roster).unique())[-3:]
    ['11', '12', 'KG']
    """
    with closing(make_engine("polars")) as engine:
        seen = _in_memory(roster, engine)
        context = CheckContext(engine, seen.frames, seen.rollups, seen.loaded_at.date())
        context.as_of, _ = own_day(context, context.today)
        try:
            known = engine.collect(context.grades(GRADE_COLUMNS, everyone=True))
        except NotApplicable:
            return pd.Series(dtype="str", index=pd.Index([], dtype="str"))
    return known["grade"].fillna(known["said"]).set_axis(known["id"]).dropna()


class _Seen(NamedTuple):
    """A roster as the checks see it: its frames in the engine, and either the roster itself or its folder."""

    frames: dict[str, Frame]
    source: str
    loaded_at: datetime
    rollups: frozenset[str]
    roster: Roster | None = None
    folder: str | os.PathLike[str] | None = None
    manifest: Manifest | None = None

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """What is done meanwhile counts only if nobody replaced the snapshot; that may also be why it failed."""
        failed: Exception | None = None
        try:
            yield
        except Exception as error:  # noqa: BLE001  raised again below
            failed = error
        if self.folder is not None and read_manifest(self.folder) != self.manifest:
            text = f"{self.folder} was replaced by another snapshot while it was checked. Check it again."
            raise BundleError(text) from failed
        if failed is not None:
            raise failed


def _in_memory(roster: Roster, engine: Engine) -> _Seen:
    frames = {name: engine.bring(name, getattr(roster, name)) for name in PARTS}
    return _Seen(frames, roster.source, roster.loaded_at, roster.rollups, roster=roster)


def _on_disk(path: str | os.PathLike[str], engine: Engine) -> _Seen:
    """A snapshot stays where it is."""
    manifest = read_manifest(path)
    frames = {name: engine.scan(part(whole(path), name)) for name in PARTS}
    return _Seen(frames, manifest.source, manifest.loaded_at, manifest.rollups, folder=path, manifest=manifest)


def check_tasks(
    tasks: pd.DataFrame,
    roster: Roster | None = None,
    checks: Iterable[str] | None = None,
    *,
    exclude: Iterable[str] = (),
    params: Mapping[str, Mapping[str, Parameter]] | None = None,
    config: str | os.PathLike[str] | None = None,
    now: datetime | str | None = None,
) -> Report:
    """Find what is wrong with a task queue.

    Parameters
    ----------
    tasks : pandas.DataFrame
        The tasks, as returned by `load_tasks`.
    roster : Roster, optional
        The roster that the tasks are about. Without it, the checks cannot tell whether a deleted object is known.
    checks, exclude, params, config
        As in `check`.
    now : datetime or str, optional
        The time at which task age is measured; UTC if it has no time zone. Default: now.

    Returns
    -------
    Report

    Examples
    --------
    >>> report = kx.check_tasks(kx.load_tasks(client), now="2026-10-05T12:00:00Z")
    >>> report.failures("sync_without_end")["action"].tolist()
    ['SYNC_START']
    """
    expect("check_tasks", tasks, pd.DataFrame)
    expect("check_tasks", roster, Roster, None)
    expect("check_tasks", config, str, os.PathLike, None)
    expect_options("check_tasks", "list", or_none=True, checks=checks)
    expect_options("check_tasks", "list", exclude=exclude)
    expect_options("check_tasks", "dict", or_none=True, params=params)
    settled = read_config(config)
    chosen = _chosen(checks, exclude, params or {}, settled, TASK_CHECKS)
    moment = pd.Timestamp(now or datetime.now(UTC))
    moment = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    queue = QueueContext(tasks, roster, moment)
    began = time.perf_counter()
    outcomes = _run(chosen, queue, 1_000_000, progress=False)
    for outcome in outcomes:
        failing = outcome.failures
        if failing.empty:
            continue
        nowhere = pd.Series(float("nan"), index=failing.index, dtype="str")
        failing = failing.assign(org_id=nowhere, org=nowhere)
        outcome.failures = failing[[*PLACE, *[name for name in failing.columns if name not in PLACE]]]
    notices = waive(outcomes, settled.waivers, moment.date())
    seconds = time.perf_counter() - began
    report = Report(outcomes, "the task queue", moment.date(), queue.engine.name, seconds, {})
    report.remember(notices, config=config)
    return report


def _chosen(
    checks: Iterable[str] | None,
    exclude: Iterable[str],
    params: Mapping[str, Mapping[str, Parameter]],
    config: Config,
    of: tuple[Check, ...],
) -> list[tuple[Check, dict[str, Parameter]]]:
    """The checks to run, with their parameters: what the call says counts before the file."""
    here = {check.id for check in choose(None, (), of)}
    exclude = [exclude] if isinstance(exclude, str) else list(exclude)
    if checks is None:
        checks = None if config.on is None else [id for id in config.on if id in here]
        exclude = [*exclude, *(id for id in config.off if id in here)]
    chosen = [replace(one, severity=config.severities.get(one.id, one.severity)) for one in choose(checks, exclude, of)]
    running = {one.id for one in chosen}
    own = _by_id(params, chosen)
    settled = {id: values for id, values in config.parameters.items() if id in running}
    return _with_params(chosen, {id: {**settled.get(id, {}), **own.get(id, {})} for id in {**settled, **own}})


def _by_id(
    params: Mapping[str, Mapping[str, Parameter]], chosen: Sequence[Check]
) -> dict[str, Mapping[str, Parameter]]:
    """Parameters by the id of their check, where the call names some by number; a name that nobody knows stays."""
    known = by_name(chosen)
    found: dict[str, Mapping[str, Parameter]] = {}
    for name, values in params.items():
        id = known[name].id if name in known else name
        if id in found:
            raise ConfigurationError(f"Parameters for {id!r} are given twice: by its id and by its number {name!r}.")
        found[id] = values
    return found


def _with_params(
    chosen: Sequence[Check], params: Mapping[str, Mapping[str, Parameter]]
) -> list[tuple[Check, dict[str, Parameter]]]:
    known = {check.id: check for check in chosen}
    for id, own in params.items():
        if id not in known:
            raise ConfigurationError(f"Parameters for {id!r}, which is not among the checks to run.")
        for name in own:
            if name not in known[id].params:
                has = ", ".join(known[id].params) or "none"
                raise ConfigurationError(f"{id} has no parameter {name!r}. It has: {has}.")
    return [(check, {**check.params, **params.get(check.id, {})}) for check in chosen]


def _run(
    chosen: Sequence[tuple[Check, dict[str, Parameter]]],
    context: CheckContext | QueueContext,
    max_rows: int,
    progress: bool | None,
    together: int = _TOGETHER,
) -> list[Outcome]:
    outcomes = []
    with Bar("checks", "checks", total=len(chosen), shown=progress) as bar:
        for start in range(0, len(chosen), together):
            asked = []
            for check, params in chosen[start : start + together]:
                bar.at(check.title)
                outcome = Outcome(check, check.rule_with(params))
                asked.append((outcome, _find(outcome, params, context)))
            found = [(outcome, result) for outcome, result in asked if result is not None]
            questions = [(result.checked, result.failing.head(max_rows + 1)) for _, result in found]
            for (outcome, result), answer in zip(found, context.engine.answer(questions), strict=True):
                _fill_outcome(outcome, result, answer, context, max_rows)
            outcomes += [outcome for outcome, _ in asked]
            bar.step(len(asked))
        bar.at("checks")
    return outcomes


@contextmanager
def _errors_into(outcome: Outcome) -> Iterator[None]:
    """Turn errors into the outcome: a check that breaks, perhaps a user's own, must not stop the report."""
    try:
        yield
    except NotApplicable as reason:
        outcome.status, outcome.reason = "not applicable", str(reason)
    except Exception as error:  # noqa: BLE001
        outcome.status, outcome.reason = "could not run", f"{type(error).__name__}: {error}"


def _find(outcome: Outcome, params: dict[str, Parameter], context: CheckContext | QueueContext) -> CheckResult | None:
    """What a check looks at and what fails, as lazy tables; None if it is not applicable or breaks."""
    with _errors_into(outcome):
        for need in outcome.check.needs:
            context.require(need)
        return outcome.check.find(context, **params)
    return None


def _fill_outcome(
    outcome: Outcome,
    found: CheckResult,
    answer: Answer | Exception,
    context: CheckContext | QueueContext,
    max_rows: int,
) -> None:
    """Fill in the outcome of a check from the engine's answer."""
    check = outcome.check
    with _errors_into(outcome):
        if isinstance(answer, Exception):
            raise answer
        outcome.checked, failing = answer
        if not outcome.checked:
            reasons = [context.refused(table) for table in check.tables]
            raise NotApplicable(next(filter(None, reasons), "no object or link that the rule is about"))
        outcome.failures = _in_order(failing, check) if len(failing) else no_failures(failing)
        outcome.failed = len(failing)
        if outcome.failed > max_rows:
            outcome.failed = context.engine.count(found.failing)
            outcome.failures = outcome.failures.head(max_rows)
        outcome.status = "failed" if outcome.failed else "passed"
        outcome.reason = outcome.pattern


def _in_order(df: pd.DataFrame, check: Check) -> pd.DataFrame:
    """The failing rows in an order that does not depend on the engine."""
    if "table" not in df:
        df.insert(0, "table", pd.Series(check.tables[0], index=df.index, dtype="str"))
    if len(df) < 2:
        return df
    keys = pd.DataFrame({name: df[name].astype("str") for name in df.columns if name != "table"}, index=df.index)
    if (df["table"] != df["table"].iloc[0]).any():
        # Findings about links, and about files that fill no table, come after those about the tables.
        known = {table: place for place, table in enumerate((*TABLES, "links"))}
        keys.insert(0, "", df["table"].map(known).fillna(len(known)))
        keys.insert(1, " ", df["table"].astype("str"))
    return df.loc[keys.sort_values(list(keys.columns), kind="stable").index].reset_index(drop=True)


def _add_labels(outcomes: Sequence[Outcome], context: CheckContext) -> None:
    """Add the label and org of each failing object to the failing rows."""
    failed = [outcome for outcome in outcomes if len(outcome.failures)]
    if not failed:
        return
    names = _describe([outcome.failures for outcome in failed], context)
    keys = pd.concat([df[["table", "id"]] for df in (names.head(0), *(o.failures for o in failed))], ignore_index=True)
    known = keys.merge(names, how="left")  # once for all checks: there are many, and most fail for a few objects
    cells = {str(name): known[name].array for name in known}
    start = 0
    for outcome in failed:
        here = slice(start, start := start + len(outcome.failures))
        outcome.failures = _named(outcome.failures, {name: column[here] for name, column in cells.items()})


def _org_labels(context: CheckContext) -> dict[str, str]:
    orgs = context.engine.collect(context.objects("orgs").select("id", "label")).dropna().drop_duplicates("id")
    return dict(zip(orgs["id"], orgs["label"], strict=True))


def _district(context: CheckContext) -> str:
    """The name of the district; "" if there is none, or more than one."""
    leas = context.objects("orgs").filter(nw.col("org_type") == "lea").select("id", "label")
    df = context.engine.collect(leas).dropna().drop_duplicates()
    return str(df["label"].iloc[0]) if len(df) == 1 else ""


def _describe(failures: Sequence[pd.DataFrame], context: CheckContext) -> pd.DataFrame:
    """What is known about every failing object: table, id, label, person_type, org_id."""
    pairs = pd.concat([df[["table", "id"]] for df in failures] or [pd.DataFrame(columns=["table", "id"])])
    pairs = pairs.dropna().drop_duplicates()
    described = []
    for table, ids in pairs.groupby("table")["id"]:
        if table == "links":
            described.append(_describe_links(ids, context).assign(table=table))
            continue
        if table not in TABLES:  # a file of a bundle that fills none
            described.append(pd.DataFrame({"id": ids.to_numpy()}).assign(table=table))
            continue
        few = context.engine.small({"id": ids.tolist()})
        columns = ["id", "label", *(["person_type"] if table == "persons" else [])]
        objects = context.objects(str(table)).select(columns).join(few, on="id", how="semi")
        df = context.engine.collect(objects).sort_values(columns).drop_duplicates("id")
        homes = _homes(context, str(table), few)
        # An object that was not delivered has no label, but may still have a home.
        df = pd.DataFrame({"id": ids.to_numpy()}).merge(df, on="id", how="left").merge(homes, on="id", how="left")
        described.append(df.assign(table=table))
    empty = pd.DataFrame({name: pd.Series(dtype="str") for name in ("table", "id", "label", "person_type", "org_id")})
    names = pd.concat([empty, *described], ignore_index=True)
    orgs = context.engine.collect(context.objects("orgs").select(org_id="id", org="label"))
    return names.merge(orgs.dropna().drop_duplicates("org_id"), on="org_id", how="left")


def _describe_links(ids: pd.Series, context: CheckContext) -> pd.DataFrame:
    """What is known about memberships by their ids: a label that names both ends, and the org."""
    few = context.engine.small({"id": ids.tolist()})
    columns = ["source_type", "source_id", "target_type", "target_id"]
    links = context.links().filter(~nw.col("membership_id").is_null()).select(*columns, id="membership_id")
    df = context.engine.collect(links.join(few, on="id", how="semi"))
    df = df.sort_values(["id", *columns]).drop_duplicates("id").reset_index(drop=True)
    df["org_id"] = df["target_id"].where(df["target_type"] == "org")
    for end in ("source", "target"):
        df[end] = df[f"{end}_id"]
        for type in df[f"{end}_type"].dropna().unique():
            rows = df[f"{end}_type"] == type
            near = context.engine.small({"id": df.loc[rows, f"{end}_id"].dropna().unique().tolist()})
            objects = context.objects(TABLE_OF[type]).select("id", "label").join(near, on="id", how="semi")
            known = context.engine.collect(objects).dropna().sort_values(["id", "label"]).drop_duplicates("id")
            labels = df.loc[rows, f"{end}_id"].map(dict(zip(known["id"], known["label"], strict=True)))
            df.loc[rows, end] = labels.astype("str").fillna(df[end])
            if end == "target" and type != "org":
                homes = _homes(context, TABLE_OF[type], near)
                orgs = df.loc[rows, "target_id"].map(dict(zip(homes["id"], homes["org_id"], strict=True)))
                df.loc[rows, "org_id"] = orgs.astype("str")  # of none that is known, a map makes numbers
    df["label"] = df["source"].fillna("?").astype("str") + " - " + df["target"].fillna("?").astype("str")
    return pd.DataFrame({"id": ids.to_numpy()}).merge(df[["id", "label", "org_id"]], on="id", how="left")


def _homes(context: CheckContext, table: str, few: Frame) -> pd.DataFrame:
    """The org of each object: the primary one where several are marked, else the first in sort order."""
    relation = {"persons": "member_of", "sections": "held_at", "courses": "offered_by"}.get(table)
    if table == "orgs":
        return context.engine.collect(few.select("id", org_id="id"))
    if relation is None:
        return pd.DataFrame({"id": pd.Series(dtype="str"), "org_id": pd.Series(dtype="str")})
    links = context.links(relation).filter(nw.col("target_type") == "org")
    links = links.select("primary", id="source_id", org_id="target_id").join(few, on="id", how="semi")
    df = context.engine.collect(links).dropna(subset=["id", "org_id"])
    df["secondary"] = ~df["primary"].fillna(False).astype(bool)
    return df.sort_values(["id", "secondary", "org_id"]).drop_duplicates("id")[["id", "org_id"]]


def _named(failures: pd.DataFrame, known: dict[str, ExtensionArray]) -> pd.DataFrame:
    """The failing rows with what is known about each, in the same order."""
    values = [name for name in failures if name not in (*PLACE, "person_type")]
    kind = ["person_type"] if set(known["table"]) == {"persons"} else []
    cells = {name: known[name] for name in (*PLACE, *kind)} | {name: failures[name].array for name in values}
    if "label" in failures:  # a row of a repeated id has a label of its own
        cells["label"] = failures["label"].fillna(pd.Series(known["label"])).array
    return pd.DataFrame(cells)
