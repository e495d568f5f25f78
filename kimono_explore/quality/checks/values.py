"""Checks of values: what is in a cell, and cannot be right."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import narwhals as nw

from kimono_explore.quality.context import CheckContext, stack
from kimono_explore.quality.current import years_before
from kimono_explore.quality.definition import Check, CheckResult, Frame, NotApplicable
from kimono_explore.quality.downstream import LINE_BREAK, SDS_FILES, SDS_TEXTS
from kimono_explore.quality.regions import CANADA, PROVINCES, STATES, UNITED_STATES
from kimono_explore.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

_GROUP = "Values"

# Written out, because \s means something else to each engine's regular expressions.
SPACE = "[ \t\n\v\f\r\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
# The zero-width joiners U+200C and U+200D belong into Persian names and emoji.
UNSEEN = "[\x01-\x1f\x7f-\u009f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
_CONTINUED = "[\u0080-\u00bf€‚ƒ„†‡ˆ‰Š‹ŒŽ•™š›œžŸ]"
# UTF-8 that was read as Latin-1 or Windows-1252: a lead byte and what continues it.
_MOJIBAKE = f"\ufffd|[ÂÃÄÅ]{_CONTINUED}|â€|ðŸ|(?:[ÐÑØÙ×]{_CONTINUED}){{2}}"
_SEPARATOR = "\u241f"
_ID = "_id_"
_MONTHS = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
# What spreadsheets make of long numbers and of codes such as 3-1, and what they write where a formula fails.
_DAMAGE = (
    rf"[0-9](?:[.,][0-9]+)?E[+][0-9]{{2,3}}|[0-9]{{1,2}}-{_MONTHS}|{_MONTHS}-[0-9]{{2}}"
    r"|#(?:REF!|N/A|NAME[?]|VALUE!|DIV/0!|NUM!|NULL!)"
)
_US_POSTAL, _CANADA_POSTAL = r"^\d{5}(?:-?\d{4})?$", r"^[a-z]\d[a-z][ -]?\d[a-z]\d$"


def bad_value(context: CheckContext) -> CheckResult:
    return _problems(context, ~nw.col("id").is_null() & ~_kept())


def load_problem(context: CheckContext) -> CheckResult:
    return _problems(context, nw.col("id").is_null() | _kept())


def _problems(context: CheckContext, which: nw.Expr) -> CheckResult:
    """Rows of ``problems``, but for what concerns ids alone, which has checks of its own."""
    rows = sum(context.rows[table] for table in (*TABLES, "links"))
    # Loading may have noted something about tables that have no rows.
    return CheckResult(max(rows, context.rows["problems"]), context.problems.filter(which, ~_about_ids()))


def unlike(column: str, pattern: str, context: CheckContext) -> CheckResult:
    """Persons whose value does not look as it should."""
    persons = context.objects("persons").filter(~nw.col(column).is_null()).select("id", "person_type", column)
    return CheckResult(persons, persons.filter(~_trimmed(column).str.contains(pattern)))


def invalid_phone(context: CheckContext, digits: tuple[int, int]) -> CheckResult:
    persons = context.objects("persons").filter(~nw.col("phone").is_null()).select("id", "person_type", "phone")
    number = _trimmed("phone").str.replace_all(r"\s*(?:ext\.?|x)\s*\d+$", "")
    count = number.str.replace_all(r"\D", "").str.len_chars()
    good = number.str.contains(r"^[0-9()+./ \-]+$") & (count >= digits[0]) & (count <= digits[1])
    return CheckResult(persons, persons.filter(~good))


def invalid_postal_code(context: CheckContext) -> CheckResult:
    addresses = _addresses(context, "address_postal_code")
    code = _trimmed("address_postal_code")
    american = _in(UNITED_STATES) & ~code.str.contains(_US_POSTAL)
    canadian = _in(CANADA) & ~code.str.contains(_CANADA_POSTAL)
    unknown = nw.col("address_country").is_null() & ~code.str.contains(f"{_US_POSTAL}|{_CANADA_POSTAL}")
    return CheckResult(addresses, addresses.filter(american | canadian | unknown))


def unknown_state(context: CheckContext) -> CheckResult:
    addresses = _addresses(context, "address_state")
    state = _trimmed("address_state")
    american = _in(UNITED_STATES) & ~state.is_in(STATES)
    canadian = _in(CANADA) & ~state.is_in(PROVINCES)
    unknown = nw.col("address_country").is_null() & ~state.is_in((*STATES, *PROVINCES))
    return CheckResult(addresses, addresses.filter(american | canadian | unknown))


def unexpected_sex(context: CheckContext, known: tuple[str, ...]) -> CheckResult:
    persons = context.objects("persons").filter(~nw.col("sex").is_null()).select("id", "person_type", "sex")
    return CheckResult(persons, persons.filter(~_trimmed("sex").is_in(known)))


def text_with(whole: str, cell: str, context: CheckContext, *, ids: bool = False) -> CheckResult:
    """Objects with a text in which a pattern occurs: the first such cell, and how many there are.

    ``whole`` is looked for in all texts of an object at once, ``cell`` in each text of the few that are left. With
    ``ids``, the id is one of them.
    """
    checked, perhaps = [], []
    for table in TABLES:
        columns = context.text_columns(table, "id", "description")
        objects = context.raw(table).select("id", *columns)
        if ids:
            objects = objects.with_columns(nw.col("id").alias(_ID))
            columns = [*columns, _ID]
        checked.append(objects.select("id"))
        joined = nw.concat_str(*columns, separator=_SEPARATOR, ignore_nulls=True)
        perhaps.append((table, columns, context.engine.keep(objects.filter(joined.str.contains(whole)))))
    # Most tables have no such text: each of their columns need not be asked for it.
    some = [found for found in perhaps if context.engine.count(found[2])] or perhaps[:1]
    return CheckResult(stack(checked), stack([_cells_with(cell, *found) for found in some]))


def _cells_with(cell: str, table: str, columns: Sequence[str], objects: Frame) -> Frame:
    """Of each object the first text in which a pattern occurs, and how many there are."""
    texts = [objects.filter(~nw.col(column).is_null(), nw.col(column).str.contains(cell)) for column in columns]
    named = [
        text.select("id", text=nw.concat_str(nw.lit(f"{column.strip('_')}: "), nw.col(column)))
        for column, text in zip(columns, texts, strict=True)
    ]
    found = stack(named).group_by("id").agg(text=nw.col("text").min(), cells=nw.len())
    return found.select(nw.lit(table).alias("table"), "id", "text", "cells")


def name_too_long(context: CheckContext, letters: int) -> CheckResult:
    persons = _named(context)
    long = [nw.col(name).fill_null("").str.len_chars() > letters for name in ("name_first", "name_last")]
    return CheckResult(persons, persons.filter(long[0] | long[1]))


def line_break(context: CheckContext) -> CheckResult:
    """Objects with a line break in what School Data Sync takes of their ids and names."""
    checked, found = [], []
    for table, columns in SDS_TEXTS.items():
        objects = context.raw(table).select(*columns, nw.col("id").alias(_ID))
        texts = [name for name in columns if name != "id"]
        checked.append(objects.select("id"))
        found.append(_cells_with(LINE_BREAK, table, [_ID, *texts], objects))
    return CheckResult(stack(checked), stack(found))


def placeholder_name(context: CheckContext, always: tuple[str, ...], in_both: tuple[str, ...]) -> CheckResult:
    persons = _named(context)
    sure, perhaps = [], []
    for column in ("name_first", "name_last"):
        name = _trimmed(column).fill_null("")
        nonsense = name.str.contains("^(?:x{2,}|[0-9?*_.-]+|asdf|qwerty)$")
        sure.append(name.is_in(always) | nonsense)
        perhaps.append(name.is_in((*always, *in_both)) | nonsense)
    return CheckResult(persons, persons.filter(sure[0] | sure[1] | (perhaps[0] & perhaps[1])))


def shouting_name(context: CheckContext, letters: int) -> CheckResult:
    persons = _named(context)
    loud = []
    for column in ("name_first", "name_last"):
        name = nw.col(column).fill_null("")
        same = (name.str.to_uppercase() == name) & (name.str.to_lowercase() != name)
        loud.append(same & (name.str.len_chars() >= letters))
    return CheckResult(persons, persons.filter(loud[0] | loud[1]))


def implausible_age(context: CheckContext, students: tuple[int, int], staff: tuple[int, int]) -> CheckResult:
    persons = context.objects("persons", "student", "teacher", "staff").filter(~nw.col("dob").is_null())
    persons = persons.select("id", "person_type", "dob")
    wrong = []
    for kind, (youngest, oldest) in (("student", students), ("", staff)):
        born = nw.col("dob")
        outside = (born > years_before(context.as_of, youngest)) | (born < years_before(context.as_of, oldest))
        who = nw.col("person_type") == "student" if kind else nw.col("person_type") != "student"
        wrong.append(who & outside)
    return CheckResult(persons, persons.filter(wrong[0] | wrong[1]))


def grad_year_against_dob(context: CheckContext, ages: tuple[int, int]) -> CheckResult:
    students = context.objects("persons", "student").filter(~nw.col("dob").is_null(), ~nw.col("grad_year").is_null())
    students = students.select("id", "dob", "grad_year")
    year = nw.col("dob").dt.year().cast(nw.Int64)
    fits = [(year + age).cast(nw.String) == nw.col("grad_year") for age in range(ages[0], ages[1] + 1)]
    return CheckResult(students, students.filter(~nw.any_horizontal(*fits, ignore_nulls=True)))


def school_year_outlier(context: CheckContext) -> CheckResult:
    objects = stack(
        [
            context.objects(table).select(nw.lit(table).alias("table"), "id", "school_year")
            for table in TABLES
            if context.filled[table]["school_year"]
        ]
        or [context.objects("orgs").select(nw.lit("orgs").alias("table"), "id", "school_year")]
    ).filter(~nw.col("school_year").is_null())
    years = context.engine.collect(objects.group_by("school_year").agg(objects=nw.len()))
    if years.empty:
        raise NotApplicable("the tenant sends no school_year")
    usual = years.sort_values(["objects", "school_year"])["school_year"].iloc[-1]
    if years["objects"].max() * 2 <= years["objects"].sum():
        raise NotApplicable("no school year is that of more than half of the objects")
    outliers = objects.filter(nw.col("school_year") != usual)
    return CheckResult(objects, outliers.with_columns(usual=nw.lit(str(usual))))


def _about_ids() -> nw.Expr:
    """What missing_id and duplicate_id find in the tables themselves."""
    text = nw.col("problem").fill_null("")
    missing = text.str.starts_with("no id") | text.str.ends_with("without a sourcedId; kept")
    return (
        nw.col("table").fill_null("").is_in(tuple(TABLES))
        & (nw.col("column").fill_null("") == "id")
        & ((nw.col("id").is_null() & missing) | (~nw.col("id").is_null() & text.str.starts_with("the id came")))
    )


def _kept() -> nw.Expr:
    """Problems in which nothing was lost: they end by saying what was kept."""
    return nw.col("problem").fill_null("").str.contains("; (?:all are )?kept(?: as text)?$|taken as the id$|assumed$")


def _trimmed(column: str) -> nw.Expr:
    return nw.col(column).str.strip_chars().str.to_lowercase()


def _named(context: CheckContext) -> Frame:
    persons = context.objects("persons").select("id", "person_type", "name_first", "name_last")
    return persons.filter(~nw.col("name_first").is_null() | ~nw.col("name_last").is_null())


def _addresses(context: CheckContext, column: str) -> Frame:
    persons = context.objects("persons").filter(~nw.col(column).is_null())
    return persons.select("id", "person_type", column, "address_country")


def _in(countries: tuple[str, ...]) -> nw.Expr:
    return _trimmed("address_country").fill_null("").is_in(countries)


_ADDRESS = '[^\\s@,;:<>()"\\[\\]\\\\.]+'
_EMAIL = f"^{_ADDRESS}(?:\\.{_ADDRESS})*@{_ADDRESS}(?:\\.{_ADDRESS})+$"

CHECKS: tuple[Check, ...] = (
    Check(
        "bad_value",
        "KX-VAL-001",
        "A value that its column cannot hold",
        "warning",
        _GROUP,
        tuple(TABLES),
        "Loading found a value that is not a date, time or flag, two sides that state different ones, or a row that could "
        "not be read (`problems`).",
        "The value is lost to everybody who reads the table.",
        bad_value,
    ),
    Check(
        "load_problem",
        "KX-VAL-002",
        "Something went wrong while the roster was loaded",
        "warning",
        _GROUP,
        tuple(TABLES),
        "Loading noted something about a whole table or file, such as a list that was refused, rows that came twice or a "
        "missing file, or about a value that it kept (`problems`).",
        "What was not loaded cannot be checked.",
        load_problem,
    ),
    Check(
        "invalid_email",
        "KX-VAL-003",
        "Invalid e-mail address",
        "warning",
        _GROUP,
        ("persons",),
        "The e-mail address is not of the form name@domain.tld.",
        "Invitations do not arrive, and single sign-on fails.",
        partial(unlike, "email", _EMAIL),
        needs=("persons.email",),
    ),
    Check(
        "invalid_phone",
        "KX-VAL-004",
        "Invalid telephone number",
        "information",
        _GROUP,
        ("persons",),
        "The number has letters other than an extension's, or does not have {digits} digits.",
        "Nobody can be reached by phone.",
        invalid_phone,
        params={"digits": (7, 15)},
        needs=("persons.phone",),
    ),
    Check(
        "invalid_postal_code",
        "KX-VAL-005",
        "Invalid postal code",
        "information",
        _GROUP,
        ("persons",),
        "The code is not a ZIP code (United States) or postal code (Canada). Without a country, either will do; other "
        "countries are not checked.",
        "Mail goes astray, and reports by area are wrong.",
        invalid_postal_code,
        needs=("persons.address_postal_code",),
    ),
    Check(
        "unknown_state",
        "KX-VAL-006",
        "Unknown state or province",
        "information",
        _GROUP,
        ("persons",),
        "The state is neither the code nor the name of a state or territory (United States) or province (Canada). Without a "
        "country, either will do; other countries are not checked.",
        "Mail goes astray, and reports by area are wrong.",
        unknown_state,
        needs=("persons.address_state",),
    ),
    Check(
        "unexpected_sex",
        "KX-VAL-007",
        "Unexpected value for sex",
        "information",
        _GROUP,
        ("persons",),
        "The value, case ignored, is not one of {known}.",
        "State reports reject codes that they do not know.",
        unexpected_sex,
        params={
            "known": ("f", "m", "x", "u", "o", "female", "male", "other", "unspecified", "not selected", "nonbinary")
        },
        needs=("persons.sex",),
    ),
    Check(
        "untrimmed_text",
        "KX-VAL-008",
        "Text with stray spaces or invisible characters",
        "warning",
        _GROUP,
        tuple(TABLES),
        "A text begins or ends with a space, or holds control or zero-width characters. Descriptions are not checked.",
        "Two texts look the same and are not: matching by name, id or e-mail fails.",
        partial(
            text_with,
            f"(?:^|{_SEPARATOR}){SPACE}|{SPACE}(?:{_SEPARATOR}|$)|{UNSEEN}",
            f"^{SPACE}|{SPACE}$|{UNSEEN}",
        ),
    ),
    Check(
        "broken_encoding",
        "KX-VAL-009",
        "Text in a broken encoding",
        "warning",
        _GROUP,
        tuple(TABLES),
        "A text holds the replacement character U+FFFD, or UTF-8 that was read as Latin-1, such as `JosÃ©`.",
        "People see their own names misspelled.",
        partial(text_with, _MOJIBAKE, _MOJIBAKE),
    ),
    Check(
        "placeholder_name",
        "KX-VAL-010",
        "Placeholder instead of a name",
        "warning",
        _GROUP,
        ("persons",),
        "The first or last name is one of {always}, or consists of x, digits or punctuation marks; or both are "
        "among these and {in_both}, each of which alone may be a real name.",
        "Test accounts are counted, licensed and given access.",
        placeholder_name,
        params={
            "always": (
                "test",
                "unknown",
                "n/a",
                "tbd",
                "tba",
                "dummy",
                "firstname",
                "lastname",
                "first name",
                "last name",
            ),
            "in_both": ("none", "null", "na", "nil", "sample", "student", "teacher", "user", "demo"),
        },
    ),
    Check(
        "shouting_name",
        "KX-VAL-011",
        "Name in capitals",
        "information",
        _GROUP,
        ("persons",),
        "The first or last name has {letters} letters or more, and all are capitals.",
        "It looks like shouting on screen, and hides where accents were lost.",
        shouting_name,
        params={"letters": 3},
    ),
    Check(
        "implausible_age",
        "KX-VAL-012",
        "Implausible age",
        "warning",
        _GROUP,
        ("persons",),
        "On the day of the check (`as_of`), a student is not {students} years old, or a teacher or member of staff not "
        "{staff}.",
        "Often a wrong century, or the day of registration: rules that depend on age go wrong.",
        implausible_age,
        params={"students": (3, 22), "staff": (16, 90)},
        needs=("persons.dob",),
        likely="the day of the check (`as_of`) is not in the roster's own year, or birthdays were shifted.",
    ),
    Check(
        "grad_year_against_dob",
        "KX-VAL-013",
        "Graduation year that does not fit the date of birth",
        "information",
        _GROUP,
        ("persons",),
        "The student turns an age outside {ages} in the year of graduation, or the year is not a number.",
        "The student is placed in the wrong grade.",
        grad_year_against_dob,
        params={"ages": (16, 21)},
        needs=("persons.dob", "persons.grad_year"),
        follows=("implausible_age",),
    ),
    Check(
        "school_year_outlier",
        "KX-VAL-014",
        "Object from another school year",
        "information",
        _GROUP,
        tuple(TABLES),
        "The school year is not the one that more than half of all objects have.",
        "Last year's objects are shown beside this year's.",
        school_year_outlier,
    ),
    Check(
        "spreadsheet_damage",
        "KX-VAL-015",
        "Text that a spreadsheet has damaged",
        "warning",
        _GROUP,
        tuple(TABLES),
        "An id or a text is a number that was shortened (1.2E+05), a date that was a code (1-Mar, Mar-01) or a formula "
        "error (#REF!). Descriptions are not checked.",
        "The original value is lost, and several objects may now have the same number.",
        partial(text_with, f"(?:^|{_SEPARATOR})(?:{_DAMAGE})(?:$|{_SEPARATOR})", f"^(?:{_DAMAGE})$", ids=True),
    ),
    Check(
        "name_too_long",
        "KX-VAL-016",
        "Name that Google does not accept",
        "information",
        _GROUP,
        ("persons",),
        "The first or the last name has more than {letters} letters, the most that Google accounts may have "
        "(https://developers.google.com/admin-sdk/directory/reference/rest/v1/users).",
        "The account is not created, or gets a shortened name.",
        name_too_long,
        params={"letters": 60},
    ),
    Check(
        "line_break",
        "KX-VAL-017",
        "Id or name that School Data Sync does not accept",
        "information",
        _GROUP,
        tuple(SDS_TEXTS),
        "The id, the name or the title has a line break, which Microsoft School Data Sync files may not contain "
        f"({SDS_FILES}).",
        "School Data Sync leaves the record out, or rejects the file.",
        line_break,
        follows=("untrimmed_text", "id_with_spaces"),
    ),
)
