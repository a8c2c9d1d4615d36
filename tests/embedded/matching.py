"""Comparing what a server answers with what was recorded: same shape, same values where they follow from the request.

Ids differ from server to server: each recorded id gets its counterpart by natural key, the name of a user, team,
channel or role, the text of a post, else by the place in the answer to the request that made it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.embedded.recording import ID

VOLATILE = frozenset(("invite_id", "mini_preview", "request_id", "token", "size"))
"""Names of values that are a server's own: only their type is compared."""

SETS = frozenset(("permissions", "participants"))
"""Names of lists whose order is a server's own."""

TIME_MS = 10**12
"""Numbers above this are points in time."""

TIME = re.compile(r"\b1[0-9]{12}\b")


UNKNOWN = "<unknown id>"


class Ids:
    """The counterparts of recorded ids."""

    def __init__(self) -> None:
        self.ours: dict[str, str] = {}

    def translate(self, text: str) -> str:
        """Put our ids for the recorded ones; unknown ones stay."""
        return ID.sub(lambda found: self.ours.get(found[0], found[0]), text)

    def with_unknown(self, text: str, *, known: bool) -> str:
        """Put our ids for the recorded ones, or leave ours, and a mark for every id without a counterpart."""
        if known:
            return ID.sub(lambda found: self.ours.get(found[0], UNKNOWN), text)
        counterparts = self.ours.values()
        return ID.sub(lambda found: found[0] if found[0] in counterparts else UNKNOWN, text)

    def pair(self, recorded: str, ours: str) -> None:
        """Learn the ids in a text from its counterpart."""
        unknown = [found for found in ID.findall(recorded) if found not in self.ours]
        known = {self.ours[found] for found in ID.findall(recorded) if found in self.ours}
        free = [found for found in ID.findall(ours) if found not in known]
        if unknown and len(unknown) == len(free):
            self.ours.update(zip(unknown, free, strict=True))

    def learn(self, recorded: Any, ours: Any) -> None:
        """Learn the ids in an answer from its counterpart."""
        if isinstance(recorded, dict) and isinstance(ours, dict):
            self._learn_object(recorded, ours)
        elif isinstance(recorded, list) and isinstance(ours, list):
            for left, right in self.couples(recorded, ours):
                self.learn(left, right)
        elif isinstance(recorded, str) and isinstance(ours, str):
            self.pair(recorded, ours)

    def _learn_object(self, recorded: dict[str, Any], ours: dict[str, Any]) -> None:
        if any(ID.fullmatch(key) for key in recorded):
            for left, right in self.couples(list(recorded.values()), list(ours.values())):
                self.learn(left, right)
            return
        for key in sorted(recorded, key=lambda name: (isinstance(recorded[name], list), name)):
            if key in ours and (key not in VOLATILE or key == "invite_id"):
                self.learn(recorded[key], ours[key])

    def couples(self, recorded: list[Any], ours: list[Any]) -> Iterator[tuple[Any, Any]]:
        """Give the members of two lists that belong together: by natural key, else by place."""
        keys = [self.key(right, known=False) for right in ours]
        by_key = {key: right for key, right in zip(keys, ours, strict=True) if keys.count(key) == 1}
        for place, left in enumerate(recorded):
            key = self.key(left, known=True)
            if key is None:
                if place < len(ours):
                    yield left, ours[place]
            elif key in by_key:
                yield left, by_key[key]

    def key(self, row: Any, *, known: bool) -> tuple[Any, ...] | None:
        """Give the natural key of a row, with our ids; `known` tells that the row is a recorded one."""
        if not isinstance(row, dict):
            return None
        for names in NATURAL_KEYS:
            if all(name in row for name in names) and (names[0] != "username" or row["username"]):
                return (names, *(self._value(row, name, known=known) for name in names))
        return None

    def _value(self, row: dict[str, Any], name: str, *, known: bool) -> Any:
        value = row[name]
        if name == "name" and row.get("type") in ("D", "G"):
            value = row["header"] or row["display_name"] or value
        if isinstance(value, str):
            value = self.with_unknown(value, known=known)
        if isinstance(value, str) and "__" in value:
            value = tuple(sorted(value.split("__")))
        return str(value)


NATURAL_KEYS: tuple[tuple[str, ...], ...] = (
    ("username", "email"),
    ("name", "team_id", "purpose"),
    ("name", "company_name"),
    ("name", "scheme_managed"),
    ("message", "type", "user_id", "root_id", "original_id"),
    ("channel_id", "user_id", "notify_props"),
    ("team_id", "user_id", "explicit_roles"),
    ("category", "name", "value"),
    ("post_id", "user_id", "emoji_name"),
    ("name", "mime_type"),
    ("team_id", "msg_count"),
    ("sorting", "type", "display_name"),
    ("user_id", "status"),
    ("id", "timezone"),
)
"""What tells a row from the others of its kind, by the names it holds."""


def compare(ids: Ids, recorded: Any, ours: Any, where: str = "") -> Iterator[str]:
    """Give the differences between a recorded value and ours; the ids have been learnt."""
    if type(recorded) is not type(ours):
        yield f"{where}: {_short(recorded)} was recorded, ours is {_short(ours)}"
    elif isinstance(recorded, dict):
        yield from _compare_objects(ids, recorded, ours, where)
    elif isinstance(recorded, list):
        yield from _compare_lists(ids, recorded, ours, where)
    elif isinstance(recorded, str):
        yield from _compare_texts(ids, recorded, ours, where)
    elif isinstance(recorded, int) and not (recorded > TIME_MS and ours > TIME_MS) and recorded != ours:
        yield f"{where}: {recorded} was recorded, ours is {ours}"


def _compare_objects(ids: Ids, recorded: dict[str, Any], ours: dict[str, Any], where: str) -> Iterator[str]:
    names = {ids.translate(name): name for name in recorded}
    missing, more = names.keys() - ours.keys(), ours.keys() - names.keys()
    if missing or more:
        yield f"{where}: missing {sorted(missing)}, not recorded {sorted(more)}"
    for name, recorded_name in names.items():
        if name in ours and name not in VOLATILE:
            shown = "<id>" if ID.fullmatch(name) else name
            yield from compare(ids, recorded[recorded_name], ours[name], f"{where}.{shown}")


def _compare_lists(ids: Ids, recorded: list[Any], ours: list[Any], where: str) -> Iterator[str]:
    if len(recorded) != len(ours):
        yield f"{where}: {len(recorded)} items were recorded, ours are {len(ours)}"
    left = [_shown_key(ids, row, known=True) for row in recorded]
    right = [_shown_key(ids, row, known=False) for row in ours]
    if left != right and sorted(left) == sorted(right):
        if where.rpartition(".")[2] in SETS:
            return
        if not _same_rule(recorded, ours):
            yield f"{where}: another order"
    elif sorted(left) != sorted(right):
        yield f"{where}: other items: {_short(set(left) - set(right))} against {_short(set(right) - set(left))}"
    if recorded and isinstance(recorded[0], dict | list):
        for one, other in ids.couples(recorded, ours):
            yield from compare(ids, one, other, f"{where}[]")


def _same_rule(recorded: list[Any], ours: list[Any]) -> bool:
    """Tell whether rows come in one order as far as it can be: by a name that several share, or each by its own ids."""
    if not all(isinstance(row, dict) for row in recorded + ours):
        return False
    names = [[row.get("display_name") for row in rows] for rows in (recorded, ours)]
    if names[0] == names[1] and None not in names[0]:
        return True
    return any(_is_sorted(recorded, name) and _is_sorted(ours, name) for name in ("id", "user_id", "channel_id"))


def _is_sorted(rows: list[Any], name: str) -> bool:
    values = [row.get(name) for row in rows]
    return None not in values and len(set(values)) == len(values) and values == sorted(values)


def _shown_key(ids: Ids, row: Any, *, known: bool) -> str:
    key = ids.key(row, known=known)
    if key is None and isinstance(row, str):
        return ids.with_unknown(row, known=known)
    return str(key)


def _compare_texts(ids: Ids, recorded: str, ours: str, where: str) -> Iterator[str]:
    expected = ids.translate(recorded)
    if "__" in expected:
        expected, ours = "__".join(sorted(expected.split("__"))), "__".join(sorted(ours.split("__")))
    if where.endswith(".roles"):
        expected, ours = " ".join(sorted(expected.split())), " ".join(sorted(ours.split()))
    if expected != ours and blank(expected) != blank(ours):
        yield f"{where}: {_short(expected)} was recorded, ours is {_short(ours)}"


def blank(text: str) -> str:
    """Put marks for what differs between servers: points in time, addresses in memory, group channels' names.

    A group channel is named by a hash of its members' ids.
    """
    return re.sub(r"\b[0-9a-f]{40}\b", "<hash>", re.sub(r"0x[0-9a-f]+", "<address>", TIME.sub("<time>", text)))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 160 else f"{text[:160]}…"
