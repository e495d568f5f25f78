"""The payloads of a queue's events, read with the same decoder as a load."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from kimono_explore.decode.decoder import Decoder
from kimono_explore.decode.notes import Notes
from kimono_explore.decode.python_rows import PythonRows
from kimono_explore.decode.references import HELD_UNDER, MEMBERSHIP, ROLES, read_reference, role_relation
from kimono_explore.errors import KimonoError
from kimono_explore.forecast.events import LINKS, UPSERTS
from kimono_explore.json_text import encode

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from kimono_explore.forecast.events import Event, Payload
    from kimono_explore.schema import Problem

    Values = dict[str, object]


class Payloads(NamedTuple):
    """The decoded payloads of the events of one table.

    Attributes
    ----------
    columns : pyarrow.Table
        A row for each event that could be read.
    row_of : dict of int to int
        The number of an event -> its row.
    names : dict of int to set of str
        The number of an event -> the columns that it names, even if they are null.
    references : dict of int to set of int
        The number of an event -> the references that it names, as indices into ``REFERENCES``.
    links : dict of tuple to list of dict
        The number of an event and a reference -> the links that it states.
    problems : list of tuple
        The number of an event, or None, and what did not fit.
    """

    columns: pa.Table
    row_of: dict[int, int]
    names: dict[int, set[str]]
    references: dict[int, set[int]]
    links: dict[tuple[int, int], list[Values]]
    problems: list[tuple[int | None, Problem]]


def read_objects(table: str, events: Iterable[Event]) -> Payloads:
    """Decode the payloads of the events about the objects of one table."""
    rows = PythonRows(table, Notes(table))
    stated = {event.number: rows.stated(event.payload) for event in events}
    read = _decode(table, {event.number: _numbered_payload(event) for event in events})
    names, references = ({n: fields[k] for n, fields in stated.items()} for k in (0, 1))
    return read._replace(names=names, references=references)  # type: ignore[arg-type]


def _numbered_payload(event: Event) -> Payload:
    """The payload with the event's number in place of the object's id: one object may have many events."""
    inner = event.payload.get("$sys")
    system: Payload = {**inner} if isinstance(inner, dict) else {}
    if event.table == "persons" and event.kind in ROLES and "person_type" not in {*system, *event.payload}:
        system["person_type"] = event.kind  # it decides the role of its memberships
    rest = {key: value for key, value in event.payload.items() if key not in ("id", "$sys")}
    return {**rest, "$sys": {**system, "id": str(event.number)}}


def read_enrollments(events: Iterable[Event]) -> tuple[Payloads, dict[int, Values]]:
    """Decode the payloads of events about enrollments, as links: the number of the event -> the link's columns.

    An end that is not named is None. Events that cannot be read are left out.
    """
    ends = {event.number: _membership_ends(event) for event in events}
    read = _decode(
        "persons", {e.number: _person_with_membership(e, ends[e.number]) for e in events if e.action in UPSERTS}
    )
    own = {number: links[0] for (number, _), links in read.links.items()}
    found = {}
    for event in events:
        if event.action in UPSERTS and event.number not in own:
            continue
        fields = {column.name: own.get(event.number, {}).get(column.name) for column in MEMBERSHIP}
        role = fields["role"] = fields["role"] or _role(event)
        far_type = ends[event.number]["target_type"]
        relation = role_relation(str(role) if role else None) if far_type == "section" else "member_of"
        found[event.number] = {**fields, **ends[event.number], "relation": relation, "membership_id": event.id}
    return read, found


def _membership_ends(event: Event) -> Values:
    in_section = "section" in event.kind or (_target_id(event.payload, "section") and "school" not in event.kind)
    far_type = "section" if in_section else "org"
    person, far = _target_id(event.payload, "person"), _target_id(event.payload, far_type)
    return {"source_type": "person", "source_id": person, "target_type": far_type, "target_id": far}


def _target_id(payload: Payload, type: str) -> str | None:
    targets = (read_reference(payload.get(key), type)[0] for key in HELD_UNDER[type])
    return next((target.id for target in targets if target is not None), None)


def _person_with_membership(event: Event, ends: Values) -> Payload:
    """A person with nothing but the membership, so that the decoder reads it as one of the person's references."""
    key, under = ("$sections", "$section") if ends["target_type"] == "section" else ("$schools", "$org")
    held = {name for names in HELD_UNDER.values() for name in names}
    own: Payload = {name: value for name, value in event.payload.items() if name not in held}
    return {"$sys": {"id": str(event.number), "person_type": _role(event)}, key: [{**own, under: {"id": "far"}}]}


def _role(event: Event) -> str | None:
    return next((role for word, role in ROLES.items() if word in event.kind), None)


def stated_fields(event: Event) -> set[str]:
    """The columns of a link that an enrollment's payload names, except its ends and id."""
    beside = event.payload.get("$membership")
    keys = {*event.payload, *(beside if isinstance(beside, dict) else ())}
    return {column.name for column in MEMBERSHIP if column.path[0] in keys and column.path[0] != "id"}


def _decode(table: str, objects: dict[int, Payload]) -> Payloads:
    decoder = Decoder(table)
    rows = []
    for item in objects.values():
        try:
            rows.append(encode(item).encode())
        except (TypeError, ValueError, RecursionError, KimonoError):
            continue  # not JSON: the event has no row
    for start in range(0, len(rows), 1000):
        decoder.add(rows[start : start + 1000], "the task queue")
    read = decoder.finish()
    numbers = [int(id) for id in read.columns.column("id").to_pylist()]
    links: defaultdict[tuple[int, int], list[Values]] = defaultdict(list)
    for link, near, number in zip(read.links.table.to_pylist(), read.links.near, read.links.reference, strict=True):
        links[numbers[near], int(number)].append(link)
    found = [(int(p.id) if p.id is not None and p.id.isdecimal() else None, p) for p in read.problems]
    return Payloads(read.columns, {n: row for row, n in enumerate(numbers)}, {}, {}, dict(links), found)


def payload_problems(read: Payloads, events: dict[int, Event], applied: set[int]) -> list[Problem]:
    """What did not fit in the payloads that were applied, with the ids of their objects."""
    found = []
    for number, problem in read.problems:
        if number is None:
            found.append(problem)
        elif number in applied:
            event = events[number]
            found.append(problem._replace(table=LINKS if event.table == LINKS else problem.table, id=event.id))
    return found
