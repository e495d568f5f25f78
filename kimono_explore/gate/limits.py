"""How much may change from one roster to the next: the defaults, which ``[gate]`` in ``quality.toml`` overrides."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from kimono_explore.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Limits:
    """Shares of what a school or the district had before. A roster that exceeds one is held.

    Attributes
    ----------
    removed : float, default 0.10
        Students, teachers or sections that are missing. Clever holds a sync that would delete more than a tenth of any
        kind of record; others use 10 to 25 percent.
    enrollments_removed : float, default 0.20
        Enrollments that are missing: schedules change more than people do.
    recreated : float, default 0.10
        Objects that came back under new ids.
    changed : float, default 0.75
        Objects with any changed value; Clever's limit for updates.
    gone : float, default 0.50
        The district's students or sections that are missing. Above this, the source is assumed to have been down, and
        the roster is stopped.
    primary : float, default 0.05
        Sections whose primary teacher changed.
    emptied : float, default 0.20
        How far the filled share of a column may fall.
    unreferenced : float, default 0.50
        Missing students whom the new roster still names in its links. Above this, the load is assumed to have broken
        off.
    least : int, default 5
        Fewer rows than this never raise an alarm, whatever their share.
    rollover : float, default 0.60
        Students, and teachers, who may leave a school when a new school year begins: in a school with two grades, half
        of the students do.
    """

    removed: float = 0.10
    enrollments_removed: float = 0.20
    recreated: float = 0.10
    changed: float = 0.75
    gone: float = 0.50
    primary: float = 0.05
    emptied: float = 0.20
    unreferenced: float = 0.50
    least: int = 5
    rollover: float = 0.60

    def removed_of(self, kind: str) -> float:
        """The limit for missing objects of a kind."""
        return self.enrollments_removed if kind == "enrollments" else self.removed


def read_limits(given: Mapping[str, object], path: str) -> Limits:
    """The limits with those that ``[gate]`` sets; the others keep their defaults.

    Raises
    ------
    ConfigurationError
        It sets an unknown limit, or gives a value that is not a share.
    """
    known = {field.name: field.type for field in fields(Limits)}
    for name, value in given.items():
        if name not in known:
            raise ConfigurationError(f"{path}: [gate] has an unknown key {name!r}; it may have {', '.join(known)}.")
        is_count = name == "least"
        valid = isinstance(value, int) if is_count else isinstance(value, (int, float)) and 0 <= value <= 1
        if isinstance(value, bool) or not valid or (is_count and isinstance(value, int) and value < 1):
            needed = "an integer >= 1" if is_count else "a share from 0 to 1, such as 0.1"
            raise ConfigurationError(f"{path}: [gate] {name} is {value!r}; it needs {needed}.")
    return Limits(**given)  # type: ignore[arg-type]  # each value was checked
