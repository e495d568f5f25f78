"""The pages that the code writes: checks, gallery, reference, notebooks, operations and the command line's help.

MkDocs calls the `on_...` functions; see https://www.mkdocs.org/user-guide/configuration/#hooks.
"""

from __future__ import annotations

import base64
import contextlib
import html
import importlib
import inspect
import io
import json
import os
import re
import sys
import textwrap
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import pandas as pd
from mkdocs.structure.files import File

import kimono_explore as kx
from kimono_explore.__main__ import main
from kimono_explore.gate.targets import READ, RULES, TARGETS
from kimono_explore.quality.catalogue import ROSTER_CHECKS, TASK_CHECKS
from kimono_explore.quality.definition import AREAS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

    from kimono_explore.quality.definition import Check

ROOT = Path(__file__).parents[1]
EXECUTED = Path(os.environ.get("KIMONO_DOCS_NOTEBOOKS", ROOT / "build" / "notebooks"))
"""Where the executed notebooks are; what is not there is shown without its outputs."""

AS_OF, NOW = "2026-10-05", "2026-10-05T12:00:00"
CHECKS = tuple(sorted((*ROSTER_CHECKS, *TASK_CHECKS), key=lambda check: list(AREAS).index(check.group)))
"""All of ours, by area."""
FIRST_VERSION = "0.1.0"

PLACES = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Where the pages of the repository's root are on the site."""

REFERENCE: dict[str, tuple[str, ...]] = {
    "Connecting and loading": ("connect", "Client", "Timeouts", "load", "load_roster", "openapi"),
    "Roster": ("Roster", "Description", "pseudonymize"),
    "What changed": ("compare", "Comparison", "gate", "Verdict", "rehearse", "Rehearsal", "history", "History"),
    "Checks": ("check", "check_tasks", "checks", "define_check", "Report", "probable_duplicates"),
    "Graph": (
        "build_graph",
        "neighborhood",
        "shortest_path",
        "summarize_graph",
        "shared_classes",
        "dependents",
        "save_graph",
    ),
    "Pictures": tuple(name for name in kx.__all__ if name.startswith("plot_")),
    "Widgets": ("browse", "inspect_quality", "inspect_tasks", "show_network"),
    "Tasks": (
        "load_tasks",
        "apply_tasks",
        "forecast_findings",
        "explain_tasks",
        "refresh",
        "Refreshed",
        "queue_delays",
        "ack_tasks",
        "delete_task",
    ),
    "Files": ("open_roster", "read_oneroster"),
    "Sandbox": ("sandbox", "Sandbox", "Dialect", "Faults"),
    "Errors": tuple(
        name for name in kx.__all__ if inspect.isclass(e := getattr(kx, name)) and issubclass(e, Exception | Warning)
    ),
}
BESIDE = {
    "Checks": ("kimono_explore.quality.CheckContext", "kimono_explore.quality.CheckResult"),
    "Tasks": ("kimono_explore.quality.ComingFindings",),
    "Widgets": tuple(f"kimono_explore.widgets.{name}" for name in ("Browser", "QualityInspector", "TaskInspector")),
}
"""What the public names take or give without being public names themselves."""

DRAWN = {
    "plot_adjacency": "kx.plot_adjacency(roster, school)",
    "plot_comparison": "kx.plot_comparison(kx.compare(yesterday, roster))",
    "plot_history": "kx.plot_history(days)",
    "plot_neighborhood": "kx.plot_neighborhood(kx.neighborhood(roster, section))",
    "plot_quality": "kx.plot_quality(kx.check(roster))",
    "plot_section_sizes": 'kx.plot_section_sizes(roster, by="school")',
    "plot_shared_students": "kx.plot_shared_students(roster, school)",
    "plot_tasks": "kx.plot_tasks(tasks)",
}
"""How a picture is called where it takes more than a roster."""

TASK_CALLS = {
    ("get", "/tasks"): "kx.load_tasks(client, admin=False)",
    ("put", "/tasks/{id}/ack"): "kx.ack_tasks(client, id, admin=False)",
    ("put", "/tasks/ack"): "kx.ack_tasks(client, ids, admin=False)",
    ("get", "/tasks/admin"): "kx.load_tasks(client)",
    ("get", "/tasks/admin/{id}"): 'client.find("tasks/admin", id)',
    ("put", "/tasks/admin/{id}/ack"): "kx.ack_tasks(client, id)",
    ("put", "/tasks/admin/ack"): "kx.ack_tasks(client, ids)",
    ("delete", "/tasks/admin/{id}"): "kx.delete_task(client, id)",
}


# What MkDocs calls.


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the parts of the navigation that the code knows."""
    made = {"Checks": _nav_of_checks(), "Notebooks": _nav_of_notebooks(), "API reference": _nav_of_reference()}
    for section in config.nav or []:
        for title in section:
            section[title] = made.get(title, section[title])
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add every page and picture that is made here."""
    for uri, content in _made():
        files.append(File.generated(config, uri, content=content))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put what is made where a page written by hand asks for it with ``<!-- made: name -->``."""
    return re.sub(r"<!-- made: (\w+) -->", lambda found: PARTS[found[1]](), markdown)


def on_page_content(html: str, page: Page, **_: object) -> str:
    """Link public names in the reference, in types and in prose, with where they are described."""
    if not page.file.src_uri.startswith("api/"):
        return html
    described = {
        group: (*names, *(path.rpartition(".")[2] for path in BESIDE.get(group, ())))
        for group, names in REFERENCE.items()
    }
    place = {name: f"{_slug(group)}.html#{name}" for group, names in described.items() for name in names}

    def linked(found: re.Match[str]) -> str:
        name = found["name"].rpartition(".")[2]
        return f'<a href="{place[name]}">{found["shown"]}</a>' if name in place else found[0]

    # mkdocstrings marks a type so; it knows where the code has it, and not under which public name it is described.
    html = re.sub(
        r'<autoref [^>]*?identifier="kimono_explore\.(?:[a-z_]\w*\.)*(?P<name>\w+)"[^>]*>(?P<shown>.*?)</autoref>',
        linked,
        html,
    )
    parts = re.split(r"(<(?:h\d|a|pre)\b.*?</(?:h\d|a|pre)>)", html, flags=re.DOTALL)
    for i in range(0, len(parts), 2):  # between headings, links and blocks of code
        parts[i] = re.sub(
            r"(?<!<b>)(?P<shown><code>(?P<name>(?:(?:kx|kimono_explore)\.)?\w+)</code>)", linked, parts[i]
        )
    return "".join(parts)


def _made() -> Iterator[tuple[str, str | bytes]]:
    yield "checks/index.md", _index_of_checks()
    for check in CHECKS:
        yield f"checks/{check.id}.md", _page_of_check(check)
    yield "gallery.md", _gallery()
    for name in REFERENCE["Pictures"]:
        yield f"images/gallery/{name}.png", _picture(name)
    yield "api/index.md", _index_of_reference()
    for group, names in REFERENCE.items():
        yield f"api/{_slug(group)}.md", _page_of_reference(group, names)
    for path in _notebooks():
        yield from _page_of_notebook(path)
    for name in ("architecture", "contributing", "changelog"):
        file = ROOT / f"{name.upper()}.md"
        missing = f"# {name.title()}\n\nNot written yet.\n"
        yield f"{name}.md", _from_root(file.read_text(encoding="utf-8")) if file.exists() else missing


def _from_root(text: str) -> str:
    """A page of the repository's root: its links to pages hold on the site, other links become their words."""

    def moved(found: re.Match[str]) -> str:
        mark, words, address = found.groups()
        path, hash, anchor = address.partition("#")
        inside = path.removeprefix("docs/")
        if re.match(r"https?:|mailto:|$", path):
            return found[0]
        if path in PLACES:
            return f"[{words}]({PLACES[path]}{hash}{anchor})"
        if inside != path and (ROOT / path).is_file() and inside.endswith((".md", ".png", ".svg")):
            return f"{mark}[{words}]({inside}{hash}{anchor})"
        return words

    return re.sub(r"(!?)\[([^\]]*)\]\(([^)\s]*)\)", moved, text)


# Checks.


def _nav_of_checks() -> list[Any]:
    groups: dict[str, list[Any]] = {}
    for check in CHECKS:
        groups.setdefault(check.group, []).append({check.title: f"checks/{check.id}.md"})
    return ["checks/index.md", *({group: pages} for group, pages in groups.items())]


def _index_of_checks() -> str:
    lines = [
        "# The checks",
        "",
        f"All {len(CHECKS)}, as `kx.checks()` lists them: {len(ROSTER_CHECKS)} of a roster (`kx.check`) and "
        f"{len(TASK_CHECKS)} of the task queue (`kx.check_tasks`). Each has a page with its code and an example.",
        "",
        "Severities: an **error** breaks something for somebody; a **warning** probably does; **information** is worth a "
        "look. A check is named by its id, which stands in reports, or by its number, which people say and write; both "
        "stay as they are for good, and either is taken wherever a check is named. "
        "[Checking a roster](../checking.md) says how to run them and how to write your own.",
    ]
    group = ""
    for check in CHECKS:
        if check.group != group:
            group = check.group
            lines += ["", f"## {group}", "", "| number | check | severity | what fails |", "|---|---|---|---|"]
        lines.append(
            f"| {_number(check)} | [{check.title}]({check.id}.md) | {_severity(check)} | {_cell(check.rule_with(check.params))} |"
        )
    return "\n".join(lines) + "\n"


def _severity(check: Check) -> str:
    return f'<span class="{check.severity}">{check.severity}</span>'


def _number(check: Check) -> str:
    return f"`{check.number}`"


def _page_of_check(check: Check) -> str:
    function = "kx.check" if check in ROSTER_CHECKS else "kx.check_tasks"
    facts = {
        "id": f"`{check.id}`",
        "number": _number(check),
        "severity": _severity(check),
        "group": f"[{check.group}](index.md#{_slug(check.group)})",
        "finds": ", ".join(check.tables).replace("_", " "),
        "needs": ", ".join(f"`{need}`" for need in check.needs) or "nothing but the objects",
        "explained by": ", ".join(f"[`{id}`]({id}.md)" for id in (*check.follows, *check.follows_school)),
        "since": getattr(check, "since", FIRST_VERSION),
    }
    lines = [f"# {check.title}", "", '<div class="check-facts"></div>', "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in facts.items() if value]
    lines += ["", "## What fails", "", check.rule_with(check.params), "", "## Why it matters", "", check.why]
    if check.params:
        lines += ["", "## Parameters", "", "| parameter | default |", "|---|---|"]
        lines += [f"| `{name}` | `{value!r}` |" for name, value in check.params.items()]
        if check in ROSTER_CHECKS:
            name, value = next(iter(check.params.items()))
            lines += ["", "```python", f'kx.check(roster, params={{"{check.id}": {{"{name}": {value!r}}}}})', "```"]
    lines += ["", "## An example that fails", "", _example(check)]
    lines += ["", "## Code", "", _code(check), "", f"`evidence` is what `{function}` hands to every check: "]
    lines[-1] += "lazy tables. [`define_check`](../api/checks.md#define_check) adds checks of your own."
    return "\n".join(lines) + "\n"


def _code(check: Check) -> str:
    find = check.find
    given = ""
    if isinstance(find, partial):
        words = [repr(word) for word in find.args] + [f"{name}={value!r}" for name, value in find.keywords.items()]
        given = f"# called as {find.func.__name__}({', '.join(textwrap.shorten(word, 70) for word in words)}, ...)\n\n"
        find = find.func
    return f"```python\n{given}{textwrap.dedent(inspect.getsource(find)).rstrip()}\n```"


@cache
def _sandbox_reports() -> tuple[kx.Report, kx.Report]:
    with kx.sandbox(students=60, seed=7, flaws=True) as box:
        roster = kx.load_roster(box.client, progress=False)
        tasks = kx.load_tasks(box.client)
    return kx.check(roster, as_of=AS_OF), kx.check_tasks(tasks, roster, now=NOW)


def _example(check: Check) -> str:
    """The rows that fail in the sandbox, or else in the smallest roster of the tests that fails this check."""
    of_tasks = check in TASK_CHECKS
    report = _sandbox_reports()[of_tasks]
    rows = report.failures(check.id)
    if len(rows):
        run = (
            f'tasks = kx.load_tasks(box.client)\nreport = kx.check_tasks(tasks, roster, ["{check.id}"], now="{NOW}")'
            if of_tasks
            else f'report = kx.check(roster, ["{check.id}"], as_of="{AS_OF}")'
        )
        code = (
            "import kimono_explore as kx\n\n"
            "with kx.sandbox(students=60, seed=7, flaws=True) as box:\n"
            f"    roster = kx.load_roster(box.client)\n{textwrap.indent(run, '    ')}\n"
            f'report.failures("{check.id}")'
        )
        said = "In the sandbox's made-up district, with mistakes planted in it"
        return f"{said}:\n\n```python\n{code}\n```\n\n{_failing(rows)}"
    before = list(sys.path)
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "quality")]
    try:
        given, rows = _smallest_queue(check) if of_tasks else _smallest_roster(check)
    finally:
        sys.path[:] = before
    said = "The small sandbox has no such rows. The smallest case from the tests"
    return f"{said}:\n\n{given}\n\nWhat the check finds in it:\n\n{_failing(rows)}"


def _smallest_roster(check: Check) -> tuple[str, pd.DataFrame]:
    from builders import make
    from test_checks import CASES

    roster = make(*CASES[check.id][0])
    tables = {**roster.tables, "links": roster.links, "problems": roster.problems}
    given = "\n\n".join(
        f"*{name.replace('_', ' ')}*{_of_all(df)}\n\n{_table(df.dropna(axis='columns', how='all').head(4))}"
        for name, df in tables.items()
        if len(df)
    )
    return given, kx.check(roster, [check.id], as_of=AS_OF, engine="polars").failures(check.id)


def _smallest_queue(check: Check) -> tuple[str, pd.DataFrame]:
    from builders import make, student
    from test_quality import TASKS, queue

    tasks = queue(*TASKS[check.id][0])
    found = kx.check_tasks(tasks, make(student()), [check.id], now=NOW)
    return f"*tasks*\n\n{_table(tasks.dropna(axis='columns', how='all'))}", found.failures(check.id)


def _failing(rows: pd.DataFrame) -> str:
    shown = rows.head(3).dropna(axis="columns", how="all")
    return _table(shown) + (f"\n\n{len(rows)} rows in all." if len(rows) > len(shown) else "")


def _of_all(df: pd.DataFrame) -> str:
    return f" (4 of {len(df)} rows)" if len(df) > 4 else ""


# The gallery.


def _gallery() -> str:
    lines = [
        "# Gallery",
        "",
        f"All {len(REFERENCE['Pictures'])} pictures, of the sandbox's made-up district with mistakes planted in it. Each "
        "function takes an `ax` where it draws one panel, and returns the `Axes` or the `Figure`. The "
        "[notebook](notebooks/07_gallery.md) draws them too, also of a OneRoster bundle.",
        "",
        "The colors are those of Okabe and Ito, adapted until every pair that stands side by side can be told apart "
        "under each of the three kinds of color blindness (simulated after Machado and others, 2009, in "
        "`tests/test_palette.py`); the widgets use the same.",
        "",
        "```python",
        *_prepared().splitlines(),
        "```",
    ]
    for name in REFERENCE["Pictures"]:
        lines += ["", f"## {name}", "", _first_line(getattr(kx, name)), "", f"```python\n{_call(name)}\n```", ""]
        lines += [f"![{name}](images/gallery/{name}.png)", "", f"[Reference](api/pictures.md#{name})"]
    return "\n".join(lines) + "\n"


def _prepared() -> str:
    return (
        "import tempfile\n\nimport pandas as pd\n\nimport kimono_explore as kx\n\n"
        "with kx.sandbox(students=500) as box:\n"
        "    roster = kx.load_roster(box.client, progress=False)\n"
        "    tasks = kx.load_tasks(box.client)\n"
        'school = roster.orgs.query("org_type == \'school\'")["id"].iloc[0]\n'
        'section = roster.sections["id"].iloc[len(roster.sections) // 2]\n'
        "yesterday = kx.Roster(**roster.tables, links=roster.links.iloc[:-40])\n"
        'yesterday.persons = roster.persons.iloc[8:].replace({"grade": "08"}, "07")\n'
        "days = kx.history(tempfile.mkdtemp())\n"
        'for n, day in enumerate(pd.bdate_range("2026-08-24", "2026-10-02")):\n'
        "    persons = roster.persons.iloc[2 * n :]\n"
        '    days.add(kx.Roster(**{**roster.tables, "persons": persons}, links=roster.links), day)\n'
    )


@cache
def _names() -> dict[str, Any]:
    mpl.use("agg")
    names: dict[str, Any] = {}
    exec(_prepared(), names)  # noqa: S102  the page shows the code that made its pictures
    return names


def _call(name: str) -> str:
    return DRAWN.get(name, f"kx.{name}(roster)")


def _picture(name: str) -> bytes:
    drawn = eval(_call(name), _names())  # noqa: S307  the same
    figure = drawn.get_figure(root=True) if hasattr(drawn, "get_figure") else drawn
    file = io.BytesIO()
    figure.savefig(file, dpi=100, metadata={"Software": None})
    mpl.pyplot.close(figure)
    return file.getvalue()


# The reference.


def _nav_of_reference() -> list[Any]:
    return ["api/index.md", *({group: f"api/{_slug(group)}.md"} for group in REFERENCE)]


def _index_of_reference() -> str:
    forgotten = set(kx.__all__) - {name for names in REFERENCE.values() for name in names}
    if forgotten:
        raise ValueError(f"in no group of the reference: {', '.join(sorted(forgotten))}")
    lines = ["# API reference", "", "Every public name, as `import kimono_explore as kx` brings it."]
    for group, names in REFERENCE.items():
        lines += ["", f"## [{group}]({_slug(group)}.md)", "", "| name | |", "|---|---|"]
        lines += [
            f"| [`{name}`]({_slug(group)}.md#{name}) | {_cell(_first_line(getattr(kx, name)))} |" for name in names
        ]
    return "\n".join(lines) + "\n"


def _page_of_reference(group: str, names: Iterable[str]) -> str:
    lines = [f"# {group}"]
    for name in names:
        found = getattr(kx, name)
        lines += [
            "",
            f"## {name} {{ #{name} }}",
            "",
            *_signature(found),
            f"::: {found.__module__}.{found.__qualname__}",
            *(["    options:", "        inherited_members: true"] if found in (kx.Roster, kx.Report) else []),
        ]
    if group in BESIDE:
        lines += ["", "## What they take and give", ""]
    for path in BESIDE.get(group, ()):
        module, _, name = path.rpartition(".")
        found = getattr(importlib.import_module(module), name)
        lines += ["", f"### {name} {{ #{name} }}", "", f"::: {found.__module__}.{name}"]
    return "\n".join(lines) + "\n"


def _signature(found: Any) -> list[str]:  # noqa: ANN401  a class or a function
    """How it is called, without the types, which stand with the parameters."""
    if inspect.isclass(found) and issubclass(found, Exception):
        return []
    signature = inspect.signature(found)
    bare = [p.replace(annotation=p.empty, default=_default(p.default)) for p in signature.parameters.values()]
    text = f"kx.{found.__name__}{signature.replace(parameters=bare, return_annotation=signature.empty)}"
    text = text.replace("=Ellipsis", "=...")
    if len(text) > 80:
        inner = re.sub(r"^kx\.\w+\(|\)$", "", text)
        text = f"kx.{found.__name__}(\n    " + re.sub(r", (?=\*|\w+[=,]|\w+$)", ",\n    ", inner) + ",\n)"
    return ["```python", text, "```", ""]


def _default(value: object) -> object:
    """A default that is long or is made anew each time is left open."""
    return ... if len(repr(value)) > 40 or repr(value) == "<factory>" else value


# Notebooks.


def _notebooks() -> list[Path]:
    return sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


def _nav_of_notebooks() -> list[Any]:
    return [{_title_of(path): f"notebooks/{path.stem}.md"} for path in _notebooks()]


def _title_of(path: Path) -> str:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return re.sub(r"^#\s*", "", "".join(cells[0]["source"]).splitlines()[0])


def _page_of_notebook(path: Path) -> Iterator[tuple[str, str | bytes]]:
    executed = EXECUTED / path.name
    cells = json.loads((executed if executed.exists() else path).read_text(encoding="utf-8"))["cells"]
    parts: list[str] = []
    pictures: list[bytes] = []
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "image/png" in data:
                parts.append(f"![Output of the cell above]({path.stem}-{len(pictures)}.png)")
                pictures.append(base64.b64decode(data["image/png"]))
            else:
                parts.append(_output(output))
    where = "This is the notebook `notebooks/{}` as it runs on the sandbox; `make lab` opens it in JupyterLab."
    parts.insert(1, f"*{where.format(path.name)}*")
    yield f"notebooks/{path.stem}.md", "\n\n".join(filter(None, parts)) + "\n"
    for i, picture in enumerate(pictures):
        yield f"notebooks/{path.stem}-{i}.png", picture


def _output(output: dict[str, Any]) -> str:
    data = output.get("data", {})
    text = "".join(data.get("text/plain", output.get("text", "")))
    if "application/vnd.jupyter.widget-view+json" in data:
        if "rows/s]" in text or re.match(r"\w+: ", text):
            return ""  # a progress bar
        return "*A widget: it is shown where the notebook runs. [Pictures of the widgets](../widgets.md).*"
    if "text/html" in data:
        shown = re.sub(r"<(style|script)\b.*?</\1>", "", "".join(data["text/html"]), flags=re.DOTALL)
        shown = re.sub(r"\n\s*", " ", re.sub(r"<table[^>]*>", "<table>", shown))
        return f'<div class="output">{shown}</div>'
    if output.get("name") == "stderr" or not text:
        return ""
    text = textwrap.shorten(text, 3000, placeholder=" ...") if len(text) > 3000 else text
    return f"```text\n{text.rstrip()}\n```"


# Parts of pages that are written by hand.


def _operations() -> str:
    lines = ["| method | path | what reaches it | what it does |", "|---|---|---|---|"]
    for path, methods in kx.openapi()["paths"].items():
        for method, operation in methods.items():
            cells = (method.upper(), f"`{path[1:]}`", _reached(method, path), _cell(operation["summary"]))
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _reached(method: str, path: str) -> str:
    if (method, path) in TASK_CALLS:
        return f"`{TASK_CALLS[method, path]}`"
    *_, before, last = ["", *path.split("/")]
    name = re.sub(r"(?=[A-Z])", "_", last).lower()
    if last == "{id}":
        return f'`client.find("{before}", id)`'
    if before == "{id}":
        return f'`kx.load(client, "{name}", org_id=id)`'
    more = ", `kx.load_roster(client)`" if name in kx.Roster().tables else ""
    return f'`kx.load(client, "{name}")`{more}'


def _faults() -> str:
    names = kx.Faults.names()
    return _table(names[[*names.columns.drop("sees"), "sees"]])


def _rules() -> str:
    lines = [
        f"{len(RULES)} rules of {len(TARGETS)} systems, all read on {READ} as stored copies of their pages.",
        "",
        "| system | rule | what it says | refuses | source |",
        "|---|---|---|---|---|",
    ]
    for rule in RULES:
        looked_at = ", ".join(dict.fromkeys(f"`{refusal.table}.{refusal.column}`" for refusal in rule.refuses))
        cells = (TARGETS[rule.target].name, f"`{rule.id}`", _cell(rule.says), looked_at, f"[page]({rule.source})")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _ends() -> str:
    """What becomes of a class whose id is no longer there, by target."""
    lines = ["| `target=` | system | the old class is | which means |", "|---|---|---|---|"]
    lines += [f"| `{key}` | {name} | {what} | {_cell(means)} |" for key, (name, what, _, means) in TARGETS.items()]
    return "\n".join(lines)


def _help() -> str:
    whole = _help_of()
    commands = re.findall(r"^    (\w+)  ", whole.partition("\noptions:")[0], flags=re.MULTILINE)
    parts = [f"```text\n{whole}```"]
    parts += [f"## {command}\n\n```text\n{_help_of(command)}```" for command in commands]
    return "\n\n".join(parts)


def _help_of(*command: str) -> str:
    os.environ["COLUMNS"] = "96"
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
        main([*command, "--help"])
    return text.getvalue()


PARTS: dict[str, Callable[[], str]] = {
    "operations": _operations,
    "help": _help,
    "faults": _faults,
    "rules": _rules,
    "ends": _ends,
}


# Markdown.


def _first_line(found: object) -> str:
    return (inspect.getdoc(found) or "").partition("\n\n")[0].replace("\n", " ")


def _slug(title: str) -> str:
    return title.lower().replace(" ", "-")


def _cell(text: str) -> str:
    return text.replace("|", "&#124;").replace("\n", " ")


def _table(df: pd.DataFrame) -> str:
    """A table in HTML, which needs no escape but its own."""
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in df.columns)
    rows = ("".join(f"<td>{_shown(value)}</td>" for value in row) for row in df.itertuples(index=False))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _shown(value: object) -> str:
    if value is None or (not isinstance(value, list | tuple | dict) and pd.isna(value)):
        return ""
    printable = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value))
    text = html.escape(textwrap.shorten(printable, 120))
    return f"<code>{text}</code>" if re.fullmatch(r"[0-9a-f-]{36}", text) else text
