"""Rows that moved while a list was read, on a list that is held in memory."""

from collections.abc import Iterator

import msgspec
import pytest

from kimono_explore.api.moved_rows import Boundaries
from kimono_explore.api.pages import Answer, Envelope, Page
from kimono_explore.errors import ConnectionFailedError, NotFoundError


def raw(name: str) -> msgspec.Raw:
    return msgspec.Raw(f'{{"id":"{name}"}}'.encode())


class Server:
    """A list that is served by number and size of a page, three rows a page or ``most``; it keeps what is asked for."""

    def __init__(self, rows: str, *, small: bool = True, behind_is_404: bool = False, most: int = 3) -> None:
        self.rows, self.small, self.behind_is_404, self.most = rows, small, behind_is_404, most
        self.asked: list[tuple[int, int | None]] = []

    def __call__(self, number: int, size: int | None) -> Answer:
        self.asked.append((number, size))
        size = min(size or self.most, self.most) if self.small else self.most
        rows = self.rows[number * size : (number + 1) * size]
        if self.behind_is_404 and not rows:
            raise NotFoundError("404 from orgs: none.", 404)
        return Answer(b"", Envelope([raw(name) for name in rows], None))


def read(rows: str, size: int = 3) -> Boundaries:
    boundaries = Boundaries()
    for number, at in enumerate(range(0, len(rows), size)):
        boundaries.add(Page(number, [raw(name) for name in rows[at : at + size]]))
    return boundaries


def healed(boundaries: Boundaries, server: Server, size: int | None = None) -> Iterator[tuple[int, str, Page]]:
    for page in boundaries.heal(server, size, 1):
        yield page.number, "".join(msgspec.json.decode(row)["id"] for row in page.rows), page


def test_nothing_moved_costs_a_small_request_a_page() -> None:
    server = Server("abcdefghijkl", most=5)
    assert list(healed(read("abcdefghijkl", 5), server)) == []
    assert server.asked == [
        (2, 2),
        (3, 3),
        (2, 5),
        (12, 1),
    ]  # e and f, j to l, k and l: around places 5, 10 and 12; and behind


def test_where_no_small_page_shows_both_sides_the_pages_themselves_tell() -> None:
    server = Server("abcdefgh")
    assert list(healed(read("abcdefgh"), server)) == []
    assert server.asked == [(1, 2), (2, 3), (8, 1), (1, None), (2, None)]  # around place 6 it would take four rows


def test_a_page_that_comes_short_hides_nothing_behind_the_end() -> None:
    server = Server("abcdef")

    def halved(number: int, size: int | None) -> Answer:
        rows = server(number, size).page.rows
        return Answer(b"", Envelope(rows[: max(1, len(rows) // 2)] if size else rows, None))

    pages = list(read("abc").heal(halved, None, 1))
    assert [len(page.rows) for page in pages] == [0, 3, 0, 0]
    assert pages[-1].counted == 3


def test_an_empty_list_has_nothing_to_look_at() -> None:
    server = Server("")
    boundaries = Boundaries()
    boundaries.add(Page(0, []))
    assert list(healed(boundaries, server)) == []
    assert server.asked == []


def test_a_row_that_slipped_is_found_and_one_that_is_gone_is_named() -> None:
    # b was deleted after two pages had been read: g moved into the second page, and was skipped.
    boundaries = Boundaries()
    for number, rows in enumerate(("abc", "def", "hij")):
        boundaries.add(Page(number, [raw(name) for name in rows]))
    pages = list(healed(boundaries, Server("acdefghij")))
    assert [(number, rows) for number, rows, _ in pages] == [(0, ""), (1, "g"), (-1, "")]
    told = pages[-1][2]
    assert told.note == (
        "rows moved, and 2 pages were read again; what changed within others cannot be known; "
        "value counts the rows that had been skipped and were added"
    )
    assert told.counted == 1
    assert told.gone == [(0, 1)]


def test_rows_behind_the_end_are_found() -> None:
    pages = list(healed(read("abcde"), Server("abcdefgh")))
    assert [(number, rows) for number, rows, _ in pages] == [(1, "f"), (2, "gh"), (-1, "")]
    assert (pages[-1][2].counted, pages[-1][2].gone) == (3, [])


def test_rows_behind_a_full_last_page_are_found() -> None:
    pages = list(healed(read("abcdef"), Server("abcdefg")))
    assert [(number, rows) for number, rows, _ in pages] == [(1, ""), (2, "g"), (-1, "")]


def test_where_small_pages_are_not_served_the_page_itself_tells() -> None:
    server = Server("abcdefgh", small=False)
    assert list(healed(read("abcdefgh"), server)) == []
    assert (0, None) in server.asked
    # c moves to the second page; the first one is one row short of what it held.
    pages = list(healed(read("abcdef"), Server("abdefg", small=False)))
    assert [rows for _, rows, _ in pages] == ["", "g", ""]
    assert pages[-1][2].gone == [(0, 2)]


def test_a_small_page_that_is_refused_is_no_fault() -> None:
    asked: list[tuple[int, int | None]] = []

    def ask(number: int, size: int | None) -> Answer:
        asked.append((number, size))
        if size == 2:
            raise NotFoundError("404 from orgs: none.", 404)
        return Server("abcdef")(number, size)

    assert list(read("abcdef").heal(ask, 3, 1)) == []
    assert asked == [(1, 2), (0, 3), (1, 3), (2, 3)]


def test_long_pages_cost_a_few_rows_each_as_short_ones_do() -> None:
    names = [raw(str(n)) for n in range(600)]
    boundaries, asked = Boundaries(), []
    for number in range(2):
        boundaries.add(Page(number, names[number * 300 : number * 300 + 300]))

    def ask(number: int, size: int | None) -> Answer:
        asked.append((number, size))
        size = size or 300
        return Answer(b"", Envelope(names[number * size : (number + 1) * size], None))

    assert list(boundaries.heal(ask, 300, 1)) == []
    assert asked == [(42, 7), (85, 7), (600, 1)]  # rows 294 to 300, and 595 to 601


def test_a_server_without_a_page_behind_the_last_is_no_fault() -> None:
    assert list(healed(read("abcdef"), Server("abcdef", behind_is_404=True))) == []


def test_pages_of_unequal_length_are_asked_for_as_they_were() -> None:
    boundaries = Boundaries()
    for number, rows in enumerate(("abc", "d", "efg")):
        boundaries.add(Page(number, [raw(name) for name in rows]))
    asked: list[tuple[int, int | None]] = []

    def ask(number: int, size: int | None) -> Answer:
        asked.append((number, size))
        held = ("abc", "d", "efg")[number] if number < 3 else ""
        return Answer(b"", Envelope([raw(name) for name in held], None))

    assert list(boundaries.heal(ask, 3, 1)) == []
    assert asked == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_list_that_never_rests_is_told_after_three_rounds() -> None:
    names = iter("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")

    def ask(number: int, size: int | None) -> Answer:
        return Answer(b"", Envelope([raw(next(names)) for _ in range(size or 1)] if number < 2 else [], None))

    boundaries = Boundaries()
    boundaries.add(Page(0, [raw("a")]))
    pages = list(boundaries.heal(ask, 1, 1))
    assert [len(page.rows) for page in pages[:-1]] == [1, 1, 0] * 3
    assert pages[-1].note == (
        "rows still moved after 3 pages were read again, and some may be missing; "
        "value counts the rows that had been skipped and were added"
    )
    assert (pages[-1].counted, len(pages)) == (6, 10)
    assert pages[-1].gone == []


def test_a_list_without_an_end_is_not_followed_for_ever() -> None:
    asked: list[int] = []

    def ask(number: int, size: int | None) -> Answer:
        asked.append(number)
        return Answer(b"", Envelope([raw(f"{len(asked)}-{n}") for n in range(size or 3)], None))

    pages = list(read("abcdef").heal(ask, None, 1))
    assert max(asked) < 20
    assert len(asked) < 60
    assert "still moved" in str(pages[-1].note)


def failing(error: Exception) -> object:
    def ask(number: int, size: int | None) -> Answer:
        raise error

    return ask


def test_a_list_that_cannot_be_looked_at_is_told() -> None:
    pages = list(read("abc").heal(failing(NotFoundError("404 from orgs: no.", 404)), 3, 1))  # type: ignore[arg-type]
    assert [(page.number, list(page.rows), page.counted) for page in pages] == [(-1, [], None)]
    assert pages[0].note == "whether rows moved while the list was read could not be checked: 404 from orgs: no."


def test_a_load_that_was_ended_ends() -> None:
    with pytest.raises(ConnectionFailedError, match="the load was ended"):
        list(read("abc").heal(failing(ConnectionFailedError("the load was ended")), 3, 1))  # type: ignore[arg-type]
    lost = failing(ConnectionFailedError("no answer"))
    assert len(list(read("abc").heal(lost, 3, 1))) == 1  # type: ignore[arg-type]
