"""Which handler answers which request: a tree of path segments.

Made for speed and for Mattermost's rules: a segment that is a literal route for another method may still be a
parameter (``GET /users/ids`` asks for the user "ids"), and everything else is one and the same 404.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mattermost_load_test.embedded.answers import Answer
    from mattermost_load_test.embedded.call import Call

Params = dict[str, str]

ALPHANUMERIC = re.compile(r"[A-Za-z0-9]+\Z")
PATTERNS: Mapping[str, re.Pattern[str]] = {
    "team_name": re.compile(r"[A-Za-z0-9_-]+\Z"),
    "channel_name": re.compile(r"[A-Za-z0-9_-]+\Z"),
    "username": re.compile(r"[A-Za-z0-9_.-]+\Z"),
    "email": re.compile(r".+\Z"),
    "emoji_name": re.compile(r"[A-Za-z0-9_+-]+\Z"),
    "plugin_id": re.compile(r"[A-Za-z0-9_.-]+\Z"),
    "category": re.compile(r"[A-Za-z0-9_]+\Z"),
    "category_id": re.compile(r"[A-Za-z0-9_-]+\Z"),
    "preference_name": re.compile(r"[A-Za-z0-9_]+\Z"),
    "role_name": re.compile(r"[a-z0-9_]+\Z"),
    "job_type": re.compile(r"[A-Za-z0-9_-]+\Z"),
    "timestamp": re.compile(r"[0-9]+\Z"),
}
"""What a parameter of this name must look like; the others are letters and digits."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route: method, path below ``/api/v4`` with ``{parameters}``, and what answers it.

    `session` tells that a living session is needed; `only` names the one version that has the route, if not all do;
    `root` that the path is not below ``/api/v4``.
    """

    method: str
    path: str
    handler: Callable[[Call], Answer]
    session: bool = True
    only: str = ""
    root: bool = False
    name: str = field(init=False)
    """The handler's name as the server's metrics have it, such as ``getUser``."""

    def __post_init__(self) -> None:
        """Find the name once: it is asked for with every request."""
        first, *rest = self.handler.__name__.split("_")
        object.__setattr__(self, "name", first + "".join(word.capitalize() for word in rest))


@dataclass(slots=True)
class _Node:
    literal: dict[str, _Node] = field(default_factory=dict)
    parameters: list[tuple[str, re.Pattern[str], _Node]] = field(default_factory=list)
    route: Route | None = None


class Router:
    """Finds routes; built once from all routes of one version."""

    def __init__(self, routes: Iterable[Route], version: str) -> None:
        self._trees: dict[str, _Node] = {}
        for route in routes:
            if route.only in ("", version):
                self._add(route)

    def _add(self, route: Route) -> None:
        node = self._trees.setdefault(route.method, _Node())
        path = route.path if route.root else f"/api/v4{route.path}"
        for segment in path.split("/")[1:]:
            node = _parameter(node, segment[1:-1]) if segment[:1] == "{" else node.literal.setdefault(segment, _Node())
        assert node.route is None, f"{route.method} {path} stands twice"
        node.route = route

    def find(self, method: str, path: str) -> tuple[Route, Params] | None:
        """Return the route of a request and the parameters in its path, None when there is none."""
        tree = self._trees.get(method)
        if tree is None:
            return None
        params: Params = {}
        route = _walk(tree, path.split("/"), 1, params)
        return None if route is None else (route, params)


def _parameter(node: _Node, name: str) -> _Node:
    for known, _, child in node.parameters:
        if known == name:
            return child
    child = _Node()
    node.parameters.append((name, PATTERNS.get(name, ALPHANUMERIC), child))
    return child


def _walk(node: _Node, segments: list[str], place: int, params: Params) -> Route | None:
    if place == len(segments):
        return node.route
    segment = segments[place]
    child = node.literal.get(segment)
    if child is not None:
        found = _walk(child, segments, place + 1, params)
        if found is not None:
            return found
    for name, pattern, below in node.parameters:
        if pattern.match(segment):
            found = _walk(below, segments, place + 1, params)
            if found is not None:
                params[name] = segment
                return found
    return None
