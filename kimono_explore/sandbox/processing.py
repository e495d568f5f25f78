"""Data events carried out on the objects that the sandbox serves: dictionaries as they go over the wire.

Written without a look at `kimono_explore.forecast`, which answers the same question on tables: a test compares the two.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from kimono_explore.decode.decoder import Decoder
from kimono_explore.json_text import encode
from kimono_explore.load import assemble
from kimono_explore.sandbox.dialect import Dialect
from kimono_explore.sandbox.speaker import Speaker
from kimono_explore.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kimono_explore.roster.roster import Roster

    Object = dict[str, Any]

_TABLES = {
    "LEA": "orgs",
    "SCHOOL": "orgs",
    "ORG": "orgs",
    "STUDENT": "persons",
    "STAFF": "persons",
    "TEACHER": "persons",
    "PERSON": "persons",
    "COURSE": "courses",
    "COURSESECTION": "sections",
    "SECTION": "sections",
    "TERM": "terms",
    "GRADINGCATEGORY": "grading_categories",
}
_FAR = {
    "$parent": "same",
    "$children": "same",
    "$students": "persons",
    "$teachers": "persons",
    "$schools": "orgs",
    "$orgs": "orgs",
    "$org": "orgs",
    "$sections": "sections",
    "$section": "sections",
    "$terms": "terms",
    "$term": "terms",
    "$course": "courses",
}
_MIRROR = {
    ("orgs", "$parent"): "$children",
    ("orgs", "$children"): "$parent",
    ("terms", "$parent"): "$children",
    ("terms", "$children"): "$parent",
    ("courses", "$sections"): "$course",
    ("sections", "$course"): "$sections",
    ("sections", "$students"): "$sections",
    ("sections", "$teachers"): "$sections",
    ("orgs", "$students"): "$schools",
    ("orgs", "$teachers"): "$schools",
}
_GROUPS = ("name", "address")
_IN_SYS = ("label", "school_year", "created_at", "updated_at", "person_type", "org_type", "term_type")
_ENDS = {
    "persons": ("$person", "$student", "$teacher", "$staff"),
    "orgs": ("$org", "$school", "$lea"),
    "sections": ("$section",),
}


def processed(roster: Roster, tasks: Iterable[Object]) -> tuple[Roster, list[str]]:
    """A roster as it is served once the data events among tasks are carried out, and the ids of those that cannot be."""
    speaker = Speaker(roster, Dialect(references="flat"))
    district = District({t: speaker.objects(t, range(len(df))) for t, df in roster.tables.items()}, roster.rollups)
    refused = district.process(tasks)
    return read_objects({table: district.objects(table) for table in TABLES}, roster.source), refused


def read_objects(objects: dict[str, list[Object]], source: str) -> Roster:
    """The objects of a district as the roster that whoever loads them gets."""
    lists = {}
    for table, items in objects.items():
        decoder = Decoder(table)
        decoder.add([encode(item).encode() for item in items])
        lists[table] = decoder.finish()
    return assemble(lists, [], source)


class _Held(NamedTuple):
    """A reference that an object holds to another one, in one of its lists."""

    near: tuple[str, str]
    key: str
    far: tuple[str, str]
    item: Object
    holder: Object


class District:
    """The objects of a district, and what the events of a queue make of them.

    Parameters
    ----------
    objects : dict of str to list of dict
        The objects of each table, their ids in ``$sys``.
    sends : collection of str
        The references that are served, such as ``"persons.$sections"``.
    """

    def __init__(self, objects: dict[str, list[Object]], sends: Iterable[str]) -> None:
        self._objects: dict[tuple[str, str], Object] = {}
        self._again: list[tuple[tuple[str, str], Object]] = []
        """Further objects with an id that one has already: they are served beside it, and events mean all of them."""
        for place, item in [((name, str(o["$sys"].get("id"))), o) for name in objects for o in objects[name]]:
            own = copy.deepcopy(item)
            if self._objects.setdefault(place, own) is not own:
                self._again.append((place, own))
        self._sends = frozenset(sends)

    def objects(self, table: str) -> list[Object]:
        """The objects of a table."""
        return [item for (name, _), item in self._all() if name == table]

    def _all(self) -> Iterator[tuple[tuple[str, str], Object]]:
        yield from self._objects.items()
        yield from self._again

    def process(self, tasks: Iterable[Object]) -> list[str]:
        """Carry out the data events among tasks in the flat form; the ids of those that could not be carried out."""
        refused, seen = [], set()
        for task in tasks:
            if task["type"] != "data_event" or task["id"] in seen:
                continue
            seen.add(task["id"])
            if not self._carry_out(task):
                refused.append(str(task["id"]))
        return refused

    def _carry_out(self, task: Object) -> bool:
        kind = re.sub(r"^RDM:|[^A-Z:]", "", str(task.get("object_type")).upper())
        action, data = str(task.get("action")).upper(), task.get("data")
        if isinstance(data, dict) and set(data) == {"data"} and isinstance(data["data"], dict):
            data = data["data"]
        if action not in ("ADD", "CHANGE", "UPDATE", "SET", "DELETE", "UNSET"):
            return False
        removes = action in ("DELETE", "UNSET")
        if not removes and not (isinstance(data, dict) and data):
            return False
        data = data if isinstance(data, dict) else {}
        id = task.get("object_id") or _id(data)
        if kind.endswith("ENROLLMENT"):
            return self._enroll(action, kind, id, data, bool(task.get("group_id")))
        if kind not in _TABLES or not id:
            return False
        place = (_TABLES[kind], str(id))
        there = place in self._objects
        if action == "ADD" and there and not task.get("group_id"):
            return False
        if action not in ("ADD", "SET") and not there:
            return False
        if removes:
            self._remove(place)
        else:
            self._put(place, data)
        return True

    def _remove(self, place: tuple[str, str]) -> None:
        """Remove an object, and every reference to it."""
        del self._objects[place]
        self._again = [(other, item) for other, item in self._again if other != place]
        for held in list(self._references()):
            if held.far == place:
                self._take_out(held)

    def _put(self, place: tuple[str, str], data: Object) -> None:
        first = self._objects.setdefault(place, {"$sys": {"id": place[1]}, "$ext": {}})
        for item in (first, *(item for other, item in self._again if other == place)):
            self._say(place[0], item, data)
        for key, value in data.items():
            if key in _FAR and value is not None:
                self._refer(place, key, value if isinstance(value, list) else [value])

    def _say(self, table: str, item: Object, data: Object) -> None:
        """Let an object have new values; its references are another matter."""
        for key, value in data.items():
            if key == "$sys":
                item["$sys"].update({k: v for k, v in (value or {}).items() if k not in ("id", "type")})
            elif key == "$ext":
                item["$ext"].update(value or {})
            elif key in _IN_SYS:
                item["$sys"][key] = value
            elif table == "persons" and key in _GROUPS:
                item[key] = {**item.get(key, {}), **value} if value is not None else {}
            elif key not in _FAR and key != "id":
                item[key] = value

    def _refer(self, place: tuple[str, str], key: str, items: list[Object]) -> None:
        """Replace what an object refers to under a key, here and at the other end."""
        left = [h for h in self._references() if h.near == place and h.key == key]
        there = [h for h in self._references() if h.far == place and self._mirror(h.near, h.far, h.key, h.item) == key]
        table = place[0] if _FAR[key] == "same" else _FAR[key]
        for given in items:
            far, member = (table, str(_id(given))), given.get("$membership") or {}
            mine, theirs = _matching(left, far, member, "far"), _matching(there, far, member, "near")
            known = [held for held in (mine, theirs) if held]
            left = [h for h in left if h is not mine]
            there = [h for h in there if h is not theirs]
            said = {k: v for k, v in member.items() if v is not None}
            for held in known:
                said_there = {k: v for k, v in said.items() if k != "role"}
                held.item["$membership"] = {**held.item.get("$membership", {}), **said_there}
            if not mine:
                kept = {**theirs.item.get("$membership", {})} if theirs else said
                self._put_in(place, key, far, kept)
            if not known:
                other = self._mirror(place, far, key, {"$membership": said})
                if other and f"{far[0]}.{other}" in self._sends:
                    self._put_in(far, other, place, said)
        for held in (*left, *there):
            self._take_out(held)

    def _mirror(self, near: tuple[str, str], far: tuple[str, str], key: str, item: Object) -> str | None:
        """The key at the far end for what the near end holds under a key."""
        if near[0] != "persons":
            return _MIRROR.get((near[0], key))
        if key not in ("$sections", "$schools") or _FAR[key] != far[0]:
            return None
        return "$students" if self._role(near, item) == "student" else "$teachers"

    def _role(self, person: tuple[str, str], item: Object) -> str:
        kind = str(self._objects.get(person, {}).get("$sys", {}).get("person_type")).lower()
        return str((item.get("$membership") or {}).get("role") or kind)

    def _references(self) -> Iterator[_Held]:
        """Every reference of every object."""
        for place, item in self._all():
            for key in _FAR:
                value = item.get(key)
                table = place[0] if _FAR[key] == "same" else _FAR[key]
                for held in value if isinstance(value, list) else [value] if value else []:
                    yield _Held(place, key, (table, str(_id(held))), held, item)

    def _put_in(self, near: tuple[str, str], key: str, far: tuple[str, str], member: Object) -> None:
        if near not in self._objects:
            return
        item = self._objects[near]
        value = item.get(key)
        held = value if isinstance(value, list) else [value] if value else []
        item[key] = [*held, {"id": far[1], "$membership": dict(member)}]

    def _take_out(self, held: _Held) -> None:
        value = held.holder[held.key]
        held.holder[held.key] = [
            other for other in (value if isinstance(value, list) else [value]) if other is not held.item
        ]

    def _enroll(self, action: str, kind: str, id: str | None, data: Object, in_sync: bool) -> bool:
        table = "sections" if "SECTION" in kind else "orgs"
        person, far = _end(data, "persons"), _end(data, table)
        found = self._enrollment(id, person, far, table)
        if action == "ADD" and found and not in_sync:
            return False
        if action not in ("ADD", "SET") and not found:
            return False
        if action in ("DELETE", "UNSET"):
            for held in found:
                self._take_out(held)
            return True
        fields = ("role", "status", "primary", "grade", "start_date", "end_date")
        member = {k: v for k, v in data.items() if k in fields} | ({"id": id} if id else {})
        if not found:
            return self._add(person, far, table, member, "student" if "STUDENT" in kind else "teacher")
        return self._move(found, person, far, table, member)

    def _enrollment(self, id: str | None, person: str | None, far: str | None, table: str) -> list[_Held]:
        """What both ends hold of an enrollment: found by its id, else by its ends where no id is known."""
        all_ = [h for h in self._references() if h.key in ("$sections", "$schools", "$students", "$teachers")]
        all_ = [h for h in all_ if {h.near[0], h.far[0]} == {"persons", table}]
        named = [h for h in all_ if id and (h.item.get("$membership") or {}).get("id") == id]
        if named:
            return named
        ends = {("persons", person), (table, far)}
        return [h for h in all_ if {h.near, h.far} == ends and not ((h.item.get("$membership") or {}).get("id") and id)]

    def _add(self, person: str | None, far: str | None, table: str, member: Object, role: str) -> bool:
        ends = [("persons", str(person)), (table, str(far))]
        if not person or not far or any(end not in self._objects for end in ends):
            return False
        key = "$sections" if table == "sections" else "$schools"
        other = "$students" if role == "student" else "$teachers"
        at_far = f"{table}.{other}" in self._sends
        if at_far:
            self._put_in(ends[1], other, ends[0], member)
        if f"persons.{key}" in self._sends or not at_far:
            self._put_in(ends[0], key, ends[1], member)
        return True

    def _move(self, found: list[_Held], person: str | None, far: str | None, table: str, member: Object) -> bool:
        """Change an enrollment, and its ends where they are named."""
        for held in found:
            ends = dict((held.near, held.far))
            new = {"persons": person or ends["persons"], table: far or ends[table]}
            if new != ends and any(place not in self._objects for place in new.items()):
                return False
        for held in found:
            ends = dict((held.near, held.far))
            new = {"persons": person or ends["persons"], table: far or ends[table]}
            whole = {**(held.item.get("$membership") or {}), **member}
            if new == ends:
                held.item["$membership"] = whole
            else:
                self._take_out(held)
                near, to = held.near[0], held.far[0]
                self._put_in((near, new[near]), held.key, (to, new[to]), whole)
        return True


def _matching(held: list[_Held], place: tuple[str, str], member: Object, end: str) -> _Held | None:
    alike = [h for h in held if getattr(h, end) == place]
    ids = [(h.item.get("$membership") or {}).get("id") for h in alike]
    same = [h for h, id in zip(alike, ids, strict=True) if id is not None and id == member.get("id")]
    fitting = [h for h, id in zip(alike, ids, strict=True) if id is None or member.get("id") is None]
    return next(iter([*same, *fitting]), None)


def _id(item: Object) -> str | None:
    inner = item.get("$sys")
    value = (inner.get("id") if isinstance(inner, dict) else None) or item.get("id")
    return None if value is None else str(value)


def _end(data: Object, table: str) -> str | None:
    return next((_id(data[key]) for key in _ENDS[table] if isinstance(data.get(key), dict) and _id(data[key])), None)
