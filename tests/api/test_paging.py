"""Reading every page of a list, from servers that end a list in their own ways."""

import itertools
import re
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

import kimono_explore as kx
from kimono_explore import json_text
from kimono_explore.api.pages import open_page

Answer = Callable[[int, int], object]
_numbers = itertools.count()


class Server:
    """Serves ``answer(page, page_size)`` as a list of orgs, and counts what it was asked."""

    def __init__(self, httpserver: HTTPServer) -> None:
        self.asked: list[int] = []
        self.sizes: list[str | None] = []
        self.answer: Answer = lambda page, size: {"data": []}
        self.under_way = self.most = 0
        self._lock = threading.Lock()
        # A path of its own: pages of the test before may still be under way.
        base = f"/api-{next(_numbers)}"
        httpserver.expect_request(f"{base}/rostering/orgs").respond_with_handler(self._respond)
        self.client = kx.connect(httpserver.url_for(base), token="t", retries=0)

    def _respond(self, request: Request) -> Response:
        page, size = int(request.args["page"]), request.args.get("page_size")
        with self._lock:
            self.asked.append(page)
            self.sizes.append(size)
        answer = self.answer(page, int(size or 5))
        return Response(answer if isinstance(answer, str) else json_text.encode(answer))

    def load(self, **options: object) -> tuple[list[str], list[tuple[str, str]]]:
        """The ids that `load` finds, and its problems as (value, problem)."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", kx.KimonoWarning)
            df = kx.load(self.client, "orgs", progress=False, **{"heal": False, **options})
        problems = [(p.value, p.problem) for p in df.attrs.get("problems", ())]
        return df["id"].tolist(), problems


@pytest.fixture
def server(httpserver: HTTPServer) -> Iterator[Server]:
    made = Server(httpserver)
    yield made
    made.client.close()


def rows(start: int, stop: int) -> list[dict[str, str]]:
    return [{"id": f"{n:04}"} for n in range(start, stop)]


def ids(stop: int) -> list[str]:
    return [f"{n:04}" for n in range(stop)]


def cut(total: int, cap: int, paging: Callable[[bool], dict[str, object]]) -> Answer:
    """A list of `total` rows in pages of at most `cap`."""

    def answer(page: int, size: int) -> object:
        size = min(size, cap)
        data = rows(min(page * size, total), min((page + 1) * size, total))
        return {"data": data, **paging((page + 1) * size < total)}

    return answer


PAGINGS = {
    "absent": lambda more: {},
    "null": lambda more: {"paging": None},
    "next": lambda more: {"paging": {"next": "p" if more else None}},
    "next missing on the last": lambda more: {"paging": {"next": "p"} if more else {}},
}


@pytest.mark.parametrize("paging", PAGINGS.values(), ids=PAGINGS)
@pytest.mark.parametrize("width", [1, 2, 8])
@pytest.mark.parametrize("total", [0, 1, 4, 5, 10, 23, 60])
def test_every_row_once_in_order(
    server: Server, paging: Callable[[bool], dict[str, object]], width: int, total: int
) -> None:
    server.answer = cut(total, 5, paging)
    assert server.load(max_connections=width) == (ids(total), [])
    last = max(0, -(-total // 5) - 1)
    assert max(server.asked) <= last + max(width, 2)  # what stands behind an empty page is looked at
    times = Counter(server.asked)
    assert all(times[page] == 1 for page in range(-(-total // 5)))
    assert max(times.values()) <= 2  # an empty page is asked for twice


def test_a_capped_page_size_loses_nothing(server: Server) -> None:
    server.answer = cut(23, 5, PAGINGS["absent"])
    assert server.load(page_size=1000) == (ids(23), [])
    assert set(server.sizes) == {"1000"}


def test_a_single_page_costs_a_single_request(server: Server) -> None:
    server.answer = cut(4, 5, PAGINGS["next"])
    server.load()
    assert server.asked == [0]


def test_an_error_on_the_first_page_costs_one_request(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/rostering/orgs").respond_with_json({"error": {"message": "no"}}, status=403)
    with kx.connect(httpserver.url_for("/api"), token="t") as client, pytest.raises(kx.PermissionDeniedError):
        kx.load(client, "orgs", progress=False)
    assert len(httpserver.log) == 1


def test_pages_past_the_end_that_repeat_the_last_one_end_the_list(server: Server) -> None:
    server.answer = lambda page, size: {"data": rows(min(page, 2) * 5, min(page, 2) * 5 + 5)}
    found, problems = server.load(max_connections=4)
    assert found == ids(15)
    assert problems[0] == ("rostering/orgs", "page 3 repeats page 2: treated as the end of the list")
    assert max(server.asked) <= 2 + 4


def test_a_server_that_ignores_the_page_number_does_not_loop(server: Server) -> None:
    server.answer = lambda page, size: {"data": rows(0, 5), "paging": {"next": "more"}}
    found, problems = server.load(max_connections=3)
    assert found == ids(5)
    assert problems[0][1] == "page 1 repeats page 0, yet promises a next page: treated as the end of the list"
    assert max(server.asked) <= 3


def test_a_next_that_never_ends_is_not_followed_past_empty_pages(server: Server) -> None:
    server.answer = lambda page, size: {
        "data": rows(page * 5, page * 5 + 5) if page < 2 else [],
        "paging": {"next": "x"},
    }
    found, problems = server.load(max_connections=2)
    assert found == ids(10)
    assert [text for _, text in problems] == [
        "page 2 was empty, yet promises a next page: treated as the end of the list"
    ]
    assert max(server.asked) <= 1 + 2


def test_a_page_that_is_empty_once_is_asked_for_again(server: Server) -> None:
    plain, asked = cut(23, 5, PAGINGS["absent"]), Counter()

    def answer(page: int, size: int) -> object:
        asked[page] += 1
        return {"data": []} if page == 2 and asked[page] == 1 else plain(page, size)

    server.answer = answer
    found, problems = server.load(max_connections=1)
    assert found == ids(23)
    assert problems == [("rostering/orgs", "page 2 was empty when it was first asked for")]


def test_a_promised_page_that_is_empty_is_named(server: Server) -> None:
    server.answer = lambda page, size: {"data": rows(0, 5), "paging": {"next": "p"}} if page == 0 else {
        "data": [], "paging": {"next": None}}  # fmt: skip
    found, problems = server.load()
    assert found == ids(5)
    assert problems == [("rostering/orgs", "page 1 was empty, though the page before promised it")]


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_in_the_middle_of_a_list_is_an_error(httpserver: HTTPServer, status: int) -> None:
    plain = cut(30, 5, PAGINGS["next"])

    def respond(request: Request) -> Response:
        page = int(request.args["page"])
        if page == 4:
            return Response(json_text.encode({"error": {"message": "gone"}}), status)
        return Response(json_text.encode(plain(page, 5)))

    httpserver.expect_request("/api/rostering/orgs").respond_with_handler(respond)
    for name in ("terms", "courses", "sections", "persons"):
        httpserver.expect_request(f"/api/rostering/{name}").respond_with_json({"data": [], "paging": {"next": None}})
    with kx.connect(httpserver.url_for("/api"), token="t") as client:
        with pytest.raises(kx.IncompleteListError, match=rf"{status} from rostering/orgs \(page 4\): gone.* 4 pages"):
            kx.load(client, "orgs", progress=False)
        with pytest.raises(kx.IncompleteListError):
            kx.load_roster(client, progress=False)


def test_an_endless_list_ends(server: Server) -> None:
    server.answer = lambda page, size: {"data": rows(page * 5, page * 5 + 5), "paging": {"next": "p"}}
    with pytest.raises(kx.IncompleteListError, match=r"has more pages than max_pages=12 allows"):
        server.load(max_pages=12)
    assert max(server.asked) <= 11
    with pytest.raises(ValueError, match="must be 1 or more"):
        server.load(max_pages=0)


BROKEN = {
    "null": '{"data": null}',
    "an error beside the list": '{"data": [], "error": {"message": "half of it"}}',
    "no list": '{"rows": []}',
    "a page of HTML": "<html>Sign in</html>",
    "nothing": "",
    "a cut": '{"data": [{"id": "1"}, {"id',
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("lasting", [False, True])
def test_a_broken_page_is_asked_for_again_and_then_an_error(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, body: str, lasting: bool
) -> None:
    monkeypatch.setattr("kimono_explore.api.client._BACKOFF", 0.0)
    plain, asked = cut(12, 5, PAGINGS["next"]), Counter()

    def respond(request: Request) -> Response:
        page = int(request.args["page"])
        asked[page] += 1
        broken = page == 1 and (lasting or asked[1] < 3)
        return Response(body if broken else json_text.encode(plain(page, 5)))

    httpserver.expect_request("/api/rostering/orgs").respond_with_handler(respond)
    with kx.connect(httpserver.url_for("/api"), token="t", retries=3) as client:
        if lasting:
            with pytest.raises(kx.BadResponseError, match=r"rostering/orgs \(page 1\) .* asked for 4 times"):
                kx.load(client, "orgs", progress=False)
            assert asked[1] == 4
        else:
            assert kx.load(client, "orgs", progress=False, heal=False)["id"].tolist() == ids(12)
            assert asked[1] == 3


def test_a_row_that_no_decoder_reads_costs_itself(server: Server) -> None:
    deep = '{"id": "deep", "$ext": {"a": ' + "[" * 10_000 + "]" * 10_000 + "}}"
    long = '{"id": "long", "local_id": ' + "9" * 5_000 + "}"
    body = '{"data": [{"id": "0"}, ' + deep + ', {"id": "a,]}\\"["}, ' + long + '], "paging": {"next": null}}'
    server.answer = lambda page, size: body
    found, problems = server.load()
    assert found == ["0", 'a,]}"[']
    assert [text.split(" (")[0] for _, text in problems] == ["a row of rostering/orgs", "a row of rostering/orgs"]
    assert [value[:12] for value, _ in problems] == ['{"id": "deep', '{"id": "long']


def test_rows_behind_an_empty_page_are_found(server: Server) -> None:
    server.answer = lambda page, size: {"data": {0: rows(0, 5), 2: rows(5, 10), 3: rows(10, 12)}.get(page, [])}
    found, problems = server.load(max_connections=3)
    assert found == ids(12)
    assert problems == [("rostering/orgs", "page 2 holds rows, though page 1 was empty: rows may be missing")]


def test_rows_that_came_twice_are_dropped_and_counted(server: Server) -> None:
    # A row was added in front while the list was read: the last row of each page comes again.
    server.answer = lambda page, size: {"data": {0: rows(0, 5), 1: rows(4, 9), 2: rows(8, 12)}.get(page, [])}
    found, problems = server.load()
    assert found == ids(12)
    assert [(value, text.split(":")[0]) for value, text in problems] == [
        ("2", "rows that came again, unchanged, were dropped")
    ]


def test_rows_that_came_twice_and_differ_are_all_kept_and_listed(server: Server) -> None:
    changed = [{"id": "0004", "name": "New"}, *rows(5, 9)]
    server.answer = lambda page, size: {"data": {0: rows(0, 5), 1: changed}.get(page, [])}
    found, problems = server.load()
    assert found == [*ids(5), *ids(9)[4:]]
    assert problems == [("0004", "the id came 2 times with different content; all are kept")]


def test_rows_without_an_id_are_not_taken_for_repeats(server: Server) -> None:
    server.answer = lambda page, size: {"data": [{"name": "x"}, {"name": "x"}] if page == 0 else []}
    found, problems = server.load()
    assert len(found) == 2
    assert len(problems) == 2


@pytest.mark.parametrize("body", ['{"rows": []}', '{"data": 5}', "no json", "5"])
def test_a_page_without_a_list_is_a_clear_error(
    httpserver: HTTPServer, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kimono_explore.api.client._BACKOFF", 0.0)
    httpserver.expect_request("/api/rostering/orgs").respond_with_data(body)
    with (
        kx.connect(httpserver.url_for("/api"), token="t") as client,
        pytest.raises(kx.BadResponseError, match=r"rostering/orgs \(page 0\)"),
    ):
        kx.load(client, "orgs", progress=False)


def test_no_more_pages_are_under_way_than_allowed(server: Server) -> None:
    plain = cut(100, 5, PAGINGS["next"])
    lock = threading.Lock()

    def answer(page: int, size: int) -> object:
        with lock:
            server.under_way += 1
            server.most = max(server.most, server.under_way)
        threading.Event().wait(0.01)
        with lock:
            server.under_way -= 1
        return plain(page, size)

    server.answer = answer
    assert server.load(max_connections=4)[0] == ids(100)
    assert 2 <= server.most <= 4


@pytest.mark.parametrize("option", ["page_size", "max_connections"])
def test_a_size_of_nothing_is_refused(server: Server, option: str) -> None:
    with pytest.raises(ValueError, match="must be 1 or more"):
        server.load(**{option: 0})


def test_the_progress_bar_counts_rows_and_pages(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.answer = cut(12, 5, PAGINGS["next"])
    kx.load(server.client, "orgs", progress=True)
    shown = capsys.readouterr().err
    assert "orgs: 12 rows" in shown
    assert "pages=3" in shown
    kx.load(server.client, "orgs", progress=False)
    assert capsys.readouterr().err == ""


def test_a_list_whose_only_page_is_empty_once_is_asked_for_again(server: Server) -> None:
    asked = Counter()

    def answer(page: int, size: int) -> object:
        asked[page] += 1
        return {"data": rows(0, 3) if page == 0 and asked[0] > 1 else [], "paging": {"next": None}}

    server.answer = answer
    assert server.load() == (ids(3), [("rostering/orgs", "page 0 was empty when it was first asked for")])


@pytest.mark.parametrize("page", [0, 1, 2])
def test_a_page_that_lacked_its_last_rows_once_is_read_again(server: Server, page: int) -> None:
    plain, asked = cut(13, 5, PAGINGS["next"]), Counter()

    def answer(number: int, size: int) -> object:
        asked[number, size] += 1
        found = plain(number, size)
        assert isinstance(found, dict)
        short = (number, asked[number, size]) == (page, 1) and size > 1
        return {**found, "data": found["data"][:2]} if short else found

    server.answer = answer
    found, problems = server.load(heal=True)
    assert sorted(found) == ids(13)
    assert re.match(r"rows moved, and [12] pages were read again", problems[0][1])


@pytest.mark.parametrize("error", ["", ', "error": null', ', "error": {}'])
def test_a_usual_page_is_read_once(monkeypatch: pytest.MonkeyPatch, error: str) -> None:
    monkeypatch.setattr("kimono_explore.api.pages._cut_out_rows", lambda *_: pytest.fail("read again, row by row"))
    page = open_page(f'{{"data": [{{"id": "1"}}], "paging": {{"next": "p"}}{error}}}'.encode(), "orgs")
    assert ([bytes(row) for row in page.rows], page.more) == ([b'{"id": "1"}'], True)
