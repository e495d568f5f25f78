"""Notes of what does not fit, which become rows of ``problems``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kimono_explore.decode.values import Numbers, as_text, fit, is_number
from kimono_explore.schema import REFERENCES, Problem

if TYPE_CHECKING:
    from kimono_explore.schema import JSON, Column


class Notes:
    """What did not fit in the rows of one table.

    Parameters
    ----------
    table : str
        One of the six tables.
    """

    def __init__(self, table: str) -> None:
        self.problems: list[Problem] = []
        self._table = table
        self._numbers: dict[str, Numbers] = {}

    def add(self, id: str | None, column: str | None, value: JSON, problem: str) -> None:
        """Note what is odd about a value, or about a whole row."""
        self.problems.append(Problem(self._table, id, column, None if value is None else as_text(value), problem))

    def fitted(self, id: str | None, name: str, value: JSON, column: Column) -> object:
        """The value converted to its column's kind; anything odd is noted under ``name``."""
        if is_number(value) and column.kind in ("text", "category"):
            if not column.integer:
                self.count_numbers(Numbers(name, 1, as_text(value)))
            return as_text(value)
        value_of_kind, oddity = fit(value, column)
        if oddity:
            self.add(id, name, value, oddity)
        return value_of_kind

    def count_numbers(self, found: Numbers) -> None:
        """Count numbers where text was declared: they are kept as text, and reported once per column."""
        before = self._numbers.get(found.column, found._replace(times=0))
        smallest = min(before.example, found.example)
        self._numbers[found.column] = Numbers(found.column, before.times + found.times, smallest)

    def report_numbers(self) -> None:
        """Add a row of ``problems`` for each text column in which numbers were sent."""
        references = {reference.key for reference in REFERENCES if reference.table == self._table}
        for column, count, example in self._numbers.values():
            lost = "; leading zeros may be lost" if column.endswith("id") or column in references else ""
            text = f"numbers or flags where text was expected, such as {example}, kept as text{lost}; value counts them"
            self.add(None, column, str(count), text)
