"""A morning, and a fleet of them, as pages that need nothing else and name no person. The templates escape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kimono_explore.atomic import atomic_file
from kimono_explore.html import render

if TYPE_CHECKING:
    from pathlib import Path

    from kimono_explore.morning.fleet import Fleet
    from kimono_explore.morning.run import Morning

SHAPES = {
    "Go": "go",
    "Hold": "hold",
    "Look": "look",
    "Queue late": "late",
    "Not loaded": "unknown",
    "Could not run": "unknown",
    "Stop": "stop",
}


def write_morning(morning: Morning) -> Path:
    """Write ``morning.html`` into the day's folder."""
    path = morning.folder / "morning.html"
    with atomic_file(path) as file:
        file.write_text(render("morning.html", morning=morning, shapes=SHAPES), encoding="utf-8")
    return path


def write_fleet(fleet: Fleet, folder: Path) -> Path:
    """Write ``fleet.html`` and ``fleet.json`` into the folder of all tenants."""
    path = folder / "fleet.html"
    rows = [
        (
            morning,
            (morning.folder / "morning.html").relative_to(folder)
            if (morning.folder / "morning.html").is_file()
            else "",
        )
        for morning in fleet.mornings
    ]
    with atomic_file(path) as file:
        file.write_text(render("fleet.html", fleet=fleet, rows=rows, shapes=SHAPES), encoding="utf-8")
    with atomic_file(folder / "fleet.json") as file:
        file.write_text(json.dumps(fleet.to_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path
