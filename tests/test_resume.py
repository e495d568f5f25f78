"""A load of hours that was interrupted goes on where it stopped."""

import importlib
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from rosters import assert_equal

import kimono_explore as kx
from kimono_explore.api.page_cache import saved_pages
from kimono_explore.decode.decoder import Decoder

STOP_AT = "rostering/persons (page 4)"


@pytest.fixture
def box() -> Iterator[kx.Sandbox]:
    with kx.sandbox(students=60, flaws=False, dialect=kx.Dialect(max_page_size=10)) as sandbox:
        yield sandbox
        # Pages beyond the end, or of a load that was interrupted, are under way for a moment after it: a client that is
        # closed, and a server that ends, while they connect would leave sockets behind.
        for thread in threading.enumerate():
            if thread.name == "kimono-page":
                thread.join(timeout=10)


class Stopping(Decoder):
    """Stops once, as Ctrl-C would, in the middle of a list."""

    def add(self, rows: object, where: str = "page") -> None:
        if where == STOP_AT:
            raise KeyboardInterrupt
        super().add(rows, where)


def interrupted(box: kx.Sandbox, folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.import_module("kimono_explore.load"), "Decoder", Stopping)
        with pytest.raises(KeyboardInterrupt):
            kx.load_roster(box.client, progress=False, resume=folder)


def asked(box: kx.Sandbox, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    """What is asked of the server from here on."""
    requests: list[tuple[str, object]] = []
    real = box.client.ask

    def ask(operation: object, read: object, **options: object) -> object:
        if (options["params"]["page_size"] or 100) >= 10:  # smaller ones look whether rows moved
            requests.append((str(options["path"]), options["params"]["page"]))
        return real(operation, read, **options)

    monkeypatch.setattr(box.client, "ask", ask)
    return requests


def test_only_what_is_missing_is_read_again(box: kx.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "pages"
    interrupted(box, folder)
    kept = {path.parent.name for path in folder.glob("*/*.json")}
    assert {"rostering_orgs", "rostering_terms", "rostering_courses", "rostering_sections", "rostering_persons"} == kept
    saved = {int(path.stem) for path in (folder / "rostering_sections").glob("*.json")}
    requests = asked(box, monkeypatch)
    roster = kx.load_roster(box.client, progress=False, resume=folder)
    again = {page for path, page in requests if path == "rostering/sections"}
    assert again & saved == {0}  # the first page tells whether the rest still fits
    assert len(saved) > 3
    whole = kx.load_roster(box.client, progress=False)
    older = roster.problems["problem"].str.contains("interrupted load")
    assert older.sum() >= 3
    roster.problems = roster.problems[~older].reset_index(drop=True)
    assert_equal(whole, roster)
    assert not folder.exists()


def test_pages_are_for_their_owner_only(box: kx.Sandbox, tmp_path: Path) -> None:
    interrupted(box, tmp_path / "pages")
    files = list((tmp_path / "pages").rglob("*.json"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "pages").stat().st_mode) == 0o700
    assert not list((tmp_path / "pages").rglob("*.new"))


def test_pages_of_other_data_are_read_anew(box: kx.Sandbox, tmp_path: Path) -> None:
    interrupted(box, tmp_path / "pages")
    first = tmp_path / "pages" / "rostering_sections" / "000000.json"
    first.write_bytes(b'{"data": [{"id": "other"}], "paging": {"next": "/more"}}')
    second = tmp_path / "pages" / "rostering_sections" / "000001.json"
    second.write_bytes(b'{"data": [{"id": "stranger"}], "paging": {"next": "/more"}}')
    roster = kx.load_roster(box.client, progress=False, resume=tmp_path / "pages")
    assert roster.sections["id"].tolist() == box.roster.sections["id"].tolist()


def test_a_folder_of_something_else_is_refused(box: kx.Sandbox, small_sandbox: kx.Sandbox, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(kx.ConfigurationError, match="is not an interrupted load"):
        kx.load_roster(box.client, progress=False, resume=tmp_path)
    interrupted(box, tmp_path / "pages")
    with pytest.raises(kx.ConfigurationError, match="not of"):
        kx.load_roster(small_sandbox.client, progress=False, resume=tmp_path / "pages")
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_load_that_is_not_interrupted_leaves_nothing(box: kx.Sandbox, tmp_path: Path) -> None:
    roster = kx.load_roster(box.client, progress=False, resume=tmp_path / "pages")
    assert len(roster.persons) == len(box.roster.persons)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["<html>Sign in</html>", "", '{"data": null}', '{"data": [{"id"'])
def test_a_damaged_page_is_asked_for_again(
    box: kx.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    folder = tmp_path / "pages"
    interrupted(box, folder)
    page = folder / "rostering_sections" / "000002.json"
    assert page.exists()
    page.write_text(damage)
    requests = asked(box, monkeypatch)
    roster = kx.load_roster(box.client, progress=False, resume=folder)
    assert ("rostering/sections", 2) in requests
    assert_equal(box.roster, roster)


@pytest.mark.parametrize("damage", ["", "{", "[]", None])
def test_pages_whose_manifest_is_damaged_are_all_asked_for_again(
    box: kx.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str | None
) -> None:
    folder = tmp_path / "pages"
    interrupted(box, folder)
    (folder / "pages.json").unlink() if damage is None else (folder / "pages.json").write_text(damage)
    (folder / ".lock").touch()
    requests = asked(box, monkeypatch)
    roster = kx.load_roster(box.client, progress=False, resume=folder)
    assert_equal(box.roster, roster)
    assert len([page for path, page in requests if path == "rostering/sections"]) > 3
    assert not roster.problems["problem"].str.contains("interrupted load").any()


def test_two_loads_into_one_folder_are_refused(box: kx.Sandbox, tmp_path: Path) -> None:
    with (
        saved_pages(tmp_path / "pages", box.client.base_url, None),
        pytest.raises(kx.ConfigurationError, match="Another load is using"),
    ):
        kx.load_roster(box.client, progress=False, resume=tmp_path / "pages")
    kx.load_roster(box.client, progress=False, resume=tmp_path / "pages")


def test_a_broken_answer_is_never_kept(box: kx.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = httpx.HTTPTransport.handle_request

    def broken(self: object, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/sections"):
            return httpx.Response(200, html="<html>Sign in</html>")
        return real(self, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", broken)
    monkeypatch.setattr("kimono_explore.api.client._BACKOFF", 0.0)
    with kx.connect(box.base_url, token=box.credentials.token, retries=1) as client:
        with pytest.raises(kx.BadResponseError, match=r"rostering/sections \(page 0\)"):
            kx.load_roster(client, progress=False, resume=tmp_path / "pages")
        assert not (tmp_path / "pages" / "rostering_sections").exists()
        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", real)
        assert_equal(box.roster, kx.load_roster(client, progress=False, resume=tmp_path / "pages"))
