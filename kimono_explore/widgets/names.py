"""What the tasks of a queue are about, in the words of a roster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.display import display_label
from kimono_explore.widgets.task_html import describe_enrollment

if TYPE_CHECKING:
    from kimono_explore.roster.roster import Description, Roster

_BRIEF = 8
"""Characters of an id that mostly tell it from others."""
_ENDS = ("$person", "$section")
"""What an enrollment names."""


class Names:
    """The names that a roster has for what tasks are about; without a roster there are none.

    Parameters
    ----------
    roster : Roster or None
    """

    def __init__(self, roster: Roster | None) -> None:
        self._roster = roster
        self._tenants: dict[str, str] = {}
        self._known: list[str] = []

    @property
    def known(self) -> bool:
        """Whether there is a roster."""
        return self._roster is not None

    def tell(self, tasks: pd.DataFrame) -> pd.Series:
        """What each task is about: its label, or an enrollment in words. Names of tenants are kept for `tenant`."""
        districts = tasks[tasks["object_type"].fillna("").str.removeprefix("RDM:").str.upper() == "LEA"]
        districts = districts.dropna(subset=["tenant_id", "label"]).drop_duplicates("tenant_id", keep="last")
        self._tenants |= dict(zip(districts["tenant_id"], districts["label"], strict=True))
        self._known = sorted({*self._tenants, *tasks["tenant_id"].dropna().astype(str)})
        enrollments = tasks[tasks["object_type"].fillna("").str.endswith("ENROLLMENT")]
        names = self._of(enrollments)
        told = {row: describe_enrollment(task, names.get) for row, task in enrollments.iterrows()}
        return pd.Series(told, dtype="str").reindex(tasks.index).fillna(tasks["label"])

    def tenant(self, id: str) -> str:
        """The district that a task named of a tenant; else the first characters of its id, where they tell it from all."""
        brief = id[:_BRIEF]
        alike = [other for other in self._known if other.startswith(brief)]
        short = f"{brief}…" if len(id) > len(brief) + 1 and len(alike) < 2 else id
        name = self._tenants.get(id)
        if name is None:
            return short
        return name if list(self._tenants.values()).count(name) == 1 else f"{name} ({short})"

    def name(self, id: str) -> str | None:
        """What the roster calls an object; None where that is its id only."""
        found = self.find(id)
        return None if found is None or found.label == id else str(found.label)

    def find(self, id: object) -> Description | None:
        """The object of the roster that has an id; None where there is none, or several types share it."""
        if self._roster is None or not isinstance(id, str):
            return None
        try:
            return self._roster.describe(id)
        except (KeyError, ValueError):
            return None

    def objects(self, task: pd.Series) -> list[Description]:
        """The objects of the roster that a task is about: of an enrollment, the person and the section."""
        data = task["data"] if isinstance(task["data"], dict) else {}
        ids = [task["object_id"], *(end.get("id") for name in _ENDS if isinstance(end := data.get(name), dict))]
        found = [about for id in dict.fromkeys(id for id in ids if isinstance(id, str)) if (about := self.find(id))]
        return found[: len(_ENDS)]

    def _of(self, enrollments: pd.DataFrame) -> dict[str, str]:
        """The names of those in enrollments, by id."""
        if self._roster is None:
            return {}
        data = [fields for fields in enrollments["data"] if isinstance(fields, dict)]
        found: dict[str, str] = {}
        for table, field in zip(("persons", "sections"), _ENDS, strict=True):
            ids = {str(end.get("id")) for fields in data if isinstance(end := fields.get(field), dict)}
            df = self._roster.tables[table]
            df = df[df["id"].isin(ids)].drop_duplicates("id")
            found |= dict(zip(df["id"], display_label(table, df), strict=True))
        return {id: name for id, name in found.items() if isinstance(name, str)}
