"""What an answer says: errors in the server's words, and whether a request had an effect."""

from typing import Any

import httpx
import pytest

from kimono_explore import errors
from kimono_explore.api.responses import CREDENTIALS_HINT, denies, raise_for

OTHER = "The request was not accepted."


def error_of(response: httpx.Response, tries: int = 1) -> errors.ResponseError:
    with pytest.raises(errors.ResponseError) as caught:
        raise_for(response, "orgs", tries)
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (401, errors.AuthenticationError, CREDENTIALS_HINT),
        (403, errors.PermissionDeniedError, "The actor may not do this; ask the tenant's administrator for access."),
        (404, errors.NotFoundError, "Is the id right, and the base URL?"),
        (429, errors.RateLimitError, "Wait a while, or use fewer connections (max_connections)."),
        (409, errors.ResponseError, OTHER),
        (299, errors.ResponseError, OTHER),
        (
            300,
            errors.ResponseError,
            "Redirects are not followed, to keep the token from other servers; correct the base URL.",
        ),
        (
            399,
            errors.ResponseError,
            "Redirects are not followed, to keep the token from other servers; correct the base URL.",
        ),
        (400, errors.ResponseError, OTHER),
        (499, errors.ResponseError, OTHER),
        (500, errors.ServerError, "The server is at fault; try again later."),
        (503, errors.ServerError, "The server is at fault; try again later."),
    ],
)
def test_a_status_is_an_error_with_a_hint(status: int, kind: type[Exception], hint: str) -> None:
    error = error_of(httpx.Response(status, json={"error": {"message": "No"}}))
    assert type(error) is kind
    assert str(error) == f"{status} from orgs: No. {hint}"
    assert error.status == status


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"message": "No", "ext_message": "Never!", "details": [1]}}, "No; Never!; [1]."),
        ({"error": {"message": "No", "ext_message": "Never!"}}, "No; Never!"),
        ({"error": {"message": 5}}, "5."),
        ({"error": {}}, "Conflict."),
        ({"error": "off"}, "off."),
        ({"error": "off", "error_description": "Really off"}, "Really off."),
        ({"message": "No"}, "Conflict."),
        (["no", "way"], '["no","way"].'),
        ("no", "Conflict."),
        ({"error": {"message": "Why?"}}, "Why?"),
    ],
)
def test_the_words_are_the_servers(body: Any, said: str) -> None:
    assert str(error_of(httpx.Response(409, json=body))) == f"409 from orgs: {said} {OTHER}"


def test_an_answer_without_words_has_its_reason() -> None:
    assert str(error_of(httpx.Response(409, content=b"<html>"))) == f"409 from orgs: Conflict. {OTHER}"
    assert str(error_of(httpx.Response(499))) == f"499 from orgs: no reason given. {OTHER}"


def test_long_words_are_cut() -> None:
    assert f": {'x' * 500}. {OTHER}" in str(error_of(httpx.Response(409, json={"error": "x" * 500})))
    assert f": {'x' * 500} …. {OTHER}" in str(error_of(httpx.Response(409, json={"error": "x" * 501})))


def test_the_number_of_tries_is_told() -> None:
    response = httpx.Response(409, json={"error": "No"})
    assert str(error_of(response, 2)) == f"409 from orgs: No. It was asked for 2 times. {OTHER}"
    assert str(error_of(response, 1)) == f"409 from orgs: No. {OTHER}"


def test_a_success_with_an_error_in_it_has_the_errors_status() -> None:
    error = error_of(httpx.Response(200, json={"error": {"status": 404, "message": "Gone"}}))
    assert (type(error), error.status) == (errors.NotFoundError, 404)
    assert error_of(httpx.Response(200, json={"error": {"status": "404", "message": "Gone"}})).status == 200
    assert error_of(httpx.Response(409, json={"error": {"status": 404}})).status == 409


def test_what_else_an_error_carries() -> None:
    details = [{"task_id": "1"}]
    error = error_of(httpx.Response(409, json={"error": {"details": details}}, headers={"Retry-After": "7"}))
    assert (error.details, error.retry_after, error.is_page) == (details, "7", False)
    bare = error_of(httpx.Response(409, json=[]))
    assert (bare.details, bare.retry_after) == (None, None)


@pytest.mark.parametrize(
    ("content", "kind", "is_page"),
    [
        (b"  <html>", "", True),
        (b"{}", "text/html; charset=utf-8", True),
        (b"{}", "application/json", False),
        (b"", "", False),
    ],
)
def test_a_page_is_told_from_the_apis_answer(content: bytes, kind: str, is_page: bool) -> None:
    assert error_of(httpx.Response(409, content=content, headers={"Content-Type": kind})).is_page is is_page


@pytest.mark.parametrize(
    ("body", "denied"),
    [
        (b"", False),
        (b" \n", False),
        (b"null", False),
        (b"{}", False),
        (b"[]", False),
        (b'{"error": null}', False),
        (b'{"error": {}}', False),
        (b'{"error": {"message": "No"}}', True),
        (b'[{"task_id": "1"}, {"error": "No"}]', True),
        (b'[{"task_id": "1"}, "error"]', False),
    ],
)
def test_an_accepted_answer_may_deny(body: bytes, denied: bool) -> None:
    assert denies(httpx.Response(200, content=body), "tasks") is denied


@pytest.mark.parametrize(("body", "name"), [(b"true", "bool"), (b'"ok"', "str"), (b"5", "int")])
def test_an_answer_that_says_neither_is_an_error(body: bytes, name: str) -> None:
    with pytest.raises(errors.BadResponseError) as caught:
        denies(httpx.Response(200, content=body), "tasks")
    assert str(caught.value) == f"tasks answered with {name}, not with an object. Was the request accepted?"
