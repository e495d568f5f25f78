"""The layout of OneRoster CSV bundles in versions 1.1 and 1.2 of the standard, as data.

Source: IMS OneRoster 1.1 CSV tables, https://www.imsglobal.org/oneroster-v11-final-csv-tables, and OneRoster 1.2 CSV
binding, https://www.imsglobal.org/spec/oneroster/v1p2/bind/csv. The columns of a file are in the standard's order.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Version = Literal["1.1", "1.2"]
VERSIONS: tuple[Version, ...] = ("1.1", "1.2")


class Cell(NamedTuple):
    """A column of a file of the standard.

    ``refers`` names the file that an id must be found in, ``of_type`` the type that the row found must have.
    ``extensible`` enumerations take ``ext:<anything>`` besides their values, but not before version 1.2. ``many``: a list,
    separated by commas. ``only`` names the one version that has the column; without it, both have.
    """

    name: str
    kind: Literal["guid", "string", "enum", "date", "datetime", "boolean", "year"] = "string"
    required: bool = False
    enum: tuple[str, ...] = ()
    extensible: bool = False
    refers: str = ""
    of_type: str = ""
    many: bool = False
    item: str = ""
    same_length_as: str = ""
    only: Version | None = None


GUID = re.compile(r"[0-9A-Za-z._/@-]{1,255}")
COMMON: tuple[Cell, ...] = (
    Cell("sourcedId", "guid", required=True),
    Cell("status", "enum", enum=("active", "tobedeleted")),
    Cell("dateLastModified", "datetime"),
)
SUBJECTS = (Cell("subjects", many=True), Cell("subjectCodes", many=True, same_length_as="subjects"))
PEOPLE = (
    Cell("username", required=True),
    Cell("userIds", many=True, item=r"\{[^{}:,]+:[^{},]+\}"),
    Cell("givenName", required=True),
    Cell("familyName", required=True),
    Cell("middleName"),
    Cell("identifier"),
    Cell("email"),
    Cell("sms"),
    Cell("phone"),
    Cell("agentSourcedIds", "guid", refers="users", many=True),
    Cell("grades", many=True),
    Cell("password"),
)
RACES = (
    "americanIndianOrAlaskaNative",
    "asian",
    "blackOrAfricanAmerican",
    "nativeHawaiianOrOtherPacificIslander",
    "white",
    "demographicRaceTwoOrMoreRaces",
    "hispanicOrLatinoEthnicity",
)
ROLES: dict[Version, tuple[str, ...]] = {
    "1.1": ("administrator", "aide", "guardian", "parent", "proctor", "relative", "student", "teacher"),
    "1.2": (
        "aide",
        "counselor",
        "districtAdministrator",
        "guardian",
        "parent",
        "principal",
        "proctor",
        "relative",
        "siteAdministrator",
        "student",
        "systemAdministrator",
        "teacher",
    ),
}
_SCHOOL = Cell("schoolSourcedId", "guid", required=True, refers="orgs", of_type="school")
_FILES: dict[str, tuple[Cell, ...]] = {
    "orgs": (
        *COMMON,
        Cell("name", required=True),
        Cell(
            "type",
            "enum",
            required=True,
            enum=("department", "school", "district", "local", "state", "national"),
            extensible=True,
        ),
        Cell("identifier"),
        Cell("parentSourcedId", "guid", refers="orgs"),
    ),
    "academicSessions": (
        *COMMON,
        Cell("title", required=True),
        Cell("type", "enum", required=True, enum=("gradingPeriod", "semester", "schoolYear", "term"), extensible=True),
        Cell("startDate", "date", required=True),
        Cell("endDate", "date", required=True),
        Cell("parentSourcedId", "guid", refers="academicSessions"),
        Cell("schoolYear", "year", required=True),
    ),
    "courses": (
        *COMMON,
        Cell("schoolYearSourcedId", "guid", refers="academicSessions", of_type="schoolYear"),
        Cell("title", required=True),
        Cell("courseCode"),
        Cell("grades", many=True),
        Cell("orgSourcedId", "guid", required=True, refers="orgs"),
        *SUBJECTS,
    ),
    "classes": (
        *COMMON,
        Cell("title", required=True),
        Cell("grades", many=True),
        Cell("courseSourcedId", "guid", required=True, refers="courses"),
        Cell("classCode"),
        Cell("classType", "enum", required=True, enum=("homeroom", "scheduled"), extensible=True),
        Cell("location"),
        _SCHOOL,
        Cell("termSourcedIds", "guid", required=True, refers="academicSessions", many=True),
        *SUBJECTS,
        Cell("periods", many=True),
    ),
    "users": (
        *COMMON,
        Cell("enabledUser", "boolean", required=True),
        Cell("orgSourcedIds", "guid", required=True, refers="orgs", many=True, only="1.1"),
        Cell("role", "enum", required=True, enum=ROLES["1.1"], only="1.1"),
        *PEOPLE,
        Cell("userMasterIdentifier", only="1.2"),
        Cell("preferredGivenName", only="1.2"),
        Cell("preferredMiddleName", only="1.2"),
        Cell("preferredFamilyName", only="1.2"),
        Cell("primaryOrgSourcedId", "guid", refers="orgs", only="1.2"),
        Cell("pronouns", only="1.2"),
    ),
    "demographics": (
        Cell("sourcedId", "guid", required=True, refers="users"),
        *COMMON[1:],
        Cell("birthDate", "date"),
        Cell("sex", "enum", enum=("male", "female"), only="1.1"),
        Cell("sex", "enum", enum=("male", "female", "unspecified", "other"), extensible=True, only="1.2"),
        *(Cell(name, "boolean") for name in RACES),
        Cell("countryOfBirthCode"),
        Cell("stateOfBirthAbbreviation"),
        Cell("cityOfBirth"),
        Cell("publicSchoolResidenceStatus"),
    ),
    "enrollments": (
        *COMMON,
        Cell("classSourcedId", "guid", required=True, refers="classes"),
        _SCHOOL,
        Cell("userSourcedId", "guid", required=True, refers="users"),
        Cell("role", "enum", required=True, enum=("administrator", "proctor", "student", "teacher"), extensible=True),
        Cell("primary", "boolean"),
        Cell("beginDate", "date"),
        Cell("endDate", "date"),
    ),
    # From the standard's gradebook, a roster holds only the titles of the categories.
    "categories": (*COMMON, Cell("title", required=True)),
}
_FILES_NEW_IN_1_2: dict[str, tuple[Cell, ...]] = {
    "roles": (
        *COMMON,
        Cell("userSourcedId", "guid", required=True, refers="users"),
        Cell("roleType", "enum", required=True, enum=("primary", "secondary")),
        Cell("role", "enum", required=True, enum=ROLES["1.2"], extensible=True),
        Cell("beginDate", "date"),
        Cell("endDate", "date"),
        Cell("orgSourcedId", "guid", required=True, refers="orgs"),
        Cell("userProfileSourcedId", "guid", refers="userProfiles"),
    ),
}


def _as_of(version: Version) -> dict[str, tuple[Cell, ...]]:
    files = _FILES if version == "1.1" else _FILES | _FILES_NEW_IN_1_2
    return {
        name: tuple(
            cell._replace(extensible=cell.extensible and version != "1.1")
            for cell in cells
            if cell.only in (None, version)
        )
        for name, cells in files.items()
    }


STANDARD: dict[Version, dict[str, tuple[Cell, ...]]] = {version: _as_of(version) for version in VERSIONS}
"""Version -> the files that a roster can fill -> their columns."""

_FILES_1_1 = (
    "academicSessions",
    "categories",
    "classes",
    "classResources",
    "courses",
    "courseResources",
    "demographics",
    "enrollments",
    "lineItems",
    "orgs",
    "resources",
    "results",
    "users",
)
MANIFEST: dict[Version, tuple[str, ...]] = {
    "1.1": _FILES_1_1,
    "1.2": (
        *_FILES_1_1[:8],
        "lineItemLearningObjectiveIds",
        "lineItems",
        "lineItemScoreScales",
        "orgs",
        "resources",
        "resultLearningObjectiveIds",
        "results",
        "resultScoreScales",
        "roles",
        "scoreScales",
        "userProfiles",
        "userResources",
        "users",
    ),
}
"""Version -> every file that a manifest must name, as bulk or as absent."""
