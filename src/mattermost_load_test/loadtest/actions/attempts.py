"""Requests of one action that do not hang on one another."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from mattermost_load_test.errors import ApiError

T = TypeVar("T")


class Attempts:
    """Keeps the first refusal of a series of requests for the series' end, so that the others are sent all the same.

    Only answers with an error status are kept. When the server cannot be reached or does not answer, the rest of the
    series would fare no better: such a failure is raised at once.
    """

    def __init__(self) -> None:
        self._first: ApiError | None = None

    async def of(self, request: Awaitable[T]) -> T | None:
        """Await one request and return its result, or None if the server refused it."""
        try:
            return await request
        except ApiError as refusal:
            self._first = self._first or refusal
            return None

    def raise_first(self) -> None:
        """Raise the first refusal, if there was one."""
        if self._first is not None:
            raise self._first
