"""Checks of who is who: ids that are missing, shared, or that join what should be apart."""

from __future__ import annotations

from functools import partial

import narwhals as nw

from kimono_explore.quality.context import CheckContext, once, plain_id, stack
from kimono_explore.quality.definition import Check, CheckResult, Frame, NotApplicable
from kimono_explore.roster.text import fold
from kimono_explore.schema import TABLES

_GROUP = "Identity"
_ENOUGH = 20
"""Of fewer addresses nobody knows which domains are usual."""
_SPACE = "[ \t\n\v\f\r\u00a0\u2000-\u200b\u202f\u3000\ufeff]"
_SERIES = 10
"""The least count of numbers of one length that make a series."""


def missing_id(context: CheckContext) -> CheckResult:
    objects = context.everything()
    return CheckResult(objects, objects.filter(nw.col("id").is_null()))


def duplicate_id(context: CheckContext) -> CheckResult:
    objects = context.everything().filter(~nw.col("id").is_null())
    times = objects.group_by("id").agg(
        times=nw.len(), first_table=nw.col("table").min(), last_table=nw.col("table").max()
    )
    failing = objects.join(times.filter(nw.col("times") > 1), on="id", how="inner")
    unlike = stack([_unlike(context, table) for table in TABLES])
    return CheckResult(objects, failing.join(unlike, on=["table", "id"], how="left"))


def _unlike(context: CheckContext, table: str) -> Frame:
    """For each id that comes several times in a table, the columns in which its rows differ: table, id, differ."""
    objects = context.raw(table).filter(~nw.col("id").is_null())
    again = objects.group_by("id").agg(rows=nw.len()).filter(nw.col("rows") > 1)
    if not context.count(again):
        return context.engine.small({"table": [], "id": [], "differ": []})
    columns = [name for name in objects.columns if name != "id"]
    rows = objects.join(again, on="id", how="inner")
    flags = [name for name, dtype in objects.collect_schema().items() if dtype == nw.Boolean]
    for name in flags:
        one = nw.when(nw.col(name)).then(nw.lit(1))
        rows = rows.with_columns(nw.when(~nw.col(name).is_null()).then(one.otherwise(nw.lit(0))).alias(name))
    numbers = {name: f"_{n}_" for n, name in enumerate(columns)}
    found = rows.group_by("id", "rows").agg(
        *[nw.col(name).min().alias(f"{n}low") for name, n in numbers.items()],
        *[nw.col(name).max().alias(f"{n}high") for name, n in numbers.items()],
        *[nw.col(name).count().alias(f"{n}filled") for name, n in numbers.items()],
    )
    named = []
    for name, n in numbers.items():
        filled = nw.col(f"{n}filled")
        partly = (filled > 0) & (filled < nw.col("rows"))
        named.append(nw.when(partly | ((filled > 0) & (nw.col(f"{n}low") != nw.col(f"{n}high")))).then(nw.lit(name)))
    differ = nw.concat_str(*named, separator=", ", ignore_nulls=True)
    return found.select(nw.lit(table).alias("table"), "id", differ=differ)


def duplicate_local_id(context: CheckContext) -> CheckResult:
    offered = context.pairs("offered_by", "id", "within").unique()
    held = context.first_target("held_at").rename({"target": "org"})
    in_term = context.pairs("in_term", "id", "term").unique()
    placed = held.join(in_term, on="id", how="inner").select(
        "id", within=nw.concat_str(nw.col("org"), nw.col("term"), separator=" / ")
    )
    groups = {
        "orgs": context.objects("orgs").with_columns(within=nw.lit("")),
        "persons": context.objects("persons").with_columns(within=nw.col("person_type").fill_null("")),
        "courses": context.objects("courses").join(offered, on="id", how="inner"),
        "sections": context.objects("sections").join(placed, on="id", how="inner"),
    }
    known = [
        df.filter(~nw.col("local_id").is_null(), ~nw.col("id").is_null()).select(
            nw.lit(table).alias("table"), "id", "local_id", "within"
        )
        for table, df in groups.items()
    ]
    checked = stack(known).unique()  # an id that came twice is one object here
    shared = _shared(checked, "table", "local_id", "within")
    alike = shared.group_by("table", "id", "local_id").agg(within=nw.col("within").min(), times=nw.col("times").max())
    return CheckResult(checked.select("table", "id", "local_id").unique(), alike)


def shared_value(column: str, context: CheckContext) -> CheckResult:
    """Persons with one value of a column, case and spaces around it ignored."""
    persons = context.objects("persons").filter(~nw.col(column).is_null())
    persons = persons.select("id", column, key=_plain(column))
    return CheckResult(persons, _shared(once(persons, "key"), "key").drop("key"))


def alike_ids(context: CheckContext) -> CheckResult:
    """Different ids of one table that are equal once case, spaces, punctuation and leading zeros are left out."""
    objects = context.everything().filter(~nw.col("id").is_null()).select("table", "id").unique()
    keyed = objects.with_columns(key=plain_id("id")).filter(nw.col("key") != "")
    same = keyed.group_by("table", "key").agg(times=nw.len(), low=nw.col("id").min(), high=nw.col("id").max())
    found = keyed.join(same.filter(nw.col("times") > 1), on=["table", "key"], how="inner")
    like = nw.when(nw.col("id") == nw.col("low")).then(nw.col("high")).otherwise(nw.col("low"))
    return CheckResult(objects, found.select("table", "id", like_id=like))


def id_with_spaces(context: CheckContext) -> CheckResult:
    objects = context.everything().filter(~nw.col("id").is_null()).select("table", "id")
    return CheckResult(objects, objects.filter(nw.col("id").str.contains(_SPACE)))


def refused_id(context: CheckContext) -> CheckResult:
    """Ids that Apple School Manager does not take; spaces have a check of their own."""
    tables = ("orgs", "persons", "courses", "sections")
    objects = stack([context.objects(t).select(nw.lit(t).alias("table"), "id") for t in tables])
    objects = objects.filter(~nw.col("id").is_null())
    refused = objects.filter(~nw.col("id").str.contains("^[A-Za-z0-9-]+$"), ~nw.col("id").str.contains(_SPACE))
    return CheckResult(objects, refused)


def email_elsewhere(context: CheckContext, usual: float, nearly_all: float) -> CheckResult:
    persons = context.objects("persons").filter(~nw.col("email").is_null())
    domain = nw.col("email").str.strip_chars().str.to_lowercase().str.replace_all("^.*@", "")
    persons = persons.filter(nw.col("email").str.contains("^[^@]+@[^@]+[.][^@]+$"))
    student = nw.when(nw.col("person_type") == "student").then(nw.lit(1)).otherwise(nw.lit(0))
    persons = persons.select("id", "person_type", "email", domain=domain, student=student)
    sizes = context.engine.collect(persons.group_by("domain", "student").agg(people=nw.len()))
    total = sizes.groupby("student")["people"].transform("sum")
    known = sizes[sizes["people"] * 100 >= usual * total]
    groups = known.groupby("student")["people"].sum() * 100 >= nearly_all * sizes.groupby("student")["people"].sum()
    groups = groups & (sizes.groupby("student")["people"].sum() >= _ENOUGH)
    if not groups.any():
        raise NotApplicable(f"neither students nor staff have {_ENOUGH} addresses, {nearly_all:g} % of usual domains")
    looked_at = persons.filter(nw.col("student").is_in(groups.index[groups].tolist())).drop("student")
    # What is usual among staff is not surprising among students, and the reverse.
    return CheckResult(looked_at, looked_at.filter(~nw.col("domain").is_in(known["domain"].unique().tolist())))


def missing_local_id(context: CheckContext) -> CheckResult:
    tables = [t for t in ("orgs", "persons", "courses", "sections") if context.filled[t]["local_id"]]
    if not tables:
        raise NotApplicable("the tenant sends no local_id at all")
    objects = stack([context.objects(t).select(nw.lit(t).alias("table"), "id", "local_id") for t in tables])
    return CheckResult(objects, objects.filter(nw.col("local_id").is_null()))


def missing_value(column: str, kind: str, context: CheckContext) -> CheckResult:
    """Persons of a kind that have no value in a column."""
    persons = context.objects("persons", kind)
    return CheckResult(persons, persons.filter(nw.col(column).is_null()).select("id"))


def possible_duplicate_person(context: CheckContext) -> CheckResult:
    persons = context.objects("persons").filter(~nw.col("dob").is_null())
    persons = persons.filter(~nw.col("name_first").is_null() | ~nw.col("name_last").is_null())
    persons = persons.select("id", "person_type", "name_first", "name_last", "dob")
    keyed = persons
    for column in ("name_first", "name_last"):
        keyed = keyed.join(_folded(context, persons, column), on=column, how="left").with_columns(
            nw.coalesce(nw.col("folded"), _plain(column), nw.lit("")).alias(f"{column}_key")
        )
        keyed = keyed.drop("folded")
    keys = ("name_first_key", "name_last_key", "dob")
    shared = _shared(once(keyed.filter(~nw.col("id").is_null()), *keys), *keys)
    return CheckResult(persons, shared.drop(["name_first_key", "name_last_key"]))


def student_and_staff(context: CheckContext) -> CheckResult:
    persons = context.objects("persons", "student", "teacher", "staff").filter(~nw.col("id").is_null())
    student = nw.when(nw.col("person_type") == "student").then(nw.lit(1)).otherwise(nw.lit(0))
    persons = persons.with_columns(student=student)
    values = stack(
        [
            persons.filter(~nw.col(column).is_null()).select(
                "id", "person_type", "student", nw.lit(column).alias("column"), _plain(column).alias("value")
            )
            for column in ("email", "state_id", "local_id")
        ]
    )
    both = (
        values.group_by("column", "value")
        .agg(students=nw.col("student").sum(), people=nw.len())
        .filter(nw.col("students") > 0, nw.col("people") > nw.col("students"))
    )
    shared = values.join(both.select("column", "value"), on=["column", "value"], how="inner")
    for column, length in _alike_series(context, values, both):
        by_chance = (nw.col("column") == column) & nw.col("value").str.contains(f"^[0-9]{{{length}}}$")
        shared = shared.filter(~by_chance)
    cells = shared.with_columns(shared=nw.concat_str(nw.col("column"), nw.lit(": "), nw.col("value")))
    return CheckResult(persons, cells.group_by("id", "person_type").agg(shared=nw.col("shared").min()))


def _alike_series(context: CheckContext, values: Frame, both: Frame) -> list[tuple[str, int]]:
    """Columns and lengths of numbers in which students and staff share no more values than chance gives them.

    Both number their people from 1 or 1000 on: then one number on two people says nothing. How many they share by
    chance follows from how densely each fills the range that they have in common.
    """
    numbers = values.filter(nw.col("column") != "email", nw.col("value").str.contains("^[0-9]{1,15}$"))
    numbers = numbers.with_columns(length=nw.col("value").str.len_chars())
    grouped = numbers.group_by("column", "length", "student")
    series = context.engine.collect(grouped.agg(people=nw.len(), low=nw.col("value").min(), high=nw.col("value").max()))
    shared = both.filter(nw.col("value").str.contains("^[0-9]{1,15}$")).with_columns(
        length=nw.col("value").str.len_chars()
    )
    times = context.engine.collect(shared.group_by("column", "length").agg(times=nw.len()))
    alike = []
    for column, length, observed in times.itertuples(index=False, name=None):
        own = series[(series["column"] == column) & (series["length"] == length)]
        ranges = [(int(low), int(high)) for low, high in zip(own["low"], own["high"], strict=True)]
        if len(ranges) == 2 and own["people"].min() >= _SERIES:
            width = max(0, min(high for _, high in ranges) - max(low for low, _ in ranges) + 1)
            densities = [n / (high - low + 1) for n, (low, high) in zip(own["people"], ranges, strict=True)]
            if 2 * width * densities[0] * densities[1] >= observed:
                alike.append((str(column), int(length)))
    return sorted(alike)


def _shared(frame: Frame, *keys: str) -> Frame:
    """The rows that agree in the keys, none of which is null, with ``times``."""
    times = frame.group_by(*keys).agg(times=nw.len()).filter(nw.col("times") > 1)
    return frame.join(times, on=list(keys), how="inner")


def _plain(column: str) -> nw.Expr:
    return nw.col(column).str.to_lowercase().str.replace_all(r"\s+", "")


def _folded(context: CheckContext, persons: Frame, column: str) -> Frame:
    """The distinct names beyond ASCII, folded in Python: few, however many people bear them."""
    beyond = persons.filter(nw.col(column).str.contains("[^\x01-\x7f]")).select(column).unique()
    names = context.engine.collect(beyond)[column].tolist()
    return context.engine.small({column: names, "folded": [fold(name).replace(" ", "") for name in names]})


CHECKS: tuple[Check, ...] = (
    Check(
        "missing_id",
        "KX-IDN-001",
        "Object without an id",
        "error",
        _GROUP,
        tuple(TABLES),
        "The id is missing.",
        "Nothing can refer to the object, and every update creates it again.",
        missing_id,
    ),
    Check(
        "duplicate_id",
        "KX-IDN-002",
        "One id for several objects",
        "error",
        _GROUP,
        tuple(TABLES),
        "The id occurs more than once, in one table or across tables.",
        "Systems that receive the roster merge the objects or reject them.",
        duplicate_id,
    ),
    Check(
        "duplicate_local_id",
        "KX-IDN-003",
        "One local id for several objects",
        "warning",
        _GROUP,
        ("orgs", "persons", "courses", "sections"),
        "The local id occurs more than once among orgs, among persons of one type, among the courses of one org, "
        "or among the sections of one org and term.",
        "Products that match by local id mistake one object for the other.",
        duplicate_local_id,
    ),
    Check(
        "duplicate_state_id",
        "KX-IDN-004",
        "One state id for several persons",
        "error",
        _GROUP,
        ("persons",),
        "The state id occurs more than once.",
        "A state id identifies one person: state reports and records mix up two people.",
        partial(shared_value, "state_id"),
        needs=("persons.state_id",),
    ),
    Check(
        "missing_local_id",
        "KX-IDN-005",
        "No local id",
        "warning",
        _GROUP,
        ("orgs", "persons", "courses", "sections"),
        "The local id is missing, in a table in which others have one.",
        "The object cannot be found again in the student information system.",
        missing_local_id,
    ),
    Check(
        "student_missing_state_id",
        "KX-IDN-006",
        "Student without a state id",
        "information",
        _GROUP,
        ("persons",),
        "A student has no state id, and others have one.",
        "The student is missing from state reports and assessments.",
        partial(missing_value, "state_id", "student"),
        needs=("persons.state_id",),
    ),
    Check(
        "duplicate_email",
        "KX-IDN-007",
        "One e-mail address for several persons",
        "warning",
        _GROUP,
        ("persons",),
        "The e-mail address, case ignored, occurs more than once.",
        "Single sign-on lets one person into another's account.",
        partial(shared_value, "email"),
        needs=("persons.email",),
    ),
    Check(
        "possible_duplicate_person",
        "KX-IDN-008",
        "Probably one person, registered twice",
        "warning",
        _GROUP,
        ("persons",),
        "The same first and last name (case, accents and spaces ignored) and the same date of birth.",
        "Work, grades and licenses are split across two accounts.",
        possible_duplicate_person,
        needs=("persons.dob",),
    ),
    Check(
        "student_and_staff",
        "KX-IDN-009",
        "A student and a member of staff share an identifier",
        "warning",
        _GROUP,
        ("persons",),
        "One e-mail address, state id or local id is shared by a student and a teacher or member of staff. Numbers do not "
        "count where two series overlap and have no more in common than chance would give.",
        "A student may get a teacher's rights.",
        student_and_staff,
    ),
    Check(
        "alike_ids",
        "KX-IDN-010",
        "Ids that differ only in case, zeros, spaces or punctuation",
        "warning",
        _GROUP,
        tuple(TABLES),
        "Another object of the table has an id that is the same once case, leading zeros, and the kind of punctuation or "
        "spaces between its parts are ignored.",
        "One object written in two ways, or two that a spreadsheet or a database turns into one.",
        alike_ids,
    ),
    Check(
        "id_with_spaces",
        "KX-IDN-011",
        "Id with spaces",
        "warning",
        _GROUP,
        tuple(TABLES),
        "The id has a space, a tab or a zero-width space in or around it.",
        "Code that trims ids no longer finds what refers to this one.",
        id_with_spaces,
        likely="the ids are made from names or codes with spaces.",
    ),
    Check(
        "refused_id",
        "KX-IDN-012",
        "Id that Apple School Manager does not accept",
        "information",
        _GROUP,
        ("orgs", "persons", "courses", "sections"),
        "The id has a character other than a letter from A to Z, a digit or a hyphen "
        "(https://support.apple.com/guide/apple-school-manager-m/axm46d50f6bf/web).",
        "Apple School Manager rejects the row, or the whole upload.",
        refused_id,
        likely="the ids are made from codes with other characters in them.",
    ),
    Check(
        "email_elsewhere",
        "KX-IDN-013",
        "E-mail address in another domain",
        "information",
        _GROUP,
        ("persons",),
        "The address is in a domain that less than {usual} % of students, and of other people, have, while {nearly_all} % of "
        "the addresses of the person's own group are in more common domains. Groups of fewer than 20 are left out.",
        "A private or mistyped address: single sign-on fails, and mail about students leaves the district.",
        email_elsewhere,
        params={"usual": 5.0, "nearly_all": 95.0},
        needs=("persons.email",),
        follows=("invalid_email",),
    ),
)
