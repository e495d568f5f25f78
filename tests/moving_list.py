"""A list that changes while it is read, without a network: its pages are asked for through the client's own method."""

from __future__ import annotations

import threading
import time
import warnings
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import kimono_explore as kx
from kimono_explore.json_text import encode

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence


class Moving:
    """Serves a list of orgs by page number, and changes it after the requests that ``changes`` numbers.

    ``steps`` are changes that are not left to chance: after which request, ``"d"`` or ``"i"``, and at which place.
    """

    base_url = "http://moving"

    def __init__(
        self,
        rows: int,
        changes: dict[int, int],
        chance: random.Random,
        *,
        cap: int = 10,
        small: str = "served",
        says_next: bool = True,
        shuffled: bool = False,
        kinds: str = "di",
        steps: Sequence[tuple[int, str, int]] = (),
    ) -> None:
        self.rows = [f"r{n:04}" for n in range(rows)]
        self.before, self.ever = frozenset(self.rows), set(self.rows)
        self.stable = set(self.rows)
        self.served: Counter[str] = Counter()
        self.asked: list[tuple[int, int]] = []
        self._states: list[frozenset[str]] = []
        self._changes, self._chance, self._cap, self._kinds = changes, chance, cap, kinds
        self._steps = steps
        self._small, self._says_next, self._shuffled = small, says_next, shuffled
        self._looking = False
        self._lock = threading.Lock()

    def ask(self, operation: object, read: Callable[[bytes], object], **options: object) -> object:
        params = options["params"]
        time.sleep(0)  # lets other pages overtake
        with self._lock:
            body = self._page(params["page"], params["page_size"])
        return read(body)

    def _page(self, page: int, asked: int | None) -> bytes:
        small = asked is not None
        size = min(asked or self._cap, self._cap)
        if small and self._small == "refused":
            self._looking = True
            self.asked.append((page, asked))
            raise kx.ResponseError("400: page_size must be 5 or more", 400)
        if small and self._small == "ignored":
            size = self._cap
        if self._shuffled:
            self._chance.shuffle(self.rows)
        found = self.rows[page * size : (page + 1) * size]
        more = (page + 1) * size < len(self.rows)
        self._looking |= small
        self._states.append(frozenset(self.rows))
        if not self._looking:
            self.served.update(found)
        self.asked.append((page, size))
        for _ in range(self._changes.get(len(self.asked), 0)):
            self._change(self._chance.choice(self._kinds), self._chance.randrange(len(self.rows) + 1))
        for when, kind, place in self._steps:
            if when == len(self.asked):
                self._change(kind, place)
        return encode(
            {
                "data": [{"id": id, "name": "Oak"} for id in found],
                **({"paging": {"next": "more" if more else None}} if self._says_next else {}),
            }
        ).encode()

    @property
    def astir(self) -> bool:
        """The pages, as they came, are not the list as it was at any moment: rows were skipped, came twice or are stale."""
        twice = any(times > 1 for times in self.served.values())
        return twice or set(self.served) not in [*self._states, set(self.rows)]

    def _change(self, kind: str, place: int) -> None:
        if kind == "d" and self.rows:
            self.stable.discard(self.rows.pop(place % len(self.rows)))
        else:
            new = f"n{len(self.ever):04}"
            self.ever.add(new)
            self.rows.insert(place, new)


class Outcome(NamedTuple):
    """What a load of a moving list came to."""

    lost: set[str]
    """Rows that were there all the time, and are not in the table."""
    twice: set[str]
    invented: set[str]
    astir: bool
    told: list[str]
    healed: bool
    """Every row of the list as it is now is in the table."""
    requests: int


def load(server: Moving, **options: object) -> Outcome:
    """Load it, and look at it with the eyes of somebody who knows everything."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", kx.KimonoWarning)
        df = kx.load(server, "orgs", progress=False, **options)
    ids = Counter(df["id"])
    first = set(server.rows)
    told = [f"{p.id or ''} {p.value}: {p.problem}" for p in df.attrs.get("problems", ())]
    return Outcome(
        server.stable - set(ids),
        {id for id, times in ids.items() if times > 1},
        set(ids) - server.ever,
        server.astir,
        told,
        first <= set(ids),
        len(server.asked),
    )
