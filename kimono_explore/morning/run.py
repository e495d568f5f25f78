"""One tenant's morning: five steps, each of which says how it went; what fails keeps the others from nothing they can do."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from kimono_explore.atomic import atomic_file, only_one
from kimono_explore.display import plural, printable
from kimono_explore.errors import ConfigurationError, KimonoError
from kimono_explore.gate import Verdict, gate
from kimono_explore.gate.measures import of_type
from kimono_explore.history import history
from kimono_explore.load import load_roster
from kimono_explore.quality.config import NAME as CONFIG
from kimono_explore.quality.run import check
from kimono_explore.roster.open import open_roster
from kimono_explore.tasks import load_tasks
from kimono_explore.waits import queue_delays, span_words

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from kimono_explore.api.client import Client
    from kimono_explore.quality.report import Report
    from kimono_explore.roster.roster import Roster

State = Literal["ok", "look", "failed", "stop", "none"]
STATES: tuple[State, ...] = ("none", "ok", "look", "failed", "stop")
"""From nothing to say to what must not happen: look is exit code 1, failed 2, stop 3."""
WORDS = {"none": "Not run", "ok": "Go", "look": "Hold", "failed": "Could not run", "stop": "Stop"}
_LIVE, _REPORT, _VERDICT = "live.json", "report.json", "verdict.json"
HISTORY = "history"
"""Where, beside the days, the rosters that went live are kept for `history`."""
_REPAIR_LIVE = "Restore it from a backup, or delete the file: the next complete load is then the first day again."
_LATE = 60
"""Minutes that the oldest task may wait."""
_USUAL = 20
"""Days that tell what is usual."""
_FELL = 5
"""Points that the score may fall."""


@dataclass
class Step:
    """One step: its name, how it went, a description in words, and the files it wrote."""

    name: str
    state: State = "none"
    title: str = "Not run: a step before it failed"
    detail: str = ""
    seconds: float = 0.0
    files: dict[str, str] = field(default_factory=dict)


@dataclass
class Morning:
    """The outcome of a morning run.

    Attributes
    ----------
    name : str
        The tenant's name.
    began, ended : datetime.datetime
        In UTC.
    folder : pathlib.Path
        The folder with the day's files.
    steps : list of Step
        Load, check, gate, queue.
    students : int or None
    score, points : int or None
        The score, and its change since the last report.
    waits : float or None
        How many minutes the oldest task has been waiting.
    rules : tuple of str
        The rules of the gate's reasons.
    last_load : datetime.datetime or None
        When the roster that is live was loaded.
    """

    name: str
    began: datetime
    folder: Path
    steps: list[Step]
    ended: datetime | None = None
    students: int | None = None
    score: int | None = None
    points: int | None = None
    waits: float | None = None
    rules: tuple[str, ...] = ()
    last_load: datetime | None = None

    @property
    def state(self) -> State:
        """The worst state among the steps."""
        return max((step.state for step in self.steps), key=STATES.index)

    @property
    def worst(self) -> Step:
        """The first step with the worst state; the gate takes precedence over the others."""
        worst = [step for step in self.steps if step.state == self.state]
        return next((step for step in worst if step.name == "Gate"), worst[0])

    @property
    def waited(self) -> str:
        """How long the oldest task has been waiting, in words."""
        return "–" if self.waits is None else span_words(pd.Timedelta(minutes=self.waits))

    @property
    def exit_code(self) -> int:
        """0 if all went well, 1 if it needs a look, 2 if it could not run, 3 if the roster must not go live."""
        return max(0, STATES.index(self.state) - 1)

    @property
    def word(self) -> str:
        """The state in a word: the gate's verdict, or what else went wrong."""
        if self.state == "look" and self.worst.name != "Gate":
            return "Queue late" if self.worst.name == "Queue" else "Look"
        if self.state == "failed" and self.worst.name == "Load":
            return "Not loaded"
        return WORDS[self.state]

    @property
    def headline(self) -> str:
        """One sentence: the worst step, or that all is well."""
        return self.worst.title if self.state != "ok" else self.steps[2].title

    def message(self) -> str:
        """A few lines for mail or chat, without any person's name."""
        lines = [f"{self.name}: {self.word}. {ended(self.headline)}"]
        lines += [f"- {step.name}: {ended(step.title)}" for step in self.steps]
        return printable("\n".join(lines), lines=True)

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {
            "name": self.name,
            "state": self.state,
            "word": self.word,
            "headline": self.headline,
            "exit_code": self.exit_code,
            "began": self.began.isoformat(),
            "ended": self.ended.isoformat() if self.ended else None,
            "last_load": self.last_load.isoformat() if self.last_load else None,
            "students": self.students,
            "score": self.score,
            "points": self.points,
            "waits": self.waits,
            "rules": list(self.rules),
            "steps": [vars(step) for step in self.steps],
        }


def ended(sentence: str) -> str:
    """A sentence with its full stop, unless it has a sign at its end."""
    return sentence if sentence.endswith(("?", "!", ".")) else f"{sentence}."


def run_morning(
    connect: Callable[[], Client],
    folder: str | os.PathLike[str],
    *,
    name: str = "",
    config: str | os.PathLike[str] | None = None,
    late: float = _LATE,
    now: datetime | None = None,
) -> Morning:
    """Load, save and check the roster, compare it with the live one, and inspect the queue.

    Parameters
    ----------
    connect : callable
        Creates the client. An exception it raises is reported as the failure of the first step.
    folder : str or path
        Where each day, and each further run on the same day, gets its own folder. ``live.json`` names the live roster.
        ``history`` keeps all rosters that went live as differences, for `history`. Nothing is ever deleted.
    name : str, optional
        The tenant's name. Default: the name of the folder.
    config : str or path, optional
        A ``quality.toml``. Default: the one in the folder, if there is one.
    late : float, default 60
        How many minutes the oldest task in the queue may wait. The queue is only read.
    now : datetime.datetime, optional
        The current time. The day is its date, in UTC.

    Returns
    -------
    Morning
        The files are in the day's folder: the snapshot, the report and verdict as pages and JSON, ``morning.json`` and
        ``message.txt``. The roster goes live if the gate says go, or if it is the first one.

    Raises
    ------
    ConfigurationError
        Another run is in progress in the folder.
    """
    folder = Path(folder)
    began = now or datetime.now(UTC)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with only_one(folder / ".morning.lock", f"Another run is in progress in {folder}"):
        place = next(path for path in _places(folder, began) if not path.exists())
        place.mkdir(mode=0o700)
        steps = [Step("Load"), Step("Check"), Step("Gate"), Step("Queue")]
        morning = Morning(name or folder.resolve().name, began, place, steps)
        rules = config or (folder / CONFIG if (folder / CONFIG).is_file() else None)
        report = None
        roster, tasks = _load(morning, connect, folder)
        if roster is not None:
            with _step(steps[1]):
                report = _checked(morning, roster, rules, _day_before(folder, place))
            with _step(steps[2]):
                _gated(morning, folder, rules, report)
        _queue(morning, tasks, late)
        with suppress(ConfigurationError):  # the gate has said so
            live = _live(folder)
            morning.last_load = datetime.fromisoformat(live["loaded_at"]) if live else None
        morning.ended = datetime.now(UTC) if now is None else now
        _write(place / "morning.json", json.dumps(morning.to_dict(), ensure_ascii=False, indent=1))
        _write(place / "message.txt", morning.message() + "\n")
    return morning


def _places(folder: Path, began: datetime) -> Iterator[Path]:
    """Names for the folder of a day, and of further runs of that day: nothing is written over."""
    yield folder / f"{began:%Y-%m-%d}"
    yield folder / f"{began:%Y-%m-%d-%H%M%S}"
    yield from (folder / f"{began:%Y-%m-%d-%H%M%S}-{number}" for number in count(2))


@contextmanager
def _step(step: Step) -> Iterator[None]:
    """Time a step; if it could not run it says why, and those after it still do what they can."""
    began = time.monotonic()
    try:
        yield
    except (KimonoError, OSError) as error:
        step.state, step.title = "failed", _short(error)
    step.seconds = time.monotonic() - began


def _write(path: Path, text: str) -> None:
    with atomic_file(path) as file:
        file.write_text(text, encoding="utf-8")


def _load(morning: Morning, connect: Callable[[], Client], folder: Path) -> tuple[Roster | None, pd.DataFrame | None]:
    """The roster, kept as a snapshot, and the queue; None for what could not be had."""
    step, queue = morning.steps[0], morning.steps[3]
    began = time.monotonic()
    roster = tasks = None
    try:
        with connect() as client:
            roster = load_roster(client, resume=folder / ".resume", progress=False)
            try:
                tasks = load_tasks(client)
            except KimonoError as error:
                queue.state, queue.title = "failed", f"The queue could not be read: {_short(error)}"
        roster.save(morning.folder / "roster")
    except KimonoError as error:
        step.state, step.title = "failed", _short(error)
    else:
        morning.students = len(of_type(roster.persons, "student"))
        lacking = roster.incomplete
        step.state = "look" if len(lacking) else "ok"
        step.title = (
            f"Not complete: {', '.join(lacking['table'].dropna().unique())}"
            if len(lacking)
            else f"Complete: {plural(morning.students, 'student')}, {plural(len(roster.sections), 'section')}"
        )
        step.files["Snapshot"] = "roster"
    step.seconds = time.monotonic() - began
    return roster, tasks


def _short(error: Exception) -> str:
    return printable(str(error)).split("\n")[0].rstrip(".")


def _day_before(folder: Path, place: Path) -> Path | None:
    """The last day before this one that has a report."""
    days = sorted(path.parent for path in folder.glob(f"????-??-??*/{_REPORT}") if path.parent.name < place.name)
    return days[-1] if days else None


def _checked(morning: Morning, roster: Roster, config: str | os.PathLike[str] | None, before: Path | None) -> Report:
    step = morning.steps[1]
    report = check(roster, config=config)
    changed: dict[str, Any] = {}
    unread = ""
    if before:
        try:
            report.since(before / _REPORT)
            changed = dict(report.changed)
        except KimonoError as error:
            before, unread = None, _short(error)
    report.to_json(morning.folder / _REPORT)
    report.to_html(morning.folder / "report.html")
    morning.score, morning.points = report.score, changed.get("points")
    fell = morning.points is not None and morning.points <= -_FELL
    new = int(changed.get("new", 0))
    step.state = "look" if fell else "ok"
    step.title = f"Score {report.score if report.score is not None else 'unknown'}{_way(morning.points)}: {_findings(report, new, before)}"
    if len(report.causes):
        step.detail = f"First: {printable(report.causes['cause'].iloc[0])}."
    if unread:
        step.state, step.detail = "look", f"Not compared with the last report: {unread}."
    step.files["Report"] = "report.html"
    return report


def _way(points: int | None) -> str:
    if not points:
        return "" if points is None else ", as before"
    return f", {'up' if points > 0 else 'down'} {abs(points)}"


def _findings(report: Report, new: int, before: Path | None) -> str:
    return plural(new, "new finding") if before else plural(len(report.findings), "finding")


def _live(folder: Path) -> dict[str, Any] | None:
    file = folder / _LIVE
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        datetime.fromisoformat(found["loaded_at"])
        there = (folder / found["day"] / "roster").is_dir()
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{file} is damaged. {_REPAIR_LIVE}") from error
    if not there:
        raise ConfigurationError(f"{file} names {found['day']}, but there is no roster for that day. {_REPAIR_LIVE}")
    return dict(found)


def _go_live(morning: Morning, place: Path, report: Report | None = None) -> None:
    """The roster of a day is live now, and one of the days of the history."""
    folder = place.parent
    loaded_at = json.loads((place / "roster" / "manifest.json").read_text(encoding="utf-8"))["loaded_at"]
    _write(folder / _LIVE, json.dumps({"day": place.name, "loaded_at": loaded_at}))
    try:
        history(folder / HISTORY).add(open_roster(place / "roster"), place.name[:10], report=report)
    except (KimonoError, ValueError) as error:
        morning.steps[0].state, morning.steps[0].title = (
            "look",
            f"Loaded, but not added to the history: {_short(error)}",
        )


def _gated(morning: Morning, folder: Path, config: str | os.PathLike[str] | None, report: Report | None) -> None:
    step, place = morning.steps[2], morning.folder
    _let_through_since(morning, folder, config)
    live = _live(folder)
    if live is None:
        complete = morning.steps[0].state == "ok"
        step.state, step.title = (
            ("ok", "Kept as the first day") if complete else ("stop", "An incomplete load cannot be the first day")
        )
        if complete:
            _go_live(morning, place, report)
    else:
        verdict = gate(folder / live["day"] / "roster", place / "roster", usual=_verdicts(folder, place), config=config)
        verdict.to_json(place / _VERDICT)
        verdict.to_html(place / "verdict.html")
        _judge(morning, step, verdict)
        if verdict.verdict == "go":
            _go_live(morning, place, report)
        else:
            step.detail = f"The roster of {live['day']} stays live."


def _verdicts(folder: Path, place: Path) -> list[Path]:
    """The verdicts of the last days before this one."""
    return sorted(path for path in folder.glob(f"????-??-??*/{_VERDICT}") if path.parent.name < place.name)[-_USUAL:]


def _let_through_since(morning: Morning, folder: Path, config: str | os.PathLike[str] | None) -> None:
    """A roster that was held and let through afterwards is live now."""
    live = _live(folder)
    held = [path.parent for path in folder.glob("????-??-??*/gate.log") if path.parent.name < morning.folder.name]
    for day in sorted(held):
        if live and day.name > live["day"] and (day / "roster").is_dir():
            if gate(folder / live["day"] / "roster", day / "roster", config=config).verdict == "go":
                _go_live(morning, day)
            live = _live(folder)


def _judge(morning: Morning, step: Step, verdict: Verdict) -> None:
    step.state = {"go": "ok", "hold": "look", "stop": "stop"}[verdict.verdict]  # type: ignore[assignment]
    step.title = printable(verdict.headline)
    step.files["Verdict"] = "verdict.html"
    morning.rules = tuple(dict.fromkeys(reason.rule for reason in verdict.reasons if reason.because is None))


def _queue(morning: Morning, tasks: pd.DataFrame | None, late: float) -> None:
    step = morning.steps[3]
    if tasks is None:
        return
    delays = queue_delays(tasks, by=None, now=morning.began.isoformat())
    longest = delays["longest"].iloc[0] if len(delays) else pd.Timedelta(0)
    morning.waits = longest.total_seconds() / 60
    step.state = "look" if morning.waits > late else "ok"
    step.title = f"{plural(len(tasks), 'task')} {'waits' if len(tasks) == 1 else 'wait'}"
    if len(delays):
        step.title += f", the oldest for {span_words(longest)}"
