"""Users, demographics, roles and enrollments of a bundle on its way out."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from kimono_explore.files.oneroster.sheet import Notes, Sheet, fold
from kimono_explore.files.oneroster.standard import GUID, ROLES, STANDARD, Version
from kimono_explore.frames import to_arrow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://www.imsglobal.org/oneroster#kimono-explore")
_ADMINISTRATORS = (
    "siteadmin",
    "siteadministrator",
    "sysadmin",
    "systemadministrator",
    "districtadministrator",
    "principal",
)
_ROLES_1_1 = {fold(role): role for role in ROLES["1.1"]} | dict.fromkeys(_ADMINISTRATORS, "administrator")
_ROLES_1_2 = {fold(role): role for role in ROLES["1.2"]} | {
    "siteadmin": "siteAdministrator",
    "sysadmin": "systemAdministrator",
}
# 1.2 distinguishes administrators by what they administer. Neither version has a word for staff; an aide has the fewest rights.
_OF_ORG = {"school": "siteAdministrator", "district": "districtAdministrator"}
_STAFF = "staff"
_AIDE = "staff has no role of its own in OneRoster; written as aide, the role with the fewest rights"
_KINDS = {"student_in": "student", "teacher_in": "teacher"}


def fill_people(links: pd.DataFrame, df: pd.DataFrame, sheet: Sheet, version: Version) -> None:
    """Fill in what the standard requires of a user, from other columns or by a rule."""
    always = df["id"].notna()
    sheet.fill("enabledUser", always, "true", "was empty; written as true")
    if version == "1.1":
        _role(links, df, sheet)
    email = df["email"].where(~df["email"].str.lower().duplicated(keep=False) & (df["email"].str.strip() != ""))
    sheet.fill("username", always, email, "was empty; the email address is written")
    sheet.fill("username", always, df["id"], "was empty, and no email address is this person's only; the id is written")


def person_roles(df: pd.DataFrame) -> pd.Series:
    """What a person is, in the roster's own word; None if unknown."""
    own = df["ext_role"] if "ext_role" in df.columns else pd.Series(None, index=df.index, dtype="object")
    return own.where(own.notna(), df["person_type"])


def _role(links: pd.DataFrame, df: pd.DataFrame, sheet: Sheet) -> None:
    """The role of 1.1: as given, else by the person's type, else by the classes that the person is in."""
    own = df["ext_role"] if "ext_role" in df.columns else sheet.empty()
    words = own.map(lambda text: _ROLES_1_1.get(fold(text)), na_action="ignore").astype("object")
    sheet.put("role", own, "ext_role")
    changed = own.notna() & (own != words)
    sheet.tell("role", changed & words.notna(), lambda text: f"{text} is written as {_ROLES_1_1[fold(text)]}")
    sheet.tell("role", changed & words.isna(), f"is not one of {', '.join(ROLES['1.1'])}: left out")
    sheet.columns["role"] = words.where(words.notna(), None)
    kinds = df["person_type"]
    folded = kinds.map(fold, na_action="ignore")
    typed = folded.map(_ROLES_1_1, na_action="ignore").astype("object")
    empty = sheet.columns["role"].isna()
    for row in df.index[empty & typed.notna() & (kinds != typed)]:
        sheet.say(row, "person_type", kinds[row], f"{kinds[row]} is written as {typed[row]}")
    sheet.columns["role"] = sheet.columns["role"].where(~empty | typed.isna(), typed).astype("object")
    for row in df.index[sheet.columns["role"].isna() & (folded == _STAFF)]:
        sheet.columns["role"][row] = "aide"
        sheet.say(row, "person_type", kinds[row], _AIDE)
    sheet.ours["role"] = "person_type"
    text = "was empty; the role in the person's classes is written"
    sheet.fill("role", kinds.isna() & own.isna(), df["id"].map(_in_classes(links)).astype("object"), text)
    sheet.ours["role"] = "ext_role" if own.notna().any() else "person_type"


def _in_classes(links: pd.DataFrame) -> dict[str, str]:
    """Persons who are only students or only teachers of their classes."""
    rows = links[links["relation"].isin(list(_KINDS))]
    found: dict[str, set[str]] = {}
    for id, relation in zip(rows["source_id"], rows["relation"].astype("str"), strict=True):
        found.setdefault(id, set()).add(_KINDS[relation])
    return {id: min(kinds) for id, kinds in found.items() if len(kinds) == 1}


def demographics(df: pd.DataFrame, version: Version, notes: Notes) -> Sheet:
    """Date of birth, sex and whatever else OneRoster keeps in demographics.csv; the rows are selected later."""
    sheet = Sheet("demographics", "persons", df["id"], STANDARD[version]["demographics"], notes)
    own = {"birthDate": "dob", "sex": "sex"}
    for cell in sheet.layout[3:]:
        name = own.get(cell.name, f"ext_{cell.name}")
        if name in df.columns:
            sheet.put(cell.name, df[name], name)
    sheet.fit()
    return sheet


def demographic_rows(sheet: Sheet, users: Sheet) -> pd.DataFrame:
    """The demographics, if any, of the users that are written."""
    filled = pd.concat([sheet.columns[cell.name].notna() for cell in sheet.layout[3:]], axis=1).any(axis=1)
    sheet.out = users.out.copy()
    rows = sheet.rows()
    return rows[filled[rows.index]]


def roles(
    links: pd.DataFrame, df: pd.DataFrame, known: Mapping[str, Mapping[str, str | None]], notes: Notes
) -> pd.DataFrame:
    """The roles of 1.2: one row per person and org, and more if the roster states several."""
    first = df.drop_duplicates("id").set_index("id")
    own = person_roles(first).to_dict()
    in_classes = _in_classes(links)
    rows = _text_of(links[links["relation"] == "member_of"])
    words: dict[str, set[str]] = {}
    for link in rows:
        words.setdefault(link["source_id"], set()).add(link["role"])
    told: set[tuple[str, str]] = set()
    seen: set[tuple[str, str, str]] = set()
    ids = _Ids("roles", notes)
    made = []
    for link in rows:
        user, org = link["source_id"], link["target_id"]
        if user not in known["users"] or org not in known["orgs"]:
            which, file = ("source_id", "users") if user not in known["users"] else ("target_id", "orgs")
            _left_out(notes, link, which, f"a membership whose {file[:-1]} is not in {file}.csv")
            continue
        further = (user, org) in told
        stated = link["role"] if link["stated_by"] != "source" else None  # of its own, a reader only assumes a role
        several = further or len(words[user]) > 1
        word = link["role"] if several else own.get(user) or stated or in_classes.get(user)
        role = _role_in(word, known["orgs"][org])
        if role is None or (user, org, role) in seen:
            why = "a membership without a role" if role is None else "a membership that is stated twice"
            _left_out(notes, link, "role", why)
            continue
        if word != role:
            staff = fold(str(word)) == _STAFF
            notes.add("persons", user, "person_type", word, _AIDE if staff else f"{word} is written as {role}")
        seen.add((user, org, role))
        told.add((user, org))
        made.append(
            {
                "sourcedId": ids.of(link, user, org, role),
                "userSourcedId": user,
                "roleType": "secondary" if further else "primary",
                "role": role,
                "beginDate": link["start_date"],
                "endDate": link["end_date"],
                "orgSourcedId": org,
            }
        )
    without = {id for id, word in own.items() if word and id in known["users"]} - {user for user, _ in told}
    for id in (id for id in known["users"] if id in without):
        notes.add(
            "persons",
            id,
            "person_type",
            own[id],
            "OneRoster 1.2 has a role only at an org, and the person has none: left out",
        )
    return pd.DataFrame(made, columns=[cell.name for cell in STANDARD["1.2"]["roles"]], dtype="object")


def _role_in(word: str | None, org_type: str | None) -> str | None:
    if word is None or not word.strip():
        return None
    folded = fold(word)
    if folded == _STAFF:
        return "aide"
    if folded == "administrator":
        return _OF_ORG.get(org_type or "", "ext:administrator")
    return _ROLES_1_2.get(folded) or "ext:" + " ".join(word.split())


def enrollments(
    links: pd.DataFrame,
    known: Mapping[str, Mapping[str, str | None]],
    classes: pd.DataFrame,
    version: Version,
    notes: Notes,
) -> pd.DataFrame:
    """Who is in which class."""
    cells = STANDARD[version]["enrollments"]
    words = next(cell.enum for cell in cells if cell.name == "role")
    rows = _text_of(links[links["relation"].isin(list(_KINDS))])
    school = dict(zip(classes["sourcedId"], classes["schoolSourcedId"], strict=True))
    ids = _Ids("enrollments", notes)
    ids.keep(row["membership_id"] for row in rows)
    made = []
    for link in rows:
        if (unfit := _unfit(link, known, ids)) is not None:
            _left_out(notes, link, *unfit)
            continue
        role = _enrollment_role(link, words, version, notes)
        if role is None:
            _left_out(notes, link, "role", f"{link['role']} is not one of {', '.join(words)}: an enrollment")
            continue
        user, section = link["source_id"], link["target_id"]
        made.append(
            {
                "sourcedId": ids.of(link, user, section, role),
                "classSourcedId": section,
                "schoolSourcedId": school[section],
                "userSourcedId": user,
                "role": role,
                "primary": link["primary"],
                "beginDate": link["start_date"],
                "endDate": link["end_date"],
            }
        )
    return pd.DataFrame(made, columns=[cell.name for cell in cells], dtype="object")


def _unfit(
    link: Mapping[str, str | None], known: Mapping[str, Mapping[str, str | None]], ids: _Ids
) -> tuple[str, str] | None:
    """The column that keeps a link from being written as an enrollment, and why; None if it can be."""
    if (link["source_type"], link["target_type"]) != ("person", "section"):
        return "relation", "an enrollment that is not of a person in a section"
    if link["source_id"] not in known["users"]:
        return "source_id", "an enrollment whose user is not in users.csv"
    if link["target_id"] not in known["classes"]:
        return "target_id", "an enrollment whose class is not in classes.csv"
    if ids.came(link["membership_id"]):
        return "membership_id", "the id of an enrollment came again; its first row is written"
    return None


def _enrollment_role(link: Mapping[str, Any], words: Iterable[str], version: Version, notes: Notes) -> str | None:
    """The role to write, noted where it is not the link's own; None where the standard has no word for it."""
    usual = _KINDS[link["relation"]]
    given: str = link["role"] or usual
    role = next((word for word in words if fold(word) == fold(given)), None)
    text = ""
    if (role == "student") != (usual == "student") and (usual == "student" or role == "student"):
        role, text = usual, f"{given} of a {link['relation']} link is written as {usual}"
    elif role is None and version == "1.2":
        role = "ext:" + " ".join(given.split())
    if role is not None and role != given and fold(role) == fold(given):
        text = f"{given} is written as {role}"
    if text:
        notes.add("links", link["membership_id"], "role", given, text)
    return role


class _Ids:
    """The ids of a file's rows: the link's own if it has a valid one, else one derived from the row's content."""

    def __init__(self, file: str, notes: Notes) -> None:
        self.file, self.notes = file, notes
        self._used: set[str] = set()
        self._own: set[str] = set()

    def keep(self, ids: Iterable[str | None]) -> None:
        """Reserve these ids: they are never made up for another row."""
        self._own.update(id for id in ids if id is not None)

    def came(self, id: str | None) -> bool:
        """Whether a row with this id has already been written."""
        return id is not None and id in self._used

    def of(self, link: Mapping[str, str | None], *what: str) -> str:
        """The id of a row."""
        own = link["membership_id"]
        if own is not None and own not in self._used and GUID.fullmatch(own):
            self._used.add(own)
            return own
        text, times = "\n".join((self.file, *what, link["start_date"] or "")), 0
        while (made := str(uuid.uuid5(_NAMESPACE, f"{text}\n{times}"))) in self._used or made in self._own:
            times += 1
        self._used.add(made)
        if own is None:
            why = f"without an id; in {self.file}.csv its id is built from its user, place and role"
        elif GUID.fullmatch(own):
            why = f"with a repeated id; in {self.file}.csv its id is built from its user, place and role"
        else:
            why = f"with an id that OneRoster does not allow; in {self.file}.csv its id is built from its user, place and role"
        self.notes.add("links", made, "membership_id", own, f"a membership {why}")
        return made


def _left_out(notes: Notes, link: Mapping[str, str | None], column: str, why: str) -> None:
    notes.add("links", link["membership_id"], column, f"{link['source_id']},{link['target_id']}", f"{why}: left out")


def _text_of(links: pd.DataFrame) -> list[dict[str, Any]]:
    """Links as text, one row each: missing values as None, flags and dates as the file spells them."""
    rows = to_arrow("links", links.reset_index(drop=True)).to_pandas(date_as_object=True).astype("object")
    rows = rows.where(rows.notna(), None)
    rows["primary"] = rows["primary"].map({True: "true", False: "false"})
    for name in ("start_date", "end_date"):
        rows[name] = rows[name].map(lambda day: day.isoformat(), na_action="ignore")
    rows = rows.astype("object")
    return cast("list[dict[str, Any]]", rows.where(rows.notna() & (rows != ""), None).to_dict("records"))
