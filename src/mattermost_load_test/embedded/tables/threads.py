"""Threads: replies to root posts, who takes part, who follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mattermost_load_test.embedded.tables.posts import Post


@dataclass(slots=True)
class Follower:
    """What one user knows of a thread: whether it is followed, up to when it was read, mentions not yet read."""

    user_id: str
    root_id: str
    following: bool = True
    last_viewed: int = 0
    last_updated: int = 0
    unread_mentions: int = 0


@dataclass(slots=True)
class Thread:
    """The replies to one root post, oldest first, and the users who take part, the latest last."""

    root: Post
    replies: list[Post] = field(default_factory=list)
    participants: list[str] = field(default_factory=list)
    followers: dict[str, Follower] = field(default_factory=dict)
    begun: bool = False
    """Whether there has been a reply: without one, users may follow it, but nobody is shown it."""

    @property
    def last_reply_at(self) -> int:
        """Time of the latest reply, 0 without one."""
        return self.replies[-1].create_at if self.replies else 0

    def unread_replies(self, follower: Follower) -> int:
        """Return how many replies came after the follower last looked."""
        count = 0
        for reply in reversed(self.replies):
            if reply.create_at <= follower.last_viewed:
                break
            count += 1
        return count


class ThreadTable:
    """All threads by the id of their root post, and the threads that each user knows of."""

    def __init__(self) -> None:
        self.by_root: dict[str, Thread] = {}
        self._of_user: dict[str, dict[str, Follower]] = {}

    def get(self, root_id: str) -> Thread | None:
        """Return the thread under a root post."""
        return self.by_root.get(root_id)

    def start(self, root: Post) -> Thread:
        """Return the thread under a root post, beginning it if there is none."""
        thread = self.by_root.get(root.id)
        if thread is None:
            thread = self.by_root[root.id] = Thread(root)
        return thread

    def follow(self, thread: Thread, follower: Follower) -> None:
        """Note what a user knows of a thread."""
        thread.followers[follower.user_id] = follower
        self._of_user.setdefault(follower.user_id, {})[thread.root.id] = follower

    def of_user(self, user_id: str) -> Mapping[str, Follower]:
        """Return all that a user knows of threads, by root post id."""
        return self._of_user.get(user_id, {})

    def drop(self, root_id: str) -> None:
        """Forget a thread whose root post is gone."""
        thread = self.by_root.pop(root_id, None)
        if thread is not None:
            for user_id in thread.followers:
                self._of_user[user_id].pop(root_id, None)
