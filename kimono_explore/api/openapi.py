"""The API as an OpenAPI 3.1 document, made from the rows of `api` and `tables`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kimono_explore.api.operations import ACK_STATUSES, BASE_URL, OPERATIONS, TASK_TYPES, TOKEN_PATH, Operation
from kimono_explore.schema import LINK_COLUMNS, MEMBERSHIPS, REFERENCES, TABLE_OF, TABLES, Column, Reference

if TYPE_CHECKING:
    from kimono_explore.schema import JSON

_SCHEMA_NAMES = {
    "orgs": "Org",
    "persons": "Person",
    "courses": "Course",
    "sections": "Section",
    "terms": "Term",
    "grading_categories": "GradingCategory",
    "tasks": "Task",
}
_QUERY: dict[str, dict[str, JSON]] = {
    "page": {"schema": {"type": "integer", "format": "int32", "minimum": 0}, "description": "Counts from 0."},
    "page_size": {
        "schema": {"type": "integer", "format": "int32", "minimum": 1},
        "description": "Rows per page; the server's maximum where it is larger or absent.",
    },
    "tenant_id": {"schema": {"type": "string"}, "description": "Only tasks of this tenant."},
    "schema": {
        "schema": {"type": "string", "enum": ["1.0.0", "2.0.0", "3.0.0"]},
        "description": "The wire version of tasks.",
    },
    "driver": {"schema": {"type": "string"}, "description": "Only tasks of the driver of this name."},
}
_KINDS: dict[str, dict[str, JSON]] = {
    "text": {"type": ["string", "null"]},
    "date": {"type": ["string", "null"], "format": "date"},
    "time": {"type": ["string", "null"], "format": "date-time"},
    "flag": {"type": ["boolean", "null"]},
    "category": {"type": ["string", "null"]},
}
_UUID: dict[str, JSON] = {"type": ["string", "null"], "format": "uuid"}
_INTEGER: dict[str, JSON] = {"type": ["integer", "null"], "format": "int32"}
# Values that are known, by the name of their field. Examples, never closed lists: a tenant may send others.
_EXAMPLES: dict[str, list[JSON]] = {
    "org_type": ["school", "lea"],
    "person_type": ["student", "teacher", "staff"],
    "status": ["Historical", "Active", "Future", "Inactive"],
    "action": ["ADD", "CHANGE", "UPDATE", "DELETE", "SET", "UNSET", "SYNC_START", "SYNC_END", "TENANT_INSTALLED"],
    "origin": ["initial", "resend", "ingestion"],
    "object_type": ["RDM:STUDENT", "RDM:STAFF", "RDM:SCHOOL", "RDM:COURSE_SECTION"],
}
_REFUSALS = {
    "400": "The request is invalid",
    "401": "No token, or one that is not accepted",
    "404": "No such object",
}
_CONFLICT = {"409": "The task_id in the body does not match the id in the path"}


def openapi(server: str = BASE_URL) -> dict[str, JSON]:
    """Describe the API as an OpenAPI 3.1 document.

    Parameters
    ----------
    server : str, optional
        The base URL to list in the document.

    Returns
    -------
    dict
        Ready for ``json.dump``.

    Examples
    --------
    >>> document = kx.openapi()
    >>> document["openapi"], document["paths"]["/rostering/terms"]["get"]["summary"]
    ('3.1.0', 'List all Terms')
    """
    paths: dict[str, JSON] = {}
    for operation in OPERATIONS:
        methods = paths.setdefault(f"/{operation.path}", {})
        assert isinstance(methods, dict)
        methods[operation.method.lower()] = _operation(operation)
    host = server.split("/v2/", maxsplit=1)[0]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Interop Data API", "version": "2", "description": "Made by kimono-explore."},
        "servers": [{"url": server}],
        "security": [{"bearer": []}, {"oauth2": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
                "oauth2": {
                    "type": "oauth2",
                    "flows": {"clientCredentials": {"tokenUrl": f"{host}{TOKEN_PATH}", "scopes": {}}},
                },
            },
        },
    }


def _operation(operation: Operation) -> dict[str, JSON]:
    parameters: list[JSON] = [{"name": name, "in": "query", **_QUERY[name]} for name in operation.query]
    if operation.needs_id:
        parameters.insert(
            0,
            {
                "name": "id",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "minLength": 1},
                "description": "The object's $sys.id: a UUID in production.",
            },
        )
    success, description = ("204", "Deleted") if operation.kind == "delete" else ("200", operation.summary)
    answer: dict[str, JSON] = {"description": description}
    schema = _answer_schema(operation)
    if schema:
        answer["content"] = {"application/json": {"schema": schema}}
    refusals: dict[str, JSON] = {
        status: {"description": text, "content": {"application/json": {"schema": _ref("Error")}}}
        for status, text in (_REFUSALS | (_CONFLICT if operation.kind == "ack" else {})).items()
    }
    described: dict[str, JSON] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {success: answer, **refusals},
    }
    if operation.kind in ("ack", "ack_many"):
        one = _ref("TaskAck")
        many: dict[str, JSON] = {"type": "array", "items": _ref("TaskAckInList")}
        body: dict[str, JSON] = {"application/json": {"schema": one if operation.kind == "ack" else many}}
        described["requestBody"] = {"required": True, "content": body}
    return described


def _answer_schema(operation: Operation) -> dict[str, JSON]:
    one = _ref(_SCHEMA_NAMES[operation.table])
    if operation.kind == "list":
        rows: JSON = {"type": "array", "items": one}
        paging: JSON = {"type": ["object", "null"], "properties": {"next": {}}}
        return {"type": "object", "required": ["data"], "properties": {"data": rows, "paging": paging}}
    if operation.kind == "find":
        return {"anyOf": [{"type": "object", "required": ["data"], "properties": {"data": one}}, one]}
    return {}


def _schemas() -> dict[str, JSON]:
    schemas: dict[str, JSON] = {_SCHEMA_NAMES[table]: _object(table) for table in TABLES}
    text: JSON = {"type": ["string", "null"]}
    ack: dict[str, JSON] = {
        "task_id": {"type": "string"},
        "status": {"type": "string", "enum": list(ACK_STATUSES)},
        "message": text,
        "$sys.app_id": text,
        "error": {},
        "problem": {},
        "params": {"type": ["object", "null"], "additionalProperties": {"type": "string"}},
    }
    explained: JSON = {
        "if": {"properties": {"status": {"enum": ["error", "retry"]}}},
        "then": {"required": ["message"], "properties": {"message": {"type": "string", "minLength": 1}}},
    }
    assert isinstance(explained, dict)
    required: list[JSON] = ["status"]
    schemas["TaskAck"] = {"type": "object", "required": required, "properties": ack, **explained}
    in_list: list[JSON] = ["task_id", "status"]
    schemas["TaskAckInList"] = {"type": "object", "required": in_list, "properties": ack, **explained}
    schemas |= {_reference_name(r): _reference(r) for r in REFERENCES}
    schemas["Membership"] = {"type": ["object", "null"], "properties": _membership()}
    schemas["Event"] = {"type": "object", "properties": _event()}
    schemas["Task"] = {
        "type": "object",
        "description": "Schema 2.x: an event under its type. 3.x: flat, with a type. 1.x: an event under its type in camelCase.",
        "properties": {"schema": text, "type": text, **{kind: _ref("Event") for kind in TASK_TYPES}},
    }
    schemas["Error"] = {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["status", "code", "message"],
                "properties": {
                    "status": {"type": "integer"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                    "ext_message": {},
                    "details": {},
                },
            }
        },
    }
    return schemas


def _object(table: str) -> dict[str, JSON]:
    properties: dict[str, JSON] = {"$ext": {"type": ["object", "null"]}, "id": _UUID}
    groups: dict[str, dict[str, JSON]] = {}
    for column in TABLES[table]:
        if len(column.path) == 1:
            properties[column.path[0]] = _value(column)
        else:
            groups.setdefault(column.path[0], {})[column.path[1]] = _value(column)
    for name, inner in groups.items():
        properties[name] = {"type": ["object", "null"], "properties": dict[str, "JSON"](inner)}
    for reference in REFERENCES:
        if reference.table == table:
            one = _ref(_reference_name(reference))
            properties[reference.key] = {"type": ["array", "null"], "items": one} if reference.many else one
    return {"type": "object", "properties": properties}


def _value(column: Column) -> dict[str, JSON]:
    field = column.path[-1]
    schema = _UUID if field == "id" else _INTEGER if column.integer else _KINDS[column.kind]
    known = _EXAMPLES.get(field, []) if field != "status" or column in LINK_COLUMNS else []
    return {**schema, **({"examples": known} if known else {})}


def _reference_name(reference: Reference) -> str:
    """The name of a reference's schema, after what it points to: ``PersonReference`` or ``PersonMembershipReference``."""
    member = "Membership" if reference.relation in (None, *MEMBERSHIPS) else ""
    return f"{reference.far_type.title().replace('_', '')}{member}Reference"


def _reference(reference: Reference) -> dict[str, JSON]:
    """A reference: flat, with the same in ``$sys``, or the whole object rolled up; it may carry a membership."""
    text: JSON = {"type": ["string", "null"]}
    flat: dict[str, JSON] = {"id": _UUID, "type": text, "label": text}
    kinds = [c for c in TABLES[TABLE_OF[reference.far_type]] if c.name == f"{reference.far_type}_type"]
    flat |= {column.name: _value(column) for column in kinds}
    wrapped: JSON = {"type": ["object", "null"], "properties": flat}
    members: dict[str, JSON] = {"$membership": _ref("Membership")} if "Membership" in _reference_name(reference) else {}
    return {"type": ["object", "null"], "properties": {**flat, "$sys": wrapped, **members}}


def _membership() -> dict[str, JSON]:
    text: JSON = {"type": ["string", "null"]}
    columns = {column.path[0]: column for column in LINK_COLUMNS if column.path}
    return {"type": text, "label": text, **{name: _value(column) for name, column in columns.items()}}


def _event() -> dict[str, JSON]:
    text: dict[str, JSON] = {"type": ["string", "null"]}
    held: JSON = {"type": ["object", "null"]}
    names = ("action", "object_type", "origin", "group_id", "app_id", "label", "session_id")
    return {
        **dict.fromkeys(("id", "tenant_id", "object_id"), _UUID),
        "sequence": {"type": ["integer", "null"]},
        "created_at": _KINDS["time"],
        **{name: {**text, **({"examples": _EXAMPLES[name]} if name in _EXAMPLES else {})} for name in names},
        "data": held,
        "changes": held,
    }


def _ref(name: str) -> dict[str, JSON]:
    return {"$ref": f"#/components/schemas/{name}"}
