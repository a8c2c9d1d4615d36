"""Threads of planned posts: what a server keeps of them beside their posts, in the form of its version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import orjson

from mattermost_load_test.loadtest.history.post_plan import PlannedPost


@dataclass(slots=True)
class Thread:
    """A root and its replies: when each author last replied, in that order."""

    root: PlannedPost
    replies: int = 0
    last_reply_ms: int = 0
    repliers: dict[int, int] = field(default_factory=dict)

    def add(self, reply: PlannedPost) -> None:
        """Take a reply in; replies come in order of time."""
        self.replies += 1
        self.last_reply_ms = reply.created_ms
        self.repliers.pop(reply.author, None)
        self.repliers[reply.author] = reply.created_ms

    def participants(self, authors: Sequence[str], *, with_root: bool) -> str:
        """Return those who take part, as the server keeps them: old ones (`with_root`) name the author of the root."""
        numbers = dict.fromkeys([self.root.author, *self.repliers] if with_root else self.repliers)
        return orjson.dumps([authors[number] for number in numbers]).decode()

    def last_posts(self) -> Iterator[tuple[int, int]]:
        """Yield each follower, which are all who wrote in it, and when it last wrote."""
        return iter(({self.root.author: self.root.created_ms} | self.repliers).items())


def threads_of(posts: Iterable[PlannedPost]) -> dict[int, Thread]:
    """Return the threads of a part by their root's number; a root without replies has none."""
    roots: dict[int, PlannedPost] = {}
    threads: dict[int, Thread] = {}
    for post in posts:
        if post.root is None:
            roots[post.number] = post
        else:
            threads.setdefault(post.root, Thread(roots[post.root])).add(post)
    return threads
