"""What tests of the embedded server share: comparing what a real server sent with what this one sends."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

AN_ID = re.compile(r"[ybndrfg8ejkmcpqxot1uwisza345h769]{26}\Z")
A_TIME_MS = 10**12
"""Whole numbers from here on are times."""

OWN_TEXTS = frozenset(("server_version", "server_hostname", "mini_preview"))
"""Fields whose text is each server's own."""


class Likeness:
    """Finds in what a recorded value and an actual one differ.

    Ids are matched one to one as they come up (`ids`: recorded → actual), times are compared by being times, JSON
    inside of a text as JSON; all else is to be equal, with the same keys and types.
    """

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}

    def differences(self, recorded: Any, actual: Any, place: str = "") -> list[str]:
        """List the differences, each with its place; empty when there are none."""
        if type(recorded) is not type(actual):
            return [f"{place}: recorded {recorded!r}, is {actual!r}"]
        if isinstance(recorded, dict):
            return self._in_objects(recorded, actual, place)
        if isinstance(recorded, list):
            return self._in_lists(recorded, actual, place)
        same = self._same_text(recorded, actual, place) if isinstance(recorded, str) else _same(recorded, actual)
        return same if isinstance(same, list) else [] if same else [f"{place}: recorded {recorded!r}, is {actual!r}"]

    def _in_objects(self, recorded: dict[str, Any], actual: dict[str, Any], place: str) -> list[str]:
        expected = {self.ids.get(key, key): value for key, value in recorded.items()}
        found = [f"{place}.{key}: missing" for key in expected if key not in actual]
        found += [f"{place}.{key}: not recorded, is {actual[key]!r}" for key in actual if key not in expected]
        for key in expected.keys() & actual.keys():
            found += self.differences(expected[key], actual[key], f"{place}.{key}")
        return found

    def _in_lists(self, recorded: list[Any], actual: list[Any], place: str) -> list[str]:
        if len(recorded) != len(actual):
            return [f"{place}: recorded {len(recorded)} items, are {len(actual)}"]
        if all(item in self.ids for item in recorded if isinstance(item, str)):
            known = [self.ids.get(item, item) if isinstance(item, str) else item for item in recorded]
            if all(isinstance(item, str) for item in known):  # the order of ids says nothing
                recorded, actual = sorted(recorded, key=lambda item: self.ids[item]), sorted(actual)
        pairs = enumerate(zip(recorded, actual, strict=True))
        return [line for index, (old, new) in pairs for line in self.differences(old, new, f"{place}[{index}]")]

    def _same_text(self, recorded: str, actual: str, place: str) -> bool | list[str]:
        if place.rpartition(".")[2] in OWN_TEXTS:
            return bool(recorded) == bool(actual)
        if AN_ID.match(recorded):
            return bool(AN_ID.match(actual)) and self.ids.setdefault(recorded, actual) == actual
        if recorded[:1] in ("{", "[") and actual[:1] == recorded[:1]:
            return self.differences(json.loads(recorded), json.loads(actual), f"{place}*")
        return recorded == actual


def _same(recorded: Any, actual: Any) -> bool:
    if isinstance(recorded, int) and recorded >= A_TIME_MS:
        return bool(actual >= A_TIME_MS)
    return bool(recorded == actual)


@pytest.fixture
def likeness() -> Likeness:
    """Give a comparison that knows no ids yet."""
    return Likeness()
