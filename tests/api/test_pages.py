"""Pages opened without decoding their rows, and what tells one row from another."""

import msgspec
import pytest

from kimono_explore.api.pages import key_of, open_page
from kimono_explore.errors import BadResponseError


def rows(body: bytes) -> list[bytes]:
    return [bytes(row) for row in open_page(body, "orgs").rows]


@pytest.mark.parametrize(
    ("body", "held"),
    [
        (b'{"data": [{"id": 1}, 2]}', [b'{"id": 1}', b"2"]),
        (b'[{"id": 1}]', [b'{"id": 1}']),
        (b'{"data": []}', []),
        (b"[]", []),
        (b'\xef\xbb\xbf{"data": [{"id": 1}]}', [b'{"id": 1}']),
        (
            b'{"data": [{"a": NaN}, {"b": [1, {"c": 2}]}, {"d": "],["}]}',
            [b'{"a": NaN}', b'{"b": [1, {"c": 2}]}', b'{"d": "],["}'],
        ),
        (b'[{"a": NaN}, {"b": 2}]', [b'{"a": NaN}', b'{"b": 2}']),
        (b'{"count": 1, "data" : [ "\xff" , "\\"," ]}', [b'"\xff"', b'"\\","']),
        (b'{"data": [], "count": NaN}', []),
        (b'{"data": [  ], "count": NaN}', []),
        (b'{"count": NaN, "data": [1]}', [b"1"]),
        (b'{"paging": {"next": [2]}, "data": [1], "count": NaN}', [b"1"]),
    ],
)
def test_the_rows_of_a_page_stay_encoded(body: bytes, held: list[bytes]) -> None:
    assert rows(body) == held


@pytest.mark.parametrize(
    ("paging", "more"),
    [
        (b'{"next": "/orgs?page=1"}', True),
        (b'{"next": null}', False),
        (b'{"next": ""}', False),
        (b"{}", False),
        (b"null", None),
        (b'"next"', None),
    ],
)
def test_a_page_says_whether_there_is_a_next_one(paging: bytes, more: bool | None) -> None:
    assert open_page(b'{"data": [1], "paging": ' + paging + b"}", "orgs").more is more
    assert open_page(b'{"data": [NaN], "paging": ' + paging + b"}", "orgs").more is more


def test_a_page_without_paging_does_not_say() -> None:
    assert open_page(b'{"data": [1]}', "orgs").more is None
    assert open_page(b"[1]", "orgs").more is None


@pytest.mark.parametrize("error", [b"null", b"{}", b'""', b"[]", b"false"])
def test_no_error_is_no_error(error: bytes) -> None:
    assert rows(b'{"data": [1], "error": ' + error + b"}") == [b"1"]


@pytest.mark.parametrize(
    ("error", "said"),
    [(b'{"message": "busy"}', "busy"), (b'{"code": 5}', '{"code":5}'), (b'"off"', "off"), (b"true", "True")],
)
def test_an_error_beside_the_list_is_raised_in_its_words(error: bytes, said: str) -> None:
    with pytest.raises(BadResponseError) as caught:
        open_page(b'{"data": [1], "error": ' + error + b"}", "orgs")
    assert str(caught.value) == f"orgs returned an error along with the list: {said}"


def test_a_long_error_is_cut() -> None:
    with pytest.raises(BadResponseError) as caught:
        open_page(b'{"data": [], "error": "' + b"x" * 600 + b'"}', "orgs")
    assert str(caught.value) == "orgs returned an error along with the list: " + "x" * 500


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "orgs answered with nothing; expected a list."),
        (b" \n", "orgs answered with nothing; expected a list."),
        (b'{"data": null}', 'orgs answered with null in place of a list in "data"; expected a list.'),
        (b'{"data": {}}', 'orgs answered with no list in "data", but data; expected a list.'),
        (b'{"a": 1, "b": 2}', 'orgs answered with no list in "data", but a, b; expected a list.'),
        (b"{}", 'orgs answered with no list in "data", but nothing; expected a list.'),
        (b"7", "orgs answered with no object; expected a list."),
        (b"<html>", "orgs answered with something that is not JSON"),
        (b"[1, 2", "orgs answered with something that is not JSON"),
        (b"[1, <b>]", "orgs answered with something that is not JSON"),
        (b'{"data": [1, 2}', "orgs answered with something that is not JSON"),
    ],
)
def test_what_is_no_page_is_a_clear_error(body: bytes, said: str) -> None:
    with pytest.raises(BadResponseError) as caught:
        open_page(body, "orgs")
    assert str(caught.value).startswith(said)


def test_a_row_that_nobody_can_read_costs_only_itself() -> None:
    deep = b"[" * 5000 + b"]" * 5000
    digits = b"9" * 5000
    assert rows(b'{"data": [1, ' + deep + b", " + digits + b', {"id": 2}]}') == [b"1", deep, digits, b'{"id": 2}']


@pytest.mark.parametrize(
    ("row", "key"),
    [
        (b'{"id": 1}', 1),
        (b'{"id": "1"}', "1"),
        (b'{"$sys": {"id": "a"}, "id": "b"}', "a"),
        (b'{"$sys": {"id": 7}, "id": "b"}', 7),
        (b'{"$sys": {"id": ""}, "id": "b"}', "b"),
        (b'{"$sys": {"id": null}, "id": "b"}', "b"),
        (b'{"$sys": null, "id": "b"}', "b"),
        (b'{"id": 0}', 0),
        (b'{"id": ""}', b'{"id": ""}'),
        (b'{"id": true}', b'{"id": true}'),
        (b'{"id": 1.5}', b'{"id": 1.5}'),
        (b'{"id": ["a"]}', b'{"id": ["a"]}'),
        (b'{"name": "x"}', b'{"name": "x"}'),
        (b"7", b"7"),
        (b'{"id": NaN}', b'{"id": NaN}'),
        (b'{"id": "\xff"}', b'{"id": "\xff"}'),
    ],
)
def test_a_row_is_known_by_its_id_or_by_its_text(row: bytes, key: object) -> None:
    found = key_of(msgspec.Raw(row))
    assert (found, type(found)) == (key, type(key))


def test_a_numeric_id_and_the_same_id_as_text_are_two_keys() -> None:
    assert key_of(msgspec.Raw(b'{"id": 1}')) != key_of(msgspec.Raw(b'{"id": "1"}'))
