"""Posts, their reactions and files, and search."""

from __future__ import annotations

from collections.abc import Sequence

from mattermost_load_test.mattermost.models import FileInfo, Json, Post, posts_of
from mattermost_load_test.mattermost.rest.subject import Subject

PAGE = "GET /channels/[channel id]/posts"
SEARCH = "POST /teams/[team id]/posts/search"
REACTIONS = "GET /posts/[post id]/reactions"
FILE_INFOS = "GET /posts/[post id]/files/info"


class Posts(Subject):
    """Posts, their reactions and files, and search."""

    __slots__ = ()

    async def create(self, channel_id: str, message: str, root_id: str = "", file_ids: Sequence[str] = ()) -> Post:
        """Post a message to a channel, as a reply to `root_id` if given, with files uploaded before."""
        body: Json = {"channel_id": channel_id, "message": message}
        if root_id:
            body["root_id"] = root_id
        if file_ids:
            body["file_ids"] = list(file_ids)
        return await self._session.one("POST /posts", "/posts", Post.of, body)

    async def get(self, post_id: str) -> Post:
        """Return a post."""
        return await self._session.one("GET /posts/[post id]", f"/posts/{post_id}", Post.of)

    async def page(self, channel_id: str, page: int = 0, per_page: int = 60) -> tuple[Post, ...]:
        """Return one page (at most 200) of a channel's posts, the newest first."""
        path = f"/channels/{channel_id}/posts?page={page}&per_page={per_page}"
        return await self._session.one(PAGE, path, posts_of)

    async def search(self, team_id: str, terms: str, is_or_search: bool = False) -> None:
        """Search the posts of a team; `is_or_search` wants one of the words instead of all."""
        body = {"terms": terms, "is_or_search": is_or_search}
        await self._session.done(SEARCH, f"/teams/{team_id}/posts/search", body)

    async def reactions(self, post_id: str) -> None:
        """Ask for the reactions to a post."""
        await self._session.done(REACTIONS, f"/posts/{post_id}/reactions")

    async def react(self, user_id: str, post_id: str, emoji_name: str) -> None:
        """React to a post, as this session's user."""
        body = {"user_id": user_id, "post_id": post_id, "emoji_name": emoji_name}
        await self._session.done("POST /reactions", "/reactions", body)

    async def file_infos(self, post_id: str) -> tuple[FileInfo, ...]:
        """Return what is known of a post's files."""
        return await self._session.many(FILE_INFOS, f"/posts/{post_id}/files/info", FileInfo.of)
