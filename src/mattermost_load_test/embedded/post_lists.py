"""Lists of posts: which posts a page, a thread or a search has, in what order, and how each is shown in it.

What the flags of a request mean, and which lists count a thread's replies, is as in the servers' public source
(``store/sqlstore/post_store.go`` of 5.37).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import orjson

from mattermost_load_test.embedded.plain_views import Row
from mattermost_load_test.embedded.site import Site
from mattermost_load_test.embedded.tables.posts import Post

SINCE_MAX = 1000
"""How many changed posts one list holds at most."""


@dataclass(frozen=True, slots=True)
class Threads:
    """How a list is to deal with threads.

    `collapsed` lists root posts alone, with what is known of their threads (`extended`: with the participants'
    accounts); else threads of listed replies are shown along unless `skip`.
    """

    viewer_id: str
    skip: bool = False
    collapsed: bool = False
    extended: bool = False


@dataclass(slots=True)
class PostList:
    """Posts under way to a client: ids in order, and the posts to show, some of which are in no order."""

    site: Site
    threads: Threads
    order: list[str] = field(default_factory=list)
    posts: dict[str, Post] = field(default_factory=dict)
    rows: dict[str, Any] = field(default_factory=dict)
    _epoch: tuple[int, str] = field(init=False)

    def __post_init__(self) -> None:
        """Note once what all kept rows depend on."""
        self._epoch = self.site.views.epoch()

    def add(self, posts: Iterable[Post], *, counted: bool, ordered: bool = True) -> None:
        """Add posts; `counted` shows the number of replies in each post's thread."""
        for post in posts:
            self.posts[post.id] = post
            self.rows[post.id] = self._row(post, counted)
            if ordered:
                self.order.append(post.id)

    def _row(self, post: Post, counted: bool) -> Any:
        if self.threads.collapsed:
            if post.root_id:
                return self.site.views.post(post)
            viewer = self.threads.viewer_id
            return self.site.views.post_in_collapsed_list(post, viewer, extended=self.threads.extended)
        return self._kept_row(post, self.site.reply_count(post) if counted else 0)

    def _kept_row(self, post: Post, reply_count: int) -> Any:
        """Show a post, as JSON that is kept with it: the same posts are listed over and over."""
        key, kept = (reply_count, self._epoch), post.shown
        if kept is None or kept[0] != key:
            row = self.site.views.post(post, reply_count=reply_count)
            kept = post.shown = (key, orjson.Fragment(orjson.dumps(row)))
        return kept[1]

    def newest_first(self) -> None:
        """Put each post once into the order, the newest first."""
        self.order = sorted(dict.fromkeys(self.order), key=lambda post_id: -self.posts[post_id].create_at)

    def etag(self) -> str:
        """Give what tells this list from a later one: its first post, and the latest change in it."""
        last = max(((post.update_at, post.id) for post in self.posts.values()), default=(0, "0"))
        return f"{self.site.version.number}.{self.order[0] if self.order else ''}.{last[1]}.{last[0]}"

    def shown(self, next_post_id: str = "", prev_post_id: str = "", **more: Any) -> Row:
        """Show the list, with the posts that come after and before it, and what else this list says."""
        row = self.site.views.post_list(self.order, self.rows, **more)
        row["next_post_id"], row["prev_post_id"] = next_post_id, prev_post_id
        return row


def channel_etag(site: Site, channel_id: str) -> str:
    """Give what tells a channel's posts from later ones: their latest change."""
    return f"{site.version.number}.{site.state.posts.of_channel(channel_id).last_change or site.now_ms()}"


def newest(site: Site, channel_id: str, threads: Threads, page: int, per_page: int) -> PostList:
    """List a page of a channel's posts, the newest first."""
    posts = site.state.posts.of_channel(channel_id)
    made = PostList(site, threads)
    if threads.collapsed:
        made.add(_page((post for post in reversed(posts.living) if not post.root_id), page, per_page), counted=True)
    else:
        found = posts.newest_first(page * per_page, per_page)
        made.add(found, counted=threads.skip)
        made.add(_threads_of(site, found, threads), counted=threads.skip, ordered=False)
    return made


def _page(posts: Iterator[Post], page: int, per_page: int) -> list[Post]:
    return list(islice(posts, page * per_page, (page + 1) * per_page))


def _threads_of(site: Site, posts: Iterable[Post], threads: Threads) -> Iterator[Post]:
    """Go through the root posts of replies, and all further replies to them unless those are to be left out."""
    for root_id in dict.fromkeys(post.root_id for post in posts if post.root_id):
        thread = site.state.threads.get(root_id)
        if thread is not None:
            yield thread.root
            if not threads.skip:
                yield from thread.replies


def changed_since(site: Site, channel_id: str, threads: Threads, time_ms: int) -> PostList:
    """List a channel's posts changed after a time, deleted ones included, the newest first."""
    made = PostList(site, threads)
    found = site.state.posts.of_channel(channel_id).changed_since(time_ms)
    if threads.collapsed:
        made.add((post for post in found if not post.root_id and not post.delete_at), counted=True)
    else:
        changed = list(islice(found, SINCE_MAX))
        made.add(changed, counted=threads.skip)
        roots = (site.state.posts.by_id[post.root_id] for post in changed if post.root_id)
        made.add((root for root in roots if root.id not in made.posts), counted=threads.skip, ordered=False)
    made.newest_first()
    return made


def around(
    site: Site, channel_id: str, threads: Threads, post_id: str, page: int, per_page: int, *, before: bool
) -> PostList:
    """List a page of the posts made before or after another one, the newest first."""
    made = PostList(site, threads)
    middle = site.state.posts.by_id.get(post_id)
    if middle is None:
        return made
    posts = site.state.posts.of_channel(channel_id)
    found = posts.made_before(middle.create_at) if before else posts.made_after(middle.create_at)
    if threads.collapsed:
        found = (post for post in found if not post.root_id)
    listed = _page(found, page, per_page)
    made.add(listed if before else listed[::-1], counted=True)
    if not threads.collapsed:
        made.add(_threads_around(site, listed, threads), counted=True, ordered=False)
    return made


def _threads_around(site: Site, posts: list[Post], threads: Threads) -> Iterator[Post]:
    """Go through the threads that posts belong to, as reply or as root."""
    for root_id in dict.fromkeys(post.root_id or post.id for post in posts):
        thread = site.state.threads.get(root_id)
        if thread is not None:
            yield thread.root
            if not threads.skip:
                yield from thread.replies


def thread(site: Site, post: Post, threads: Threads) -> PostList:
    """List a post and the rest of its thread; an old server names the post twice, and sorts by the latest change."""
    made = PostList(site, threads)
    made.add([post], counted=True)
    if threads.collapsed:
        made.rows[post.id] = site.views.post_in_collapsed_list(post, threads.viewer_id, extended=threads.extended)
    found = site.state.threads.get(post.id if threads.collapsed else post.root_id or post.id)
    members = [] if found is None else found.replies if threads.collapsed else [found.root, *found.replies]
    if not threads.collapsed:
        if threads.skip:
            return made
        members = members or [post]
    if site.version.modern:
        members = [member for member in members if member is not post]
    else:
        members = sorted(members, key=lambda member: (member.update_at, not member.root_id))
    made.add(members, counted=True)
    return made


def neighbours(site: Site, made: PostList) -> tuple[str, str]:
    """Give the ids of the posts that come right after and right before a list."""
    if not made.order:
        return "", ""
    first, last = made.posts[made.order[0]], made.posts[made.order[-1]]
    posts = site.state.posts.of_channel(first.channel_id)
    after, before = posts.made_after(first.create_at), posts.made_before(last.create_at)
    return _first_id(after, made.threads), _first_id(before, made.threads)


def _first_id(posts: Iterator[Post], threads: Threads) -> str:
    return next((post.id for post in posts if not (threads.collapsed and post.root_id)), "")


def around_unread(site: Site, channel_id: str, threads: Threads, seen_at: int, before: int, after: int) -> PostList:
    """List the first post made after `seen_at`, with up to `before` posts before it and `after` - 1 after it."""
    posts = site.state.posts.of_channel(channel_id).made_after(seen_at) if seen_at else iter(())
    first_unread = site.state.posts.by_id.get(_first_id(posts, threads))
    if first_unread is None:
        return PostList(site, threads)
    made = thread(site, first_unread, threads)
    made.order = [first_unread.id]
    for per_page, earlier in ((before, True), (after - 1, False)):
        part = around(site, channel_id, threads, first_unread.id, 0, per_page, before=earlier)
        made.posts |= part.posts
        made.rows |= part.rows
        made.order += part.order
    made.newest_first()
    return made
