"""What a grade is: the codes that are published, and how far into school each one is.

The codes are those of the option set `Entry Grade Level` of CEDS, which OneRoster prescribes
(https://ceds.ed.gov/element/000100), and the names that Clever publishes for the same grades
(https://dev.clever.com/docs/schema): ``9`` for ``09``, ``Kindergarten`` for ``KG``. Case does not count.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

NUMBERS: dict[str, int | None] = {
    **dict.fromkeys(("IT", "PR"), None),
    "PK": -1,
    "TK": 0,
    "KG": 0,
    **{f"{number:02d}": number for number in range(1, 14)},
    **dict.fromkeys(("PS", "AE", "UG", "OTHER"), None),
}
"""The code of each grade, and the years of school before it, where they can be said."""

_ALSO_CALLED = {
    "INFANTTODDLER": "IT",
    "PRESCHOOL": "PR",
    "PREKINDERGARTEN": "PK",
    "TRANSITIONALKINDERGARTEN": "TK",
    "KINDERGARTEN": "KG",
    "POSTGRADUATE": "PS",
    "UNGRADED": "UG",
    **{str(number): f"{number:02d}" for number in range(1, 10)},
}


def grade_code(said: str) -> str | None:
    """The code of a grade, None where no published list has it.

    Examples
    --------
    >>> grade_code("9"), grade_code("kg"), grade_code("9th")
    ('09', 'KG', None)
    """
    word = said.strip().upper()
    word = _ALSO_CALLED.get(word, word)
    return word if word in NUMBERS else None


def grade_codes(said: str) -> list[str] | None:
    """The codes of a list of grades, such as those of a school; None where one of them is unknown.

    Examples
    --------
    >>> grade_codes("KG, 01,2"), grade_codes("K to 5")
    (['KG', '01', '02'], None)
    """
    codes = [grade_code(word) for word in re.split(r"[,;|]", said) if word.strip()]
    return None if not codes or None in codes else [code for code in codes if code is not None]


def vocabulary(said: Iterable[str]) -> dict[str, list[str | None]]:
    """For each text: grade, the code of the first of its grades, and number; null where they cannot be said."""
    texts = sorted(set(said))
    found = [grade_codes(text) for text in texts]
    first = [codes[0] if codes else None for codes in found]
    numbers = [NUMBERS[code] if code else None for code in first]
    return {"said": [*texts], "grade": [*first], "number": [None if n is None else str(n) for n in numbers]}
