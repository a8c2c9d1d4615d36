"""Posts of channels, ordered by time, and the words they can be found by."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mattermost_load_test.embedded.tables.words import WordIndex

MESSAGE_MAX = 16383
"""The longest message, in characters (`MaxPostSize` of both servers)."""


@dataclass(slots=True)
class Post:
    """One post. `delete_at` is set on deleted posts and on the earlier states of edited ones (`original_id`)."""

    id: str
    channel_id: str
    user_id: str
    message: str
    create_at: int
    update_at: int
    root_id: str = ""
    original_id: str = ""
    type: str = ""
    edit_at: int = 0
    delete_at: int = 0
    is_pinned: bool = False
    has_reactions: bool = False
    by_client: bool = True
    hashtags: str = ""
    props: dict[str, Any] = field(default_factory=dict)
    file_ids: tuple[str, ...] = ()
    shown: tuple[object, Any] | None = field(default=None, repr=False, compare=False)
    """How lists have shown it since its latest change, and with what beside it."""

    @property
    def is_system(self) -> bool:
        """Whether the server made it, such as on joining a channel."""
        return self.type.startswith("system_")

    @property
    def tells_of_membership(self) -> bool:
        """Whether it tells of joining or leaving: such posts are in no message count."""
        return self.type in MEMBERSHIP_TYPES


MEMBERSHIP_TYPES = frozenset(
    (
        "system_join_leave",
        "system_add_remove",
        "system_join_channel",
        "system_leave_channel",
        "system_join_team",
        "system_leave_team",
        "system_add_to_channel",
        "system_remove_from_channel",
        "system_add_to_team",
        "system_remove_from_team",
    )
)
"""Types of posts that tell of joining and leaving."""


def _by_time(post: Post) -> int:
    return post.create_at


class ChannelPosts:
    """The posts of one channel: the living ones by time of creation, all of them by time of change."""

    __slots__ = ("_changed", "_in_order", "living", "pinned")

    def __init__(self) -> None:
        self.living: list[Post] = []
        self.pinned: dict[str, Post] = {}
        self._changed: dict[str, Post] = {}
        self._in_order = True

    def add(self, post: Post) -> None:
        """Add a new post, at its place in time."""
        if not post.delete_at:
            if self.living and self.living[-1].create_at > post.create_at:
                insort(self.living, post, key=_by_time)
            else:
                self.living.append(post)
        self.touch(post)

    def touch(self, post: Post) -> None:
        """Note that a post has changed."""
        post.shown = None
        self._changed.pop(post.id, None)
        last = next(reversed(self._changed.values()), None)
        self._in_order = self._in_order and (last is None or last.update_at <= post.update_at)
        self._changed[post.id] = post

    @property
    def changed(self) -> dict[str, Post]:
        """All posts, deleted ones and earlier states of edited ones too, by time of change."""
        if not self._in_order:  # posts with times of their own came in, by import or from an admin
            self._changed = dict(sorted(self._changed.items(), key=lambda item: item[1].update_at))
            self._in_order = True
        return self._changed

    def remove(self, post: Post) -> None:
        """Take a deleted post from the living ones."""
        place = self.place(post)
        if place is not None:
            del self.living[place]
        self.pinned.pop(post.id, None)
        self.touch(post)

    def place(self, post: Post) -> int | None:
        """Return where a living post stands in the order of time."""
        start = bisect_left(self.living, post.create_at, key=_by_time)
        for place in range(start, len(self.living)):
            if self.living[place] is post:
                return place
            if self.living[place].create_at > post.create_at:
                break
        return None

    def newest_first(self, skip: int, count: int) -> list[Post]:
        """Return up to `count` living posts, the newest first, after leaving out `skip` of them."""
        end = len(self.living) - skip
        return self.living[max(0, end - count) : end][::-1] if end > 0 else []

    def made_at(self, time_ms: int) -> list[Post]:
        """Return the living posts made at this very moment."""
        start = bisect_left(self.living, time_ms, key=_by_time)
        return self.living[start : bisect_right(self.living, time_ms, key=_by_time)]

    def made_before(self, time_ms: int) -> Iterator[Post]:
        """Go through the living posts made before `time_ms`, the newest first."""
        for place in range(bisect_left(self.living, time_ms, key=_by_time) - 1, -1, -1):
            yield self.living[place]

    def made_after(self, time_ms: int) -> Iterator[Post]:
        """Go through the living posts made after `time_ms`, the oldest first."""
        for place in range(bisect_right(self.living, time_ms, key=_by_time), len(self.living)):
            yield self.living[place]

    def changed_since(self, time_ms: int) -> Iterator[Post]:
        """Go through the posts changed after `time_ms`, deleted ones included, the latest change first."""
        for post in reversed(self.changed.values()):
            if post.update_at <= time_ms:
                return
            yield post

    @property
    def last_change(self) -> int:
        """Time of the latest change, 0 without posts."""
        last = next(reversed(self.changed.values()), None)
        return 0 if last is None else last.update_at


NO_POSTS = ChannelPosts()


class PostTable:
    """All posts by id and by channel."""

    def __init__(self) -> None:
        self.by_id: dict[str, Post] = {}
        self._of_channel: dict[str, ChannelPosts] = {}
        self.by_people = 0
        """How many living posts people have written, those of the server left out."""
        self.words = WordIndex()
        """What the living posts of people can be found by."""

    def __len__(self) -> int:
        return len(self.by_id)

    def add(self, post: Post) -> None:
        """Add a new post."""
        self.by_id[post.id] = post
        self.by_people += not (post.type or post.delete_at)
        self._of_channel.setdefault(post.channel_id, ChannelPosts()).add(post)
        if not (post.delete_at or post.is_system):
            self.words.add(post)

    def of_channel(self, channel_id: str) -> ChannelPosts:
        """Return a channel's posts; to be read only."""
        return self._of_channel.get(channel_id, NO_POSTS)

    def touch(self, post: Post, now_ms: int) -> None:
        """Note that a post has changed now."""
        post.update_at = now_ms
        self._of_channel[post.channel_id].touch(post)

    def set_pinned(self, post: Post, pinned: bool) -> None:
        """Pin a post to its channel, or take it off."""
        post.is_pinned = pinned
        board = self._of_channel[post.channel_id].pinned
        if pinned:
            board[post.id] = post
        else:
            board.pop(post.id, None)

    def delete(self, posts: Sequence[Post], now_ms: int) -> None:
        """Mark posts as deleted."""
        for post in posts:
            self.by_people -= not (post.type or post.delete_at)
            post.delete_at = post.update_at = now_ms
            self._of_channel[post.channel_id].remove(post)
            self.words.remove(post)

    def drop_channel(self, channel_id: str) -> None:
        """Forget a channel's posts for good."""
        for post in self._of_channel.pop(channel_id, NO_POSTS).changed.values():
            self.by_people -= not (post.type or post.delete_at)
            self.by_id.pop(post.id, None)
            self.words.remove(post)


class PendingPosts:
    """Which posts came of what clients called their posts lately, so that none is made twice."""

    MAX = 25_000
    KEPT_MS = 30_000

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, int]] = {}

    def get(self, pending_id: str, now_ms: int) -> str | None:
        """Return the id of the post that came of it."""
        post_id, made_at = self._known.get(pending_id, (None, 0))
        return post_id if now_ms - made_at < self.KEPT_MS else None

    def add(self, pending_id: str, post_id: str, now_ms: int) -> None:
        """Note what came of it; nothing is noted without a client's name for it."""
        if pending_id:
            self._known.pop(pending_id, None)
            self._known[pending_id] = (post_id, now_ms)
            if len(self._known) > self.MAX:
                del self._known[next(iter(self._known))]
