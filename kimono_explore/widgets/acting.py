"""Act on tasks one by one, so that what became of each is known, whatever happens in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kimono_explore.errors import AckError, KimonoError
from kimono_explore.widgets.outcome import error_facts, was_closed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Result(NamedTuple):
    """What became of one task: the outcome, what was said, the HTTP status, and the server's reason."""

    outcome: str
    message: str | None = None
    code: int | None = None
    reason: str | None = None


def act_on(
    ids: Sequence[str], do: Callable[[str], object], rows: dict[str, Result], tell: Callable[[int], object]
) -> None:
    """Do something to each task, and tell which is under way.

    An interrupt ends it. What became of each stands in ``rows`` at any moment, also where an error that nobody expected
    ends it.
    """
    rows.update(dict.fromkeys(ids, Result("not sent", "Not attempted: interrupted first.")))
    try:
        for position, id in enumerate(ids, 1):
            tell(position)
            rows[id] = Result("not known", "Interrupted: the queue shows whether it was done.")
            rows[id] = _try(do, id)
    except KeyboardInterrupt:
        pass


def _try(do: Callable[[str], object], id: str) -> Result:
    """Do it to one task: the outcome, one of `acks.OUTCOMES`, and what was said."""
    try:
        do(id)
    except AckError as error:
        row = error.outcomes.iloc[0]
        return Result(str(row["outcome"]), str(row["message"]), *error_facts(error))
    except KimonoError as error:
        outcome = "not sent" if not error.sent else "refused" if error.turned_away else "not known"
        return Result(outcome, str(error), *error_facts(error))
    except RuntimeError as error:
        if not was_closed(error):
            raise
        return Result("not sent", "The client was closed.")
    return Result("done")
