"""CONTRIBUTING.md, carried out: each recipe works on a copy of the repository, and says what it lacks when it is cut short."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
NINE = (
    "An operation",
    "A column of persons",
    "A column of sections",
    "A relation",
    "A check",
    "A picture",
    "A type of task",
    "A OneRoster column",
    "A dialect of the sandbox",
)
MOST_LINES = 11
_STEP = re.compile(
    r"^In (?P<files>`[^`]+`(?: and `[^`]+`)?), (?P<place>below|above|in place of|at the end|a cell)(?: `(?P<line>[^`]+)`)?"
    r"[^\n]*:\n\n```python\n(?P<text>.*?)```$",
    re.MULTILINE | re.DOTALL,
)


class Step(NamedTuple):
    """A block of a recipe: into which file it goes, and where in it."""

    file: str
    place: str
    line: str
    text: str

    def carry_out(self, root: Path) -> None:
        path = root / self.file
        assert path.exists(), f"CONTRIBUTING.md: there is no {self.file}"
        old = path.read_text("utf-8")
        if self.place == "a cell":
            notebook = json.loads(old)
            notebook["cells"].append({"cell_type": "code", "source": [self.text], "outputs": [], "metadata": {}})
            path.write_text(json.dumps(notebook), "utf-8")
            return
        lines = old.splitlines(keepends=True)
        if self.place == "at the end":
            lines.append(f"\n\n{self.text}")
        else:
            found = [n for n, line in enumerate(lines) if line.startswith(self.line)]
            assert len(found) == 1, f"CONTRIBUTING.md: {len(found)} lines of {self.file} begin with {self.line!r}"
            first, after = found[0] + (self.place == "below"), found[0] + (self.place != "above")
            lines[first:after] = [self.text]
        path.write_text("".join(lines), "utf-8")


def recipes() -> dict[str, list[Step]]:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## Recipes")[2]
    found = {}
    for part in text.split("\n### ")[1:]:
        title = part.partition("\n")[0]
        found[title] = [
            Step(file, step["place"], step["line"] or "", step["text"])
            for step in _STEP.finditer(part)
            for file in re.findall(r"`([^`]+)`", step["files"])
        ]
        assert part.count("```python") == len(list(_STEP.finditer(part))), (
            f"{title}: a block that says not where it goes"
        )
    return found


def copy_of_the_repository(target: Path) -> Path:
    for name in ("kimono_explore", "tests", "docs", "notebooks"):
        left_out = shutil.ignore_patterns("__pycache__", "images", ".ipynb_checkpoints", ".hypothesis", "node_modules")
        shutil.copytree(ROOT / name, target / name, ignore=left_out)
    shutil.copy(ROOT / "pyproject.toml", target)
    return target


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'tests'}", "PYTHONDONTWRITEBYTECODE": "1"}
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST"):
        environment.pop(name, None)
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def run_tests(root: Path, *arguments: str) -> str:
    return run(root, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments).stdout


# What each recipe promises, tried on the copy in which all nine are carried out.
TRIED = {
    "An operation": """
with kx.sandbox(ROSTER) as box:
    staff = kx.load(box.client, "staff", progress=False)
wanted = ROSTER.persons.query("person_type == 'staff'")["id"].tolist()
assert wanted and staff["id"].tolist() == wanted
assert "/rostering/staff" in kx.openapi()["paths"]
""",
    "A column of persons": """
from kimono_explore.roster.lazy import LazyRoster
assert LOADED.persons["sms"].equals(ROSTER.persons["sms"]) and LOADED.problems.empty
assert LOADED.search("5550007").attrs["found"] == 1
LOADED.save(FOLDER / "snapshot")
assert LazyRoster(FOLDER / "snapshot").search("5550007").attrs["found"] == 1
assert kx.pseudonymize(LOADED, "key").persons["sms"].dropna().str.startswith("+0").all()
""",
    "A column of sections": """
assert LOADED.sections["room"].equals(ROSTER.sections["room"])
assert LOADED.search("room-3x").attrs["found"] == 1
assert kx.pseudonymize(LOADED, "key").sections["room"].dropna().str.fullmatch(r"[0-9]{18}").all()
""",
    "A relation": """
advised = LOADED.links.query("relation == 'advised_by'")
assert sorted(advised["target_id"]) == sorted([TEACHER, "gone"])
assert "persons.$adviser" in LOADED.rollups
found = kx.check(LOADED, ["orphan_advised_by"]).failures("orphan_advised_by")
assert found["id"].tolist() == ROSTER.persons["id"].iloc[[1]].tolist()
""",
    "A check": """
report = kx.check(LOADED, ["short_title"], params={"short_title": {"letters": 200}})
assert len(report.failures("short_title")) == LOADED.sections["title"].notna().sum()
assert kx.check(LOADED, ["KX-VAL-018"]).summary["id"].tolist() == ["short_title"]
""",
    "A picture": """
drawn = kx.plot_grad_years(LOADED)
assert drawn.get_title(loc="left") == "Graduation years"
""",
    "A type of task": """
from kimono_explore.palette import TASK_COLORS
from kimono_explore.tasks import task_table
from kimono_explore.widgets.task_html import describe_task, timeline
tasks = task_table([json.dumps({"roster_export": {"id": "t", "action": "START", "created_at": "2026-10-05T08:00:00Z"}}).encode()])
assert tasks["type"].tolist() == ["roster_export"]
assert describe_task(tasks.loc[0]) == "START: export of a roster"
assert TASK_COLORS["roster_export"] == "#662200" and "#662200" in timeline(tasks)
assert "roster_export" in kx.openapi()["components"]["schemas"]["Task"]["properties"]
""",
    "A OneRoster column": """
LOADED.to_oneroster(FOLDER / "bundle")
assert "5550007" in (FOLDER / "bundle" / "users.csv").read_text("utf-8")
back = kx.read_oneroster(FOLDER / "bundle").persons.set_index("id")["sms"].dropna()
assert back.to_dict() == ROSTER.persons.set_index("id")["sms"].dropna().to_dict()
""",
    "A dialect of the sandbox": """
from rosters import assert_equal
with kx.sandbox(ROSTER, dialect=kx.Dialect(ids="both")) as box:
    loaded = kx.load_roster(box.client, progress=False)
assert_equal(ROSTER, loaded)
""",
}
PREPARED = """
import json, sys, traceback, warnings
from pathlib import Path
import matplotlib
import pandas as pd
import kimono_explore as kx
from kimono_explore.sandbox.district.build import make_district

matplotlib.use("agg")
warnings.simplefilter("ignore")
FOLDER = Path(sys.argv[2])
assert FOLDER in Path(kx.__file__).parents, kx.__file__
ROSTER = make_district(30)
TEACHER = ROSTER.persons.query("person_type == 'teacher'")["id"].iloc[0]
ROSTER.persons["sms"] = ROSTER.persons["sms"].where(ROSTER.persons.index != 7, "5550007")
ROSTER.sections["room"] = ROSTER.sections["room"].where(ROSTER.sections.index != 2, "room-3x")
new = ROSTER.links.iloc[:2].assign(
    source_type="person", source_id=ROSTER.persons["id"].iloc[:2].to_numpy(), relation="advised_by",
    target_type="person", target_id=[TEACHER, "gone"], role=None, membership_id=None, status=None, primary=None,
    grade=None, start_date=None, end_date=None, stated_by="source")
links = pd.concat([new.astype("object"), ROSTER.links.astype("object")], ignore_index=True)
from kimono_explore.decode.links import sort_links
from kimono_explore.frames import frame
links = frame("links", {name: links[name].where(links[name].notna(), None).tolist() for name in links})
ROSTER = kx.Roster(**ROSTER.tables, links=sort_links(links, {name: df["id"] for name, df in ROSTER.tables.items()}),
                   rollups=ROSTER.rollups | {"persons.$adviser"})
with kx.sandbox(ROSTER) as box:
    LOADED = kx.load_roster(box.client, progress=False)
outcome = {}
for name, code in json.loads(Path(sys.argv[1]).read_text("utf-8")).items():
    try:
        exec(code, dict(globals()))
        outcome[name] = ""
    except BaseException:
        outcome[name] = traceback.format_exc()
print(json.dumps(outcome))
"""


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which all nine recipes are carried out."""
    root = copy_of_the_repository(tmp_path_factory.mktemp("complete"))
    for steps in recipes().values():
        for step in steps:
            step.carry_out(root)
    return root


@pytest.fixture(scope="module")
def outcomes(complete: Path) -> dict[str, str]:
    (complete / "tried.py").write_text(PREPARED, "utf-8")
    (complete / "tried.json").write_text(json.dumps(TRIED), "utf-8")
    done = run(complete, "tried.py", "tried.json", str(complete))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_page_teaches_the_nine() -> None:
    assert tuple(recipes()) == NINE == tuple(TRIED)
    long = {
        title: sum(text.count("\n") for text in {step.text for step in steps if not step.file.startswith("tests/")})
        for title, steps in recipes().items()
    }
    assert {title: lines for title, lines in long.items() if lines > MOST_LINES} == {}


@pytest.mark.parametrize("title", NINE)
def test_a_recipe_works(outcomes: dict[str, str], title: str) -> None:
    assert outcomes[title] == "", outcomes[title]


def test_what_is_added_passes_the_tests_named_for_it(complete: Path) -> None:
    chosen = "additions or short_title or advised_by or grad_years or (colours and tasks) or same_names or never_changed or of_its_area"
    told = run_tests(complete, "tests/test_additions.py", "tests/quality/test_checks.py", "tests/plots/test_plots_numbers.py",
                     "tests/quality/test_numbers.py",
                     "tests/test_palette.py", "tests/test_public_names.py", "-k", chosen)  # fmt: skip
    assert " passed" in told.splitlines()[-1], told
    assert "failed" not in told.splitlines()[-1], told
    assert "error" not in told.splitlines()[-1], told


# Each recipe, cut short: what is put in place of what, and what the named test then says.
CUT_SHORT: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "An operation": (
        'where=(Where("person_type", ("staff",)),)',
        "",
        (
            "test_an_operation",
            "api/operations.py: listStaff does not say which rows of persons it holds. Give its row where=",
        ),
    ),
    "A column of persons": (
        ', privacy="phone"',
        "",
        ("test_a_column", "schema.py: the column sms of persons does not say what pseudonymize makes of it"),
    ),
    "A column of sections": (
        ', privacy="number"',
        "",
        ("test_a_column", "schema.py: the column room of sections does not say what pseudonymize makes of it"),
    ),
    "A relation": (
        '    Reference("persons", "$adviser", "advised_by", "person", forward=True, many=False),\n',
        "",
        ("test_a_relation", "the relation advised_by joins person and person, and no row of REFERENCES states it"),
    ),
    "A check": (
        '    "short_title": ((section(title="IT"),), [("sections", "algebra-1")], (section(title="Algebra"),)),\n',
        "",
        ("test_a_check", "The check short_title has no case: add the smallest roster that fails it to CASES in tests/"),
    ),
    "A picture": (
        "kx.plot_grad_years(roster);\n",
        "",
        ("test_a_picture", "The picture plot_grad_years is not in notebooks/07_gallery.ipynb: draw it in a cell."),
    ),
    "A type of task": (
        '"#662200"',
        '""',
        ("test_a_task_type", "schema.py: the task type roster_export has no colour: give its row color"),
    ),
    "A OneRoster column": (
        '("sms", "sms")',
        '("sms", "sms_number")',
        ("test_a_oneroster_column", "layout.py: sms of users.csv is sms_number, which persons has not: declare it in"),
    ),
    "A dialect of the sandbox": (
        '            top["id"] = own["id"]\n',
        "            pass\n",
        ("test_a_dialect", "dialect.py: Dialect(ids='both') is served as ids='sys' is. Say in speaker.py or server.py"),
    ),
}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the named tests say of a copy in which all nine recipes are cut short."""
    root = copy_of_the_repository(tmp_path_factory.mktemp("short"))
    for title, steps in recipes().items():
        old, new, _ = CUT_SHORT[title]
        assert any(old in step.text for step in steps), title
        for step in steps:
            text = step.text.replace(old, new)
            if text.strip():
                step._replace(text=text).carry_out(root)
    return run_tests(root, "tests/test_additions.py", "--tb=short", "-rf")


@pytest.mark.parametrize("title", NINE)
def test_a_recipe_that_is_cut_short_says_what_is_missing_and_where(complaints: str, title: str) -> None:
    test, said = CUT_SHORT[title][2]
    assert re.search(rf"^FAILED tests/test_additions\.py::{test}", complaints, re.MULTILINE), complaints
    assert said in complaints
