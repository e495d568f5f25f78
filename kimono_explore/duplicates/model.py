"""What is compared, and what each outcome is worth: a Fellegi-Sunter model as rows of data.

``m`` is how often two rows of one person come out at a level, ``u`` how often those of two persons do. These values serve
small rosters as they are; in a large one they are the start, and u is estimated by random sampling, m by expectation
maximisation.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

Learned: TypeAlias = "dict[tuple[str, str], tuple[float, float]]"
"""m and u, by comparison and the rule of a level."""


class Level(NamedTuple):
    """An outcome of a comparison: its rule in SQL, m, u, and which fields it says agree, are alike, or differ."""

    sql: str
    m: float
    u: float
    agree: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    differ: tuple[str, ...] = ()
    frequency: str | None = None
    """The column that says how frequent a value is: a rare one weighs more than a usual one."""


class Comparison(NamedTuple):
    """Some fields compared: when nothing can be said, and the levels, the closest first; the last is all the rest."""

    name: str
    unknown: str
    levels: tuple[Level, ...]


MACROS = (
    # One typing error: a letter left out, added, exchanged, or two swapped.
    "slip(a, b) AS damerau_levenshtein(a, b) <= 1",
    "contains_all(a, b) AS list_has_all(a, b) OR list_has_all(b, a)",
    "last_alike(a, b, a_words, b_words, a_rare, b_rare) AS list_has_any(a_words, b_words)"
    " OR replace(a, ' ', '') = replace(b, ' ', '')"
    " OR ((a_rare OR b_rare) AND (jaro_winkler_similarity(a, b) >= 0.9"
    " OR (slip(a, b) AND least(length(a), length(b)) >= 3)))",
    # Two names that many bear are two names, however alike (Jayden, Jaylen): only a rare one can be a slip of the other.
    "first_alike(a, b, a_words, b_words, a_forms, b_forms, a_rare, b_rare) AS list_has_any(a_forms, b_forms)"
    " OR contains_all(a_words, b_words) OR replace(a, ' ', '') = replace(b, ' ', '')"
    " OR (least(length(a), length(b)) = 1 AND a[1] = b[1])"
    " OR ((a_rare OR b_rare) AND (jaro_winkler_similarity(a, b) >= 0.88 OR slip(a_words[1], b_words[1])"
    " OR (slip(a, b) AND least(length(a), length(b)) >= 3)"
    " OR (least(length(a), length(b)) >= 3 AND (starts_with(a, b) OR starts_with(b, a)))))",
)

_FIRST, _LAST = "first name", "last name"
_FIRST_ALIKE = "first_alike(first_l, first_r, first_words_l, first_words_r, forms_l, forms_r, rare_l, rare_r)"
_LAST_ALIKE = "last_alike(last_l, last_r, last_words_l, last_words_r, last_rare_l, last_rare_r)"
_BORN = "date of birth"
_STREET_ALIKE = "house_l = house_r AND (street_l = street_r OR jaro_winkler_similarity(street_l, street_r) >= 0.93)"


def _missing(column: str) -> str:
    return f"{column}_l IS NULL OR {column}_r IS NULL"


def _number(column: str, words: str, m: tuple[float, float, float]) -> Comparison:
    """An id: without punctuation and leading zeros."""
    shorter = f"least(length({column}_l), length({column}_r))"
    part = f"ends_with({column}_l, {column}_r) OR ends_with({column}_r, {column}_l)"
    typo = f"({shorter} >= 4 AND slip({column}_l, {column}_r)) OR ({shorter} >= 5 AND ({part}))"
    return Comparison(
        column,
        _missing(column),
        (
            Level(f"{column}_l = {column}_r", m[0], 1e-6, agree=(words,)),
            Level(typo, m[1], 1e-4, alike=(words,)),
            Level("ELSE", m[2], 1.0, differ=(words,)),
        ),
    )


COMPARISONS: tuple[Comparison, ...] = (
    Comparison(
        # First and last name are one comparison: they depend on each other in every family and culture.
        "name",
        _missing("name"),
        (
            Level("name_l = name_r", 0.46, 2e-5, agree=(_FIRST, _LAST), frequency="name_share"),
            Level("words_l = words_r", 0.04, 2e-6, alike=("name (order of its words)",)),
            Level(f"first_l = first_r AND ({_LAST_ALIKE})", 0.14, 5e-5, agree=(_FIRST,), alike=(_LAST,)),
            Level(f"last_l = last_r AND ({_FIRST_ALIKE})", 0.22, 1e-4, agree=(_LAST,), alike=(_FIRST,)),
            Level(f"({_FIRST_ALIKE}) AND ({_LAST_ALIKE})", 0.05, 2e-4, alike=(_FIRST, _LAST)),
            Level("first_l = first_r", 0.075, 6e-3, agree=(_FIRST,), differ=(_LAST,)),
            Level(_FIRST_ALIKE, 0.014, 6e-3, alike=(_FIRST,), differ=(_LAST,)),
            Level("ELSE", 0.001, 0.99, differ=(_FIRST,)),
        ),
    ),
    Comparison(
        "middle",
        _missing("middle"),
        (
            Level("middle_l = middle_r", 0.85, 0.01, agree=("middle name",)),
            Level(
                "middle_l[1] = middle_r[1] AND least(length(middle_l), length(middle_r)) = 1 OR slip(middle_l, middle_r)",
                0.1,
                0.03,
                alike=("middle name",),
            ),
            Level("ELSE", 0.05, 0.96, differ=("middle name",)),
        ),
    ),
    Comparison(
        "dob",
        _missing("dob"),
        (
            Level("dob_l = dob_r", 0.8, 2e-4, agree=(_BORN,)),
            Level("born_l = born_r", 0.07, 2e-4, alike=(f"{_BORN} (day and month swapped)",)),
            Level("slip(dob_l, dob_r)", 0.09, 3e-3, alike=(f"{_BORN} (one digit)",)),
            Level("dob_l[:6] = dob_r[:6] OR dob_l[5:] = dob_r[5:]", 0.02, 5e-3, alike=(f"{_BORN} (in part)",)),
            Level("ELSE", 0.02, 0.99, differ=(_BORN,)),
        ),
    ),
    Comparison(
        # Says nothing new where both dates of birth are known.
        "grad_year",
        f"(dob_l IS NOT NULL AND dob_r IS NOT NULL) OR {_missing('grad_year')}",
        (
            Level("grad_year_l = grad_year_r", 0.97, 0.08, agree=("graduation year",)),
            Level("ELSE", 0.03, 0.92, differ=("graduation year",)),
        ),
    ),
    Comparison(
        "sex",
        _missing("sex"),
        (Level("sex_l = sex_r", 0.985, 0.5, agree=("sex",)), Level("ELSE", 0.015, 0.5, differ=("sex",))),
    ),
    Comparison(
        "school",
        _missing("school"),
        (
            Level("school_l = school_r", 0.7, 0.1, agree=("school",)),
            Level("ELSE", 0.3, 0.9, differ=("school",)),
        ),
    ),
    _number("state_id", "state id", (0.4, 0.2, 0.4)),
    _number("local_id", "local id", (0.3, 0.2, 0.5)),
    Comparison(
        "email",
        _missing("email"),
        (
            Level("email_l = email_r", 0.4, 1e-6, agree=("e-mail",)),
            # Addresses are made of names, with a number for the next of the same name: only with equal digits.
            Level(
                "mail_digits_l = mail_digits_r AND (mailbox_l = mailbox_r OR slip(mailbox_l, mailbox_r))",
                0.1,
                1e-3,
                alike=("e-mail",),
            ),
            Level("ELSE", 0.5, 1.0, differ=("e-mail",)),
        ),
    ),
    Comparison(
        # Who moves often has a new phone as well, and brothers and sisters share both: address and phone count once.
        "household",
        f"({_missing('street')}) AND ({_missing('phone')})",
        (
            Level("street_l = street_r AND town_l = town_r AND phone_l = phone_r", 0.5, 5e-4),
            Level("street_l = street_r AND town_l = town_r", 0.2, 5e-4),
            Level(_STREET_ALIKE, 0.05, 1e-3),
            Level("phone_l = phone_r", 0.11, 1e-3),
            Level("slip(phone_l, phone_r)", 0.02, 0.01),
            Level("ELSE", 0.12, 0.98),
        ),
    ),
)

SAID: tuple[Comparison, ...] = (
    Comparison(
        "phone",
        _missing("phone"),
        (
            Level("phone_l = phone_r", 0, 0, agree=("phone",)),
            Level("slip(phone_l, phone_r)", 0, 0, alike=("phone (one digit)",)),
            Level("ELSE", 0, 0, differ=("phone",)),
        ),
    ),
    Comparison(
        "address",
        _missing("street"),
        (
            Level("street_l = street_r AND town_l = town_r", 0, 0, agree=("address",)),
            Level(_STREET_ALIKE, 0, 0, alike=("address",)),
            Level("ELSE", 0, 0, differ=("address",)),
        ),
    ),
)
"""What a household has in common, in words: only said, not counted again."""

_UNBORN = "(l.dob IS NULL OR r.dob IS NULL)"
BLOCKS: tuple[tuple[str, ...], ...] = (
    # All pairs of one name and year of birth would be most of the work, and hardly any is found that way alone.
    ("words", "born"),
    ("words", "born_month"),
    ("words", "born_year", "born_on"),
    ("last", "born"),
    ("first", "born"),
    ("words", "phone"),
    ("home",),
    ("words", "born_day"),
    ("words", "grad_year", _UNBORN),
    ("last", "phone", "grad_year", _UNBORN),
    ("first", "phone", "grad_year", _UNBORN),
    ("phone", "born"),
    ("first", "stem", "born_month"),
    ("first", "phone", "born_year"),
    ("mailbox",),
    ("state_id",),
    ("local_id",),
    ("email",),
)
"""Two persons are compared who have all columns of one row in common; what stands in brackets is a condition."""

TRAINING: tuple[tuple[str, ...], ...] = (("first", "born"), ("words", "home"))
"""Twins agree in all but the first name: pairs to learn from agree in it, and its own m is never learned."""


def alike(columns: tuple[str, ...], across_types: bool = False) -> str:
    """Two persons, ``l`` and ``r``, have these columns in common, and are of one type."""
    parts = (*columns, *(() if across_types else ("kind",)))
    return " AND ".join(part if part.startswith("(") else f"l.{part} = r.{part}" for part in parts)


def spelled(comparison: Comparison) -> str:
    """A comparison as SQL that gives its level as Splink numbers them: 0 for the last, -1 where nothing can be said."""
    numbered = enumerate(comparison.levels[:-1], 1)
    cases = " ".join(f"WHEN {level.sql} THEN {len(comparison.levels) - number}" for number, level in numbered)
    return f"CASE WHEN {comparison.unknown} THEN -1 {cases} ELSE 0 END AS gamma_{comparison.name}"


def levels(comparison: Comparison) -> dict[str, Any]:
    """A comparison as Splink's settings have it."""
    rows: list[dict[str, Any]] = [
        {"sql_condition": comparison.unknown, "label_for_charts": "unknown", "is_null_level": True}
    ]
    for level in comparison.levels:
        row = {"sql_condition": level.sql, "label_for_charts": level.sql}
        rows.append({**row, "m_probability": level.m, "u_probability": level.u})
    return {"output_column_name": comparison.name, "comparison_levels": rows}
