"""Each value of each way in which servers differ: a new one is tested because it is declared in `Dialect`."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

from kimono_explore.sandbox.dialect import Dialect

NO_CHOICES: dict[str, tuple[Any, ...]] = {"max_page_size": (1000, 3)}
"""Values to try of a field that is no choice of a few."""


def dialect_values() -> dict[str, tuple[Any, ...]]:
    """The values of each field of `Dialect`, the default first."""
    found = {}
    for name, hint in get_type_hints(Dialect).items():
        values = (True, False) if hint is bool else get_args(hint) or NO_CHOICES.get(name)
        assert values, f"tests/dialects.py: NO_CHOICES has no values to try for Dialect.{name}"
        found[name] = tuple(sorted(values, key=lambda value, name=name: value != getattr(Dialect(), name)))
    return found
