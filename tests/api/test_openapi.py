"""The sandbox keeps what its OpenAPI document promises: schemathesis tries, from examples to hostile input."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import kimono_explore as kx
from kimono_explore.api.operations import OPERATIONS
from kimono_explore.json_text import encode
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.speaker import Speaker
from kimono_explore.schema import REFERENCES, TABLES


def ids(box: kx.Sandbox) -> dict[str, str]:
    """An id that exists, for each operation that takes one: without them schemathesis sees nothing but 404."""
    roster = box.roster
    school = roster.orgs.loc[roster.orgs["org_type"] == "school", "id"].iloc[0]
    lea = roster.orgs.loc[roster.orgs["org_type"] == "lea", "id"].iloc[0]
    tasks = [str(task["id"]) for task in box.queue.all()]
    found = {
        "findLea": lea,
        "findTaskAdmin": tasks[-1],
        "ackTask": tasks[0],
        "ackTaskAdmin": tasks[1],
        "deleteTaskAdmin": tasks[2],
    }
    for row in OPERATIONS:
        if row.needs_id and row.name not in found:
            found[row.name] = school if row.kind == "list" else roster.tables[row.table]["id"].iloc[0]
    return found


def test_schemathesis_finds_no_violation(tmp_path: Path) -> None:
    with kx.sandbox(students=30, flaws=False) as box:
        known = ids(box)
        config = "\n".join(
            f'[[operations]]\ninclude-operation-id = "{name}"\nparameters = {{ "path.id" = "{id}" }}\n'
            for name, id in known.items()
        )
        (tmp_path / "schemathesis.toml").write_text(config)
        host = box.base_url.removesuffix("/v2/interop/data")
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{host}/openapi.json"]
        options = [
            "--header",
            f"Authorization: Bearer {box.credentials.token}",
            "--max-examples",
            "15",
            "--seed",
            "1",
            "--no-color",
        ]
        outcome = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
        shown = outcome.stdout.replace(box.credentials.token, "...")[-6000:]
    assert outcome.returncode == 0, shown
    assert f"Tested: {len(OPERATIONS)}" in shown


# Kimono's own OpenAPI document (Swagger 2, 2023), as facts: what a tenant sends, written down by the vendor.
_SYS = {"id": "uuid", "label": "string", "school_year": "int32", "created_at": "date-time", "updated_at": "date-time"}
_REFERENCE = {"id": "uuid", "type": "string", "label": "string"}
_MEMBER = {**_REFERENCE, "$membership": "object"}
VENDOR: dict[str, dict[str, object]] = {
    "Org": {
        "$sys": {**_SYS, "org_type": "string"},
        "local_id": "string",
        "name": "string",
        "$parent": {**_REFERENCE, "org_type": "string"},
        "$children": [{**_REFERENCE, "org_type": "string"}],
        "$students": [{**_MEMBER, "person_type": "string"}],
        "$teachers": [{**_MEMBER, "person_type": "string"}],
    },
    "Person": {
        "$sys": {**_SYS, "person_type": "string"},
        "local_id": "string",
        "state_id": "string",
        "name": dict.fromkeys(("last", "first", "middle"), "string"),
        "address": dict.fromkeys(("line1", "line2", "line3", "city", "state", "postal_code", "country"), "string"),
        "phone": "string",
        "email": "string",
        "sex": "string",
        "dob": "date",
        "aup": "boolean",
        "grad_year": "string",
        "$schools": [{**_MEMBER, "org_type": "string"}],
        "$sections": [_MEMBER],
    },
    "Course": {
        "$sys": _SYS,
        "local_id": "string",
        "title": "string",
        "description": "string",
        "$orgs": [{**_REFERENCE, "org_type": "string"}],
        "$sections": [_REFERENCE],
    },
    "Section": {
        "$sys": _SYS,
        "local_id": "string",
        "title": "string",
        "description": "string",
        "$terms": [_REFERENCE],
        "$course": _REFERENCE,
        "$org": _REFERENCE,
        "$teachers": [{**_MEMBER, "person_type": "string"}],
        "$students": [{**_MEMBER, "person_type": "string"}],
    },
    "Term": {
        "$sys": {**_SYS, "term_type": "string"},
        "name": "string",
        "description": "string",
        "start_date": "date",
        "end_date": "date",
        "status": "string",
        "$parent": {**_REFERENCE, "term_type": "string"},
        "$children": [{**_REFERENCE, "term_type": "string"}],
    },
    "GradingCategory": {"$sys": _SYS},
    "Membership": {
        "status": "string",
        "grade": "string",
        "primary": "boolean",
        "start_date": "date",
        "end_date": "date",
    },
    "Event": {
        "tenant_id": "uuid",
        "id": "uuid",
        "created_at": "date-time",
        "action": "string",
        "object_type": "string",
        "object_id": "uuid",
        "origin": "string",
        "data": "object",
        "changes": "object",
    },
    "Task": {"schema": "string", "sync_event": "object", "data_event": "object"},
}


def flattened(fields: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], str]:
    """The type at each path; a list is a step named ``[]``."""
    if isinstance(fields, str):
        return {path: fields}
    inner = {"[]": fields[0]} if isinstance(fields, list) else fields
    return {place: kind for name, held in inner.items() for place, kind in flattened(held, (*path, name)).items()}


def documented(schema: Any, schemas: Any) -> Any:
    """A schema of our document in the form of the facts above."""
    schema = schemas[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
    if "items" in schema:
        return [documented(schema["items"], schemas)]
    if schema.get("properties") and "status" not in schema["properties"]:
        return {name: documented(held, schemas) for name, held in schema["properties"].items()}
    return schema.get("format") or next(kind for kind in [*schema["type"]] if kind != "null")


@pytest.mark.parametrize("name", VENDOR)
def test_the_document_has_the_types_of_kimonos_own(name: str) -> None:
    schemas: Any = kx.openapi()["components"]["schemas"]  # type: ignore[index, call-overload]
    ours = flattened({key: documented(held, schemas) for key, held in schemas[name]["properties"].items()})
    for path, kind in flattened(VENDOR[name]).items():
        found = ours.get(path) or ("object" if any(other[: len(path)] == path for other in ours) else "absent")
        assert (path, found) == (path, kind)


@pytest.mark.parametrize("table", TABLES)
def test_the_declared_columns_have_the_types_of_kimonos_own_document(table: str) -> None:
    name = {"orgs": "Org", "grading_categories": "GradingCategory"}.get(table, table[:-1].title())
    theirs = flattened(VENDOR[name])
    kinds = {"string": "text", "uuid": "text", "int32": "text", "date": "date", "date-time": "time", "boolean": "flag"}
    ours = {column.path: column for column in TABLES[table]}
    for path, kind in theirs.items():
        if not any(key.startswith("$") and key != "$sys" for key in path):
            assert (path, ours[path].kind) == (path, kinds[kind])
            assert (path, ours[path].integer) == (path, kind == "int32")
    assert {r.key for r in REFERENCES if r.table == table} >= {path[0] for path in theirs if path[0][1:] != "sys"} & {
        path[0] for path in theirs if path[0].startswith("$")
    }


JSON_TYPES: dict[str, tuple[type, ...]] = {"int32": (int,), "boolean": (bool,), "object": (dict,)}


@pytest.mark.parametrize("references", ["mixed", "flat"])
def test_the_sandbox_sends_the_types_of_kimonos_own_document(references: Any) -> None:
    roster = make_district(60)
    speaker = Speaker(roster, kx.Dialect(references=references))
    for table, df in roster.tables.items():
        name = {"orgs": "Org", "grading_categories": "GradingCategory"}.get(table, table[:-1].title())
        theirs = flattened(VENDOR[name])
        seen = set()
        for item in msgspec.json.decode(msgspec.json.encode(speaker.objects(table, range(len(df))))):
            for path, values in found_at(item, theirs).items():
                for value in values:
                    assert isinstance(value, JSON_TYPES.get(theirs[path], (str,))), (table, path, value)
                    assert theirs[path] != "int32" or not isinstance(value, bool)
                seen |= {path} if values else set()
        assert ("$sys", "school_year") in seen


def found_at(item: Any, paths: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], list[Any]]:
    """The values that are not null at each path."""
    found = {}
    for path in paths:
        values = [item]
        for name in path:
            values = [inner for value in values for inner in (value if name == "[]" else [value.get(name)])]
            values = [value for value in values if value is not None]
        found[path] = values
    return found


def test_known_values_are_examples_and_never_closed_lists() -> None:
    schemas: Any = kx.openapi()["components"]["schemas"]  # type: ignore[index, call-overload]
    assert "CHANGE" in schemas["Event"]["properties"]["action"]["examples"]
    assert "Historical" in schemas["Membership"]["properties"]["status"]["examples"]
    answers = {name: schema for name, schema in schemas.items() if not name.startswith("TaskAck")}
    assert '"enum"' not in encode(answers)
