"""Pages of a list in their order, from a client that answers out of a table: ends, empty pages, repeats, saved pages."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from kimono_explore.api import paging
from kimono_explore.api.operations import operation
from kimono_explore.api.page_cache import SavedPages, saved_pages
from kimono_explore.api.pages import Page
from kimono_explore.api.paging import read_pages
from kimono_explore.errors import IncompleteListError, NotFoundError, PermissionDeniedError

ORGS = operation("listOrgs")


class Answers:
    """Stands for a client: answers page by page, the last answer again and again; errors are raised."""

    def __init__(self, *pages: Any) -> None:
        self.pages, self.asked, self.sent = pages, Counter[int](), []

    def ask(self, operation: object, read: Callable[[bytes], Any], *, params: Mapping[str, Any], **more: Any) -> Any:
        self.sent.append((operation, dict(params), more))
        number = params["page"]
        self.asked[number] += 1
        answer = self.pages[min(number, len(self.pages) - 1)]
        if isinstance(answer, list):  # one after the other
            answer = answer[min(self.asked[number], len(answer)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return read(json.dumps(answer).encode())

    def read(self, **options: Any) -> list[Page]:
        options = {"max_connections": 1, "progress": False, **options}
        return list(read_pages(self, ORGS, **options))  # type: ignore[arg-type]


def page(*ids: int, **paging: object) -> dict[str, Any]:
    return {"data": [{"id": id} for id in ids], **({"paging": paging} if paging else {})}


def ids(pages: list[Page]) -> list[list[int]]:
    return [[json.loads(bytes(row))["id"] for row in found.rows] for found in pages]


def notes(pages: list[Page]) -> list[str]:
    return [found.note for found in pages if found.note]


def test_the_end_is_where_paging_says_so() -> None:
    server = Answers(page(1, 2, next="p"), page(3, next=None), page(9))
    found = server.read()
    assert ids(found) == [[1, 2], [3]]
    assert [one.number for one in found] == [0, 1]
    assert notes(found) == []
    assert server.asked == {0: 1, 1: 1}


def test_without_paging_the_end_is_an_empty_page_with_nothing_behind_it() -> None:
    server = Answers(page(1), page(2), page())
    found = server.read()
    assert ids(found) == [[1], [2], [], []]
    assert notes(found) == []
    assert server.asked == {0: 1, 1: 1, 2: 2, 3: 2}


def test_an_empty_page_that_says_it_is_the_last_is() -> None:
    server = Answers(page(1), page(next=None), page(9))
    assert ids(server.read()) == [[1], []]
    assert server.asked == {0: 1, 1: 2}


def test_an_empty_page_that_promises_more_is_told() -> None:
    found = Answers(page(1), page(next="p")).read()
    assert notes(found) == ["page 1 was empty, yet promises a next page: treated as the end of the list"]
    assert ids(found) == [[1], [], []]


def test_a_promised_page_that_is_empty_is_told() -> None:
    found = Answers(page(1, next="p"), page()).read()
    assert notes(found) == ["page 1 was empty, though the page before promised it"]


def test_a_page_that_was_empty_once_is_told() -> None:
    found = Answers(page(1), [page(), page(2)], page()).read()
    assert ids(found)[:2] == [[1], [2]]
    assert notes(found) == ["page 1 was empty when it was first asked for"]


def test_rows_behind_an_empty_page_are_read_and_told() -> None:
    found = Answers(page(1), page(), page(2), page(3), page()).read()
    assert ids(found) == [[1], [], [2], [3], [], []]
    assert notes(found) == ["page 2 holds rows, though page 1 was empty: rows may be missing"]


def test_a_page_that_came_before_ends_the_list() -> None:
    found = Answers(page(1), page(2)).read()
    assert ids(found) == [[1], [2], [2]]
    assert notes(found) == ["page 2 repeats page 1: treated as the end of the list"]
    found = Answers(page(1, next="p")).read()
    assert notes(found) == ["page 1 repeats page 0, yet promises a next page: treated as the end of the list"]


@pytest.mark.parametrize("width", [1, 2, 5])
def test_so_many_pages_are_under_way(width: int) -> None:
    server = Answers(*[page(n, next="p") for n in range(9)], page(9, next=None), page(10))
    assert ids(server.read(max_connections=width)) == [[n] for n in range(10)]
    assert max(server.asked) <= 9 + width - 1
    assert set(server.asked.values()) == {1}


def test_an_endless_list_is_an_error() -> None:
    server = Answers(*[page(n) for n in range(9)])
    text = r"^rostering/orgs has more pages than max_pages=3 allows\. Raise it, or use larger pages\.$"
    with pytest.raises(IncompleteListError, match=text):
        server.read(max_pages=3)
    assert server.asked == {0: 1, 1: 1, 2: 1}
    assert len(Answers(page(1, next="p"), page(2, next=None)).read(max_pages=2)) == 2


@pytest.mark.parametrize("options", [{"max_connections": 0}, {"max_pages": 0}, {"page_size": 0}])
def test_a_bound_below_one_is_refused(options: dict[str, int]) -> None:
    server = Answers(page(1, next=None))
    with pytest.raises(ValueError, match="max_connections, max_pages and page_size must be 1 or more"):
        server.read(**options)
    assert server.sent == []
    assert len(server.read(**dict.fromkeys(options, 1))) == 1


def test_what_is_asked_for() -> None:
    server = Answers(page(1, next=None))
    server.read(id="o1", params={"role": "x"}, page_size=50)
    server.read(path="older/orgs")
    (of, query, more), (_, plain, other) = server.sent
    assert of is ORGS
    assert query == {"role": "x", "page_size": 50, "page": 0}
    assert plain == {"page_size": None, "page": 0}
    assert (more["id"], more["path"], more["stop"].is_set()) == ("o1", "rostering/orgs", True)
    assert (other["id"], other["path"]) == (None, "older/orgs")


@pytest.mark.parametrize("kind", [NotFoundError, PermissionDeniedError])
def test_a_refusal_of_the_first_page_is_itself_and_of_a_later_one_says_how_far(kind: type[NotFoundError]) -> None:
    with pytest.raises(kind, match="gone"):
        Answers(kind("gone", 404)).read()
    with pytest.raises(IncompleteListError) as caught:
        Answers(page(1), page(2), kind("gone.", 404)).read()
    text = "rostering/orgs could not be read to its end: gone. 2 pages came before it. Try again."
    assert (str(caught.value), caught.value.status) == (text, 404)


def test_rows_that_moved_are_looked_for_only_where_that_is_asked_for() -> None:
    server = Answers(page(1, 2, next="p"), page(3, 4, next=None))
    assert ids(server.read(heal=True))[:2] == [[1, 2], [3, 4]]
    looked = sum(server.asked.values())
    assert looked > 2
    server.read()
    assert sum(server.asked.values()) == looked + 2


@pytest.fixture
def saved(tmp_path: Path) -> Any:
    with saved_pages(tmp_path / "pages", "https://x.org", 5) as kept:
        assert kept is not None
        yield kept


def test_saved_pages_are_taken_while_the_first_is_the_same(saved: SavedPages) -> None:
    Answers(page(1, next="p"), page(2, next="p"), page(3, next=None)).read(saved=saved)
    again = Answers(page(1, next="p"), page(8, next="p"), page(9, next=None))
    assert ids(again.read(saved=saved)) == [[1], [2], [3]]
    assert again.asked == {0: 1}
    assert saved.taken == {"rostering/orgs": 2}


def test_saved_pages_are_forgotten_where_the_first_is_another(saved: SavedPages) -> None:
    Answers(page(1, next="p"), page(2, next="p"), page(3, next=None)).read(saved=saved)
    again = Answers(page(7, next="p"), page(8, next="p"), page(9, next=None))
    assert ids(again.read(saved=saved)) == [[7], [8], [9]]
    assert again.asked == {0: 1, 1: 1, 2: 1}
    assert saved.taken == {}
    once_more = Answers(page(7, next="p"))
    assert ids(once_more.read(saved=saved)) == [[7], [8], [9]]


def test_an_empty_page_is_asked_for_again_past_what_was_saved(saved: SavedPages) -> None:
    server = Answers(page(1), [page(), page(2)], page(next=None))
    assert ids(server.read(saved=saved))[:2] == [[1], [2]]
    assert server.asked == {0: 1, 1: 2, 2: 2}


class Bar:
    """A progress bar that keeps what it is told."""

    made: "Bar"

    def __init__(self, what: str, unit: str, total: int | None = None, shown: bool | None = True) -> None:
        Bar.made = self
        self.about, self.steps, self.ended = (what, unit, total, shown), list[tuple[int, int]](), list[type | None]()

    def step(self, count: int, *, pages: int) -> None:
        self.steps.append((count, pages))

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.ended.append(kind)


@pytest.mark.parametrize("progress", [True, False])
def test_a_bar_counts_rows_and_pages(monkeypatch: pytest.MonkeyPatch, progress: bool) -> None:
    monkeypatch.setattr(paging, "Bar", Bar)
    Answers(page(1, 2, next="p"), page(3, next=None)).read(progress=progress)
    assert Bar.made.about == ("orgs", "rows", None, progress)
    assert (Bar.made.steps, Bar.made.ended) == ([(2, 1), (1, 1)], [None])


def test_a_bar_hears_that_a_list_is_not_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "Bar", Bar)
    with pytest.raises(IncompleteListError):
        Answers(page(1, 2), NotFoundError("gone", 404)).read(progress=True)
    assert Bar.made.ended == [IncompleteListError]
