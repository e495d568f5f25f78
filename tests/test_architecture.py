"""ARCHITECTURE.md is true: its drawings are those of the code, and a page goes the way it says."""

from __future__ import annotations

import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import networkx as nx
import pytest
from builders import make, section

import kimono_explore as kx

if TYPE_CHECKING:
    from types import FrameType

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))

from drawings import layers_svg, rooms, steps, way_svg  # noqa: E402


def test_the_drawings_are_those_of_the_code() -> None:
    for name, drawn in (("layers", layers_svg(rooms())), ("way", way_svg(steps()))):
        kept = (ROOT / "docs" / "images" / f"{name}.svg").read_text(encoding="utf-8")
        assert kept == drawn, f"docs/images/{name}.svg is not up to date: python docs/drawings.py"


def test_the_rooms_have_no_circle_and_are_all_described() -> None:
    graph = rooms()
    assert nx.is_directed_acyclic_graph(graph)
    told = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert [n for n in graph if f"`{n}.py`" not in told and f"`{n}/`" not in told] == []


def test_a_page_goes_the_way_it_says(small_sandbox: kx.Sandbox) -> None:
    way = [name for name, _ in steps()]
    assert len(way) >= 12
    wanted = {_code_of(name): name for name in way}
    seen: list[str] = []

    def watch(frame: FrameType, event: str, _argument: object) -> None:
        name = wanted.get(frame.f_code) if event == "call" else None
        here = threading.current_thread().name.startswith(("MainThread", "kimono-page", "decode"))  # not the sandbox
        if name is not None and name not in seen and here:
            seen.append(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "_profile_hook", watch)
        sys.setprofile(watch)
        try:
            roster = kx.load_roster(small_sandbox.client, progress=False)
            report = kx.check(make(section()), checks=["section_without_teacher"])
            assert len(report.causes) == 1
            kx.browse(roster, report, id=roster.sections["id"][0])
        finally:
            sys.setprofile(None)
    assert set(seen) == set(way)
    # Pages are read side by side: a later one may be sent before an earlier one is decoded.
    assert [way.index(name) for name in seen] == sorted(way.index(name) for name in seen)


def _code_of(name: str) -> object:
    module, *names = _split(name)
    found = import_module(f"kimono_explore.{module}")
    for part in names:
        found = getattr(found, part)
    return found.__code__


def _split(name: str) -> list[str]:
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            import_module(f"kimono_explore.{'.'.join(parts[:cut])}")
        except ModuleNotFoundError:
            continue
        return [".".join(parts[:cut]), *parts[cut:]]
    raise AssertionError(f"no module of {name}")
