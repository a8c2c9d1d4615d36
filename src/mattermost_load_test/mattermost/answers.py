"""Telling a Mattermost's answers from anything else, and its errors from its data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import orjson

from mattermost_load_test.errors import ApiError, ServerError, UnexpectedAnswerError
from mattermost_load_test.mattermost.transport import Response

T = TypeVar("T")

# Statuses that proxies and rate limiters give in their own words, on the way to a server that is a Mattermost all the
# same: request too large, too many requests, and everything from 500 on.
_FOREIGN_WORDS = frozenset({413, 429})

_SHOWN_CHARACTERS = 100

LONGEST_WAIT_S = 300.0
"""The longest that a server's `Retry-After` is followed: what asks for a year is not to hold a run up for one."""


def decoded(route: str, server: str, answer: Response, decode: Callable[[Any], T]) -> T:
    """Return what `decode` makes of the JSON in a good answer.

    Raises `ApiError` for an error status, and `UnexpectedAnswerError` when the answer is no JSON or not of the shape
    that `decode` reads.
    """
    expect_success(route, server, answer)
    try:
        data = orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        raise _foreign(route, server, answer) from error
    try:
        return decode(data)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        lack = f"there is no {error}" if isinstance(error, KeyError) else "its JSON has another shape"
        raise UnexpectedAnswerError(
            f"{server} answered {route} as no Mattermost does: {lack}; check ConnectionConfiguration.ServerURL"
        ) from error


def expect_json(route: str, server: str, answer: Response) -> None:
    """Check that an answer is good and looks like JSON, without the cost of decoding what nobody reads."""
    expect_success(route, server, answer)
    if answer.body[:1] not in (b"{", b"[", b"n"):  # an object, a list or null
        raise _foreign(route, server, answer)


def expect_success(route: str, server: str, answer: Response) -> None:
    """Raise `ApiError` for the API's errors, `UnexpectedAnswerError` for a redirect or a foreign error page."""
    if 200 <= answer.status < 300:
        return
    if 300 <= answer.status < 400:
        target = answer.headers.get("Location", "another address")
        raise UnexpectedAnswerError(
            f"{server} redirected {route} to {target}; redirects are not followed: "
            "put the server's final address into ConnectionConfiguration.ServerURL"
        )
    raise _error(route, server, answer)


def _error(route: str, server: str, answer: Response) -> ServerError:
    """Return the error that an answer with an error status means."""
    wait_s = retry_after_s(answer.headers)
    try:
        data = orjson.loads(answer.body)  # whatever the content type: a 404 of 5.37 is JSON that says text/plain
    except orjson.JSONDecodeError:
        data = None
    if isinstance(data, dict):
        message = str(data.get("message", ""))
        return ApiError(route, answer.status, str(data.get("id", "")), message, wait_s)
    if answer.status in _FOREIGN_WORDS or answer.status >= 500:
        return ApiError(route, answer.status, server_message=_words(answer), retry_after_s=wait_s)
    return _foreign(route, server, answer)


def _foreign(route: str, server: str, answer: Response) -> UnexpectedAnswerError:
    """Return the error for an answer that no Mattermost gives."""
    what = "HTML" if b"<html" in answer.body[:1000].lower() else answer.headers.get("Content-Type") or "something"
    by = answer.headers.get("Server")
    answered_by = f" answered by {by}" if by else ""
    return UnexpectedAnswerError(
        f"{server} is not a Mattermost API ({what}{answered_by}, status {answer.status}, to {route}); "
        "check ConnectionConfiguration.ServerURL, and the proxy if there is one"
    )


def _words(answer: Response) -> str:
    """Return the beginning of an answer in another form than the API's, fit for one line."""
    if b"<html" in answer.body[:1000].lower():
        return f"an HTML page of {answer.headers.get('Server') or 'a proxy'}"
    return " ".join(answer.body[: 4 * _SHOWN_CHARACTERS].decode("utf-8", "replace").split())[:_SHOWN_CHARACTERS]


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return how long the server asks to wait, whether it says so in seconds or by a date (against its own `Date`).

    More than `LONGEST_WAIT_S` it is never.
    """
    value = headers.get("Retry-After")
    asked_s = None if value is None else _asked_s(value, headers)
    return None if asked_s is None else min(max(0.0, asked_s), LONGEST_WAIT_S)


def _asked_s(value: str, headers: Mapping[str, str]) -> float | None:
    """Return what a `Retry-After` says, None where it is nonsense."""
    try:
        seconds = float(value)
        return seconds if math.isfinite(seconds) else None
    except ValueError:
        pass  # then it is a date
    try:
        return (parsedate_to_datetime(value) - parsedate_to_datetime(headers["Date"])).total_seconds()
    except (KeyError, ValueError, TypeError):
        return None
