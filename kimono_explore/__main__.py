"""The command line: ``kimono-explore`` or ``python -m kimono_explore``.

What a command needs is imported when it runs: ``--help`` waits for neither pandas nor matplotlib.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import kimono_explore as kx
from kimono_explore.api.operations import MAX_PAGES
from kimono_explore.display import printable, printable_frame
from kimono_explore.errors import ConfigurationError, IncompleteListError, KimonoError
from kimono_explore.palette import SEVERITY_COLORS
from kimono_explore.problems import REFUSED
from kimono_explore.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kimono_explore.morning import Morning
    from kimono_explore.quality import Report
    from kimono_explore.quality.definition import Severity
    from kimono_explore.roster.roster import Roster

    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_NOTEBOOKS = next(
    folder
    for folder in (Path(__file__).parent / "notebooks", Path(__file__).parents[1] / "notebooks")
    if folder.is_dir() or folder.parent != Path(__file__).parent
)
"""Within the package where it was installed, beside it in the repository."""

_EPILOG = """\
environment (for load):
  KIMONO_BASE_URL                             the API, such as https://api.us2.kimonocloud.com/v2/interop/data
  KIMONO_TOKEN                                a bearer token, or
  KIMONO_CLIENT_ID, KIMONO_CLIENT_SECRET      OAuth2 client credentials, or
  KIMONO_USERNAME, KIMONO_PASSWORD            HTTP Basic (for an API key: the key as user name, an empty password)
  KIMONO_TOKEN_URL                            where to exchange client credentials, if not on the API's host
  KIMONO_DEBUG=1                              show the traceback of an unexpected error

exit codes:
  0  success    1  check found problems, gate holds    2  could not run, or a load is incomplete    3  gate stops
  130  Ctrl-C

examples:
  kimono-explore demo                         see everything work, without credentials
  kimono-explore sandbox --students 2000      a server to test your own client against
  kimono-explore sandbox --faults 503=0.1     ... that answers one request in ten with 503
  kimono-explore sandbox bundle.zip           serve any OneRoster bundle as a live API
  kimono-explore load --save monday           save the tenant's roster as a snapshot
  kimono-explore roster monday                show what is in a snapshot or OneRoster bundle
  kimono-explore app monday                   browse the roster, its quality and its tasks in a web page
  kimono-explore check monday --html q.html   find what is wrong with it; exit code 1 if there are errors
  kimono-explore morning --folder rosters     all of this in one run every morning: one page, one message
  kimono-explore gate monday tuesday          may Tuesday's roster replace Monday's? 0 go, 1 hold, 3 stop

A roster holds children's personal data: it is saved where you say, and nowhere else.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns
    -------
    int
        0 on success; 1 if `check` found problems; 2 if the command could not run, or a load to be saved is incomplete;
        130 after Ctrl-C; 141 if nothing reads its output any more.
    """
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot encode is not an error
    try:
        code = int(options.run(options) or 0)
        sys.stdout.flush()
    except BrokenPipeError:
        # As Python's documentation advises: what is left to flush at the end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001  1 means findings, so nothing else may end with it
        return _failed(error)
    return code


def _failed(error: Exception) -> int:
    """Print in one line why the command could not run."""
    if os.environ.get("KIMONO_DEBUG"):
        print(printable("".join(traceback.format_exception(error)), lines=True), end="", file=sys.stderr)
    elif isinstance(error, KimonoError):
        print(f"kimono-explore: {error}", file=sys.stderr)
    elif isinstance(error, OSError) and error.filename and error.strerror:
        print(f"kimono-explore: {printable(error.filename)}: {error.strerror}", file=sys.stderr)
    else:
        said = f"{type(error).__name__}: {printable(error)}"
        print(f"kimono-explore: {said} (unexpected; KIMONO_DEBUG=1 shows the traceback)", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kimono-explore",
        description="Load, link and draw K-12 rosters from the Kimono Interop Data API.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for declare in (
        _declare_demo,
        _declare_sandbox,
        _declare_load,
        _declare_roster,
        _declare_check,
        _declare_gate,
        _declare_morning,
        _declare_app,
    ):
        declare(commands)
    return parser


def _declare_demo(commands: _Commands) -> None:
    demo = commands.add_parser("demo", help="run everything on the embedded sandbox and write pages and pictures")
    demo.add_argument("--out", type=Path, default=Path("build/demo"), help="output folder (default: %(default)s)")
    _add_students(demo)
    demo.set_defaults(run=_demo)


def _declare_sandbox(commands: _Commands) -> None:
    serve = commands.add_parser("sandbox", help="serve a made-up district, snapshot or OneRoster bundle over HTTP")
    _add_source(serve, default="a made-up district")
    _add_students(serve)
    serve.add_argument("--seed", type=int, default=7, help="the same seed gives the same district")
    serve.add_argument("--flaws", action="store_true", help="plant a few mistakes of each kind in the made-up district")
    serve.add_argument("--port", type=int, default=0, help="port on the loopback interface (default: a free one)")
    serve.add_argument(
        "--faults",
        action="append",
        type=_fault,
        default=[],
        metavar="NAME=RATE",
        help="inject this fault into a share of requests, such as reset=0.05; may be repeated",
    )
    serve.set_defaults(run=_sandbox)


def _declare_load(commands: _Commands) -> None:
    load = commands.add_parser(
        "load",
        help="load the environment's tenant and save it as a snapshot",
        description="A load that is or may be incomplete is not saved (exit code 2), and an older snapshot stays.",
    )
    load.add_argument("--save", type=Path, required=True, metavar="DIR", help="folder for the snapshot")
    load.add_argument("--base-url", help="the API (default: KIMONO_BASE_URL)")
    load.add_argument("--page-size", type=int, help="rows per page (default: the server's maximum)")
    load.add_argument("--resume", metavar="FOLDER", help="keep pages here, to resume after an interruption")
    load.add_argument("--connections", type=int, default=8, help="pages to request concurrently (default: %(default)s)")
    load.add_argument(
        "--max-pages", type=int, default=MAX_PAGES, help="a list with more pages is an error (default: %(default)s)"
    )
    load.add_argument("--timeout", type=float, metavar="SECONDS", help="for one request (default: 120)")
    load.add_argument("--no-heal", action="store_true", help="do not check whether rows moved during the load")
    load.add_argument(
        "--allow-refused",
        action="append",
        default=[],
        choices=tuple(TABLES),
        metavar="LIST",
        help="save even if the tenant refuses this list; may be repeated",
    )
    load.set_defaults(run=_load)


def _declare_roster(commands: _Commands) -> None:
    roster = commands.add_parser("roster", help="show what is in a snapshot folder or OneRoster bundle")
    roster.add_argument("source", metavar="INFO", help="a snapshot folder or OneRoster bundle")
    roster.add_argument("--problems", action="store_true", help="list everything that did not fit")
    roster.set_defaults(run=_roster)


def _declare_check(commands: _Commands) -> None:
    checks = commands.add_parser(
        "check",
        help="find what is wrong with a roster",
        description="Exit codes: 0 nothing found, 1 problems of at least the --fail-on severity, 2 could not run.",
    )
    _add_source(checks, default="the environment's tenant")
    checks.add_argument(
        "--fail-on",
        choices=(*SEVERITY_COLORS, "never"),
        default="error",
        help="minimum severity for exit code 1 (default: %(default)s)",
    )
    checks.add_argument(
        "--threshold", type=float, default=0.0, metavar="PERCENT", help="percentage of checked rows that may fail"
    )
    checks.add_argument(
        "--config", metavar="FILE", help="parameters, severities, waivers (default: the quality.toml beside a snapshot)"
    )
    checks.add_argument("--since", metavar="FILE", help="compare with a report (--json) or a snapshot folder")
    checks.add_argument("--trend", metavar="FOLDER", help="draw the scores of the reports (--json) in a folder")
    checks.add_argument("--new-only", action="store_true", help="count only findings that are not in --since")
    checks.add_argument("--as-of", metavar="DATE", help="the day that counts as today (default: the day of loading)")
    checks.add_argument("--only", action="append", metavar="CHECK", help="run only this check; may be repeated")
    checks.add_argument(
        "--exclude", action="append", default=[], metavar="CHECK", help="skip this check; may be repeated"
    )
    checks.add_argument(
        "--html", type=Path, metavar="PATH", help="write the report as a page, or as a folder with tables"
    )
    checks.add_argument("--json", type=Path, metavar="FILE", help="write everything as JSON")
    checks.add_argument("--csv", type=Path, metavar="FILE", help="write every finding as CSV")
    checks.add_argument("--repairs", type=Path, metavar="FILE", help="write the edits that would clear findings as CSV")
    checks.set_defaults(run=_check)


def _declare_gate(commands: _Commands) -> None:
    gate = commands.add_parser(
        "gate",
        help="decide whether a new roster may replace the current one",
        description="Exit codes: 0 go, 1 hold, 2 could not run, 3 stop.",
    )
    gate.add_argument("old", metavar="OLD", help="the live roster: a snapshot folder or OneRoster bundle")
    gate.add_argument("new", metavar="NEW", help="the roster to replace it")
    gate.add_argument(
        "--before",
        action="append",
        default=[],
        metavar="SOURCE",
        help="a roster from before OLD; may be repeated, oldest first",
    )
    gate.add_argument("--config", metavar="FILE", help="limits (default: the quality.toml beside NEW)")
    gate.add_argument("--as-of", metavar="DATE", help="the day that counts as today (default: when NEW was loaded)")
    gate.add_argument("--accept", metavar="RULE", help="let a reason through by its rule, such as sections-recreated")
    gate.add_argument("--school", help="with --accept: the school's name or id (default: the whole district)")
    gate.add_argument("--because", help="with --accept: why; recorded in gate.log beside NEW")
    gate.add_argument("--html", type=Path, metavar="FILE", help="write the verdict as a page")
    gate.add_argument("--json", type=Path, metavar="FILE", help="write the verdict as JSON")
    gate.set_defaults(run=_gate)


def _declare_morning(commands: _Commands) -> None:
    morning = commands.add_parser(
        "morning",
        help="load, save, check and compare with the live roster, and inspect the queue: one page, one message",
        description="The worst exit code of all steps: 0 all well, 1 needs a look, 2 not loaded, 3 must not go live.",
    )
    morning.add_argument("--folder", type=Path, required=True, metavar="DIR", help="where each day gets its own folder")
    morning.add_argument("--config", metavar="FILE", help="a quality.toml (default: the one in the folder)")
    morning.add_argument(
        "--tenants",
        metavar="FILE",
        help="a tenants.toml: several tenants, and one page for all (default: the environment's tenant)",
    )
    morning.add_argument(
        "--at-a-time", type=int, default=4, metavar="N", help="tenants to run concurrently (default: %(default)s)"
    )
    morning.add_argument(
        "--late", type=float, default=60, metavar="MINUTES", help="how long a task may wait (default: %(default)g)"
    )
    morning.set_defaults(run=_morning)


def _declare_app(commands: _Commands) -> None:
    app = commands.add_parser("app", help="browse a roster, its quality and tasks in a web page, no notebook needed")
    _add_source(app, default="the environment's tenant", more=", a history folder")
    app.add_argument("--port", type=int, default=8866, help="port on the loopback interface (default: %(default)s)")
    app.add_argument("--sandbox", action="store_true", help="serve a made-up district")
    app.set_defaults(run=_app)


def _add_source(command: argparse.ArgumentParser, default: str, more: str = "") -> None:
    command.add_argument(
        "source", nargs="?", help=f"a snapshot folder{more} or a OneRoster bundle (default: {default})"
    )


def _add_students(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--students", type=int, default=500, help="size of the made-up district (default: %(default)s)"
    )


def _demo(options: argparse.Namespace) -> None:
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    with kx.sandbox(students=options.students) as box:
        print(f"sandbox     {box.base_url}")
        roster = kx.load_roster(box.client, progress=False)
        tasks = kx.load_tasks(box.client)
    _describe(roster)
    graph = kx.build_graph(roster)
    missing = sum(1 for _, is_missing in graph.nodes(data="missing") if is_missing)
    print(f"graph       {graph.number_of_nodes():,} nodes, {graph.number_of_edges():,} edges, {missing:,} missing")
    print(f"problems    {len(roster.problems):,}, of {roster.problems['problem'].nunique():,} kinds")
    report = kx.check(roster)
    report.to_html(out / "quality.html")
    print(f"quality     {report!r}\n{_causes(report)}")
    counts = ", ".join(f"{n} {printable(kind)}" for kind, n in tasks["type"].value_counts().items())
    print(f"task queue  {len(tasks):,} tasks: {counts}")
    kx.plot_overview(roster).savefig(out / "overview.png", dpi=110)
    section = roster.sections["id"].iloc[len(roster.sections) // 2]
    figure = kx.plot_neighborhood(kx.neighborhood(roster, section, radius=1)).get_figure(root=True)
    assert figure is not None
    figure.savefig(out / "section.png", dpi=110)
    kx.summarize_graph(graph).to_csv(out / "graph.csv", index=False)
    for page in _execute_notebooks(out):
        print(f"notebook    {page}")
    print(f"report      {out / 'quality.html'}")
    print(f"pictures    {out / 'overview.png'}, {out / 'section.png'}")
    print(f"all done in {time.perf_counter() - began:.0f} s; begin with {out / '01_first_look.html'}")


def _execute_notebooks(out: Path) -> list[Path]:
    """Run the repository's notebooks and leave each as a page."""
    notebooks = sorted(_NOTEBOOKS.glob("[0-9]*.ipynb"))
    if notebooks:
        command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "html", "--log-level", "ERROR"]
        outcome = subprocess.run(
            [*command, "--output-dir", str(out), *map(str, notebooks)], stderr=subprocess.PIPE, text=True, check=False
        )
        if outcome.returncode:
            raise KimonoError(f"The notebooks did not run: {outcome.stderr[-2000:]}")
    return [out / f"{path.stem}.html" for path in notebooks]


def _fault(text: str) -> tuple[str, float]:
    from kimono_explore.sandbox import Faults

    name, _, rate = text.partition("=")
    try:
        Faults({name: float(rate)})
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=RATE, such as reset=0.05") from None
    except KimonoError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return name, float(rate)


def _sandbox(options: argparse.Namespace) -> None:
    from kimono_explore.sandbox import Dialect, Faults, make_sandbox

    box = make_sandbox(
        options.source,
        options.students,
        options.seed,
        options.flaws,
        dialect=Dialect(),
        port=options.port,
        faults=Faults(dict(options.faults), options.seed) if options.faults else None,
    )
    # Made at random for this run and good on this machine only: they are shown because somebody must know them.
    print(f"{box!r}\n")
    print(f"export KIMONO_BASE_URL={box.base_url}")
    print(f"export KIMONO_TOKEN={box.credentials.token}\n")
    print("Ctrl-C ends it.", flush=True)
    box.serve()


def _load(options: argparse.Namespace) -> None:
    with kx.connect(options.base_url, timeout=options.timeout) as client:
        roster = kx.load_roster(
            client,
            page_size=options.page_size,
            max_connections=options.connections,
            max_pages=options.max_pages,
            heal=not options.no_heal,
            resume=options.resume,
        )
    _must_be_complete(roster, options.allow_refused)
    roster.save(options.save)
    _describe(roster)
    print(f"saved in    {printable(options.save)}")


def _must_be_complete(roster: Roster, allowed: Sequence[str]) -> None:
    """Refuse to save a load that lacks rows: it would take the place of a snapshot that has them."""
    found = roster.incomplete
    refused = found["problem"].str.startswith(REFUSED)
    left = found[~(refused & found["table"].isin(allowed))]
    if len(left):
        told = "; ".join(f"{table}: {problem}" for table, problem in zip(left["table"], left["problem"], strict=True))
        hint = " --allow-refused LIST saves without a list." if refused[left.index].any() else " Try again."
        raise IncompleteListError(
            f"The load may lack rows, and nothing was saved. {printable(told).rstrip('.')}.{hint}"
        )


def _roster(options: argparse.Namespace) -> None:
    from kimono_explore.roster.open import read_source

    roster = read_source(options.source)
    _describe(roster)
    print(f"\n{roster.overview().to_string(formatters={'complete': '{:.0%}'.format})}")
    print(f"\n{roster.links['relation'].value_counts().to_string()}")
    if options.problems:
        print(f"\n{printable_frame(roster.problems).to_string()}")
    else:
        kinds = printable_frame(roster.problems).groupby(["table", "problem"], dropna=False).size()
        shown = kinds.sort_values(ascending=False).head(20).to_string() if len(kinds) else "none"
        print(f"\nproblems (all of them with --problems)\n{shown}")


def _app(options: argparse.Namespace) -> None:
    """Serve the page, on this machine only, behind a token made for this run."""
    from kimono_explore.app import open_district, serve

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as after Ctrl-C, what is open is closed
    print("Reading the roster ...", file=sys.stderr)
    serve(lambda: open_district(options.source, made_up=options.sandbox), options.port)


def _gate(options: argparse.Namespace) -> int:
    from kimono_explore.gate.acceptance import log_beside

    verdict = kx.gate(options.old, options.new, before=options.before, config=options.config, as_of=options.as_of)
    if options.accept:
        verdict = verdict.let_through(
            options.accept, school=options.school, because=options.because or "", log=log_beside(options.new)
        )
    elif options.because or options.school:
        raise ConfigurationError("--because and --school need --accept: the rule that is let through.")
    for path, write in ((options.html, verdict.to_html), (options.json, verdict.to_json)):
        if path:
            write(path)
    print(printable(f"{verdict.verdict.upper()}  {verdict.headline}."))
    for reason in verdict.reasons:
        through = f"   let through: {reason.because}" if reason.because else ""
        print(printable(f"  {reason.level:5} {reason.rule:24} {reason.sentence}{through}"))
    for note in verdict.notes:
        print(printable(f"  note  {note}"))
    return verdict.exit_code


def _morning(options: argparse.Namespace) -> int:
    from kimono_explore.morning import read_tenants, run_fleet, run_morning
    from kimono_explore.morning.page import write_fleet, write_morning

    if not options.tenants:
        morning = run_morning(kx.connect, options.folder, config=options.config, late=options.late)
        page = write_morning(morning)
        print(f"{morning.message()}\npage: {printable(page)}")
        return morning.exit_code
    if options.config:
        raise ConfigurationError("--config is for one tenant; in tenants.toml, each has its own config.")
    options.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    tenants = read_tenants(options.tenants, options.folder)

    def done(morning: Morning) -> None:
        if morning.folder.is_dir():
            write_morning(morning)
        print(printable(f"{morning.word:10}  {morning.name}: {morning.headline}"), flush=True)

    fleet = run_fleet(tenants, at_a_time=options.at_a_time, late=options.late, done=done)
    print(f"{printable(fleet.headline)}.\npage: {printable(write_fleet(fleet, options.folder))}")
    return fleet.exit_code


def _check(options: argparse.Namespace) -> int:
    from kimono_explore.quality.message import UNCHECKED, changes_in_words
    from kimono_explore.roster.open import read_source

    if options.source is None:
        with kx.connect() as client:
            source: Roster | str = kx.load_roster(client)
    else:
        # Repairs are tried on a copy of the roster, in memory.
        source = read_source(options.source) if options.repairs else options.source
    if options.new_only and not options.since:
        raise ConfigurationError("--new-only needs --since: the report or snapshot to compare with.")
    report = kx.check(source, options.only, exclude=options.exclude, config=options.config, as_of=options.as_of)
    if options.since:
        report.since(options.since)
    if options.trend:
        report.trend(options.trend)
    if options.repairs:
        report.repairs_to_csv(options.repairs)
    for path, write in ((options.html, report.to_html), (options.json, report.to_json), (options.csv, report.to_csv)):
        if path:
            write(path)
    print(report)
    for line in (*changes_in_words(report), *report.notices):
        print(printable(line))
    if len(report.causes):
        print(f"\nwhat to fix first\n{_causes(report)}")
    if report.unchecked:
        print(f"kimono-explore: {UNCHECKED}", file=sys.stderr)
        return 2
    least: Severity = "information" if options.fail_on == "never" else options.fail_on
    failed = len(report.failed(least, options.threshold, new_only=options.new_only))
    return 1 if failed and options.fail_on != "never" else 0


def _causes(report: Report) -> str:
    top = report.causes.head(12)[["severity", "findings", "students", "teachers", "cause"]]
    more = len(report.causes) - len(top)
    lines = [f"  {'severity':12} {'findings':>9} {'students':>9} {'teachers':>9}  cause"]
    lines += [
        f"  {severity:12} {findings:>9,} {students:>9,} {teachers:>9,}  {printable(cause)}"
        for severity, findings, students, teachers, cause in top.itertuples(index=False)
    ]
    return "\n".join([*lines, *([f"  ... and {more:,} more"] if more else [])])


def _describe(roster: Roster) -> None:
    year = f", school year {printable(roster.school_year)}" if roster.school_year else ""
    counts = ", ".join(f"{len(df):,} {name.replace('_', ' ')}" for name, df in roster.tables.items())
    print(f"roster      {counts}{year}\nlinks       {len(roster.links):,}\nfrom        {printable(roster.source)}")


if __name__ == "__main__":
    sys.exit(main())
