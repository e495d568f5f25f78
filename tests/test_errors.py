"""The errors: one family, safe to print, and clear about whether a request may have had an effect."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kimono_explore import errors
from kimono_explore.errors import KimonoError, ResponseError, expect


def test_all_errors_are_of_one_family_and_drawn_in_the_docstring() -> None:
    family = [found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, Exception)]
    family = [found for found in family if found.__module__ == errors.__name__ and not issubclass(found, Warning)]
    assert [found.__name__ for found in family if not issubclass(found, KimonoError)] == []
    drawn = errors.__doc__ or ""
    assert [found.__name__ for found in family if found.__name__ not in drawn] == ["RosterFailedError"]


@pytest.mark.parametrize(
    ("status", "turned_away"),
    [
        (200, True),
        (400, True),
        (404, True),
        (408, False),
        (409, True),
        (499, False),
        (500, False),
        (503, False),
        (0, False),
    ],
)
def test_a_refusal_had_no_effect_and_a_time_out_may_have_had_one(status: int, turned_away: bool) -> None:
    assert ResponseError("no", status).turned_away is turned_away


def test_what_was_not_sent_had_no_effect() -> None:
    error, lost = KimonoError("no"), ResponseError("no", 500)
    assert not error.turned_away
    error.sent = lost.sent = False
    assert (error.turned_away, lost.turned_away) == (True, True)


def test_a_message_is_safe_to_print() -> None:
    assert str(KimonoError("Ana\x1b[2J\nSilva")) == "Ana\\x1b[2J\nSilva"


@pytest.mark.parametrize(
    ("given", "kinds", "said"),
    [
        (5, (str, os.PathLike), "f needs a path, not an int. Give it the path of a file or folder."),
        (None, (dict,), "f needs a dict, not None."),
        (dict, (dict, None), "f needs a dict, not the class dict."),
        (1.5, (dict, str, os.PathLike), "f needs a dict or a path, not a float."),
    ],
)
def test_a_wrong_argument_is_named(given: object, kinds: tuple[type | None, ...], said: str) -> None:
    with pytest.raises(TypeError) as caught:
        expect("f", given, *kinds)
    assert str(caught.value) == said


def test_the_right_argument_is_let_through() -> None:
    given = (("a", (str,)), (Path(), (os.PathLike,)), (None, (str, None)))
    assert [expect("f", value, *kinds) for value, kinds in given] == [None] * 3


def test_a_method_can_be_enough() -> None:
    class Own:
        def items(self) -> None: ...

    assert expect("f", Own(), dict, having="items") is None
    with pytest.raises(TypeError, match="not the class Own"):
        expect("f", Own, dict, having="items")
    with pytest.raises(TypeError, match="not an Own"):
        expect("f", Own(), dict, having="keys")
