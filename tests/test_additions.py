"""What may be added to the library is one row or one function in one place: here is what such a row may not lack.

A test for each of the nine additions that CONTRIBUTING.md teaches. Its message says what is missing, and where.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, get_args

from dialects import dialect_values

import kimono_explore as kx
from kimono_explore import plots
from kimono_explore.api.operations import OPERATIONS
from kimono_explore.files.oneroster.layout import DEMOGRAPHICS, FILES
from kimono_explore.files.oneroster.standard import STANDARD
from kimono_explore.json_text import encode
from kimono_explore.palette import TYPE_COLORS
from kimono_explore.quality.catalogue import ROSTER_CHECKS, TASK_CHECKS
from kimono_explore.quality.definition import AREAS
from kimono_explore.sandbox.dialect import Dialect
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.sample_tasks import make_tasks
from kimono_explore.sandbox.server import Credentials, Service
from kimono_explore.sandbox.task_queue import TaskQueue
from kimono_explore.schema import ENDS, OBJECT_TYPES, REFERENCES, RELATION_ROWS, TABLE_OF, TABLES, TASK_TYPE_ROWS, Rule

TESTS = Path(__file__).parent
PACKAGE = Path(kx.__file__).parent
SCHEMA = "kimono_explore/schema.py"


def complain(missing: list[str]) -> None:
    assert not missing, "\n".join(["", *missing])


@cache
def texts_of_tests() -> dict[str, str]:
    """The text of every test file but this one and that of the recipes."""
    own = (Path(__file__).name, "test_recipes.py")
    return {str(path.relative_to(TESTS)): path.read_text("utf-8") for path in TESTS.rglob("test_*.py")
            if path.name not in own}  # fmt: skip


def test_an_operation_says_which_rows_it_is_about() -> None:
    file = "kimono_explore/api/operations.py"
    missing = []
    for row in OPERATIONS:
        if row.table == "tasks":
            continue
        columns = {column.name for column in TABLES[row.table]}
        if row.kind == "list" and row.where is None:
            missing.append(f"{file}: {row.name} does not say which rows of {row.table} it holds. Give its row "
                           "where=ALL_ROWS, or where=(Where(column, values),).")  # fmt: skip
        if row.kind == "list" and row.needs_id and not row.via:
            missing.append(
                f"{file}: {row.name} does not say which relations lead from an org to its rows: give it via=."
            )
        missing += [
            f"{file}: {row.name} asks for {column}, which {row.table} has not. Declare it in {SCHEMA}, or name another."
            for column, _ in row.where or ()
            if column not in columns
        ]
        missing += [
            f"{file}: {row.name} goes via {relation!r}, which is no relation of {SCHEMA}."
            for relation in row.via
            if relation not in ENDS
        ]
    complain(missing)


def test_a_column_says_what_becomes_of_it() -> None:
    missing = []
    rules = set(get_args(Rule))
    for table, columns in TABLES.items():
        for column in columns:
            where = f"{SCHEMA}: the column {column.name} of {table}"
            if column.privacy not in rules:
                missing.append(f"{where} does not say what pseudonymize makes of it. Give its row privacy=, one of "
                               f"{', '.join(sorted(rules))}.")  # fmt: skip
            if (column.searched or column.label) and column.kind != "text":
                missing.append(f"{where} holds no text, and can be neither searched nor a label.")
            if column.privacy in ("year", "month", "day") and column.kind not in ("date", "time"):
                missing.append(f"{where} holds no date: privacy={column.privacy!r} is for dates and times.")
        places = [column.label for column in columns if column.label]
        if sorted(places) != list(range(1, len(places) + 1)) or not places:
            missing.append(
                f"{SCHEMA}: the labels of {table} are made of the places {places}, not of 1, 2, ...: see label=."
            )
    complain(missing)


def test_a_relation_has_ends_words_a_colour_and_a_reference() -> None:
    missing = []
    for row in RELATION_ROWS:
        where = f"{SCHEMA}: the relation {row.name}"
        if not row.ends or not {t for pair in row.ends for t in pair} <= set(TABLE_OF):
            missing.append(
                f"{where} does not say which types it joins: give its row ends, pairs of {', '.join(TABLE_OF)}."
            )
        if not row.number or not row.orphan or not row.harm:
            missing.append(
                f"{where} lacks the number, title or reason of its orphan check: give its row number, orphan and harm."
            )
        if row.color is not None and row.color not in TYPE_COLORS:
            missing.append(f"{where} has the colour of {row.color!r}: name a type of kimono_explore/palette.py.")
        stated = [(OBJECT_TYPES[r.table], r.far_type) if r.forward else (r.far_type, OBJECT_TYPES[r.table])
                  for r in REFERENCES if r.relation == row.name]  # fmt: skip
        missing += [
            f"{where} joins {source} and {target}, and no row of REFERENCES states it."
            for source, target in row.ends
            if (source, target) not in stated
        ]
        drawn = [other.name for other in RELATION_ROWS if (other.color, other.line) == (row.color, row.line)]
        if drawn != [row.name]:
            missing.append(f"{where} looks like {', '.join(set(drawn) - {row.name})}: give it another color or line.")
    missing += [
        f"{SCHEMA}: {r.table}.{r.key} states {r.relation}, which no row of RELATION_ROWS declares."
        for r in REFERENCES
        if r.relation is not None and r.relation not in ENDS
    ]
    complain(missing)


def test_a_check_has_words_and_a_case() -> None:
    missing = []
    for check in (*ROSTER_CHECKS, *TASK_CHECKS):
        missing += [
            f"The check {check.id} has no {name}." for name in ("title", "rule", "why") if not getattr(check, name)
        ]
        if f'"{check.number}": "{check.id}"' not in texts_of_tests()["quality/test_numbers.py"]:
            missing.append(
                f"The check {check.id} has the number {check.number!r}, which is not in NUMBERS of "
                f"tests/quality/test_numbers.py: add it as {AREAS[check.group]} and the next three digits."
            )
        if not any(f'"{check.id}": (' in text for text in texts_of_tests().values()):
            table = (
                "CASES in tests/quality/test_checks.py"
                if check in ROSTER_CHECKS
                else "TASKS in tests/quality/test_quality.py"
            )
            missing.append(f"The check {check.id} has no case: add the smallest roster that fails it to {table}.")
        takes = set(inspect.signature(check.find).parameters)
        missing += [
            f"The check {check.id} does not take its parameter {name}." for name in check.params if name not in takes
        ]
    complain(missing)


def test_a_picture_is_in_every_place() -> None:
    missing = []
    notebook = json.loads((PACKAGE.parent / "notebooks" / "07_gallery.ipynb").read_text("utf-8"))
    gallery = "".join(line for cell in notebook["cells"] for line in [*cell["source"], "\n"])
    docs = (PACKAGE.parent / "docs" / "build_pages.py").read_text("utf-8")
    stub = (PACKAGE / "__init__.pyi").read_text("utf-8")
    for name, needed in _pictures().items():
        places = {
            "kimono_explore/plots/__init__.py: import it, and add it to __all__": name in plots.__all__,
            "kimono_explore/__init__.pyi: import it, and add it to __all__": f'"{name}"' in stub,
            "notebooks/07_gallery.ipynb: draw it in a cell": f"kx.{name}(" in gallery,
            "docs/build_pages.py: say in DRAWN how it is called": needed == ["roster"]
            or f'"{name}": "kx.{name}(' in docs,
            "tests/plots/test_plots_numbers.py: test that what it shows is what the tables hold": name
            in _tested_pictures(),
        }
        missing += [f"The picture {name} is not in {place}." for place, there in places.items() if not there]
    complain(missing)


def _pictures() -> dict[str, list[str]]:
    """Each function in kimono_explore/plots that draws a picture: the arguments that it must be given."""
    return {
        node.name: [argument.arg for argument in node.args.args][: len(node.args.args) - len(node.args.defaults)]
        for path in (PACKAGE / "plots").rglob("*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("plot_")
    }


@cache
def _tested_pictures() -> set[str]:
    """The pictures that a test function of the pictures draws itself."""
    functions = [
        ast.unparse(node)
        for name, text in texts_of_tests().items()
        if "plots" in name
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef)
    ]
    return {name for text in functions for name in re.findall(r"kx\.(plot_\w+)\(", text)}


def test_a_task_type_has_a_colour_and_words() -> None:
    missing = []
    for row in TASK_TYPE_ROWS:
        if not re.fullmatch("#[0-9A-F]{6}", row.color):
            missing.append(f"{SCHEMA}: the task type {row.name} has no colour: give its row color, such as #0072B2.")
        if not row.words:
            missing.append(f"{SCHEMA}: the task type {row.name} has no words: say in its row what it is.")
    complain(missing)


def test_a_oneroster_column_is_the_standards_and_ours() -> None:
    missing = []
    files = [(file.name, file.table, file.columns) for file in FILES] + [("demographics", "persons", DEMOGRAPHICS)]
    for file, table, columns in files:
        declared = {column.name for column in TABLES[table]}
        standard = {cell.name for version in STANDARD.values() for cell in version[file]}
        for theirs, ours in columns:
            where = f"kimono_explore/files/oneroster/layout.py: {theirs} of {file}.csv"
            relation, _, far = ours.partition(">")
            if far and (OBJECT_TYPES[table], far) not in ENDS.get(relation, ()):
                missing.append(f"{where} is {ours}, and {SCHEMA} has no such relation of {table}.")
            if not far and ours not in declared and not ours.startswith("ext_"):
                missing.append(f"{where} is {ours}, which {table} has not: declare it in {SCHEMA}.")
            if theirs not in standard:
                missing.append(f"{where} is not in kimono_explore/files/oneroster/standard.py: add its Cell there.")
    complain(missing)


def test_a_dialect_changes_what_is_served() -> None:
    """That each value is loaded equal is tested where loading is."""
    roster, missing = make_district(20), []
    once = roster.links["stated_by"].where(roster.links["relation"] != "member_of", "source")
    roster.links = roster.links.assign(stated_by=once)
    for name, values in dialect_values().items():
        served: dict[str, Any] = {}
        for value in values:
            served.setdefault(_answers(roster, Dialect(**{name: value})), []).append(value)
        missing += [
            f"kimono_explore/sandbox/dialect.py: Dialect({name}={same[1]!r}) is served as {name}={same[0]!r} is. Say in "
            "speaker.py or server.py what it changes."
            for same in served.values()
            if len(same) > 1
        ]
    complain(missing)


def _answers(roster: kx.Roster, dialect: Dialect) -> str:
    service = Service(roster, TaskQueue(make_tasks(roster)), dialect, Credentials.random(), 60)
    orgs, persons = roster.orgs["id"], roster.persons["id"]
    ids = {"findOrg": str(orgs.iloc[0]), "findPerson": str(persons.iloc[0])}
    wanted = [row for row in OPERATIONS if row.name in ids or (row.kind == "list" and not row.needs_id)]
    answers = [service.answer(row, ids.get(row.name, ""), {}, b"") for row in wanted if row.name != "listTasks"]
    return encode(answers)
