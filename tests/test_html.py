"""Every page, note and pane: what a tenant sent is text in it, whatever it holds, and templates alone make HTML."""

from __future__ import annotations

import ast
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from jinja2 import TemplateAssertionError, UndefinedError

import kimono_explore as kx
from kimono_explore import html
from kimono_explore.display import printable
from kimono_explore.frames import frame
from kimono_explore.widgets.outcome import outcome_html
from kimono_explore.widgets.table import DataTable

PACKAGE = Path(kx.__file__).parent
HOSTILE = " ".join(
    (
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "Ana\u202eavliS\u2066",
        "Smith & Sons",
        "{{ 7*7 }}",
        "{% raw %}",
        "&lt;b&gt;",
        "O'Neil",
        "محمد",
    )
)
BIDI = "[\u200e\u200f\u202a-\u202e\u2066-\u2069]"
OUTPUTS = (
    "report", "note", "roster", "description", "repeated", "comparison", "object", "check", "said", "error", "task", "timeline",
    "outcome", "question", "dry run",
)  # fmt: skip


@pytest.fixture(scope="module")
def outputs(small_sandbox: kx.Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Everything that is made as HTML, of a roster and a queue all of whose texts are hostile."""
    roster = hostile_roster()
    report = kx.check(roster)
    path = tmp_path_factory.mktemp("html") / "report.html"
    report.to_html(path)
    made = {
        "report": path.read_text(encoding="utf-8"),
        "note": report._repr_html_(),
        "roster": roster._repr_html_(),
        "description": roster.describe("p")._repr_html_(),
        "repeated": roster.describe(HOSTILE)._repr_html_(),
        "comparison": kx.compare(roster, kx.Roster(source=HOSTILE))._repr_html_(),
    }
    return made | of_quality(report) | of_tasks(small_sandbox.client, roster)


def hostile_roster() -> kx.Roster:
    # Before version 2, DuckDB's relations cannot name a column that holds a quotation mark (docs/limits.md).
    column = HOSTILE if int(duckdb.__version__.split(".")[0]) >= 2 else HOSTILE.replace('"', "")
    persons = {
        "id": ["p", HOSTILE, HOSTILE],
        "person_type": ["student"] * 3,
        "name_last": [HOSTILE] * 3,
        "email": [HOSTILE] * 3,
        f"ext_{column}": [HOSTILE] * 3,
    }
    links = {
        "source_type": ["person"],
        "source_id": ["p"],
        "relation": ["member_of"],
        "target_type": ["org"],
        "target_id": ["s"],
        "role": [HOSTILE],
        "stated_by": ["both"],
    }
    orgs = frame("orgs", {"id": ["s"], "name": [HOSTILE], "school_year": [HOSTILE]})
    return kx.Roster(orgs=orgs, persons=frame("persons", persons), links=frame("links", links), source=HOSTILE)


def of_quality(report: kx.Report) -> dict[str, str]:
    inspector = kx.inspect_quality(report)
    inspector.select("invalid_email")
    inspector.pick(int((inspector.table["id"] == "p").to_numpy().argmax()))
    browser = inspector.browser
    assert browser is not None
    browser.select("p")
    made = {"check": inspector._about.value, "object": browser._head.value}
    browser.say(HOSTILE)
    made["said"] = browser._status.value
    browser.show_error(ValueError(HOSTILE))
    return made | {"error": browser._status.value}


def of_tasks(client: kx.Client, roster: kx.Roster) -> dict[str, str]:
    inspector = kx.inspect_tasks(client, roster, allow_changes=True)
    tasks = kx.load_tasks(client).head(2).copy()
    tasks["type"] = "data_event"
    for column in ("label", "object_type", "action", "tenant_id", "group_id", "app_id", "origin", "raw"):
        tasks[column] = pd.Series([HOSTILE] * 2, dtype="object")
    tasks["object_id"] = "p"
    tasks["changes"] = tasks["data"] = pd.Series([{HOSTILE: HOSTILE}] * 2, dtype="object")
    inspector._take(tasks)
    inspector.pick(tasks["id"].iloc[0])
    made = {"task": inspector._detail.value}
    inspector._take(tasks.assign(type=HOSTILE))
    asked = tasks.assign(type=HOSTILE, id=HOSTILE)
    inspector._ask(HOSTILE, HOSTILE, asked, inspector._delete, lambda: pd.DataFrame())
    done = {"act": [HOSTILE], "id": [HOSTILE], "status": ["refused"], "accepted": [False], "message": [HOSTILE],
            "code": [400], "reason": [HOSTILE]}  # fmt: skip
    question = inspector._confirm_box.children[0].value
    return made | {
        "timeline": inspector._timeline.as_html(),
        "question": question,
        "dry run": inspector._confirm_box._details.value,
        "outcome": outcome_html(pd.DataFrame(done), [], []),
    }


class Page(HTMLParser):
    """The tags, the names of attributes and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", OUTPUTS)
def test_what_a_tenant_sent_is_text_once_escaped(outputs: dict[str, str], name: str) -> None:
    page = Page(outputs[name])
    assert printable(HOSTILE) in page.text
    assert not page.tags & {"script", "img"}
    assert not [attribute for attribute in page.attributes if attribute.startswith("on") or not attribute.isascii()]
    assert not re.search(BIDI, outputs[name])
    assert not re.search("&amp;amp;|&amp;#|&amp;quot;|&amp;lt;(?!b&amp;gt;)", outputs[name])


def test_a_table_to_pick_from_turns_no_text_around() -> None:
    table = DataTable(pd.DataFrame({f"ext_{HOSTILE}": [HOSTILE]}))
    assert table.view["columns"][0]["name"] == f"ext_{printable(HOSTILE)}"
    assert table.page(0)["rows"] == table.view["first"]["rows"] == [[printable(HOSTILE)]]


def test_all_outputs_are_tried(outputs: dict[str, str]) -> None:
    assert sorted(outputs) == sorted(OUTPUTS)


def test_a_table_is_not_escaped_again_and_text_that_looks_like_one_is() -> None:
    table = html.frame_html(pd.DataFrame({"a < b": ["c < \u202e"]}), index=False)
    within = html.render("line.html", text=table, role=None, quiet=False)
    assert "<th>a &lt; b</th>" in within
    assert "<td>c &lt; \\u202e</td>" in within
    assert "<td>c &amp;lt;" not in html.render("line.html", text=str(table), role=None, quiet=False)
    assert "&lt;td&gt;c &amp;lt;" in html.render("line.html", text=str(table), role=None, quiet=False)
    assert type(within) is str


def test_a_table_shows_numbers_days_and_gaps_as_pandas_does() -> None:
    days = pd.to_datetime(pd.Series(["2026-08-17", None]))
    df = pd.DataFrame(
        {"n": [1, 2], "x": [0.5, None], "day": days, "kind": pd.Categorical(["a", None]), "name": ["b", None]}
    )
    assert html.frame_html(df) == df.to_html(border=0, notebook=True)
    assert html.frame_html(df.head(0)) == df.head(0).to_html(border=0, notebook=True)


def test_nothing_is_shown_that_is_not_there() -> None:
    with pytest.raises(UndefinedError, match="quiet"):
        html.render("line.html", text="", role=None)
    with pytest.raises(TypeError, match="None"):
        html.render("line.html", text=None, role=None, quiet=True)


@pytest.mark.parametrize("filter", ["safe", "e", "tojson"])
def test_no_template_can_pass_text_by(filter: str) -> None:
    with pytest.raises(TemplateAssertionError, match="No filter"):
        html._environment().from_string("{{ text|" + filter + " }}")


def test_every_template_compiles_and_escapes() -> None:
    names = html._environment().list_templates()
    assert {"report.html", "report.css"} <= set(names)
    for name in names:
        html._environment().get_template(name)
        assert "autoescape" not in (PACKAGE / "templates" / name).read_text(encoding="utf-8")


# Python makes no HTML, but for what stands here.

TAG = re.compile(r"(?<!\?P)</?[a-z][a-z0-9]*[ />]")
TAGS_ALLOWED = {
    "replies.py": "the sandbox answers as a proxy does, with a page in place of JSON: no text of a tenant is in it"
}
ESCAPE_ALLOWED = {"client.py": "secrets are looked for in their HTML spelling as well, to cut them out of messages"}
MARKUP_ALLOWED = {"html.py": "the one place that says what is escaped already"}


@cache
def modules() -> list[tuple[str, ast.Module]]:
    return [(path.name, ast.parse(path.read_text(encoding="utf-8"))) for path in sorted(PACKAGE.rglob("*.py"))]


def literals(tree: ast.Module) -> list[str]:
    """Every string and every constant part of an f-string; docstrings, which stand alone, are not among them."""
    alone = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node not in alone]
    return [
        value.decode("latin-1") if isinstance(value, bytes) else value
        for value in found
        if isinstance(value, (str, bytes))
    ]


def imported(tree: ast.Module) -> set[str]:
    whole = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return whole | {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_no_module_holds_a_tag() -> None:
    found = {name: hits for name, tree in modules() if (hits := [text for text in literals(tree) if TAG.search(text)])}
    assert set(found) == set(TAGS_ALLOWED), found


def test_no_module_escapes_by_hand() -> None:
    assert {name for name, tree in modules() if "html" in imported(tree)} == set(ESCAPE_ALLOWED)
    assert {name for name, tree in modules() if "markupsafe" in imported(tree)} == set(MARKUP_ALLOWED)


def test_the_tag_finder_finds_tags() -> None:
    tree = ast.parse('"""<p>"""\na = f"<td class={b}>"\nc = "x</b>"\nd = b"<br/>"\ne = f"<{b} of>"\nf = r"(?P<a>x)"')
    assert [text for text in literals(tree) if TAG.search(text)] == ["x</b>", "<br/>", "<td class="]
