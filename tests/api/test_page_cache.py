"""Pages of an interrupted load, kept in a folder."""

import json
from pathlib import Path

import pytest

from kimono_explore.api.page_cache import SavedPages, saved_pages
from kimono_explore.errors import ConfigurationError

URL = "https://api.example/v2"
PAGE = b'{"data": [{"id": 1}]}'


def test_without_a_folder_nothing_is_kept() -> None:
    with saved_pages(None, URL, 10) as pages:
        assert pages is None


def test_a_page_that_was_put_is_taken_and_counted(tmp_path: Path) -> None:
    with saved_pages(tmp_path / "a" / "b", URL, 10) as pages:
        assert pages is not None
        pages.put("rostering/orgs", 3, PAGE)
        assert pages.get("rostering/orgs", 2) is None
        assert pages.take("rostering/orgs", 2) is None
        assert pages.taken == {}
        for times in (1, 2):
            answer = pages.take("rostering/orgs", 3)
            assert answer is not None
            assert (answer.body, [bytes(row) for row in answer.page.rows]) == (PAGE, [b'{"id": 1}'])
            assert pages.taken == {"rostering/orgs": times}
        assert pages.get("rostering/orgs", 3) == answer
        assert pages.taken == {"rostering/orgs": 2}
    folder = tmp_path / "a" / "b"
    assert (folder / "rostering_orgs" / "000003.json").read_bytes() == PAGE
    assert json.loads((folder / "pages.json").read_text()) == {"base_url": URL, "page_size": 10}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "rostering_orgs").stat().st_mode & 0o777 == 0o700


def test_pages_are_found_again_by_the_next_load(tmp_path: Path) -> None:
    with saved_pages(tmp_path, URL, None) as pages:
        assert pages is not None
        pages.put("orgs", 0, PAGE)
    with saved_pages(tmp_path, URL, None) as pages:
        assert pages is not None
        assert pages.get("orgs", 0) is not None
        pages.put("orgs", 1, PAGE)
        pages.put("terms", 1, PAGE)
        pages.forget("orgs")
        assert pages.get("orgs", 0) is None
        assert pages.get("terms", 1) is not None
        pages.forget("orgs")
        pages.discard()
        assert not tmp_path.exists()
        pages.discard()


def test_a_damaged_page_is_none(tmp_path: Path) -> None:
    pages = SavedPages(tmp_path, URL, 10)
    pages.put("orgs", 0, b"<html>")
    assert pages.get("orgs", 0) is None


@pytest.mark.parametrize("damage", ["", "{", "[]", None])
def test_pages_of_nobody_knows_what_are_removed(tmp_path: Path, damage: str | None) -> None:
    pages = SavedPages(tmp_path, URL, 10)
    pages.put("orgs", 0, PAGE)
    (tmp_path / "note.txt").write_text("mine")
    (tmp_path / "pages.json").unlink() if damage is None else (tmp_path / "pages.json").write_text(damage)
    assert SavedPages(tmp_path, URL, 10).get("orgs", 0) is None
    assert (tmp_path / "note.txt").read_text() == "mine"


@pytest.mark.parametrize(("url", "size"), [(URL, 20), ("https://other.example", 10)])
def test_pages_of_another_api_or_size_are_not_mixed(tmp_path: Path, url: str, size: int) -> None:
    SavedPages(tmp_path, URL, 10)
    with pytest.raises(ConfigurationError) as caught, saved_pages(tmp_path, url, size):
        pass
    assert str(caught.value) == (
        f"{tmp_path} holds pages of {URL} (page_size=10), not of {url} (page_size={size}). "
        "Name another folder, or delete it."
    )


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("dear")
    for path in (tmp_path, file):
        with pytest.raises(ConfigurationError) as caught, saved_pages(path, URL, 10):
            pass
        assert str(caught.value) == f"{path} is not empty and is not an interrupted load. Name a new folder."
    assert file.read_text() == "dear"


def test_an_empty_folder_and_a_lock_that_was_left_are_used(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    with saved_pages(tmp_path, URL, 10) as pages:
        assert pages is not None
        with pytest.raises(ConfigurationError, match="Another load is using"), saved_pages(tmp_path, URL, 10):
            pass
