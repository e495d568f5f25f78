"""A wrong argument is answered in one sentence: which function, what it needs, what it was given, how to make one.

The functions and their arguments are found by looking at the signatures, so that no new one is forgotten.
"""

from __future__ import annotations

import inspect
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import kimono_explore as kx
from kimono_explore.errors import expect
from kimono_explore.roster.lazy import LazyRoster

if TYPE_CHECKING:
    from collections.abc import Callable

MADE = {
    "Roster": "kx.load_roster(client)",
    "Client": "kx.connect()",
    "Report": "kx.check(roster)",
    "Comparison": "kx.compare(old, new)",
    "History": "kx.history(folder)",
    "MultiDiGraph": "kx.neighborhood(roster, id)",
    "DataFrame": "kx.load_tasks(client)",
    "PathLike": "path",
}
"""What is looked for in annotations, and what the sentence says of where one comes from."""
WRONG = {"None": None, "DataFrame": pd.DataFrame({"id": ["a"]}), "str": "x", "int": 5, "list": [], "class": kx.Roster}
RIGHT = {
    "Roster": kx.Roster(),
    "Client": kx.connect("https://example.org", token="t"),
    "Report": kx.check(kx.Roster(), ["missing_id"], engine="polars"),
    "Comparison": kx.compare(kx.Roster(), kx.Roster()),
    "History": kx.history("no such folder"),
    "MultiDiGraph": nx.MultiDiGraph(),
    "DataFrame": pd.DataFrame(),
    "PathLike": "x",
}
OPTIONS = {"resume"}  # folders that are made where they are not there
FUNCTIONS = {name: getattr(kx, name) for name in kx.__all__ if inspect.isfunction(getattr(kx, name))}


def kinds(annotation: str) -> list[str]:
    return [kind for kind in MADE if re.search(rf"\b{kind}\b", annotation)]


def accepted(annotation: str, wrong: str) -> bool:
    return bool(re.search(rf"\b{wrong}\b", annotation))


CASES = [
    pytest.param(function, parameter.name, wrong, id=f"{name}-{parameter.name}-{wrong}")
    for name, function in FUNCTIONS.items()
    for parameter in inspect.signature(function).parameters.values()
    if kinds(str(parameter.annotation)) and parameter.name not in OPTIONS
    for wrong in WRONG
    if not accepted(str(parameter.annotation), wrong)
]


def filled(function: Callable[..., Any], wrong: str, value: object) -> dict[str, object]:
    """The arguments that a function needs, one of them wrong."""
    given: dict[str, object] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == wrong:
            given[parameter.name] = value
        elif parameter.default is inspect.Parameter.empty:
            found = kinds(str(parameter.annotation))
            given[parameter.name] = RIGHT[found[0]] if found else "x"
    return given


@pytest.mark.parametrize(("function", "parameter", "wrong"), CASES)
def test_one_sentence_says_what_is_needed(function: Callable[..., Any], parameter: str, wrong: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        function(**filled(function, parameter, WRONG[wrong]))
    said = str(caught.value)
    needed = kinds(str(inspect.signature(function).parameters[parameter].annotation))[0]
    assert said.startswith(f"{function.__name__} needs a "), said
    assert MADE[needed] in said
    assert "\n" not in said
    assert "\u2026" not in said
    given = {"None": "not None", "class": "not the class Roster", "int": "not an int", "list": "not a list"}
    assert given.get(wrong, f"not a {wrong}") in said


OPTION_KINDS = {"int": "whole number", "float": "number", "Iterable": "list", "Mapping": "dict"}
ASKED = (
    "build_graph", "check", "check_tasks", "compare", "explain_tasks", "load_roster", "neighborhood", "probable_duplicates",
    "pseudonymize", "sandbox", "shortest_path",
)  # fmt: skip
"""The functions that people call most, whose numbers, lists and dicts are looked at before anything else is done."""
ELSEWHERE = {("sandbox", "faults"), ("compare", "match")}  # said by the part that takes them


def option_kind(annotation: str) -> str:
    """What a parameter takes, if it is a number, a list or a dict; "" if not."""
    first = annotation.removesuffix(" | None").partition("[")[0]
    return OPTION_KINDS.get(first, "")


@pytest.mark.parametrize(
    ("name", "option", "kind"),
    [
        (name, parameter.name, kind)
        for name in ASKED
        for parameter in inspect.signature(FUNCTIONS[name]).parameters.values()
        if (kind := option_kind(str(parameter.annotation))) and (name, parameter.name) not in ELSEWHERE
    ],
)
def test_one_sentence_says_what_an_option_needs(name: str, option: str, kind: str) -> None:
    wrong, given = (5, "an int") if kind in ("list", "dict") else ("x", "a str")
    with pytest.raises(TypeError) as caught:
        FUNCTIONS[name](**filled(FUNCTIONS[name], option, wrong))
    assert str(caught.value) == f"{name} with {option}= needs a {kind}, not {given}."


def test_numbers_of_numpy_are_numbers(small_roster: kx.Roster) -> None:
    id = small_roster.sections["id"].iloc[0]
    near = kx.neighborhood(small_roster, id, radius=np.int64(1), limit=np.int32(500))
    assert set(near) == set(kx.neighborhood(small_roster, id))
    assert len(small_roster.search("a", limit=np.int64(3))) == 3
    with pytest.raises(TypeError, match=r"^describe with row= needs a whole number, not a float\.$"):
        small_roster.describe(id, row=0.5)  # type: ignore[arg-type]


def test_a_row_and_a_state_of_a_browser_are_what_they_are(small_roster: kx.Roster) -> None:
    browser = kx.browse(small_roster)
    with pytest.raises(TypeError, match=r"^pick with row= needs a whole number, not a str\.$"):
        browser.pick("x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^Browser with state= needs a dict, not an int\.$"):
        browser.state = 5  # type: ignore[assignment]


def test_no_function_is_left_out() -> None:
    tested = {case.id.split("-")[0] for case in CASES if isinstance(case.id, str)}
    none = {"checks", "connect", "define_check", "openapi"}
    assert tested == FUNCTIONS.keys() - none
    assert len(CASES) > 150


def test_the_sentence_as_a_whole() -> None:
    with pytest.raises(TypeError) as caught:
        kx.plot_overview(WRONG["DataFrame"])  # type: ignore[arg-type]
    assert str(caught.value) == (
        "plot_overview needs a Roster, not a DataFrame. "
        "Make one with kx.load_roster(client), kx.open_roster(folder) or kx.read_oneroster(path)."
    )
    with pytest.raises(TypeError) as caught:
        kx.check(5)  # type: ignore[arg-type]
    assert str(caught.value).startswith("check needs a Roster or a path, not an int. ")


def test_what_is_right_passes() -> None:
    expect("check", kx.Roster(), kx.Roster)
    expect("check", None, kx.Roster, None)
    expect("check", Path(), kx.Roster, str, Path)


@pytest.mark.parametrize("type", ["student", "Person", "links", ""])
def test_a_search_for_an_unknown_type_says_which_there_are(type: str, small_roster: kx.Roster, tmp_path: Path) -> None:
    small_roster.save(tmp_path / "kept")
    for roster in (small_roster, LazyRoster(tmp_path / "kept")):
        with pytest.raises(
            ValueError, match=f"Unknown type {type!r}. Choose one of: org, person, course, section, term"
        ):
            roster.search("a", type=type)
        assert len(roster.search("a", type="persons")) == len(roster.search("a", type="person")) > 0


def test_a_search_and_an_id_are_texts(small_roster: kx.Roster, tmp_path: Path) -> None:
    small_roster.save(tmp_path / "kept")
    browser, id = kx.browse(small_roster), small_roster.persons["id"].iloc[0]
    for search in (small_roster.search, LazyRoster(tmp_path / "kept").search, browser.search):
        with pytest.raises(TypeError, match=r"^search needs a text, not an int\.$"):
            search(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^search with limit= needs a whole number, not None\.$"):
        small_roster.search("a", limit=None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^browse with id= needs a text, not an int\.$"):
        kx.browse(small_roster, id=5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^A filter has lists of labels, such as \{'grade': \['09'\]\}\.$"):
        browser.filter = {"grade": "09"}
    for find in (
        small_roster.describe,
        browser.select,
        partial(kx.neighborhood, small_roster),
        partial(kx.shortest_path, small_roster, id),
        partial(kx.dependents, small_roster),
    ):
        with pytest.raises(TypeError, match=r"^An id is a text, not None; roster\.search\(text\) finds ids by name"):
            find(None)
