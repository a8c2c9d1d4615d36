"""Posts of channels, ordered by time, and the words they can be found by."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

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

    __slots__ = ("changed", "living", "pinned")

    def __init__(self) -> None:
        self.living: list[Post] = []
        self.changed: dict[str, Post] = {}
        self.pinned: dict[str, Post] = {}

    def add(self, post: Post) -> None:
        """Add a new post, at its place in time."""
        if not post.delete_at:
            if self.living and self.living[-1].create_at > post.create_at:
                insort(self.living, post, key=_by_time)
            else:
                self.living.append(post)
        self.changed[post.id] = post

    def touch(self, post: Post) -> None:
        """Note that a post has changed."""
        self.changed.pop(post.id, None)
        self.changed[post.id] = post

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
        return self.living[start : self.first_after(time_ms)]

    def first_after(self, time_ms: int) -> int:
        """Return the place of the first living post made later than `time_ms`."""
        return bisect_right(self.living, time_ms, key=_by_time)

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

    def __len__(self) -> int:
        return len(self.by_id)

    def add(self, post: Post) -> None:
        """Add a new post."""
        self.by_id[post.id] = post
        self.by_people += not (post.type or post.delete_at)
        self._of_channel.setdefault(post.channel_id, ChannelPosts()).add(post)

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

    def drop_channel(self, channel_id: str) -> None:
        """Forget a channel's posts for good."""
        for post in self._of_channel.pop(channel_id, NO_POSTS).changed.values():
            self.by_people -= not (post.type or post.delete_at)
            self.by_id.pop(post.id, None)
