"""The errors of kimono-explore, one family.

    KimonoError
    ├── ConfigurationError       a setting is missing or makes no sense; nothing was sent
    ├── ConnectionFailedError    no answer: name, network, certificate or time-out
    ├── ResponseError            the server answered, and the answer is an error
    │   ├── AuthenticationError  401
    │   ├── PermissionDeniedError  403
    │   ├── NotFoundError        404
    │   ├── RateLimitError       429, after the retries
    │   ├── ServerError          5xx, after the retries
    │   └── IncompleteListError  403, 404 or too many pages after a list had begun
    ├── BadResponseError         the answer is not what the reference says
    ├── AckError                 not every task is done; ``.outcomes`` says what is known about each
    │   ├── AckRefusedError      the server refused one or more, and the outcome of every task is known
    │   └── AckUnknownError      the outcome of one or more is not known, or they were not sent
    └── BundleError              a OneRoster bundle or a snapshot that cannot be read

Each message says what happened, where, in the server's own words, and what to do.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING

from kimono_explore.display import printable

if TYPE_CHECKING:
    import pandas as pd

    from kimono_explore.schema import JSON


class KimonoError(Exception):
    """Base class of every error that this library raises on purpose.

    Attributes
    ----------
    sent : bool
        Whether the request may have reached the server; False only if it certainly did not.
    """

    sent = True

    def __str__(self) -> str:
        return printable(super().__str__(), lines=True)  # it may quote a server, a label or a path

    @property
    def turned_away(self) -> bool:
        """Whether the request certainly had no effect: it was not sent, or the server refused it."""
        return not self.sent


class ConfigurationError(KimonoError):
    """A setting is missing or invalid; nothing was sent."""


class ConnectionFailedError(KimonoError):
    """The server could not be reached, or did not respond in time."""


class ResponseError(KimonoError):
    """The server returned an error.

    Attributes
    ----------
    status : int
        The HTTP status.
    details : JSON
        The ``details`` of the API's error envelope, unchanged.
    retry_after : str or None
        The Retry-After header, unchanged.
    is_page : bool
        Whether the response is an HTML page, and so perhaps from a proxy rather than the API.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.details: JSON = None
        self.retry_after: str | None = None
        self.is_page = False

    @property
    def turned_away(self) -> bool:
        """Whether the request certainly had no effect: 4xx, or 2xx with an error in its body."""
        return not self.sent or (self.status // 100 in (2, 4) and self.status not in (408, 499))


class AuthenticationError(ResponseError):
    """401: the token or the credentials were not accepted."""


class PermissionDeniedError(ResponseError):
    """403: the credentials do not permit this."""


class NotFoundError(ResponseError):
    """404: no such object, list or task."""


class RateLimitError(ResponseError):
    """429, even after all retries."""


class ServerError(ResponseError):
    """5xx, even after all retries."""


class IncompleteListError(ResponseError):
    """A list was read only in part."""


class BadResponseError(KimonoError):
    """The response does not match the API reference: it is not JSON, or has another shape."""


class AckError(KimonoError):
    """Not every task was acknowledged or deleted.

    Attributes
    ----------
    outcomes : pandas.DataFrame
        One row per task, as `ack_tasks` returns it: id, status, outcome, accepted, message.
    """

    def __init__(self, message: str, outcomes: pd.DataFrame) -> None:
        super().__init__(message)
        self.outcomes = outcomes


class AckRefusedError(AckError):
    """The server refused one or more tasks and accepted all the others."""


class AckUnknownError(AckError):
    """One or more tasks were not sent, or may or may not have been accepted by the server."""


class BundleError(KimonoError):
    """A OneRoster bundle or snapshot cannot be read."""


class RosterFailedError(KimonoError):
    """Checks with severity error failed: raised by `Report.assert_no_errors`."""


class KimonoWarning(UserWarning):
    """Something worth knowing that does not stop the work."""


# Where what a function needs comes from, by the name of its class.
_MADE_BY = {
    "Roster": "Make one with kx.load_roster(client), kx.open_roster(folder) or kx.read_oneroster(path).",
    "Client": "Make one with kx.connect(), or take the client of kx.sandbox().",
    "Report": "Make one with kx.check(roster).",
    "Comparison": "Make one with kx.compare(old, new).",
    "History": "Open one with kx.history(folder).",
    "MultiDiGraph": "Make one with kx.neighborhood(roster, id) or kx.build_graph(roster).",
    "DataFrame": "Load the tasks with kx.load_tasks(client).",
    "path": "Give it the path of a file or folder.",
}


_OPTIONS: dict[str, type] = {"list": Iterable, "dict": Mapping, "whole number": Integral, "number": Real}


def expect(function: str, value: object, *kinds: type | None, having: str | None = None) -> None:
    """Check an argument of a public function, so that a wrong one is named before it fails somewhere inside.

    Parameters
    ----------
    function : str
        Its name.
    value : object
        What it was given.
    *kinds : type or None
        What it takes, the usual one first.
    having : str, optional
        A method that is enough: an object that has it is accepted as well, such as a client of your own.

    Raises
    ------
    TypeError
        The value is of none of the kinds.

    Examples
    --------
    >>> expect("open_roster", 5, str, os.PathLike)
    Traceback (most recent call last):
    ...
    TypeError: open_roster needs a path, not an int. Give it the path of a file or folder.
    """
    if isinstance(value, tuple(type(None) if kind is None else kind for kind in kinds)):
        return
    if having and not isinstance(value, type) and callable(getattr(value, having, None)):
        return
    names: dict[object, str] = {
        str: "path" if os.PathLike in kinds else "text",
        os.PathLike: "path",
        int: "whole number",
    }
    needed = list(dict.fromkeys(names.get(kind, kind.__name__) for kind in kinds if kind is not None))
    words = " or ".join(f"a {name}" for name in needed)
    raise TypeError(f"{function} needs {words}, not {given(value)}. {_MADE_BY.get(needed[0], '')}".strip())


def expect_options(function: str, kind: str, *, or_none: bool = False, **options: object) -> None:
    """Check options of a public function, as `expect` does: that each is a list, a dict, or a number.

    Parameters
    ----------
    function : str
    kind : str
        ``"list"`` (whatever can be gone through), ``"dict"``, ``"whole number"`` or ``"number"``.
    or_none : bool, default False
        Accept None as well.
    **options
        Their values by name.

    Examples
    --------
    >>> expect_options("neighborhood", "whole number", radius=1, limit="x")
    Traceback (most recent call last):
    ...
    TypeError: neighborhood with limit= needs a whole number, not a str.
    """
    for name, value in options.items():
        if not (isinstance(value, _OPTIONS[kind]) or (or_none and value is None)):
            raise TypeError(f"{function} with {name}= needs a {kind}, not {given(value)}.")


def given(value: object) -> str:
    """What somebody gave where something else was needed.

    Examples
    --------
    >>> given(5), given(None), given(int)
    ('an int', 'None', 'the class int')
    """
    if value is None or isinstance(value, type):
        return "None" if value is None else f"the class {value.__name__}"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
