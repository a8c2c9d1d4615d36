"""One request to the embedded server, as its handlers see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import parse_qs

from mattermost_load_test.embedded import api_errors, bodies
from mattermost_load_test.embedded.answers import Answer, json_answer
from mattermost_load_test.embedded.ids import is_id
from mattermost_load_test.embedded.routing import Params
from mattermost_load_test.embedded.site import Site
from mattermost_load_test.embedded.state import State
from mattermost_load_test.embedded.tables.channels import Channel, ChannelMember
from mattermost_load_test.embedded.tables.posts import Post
from mattermost_load_test.embedded.tables.sessions import Session
from mattermost_load_test.embedded.tables.teams import Team
from mattermost_load_test.embedded.tables.users import User
from mattermost_load_test.embedded.views import Views

Item = TypeVar("Item")

PER_PAGE_DEFAULT = 60
PER_PAGE_MAX = 200


class Call:
    """A request: the site it was made to, what it brings and who makes it.

    The methods that look something up raise `ApiRefusal`, as the server refuses, when it is not there or not allowed.
    """

    def __init__(self, site: Site, params: Params, query_string: str, headers: Mapping[str, str], body: bytes) -> None:
        self.site = site
        self.params = params
        self.query_string = query_string
        self.headers = headers
        self.body = body
        self.session: Session | None = None

    @property
    def state(self) -> State:
        """The server's tables."""
        return self.site.state

    @property
    def views(self) -> Views:
        """How this server shows rows."""
        return self.site.views

    @property
    def user_id(self) -> str:
        """Who makes the request; empty without a session."""
        return self.session.user_id if self.session is not None else ""

    @property
    def user(self) -> User:
        """Who makes the request; only for routes that need a session."""
        return self.state.users.by_id[self.user_id]

    @property
    def is_admin(self) -> bool:
        """Whether it is a system admin who makes the request."""
        return self.site.permissions.in_system(self.user_id, "manage_system")

    # --- query ---

    @cached_property
    def query(self) -> Mapping[str, list[str]]:
        """The query's values by name."""
        return parse_qs(self.query_string, keep_blank_values=True) if self.query_string else {}

    def query_text(self, name: str) -> str:
        """Return the first value of this name, empty without one."""
        values = self.query.get(name)
        return values[0] if values else ""

    def query_flag(self, name: str) -> bool:
        """Return whether a value is true in one of Go's spellings."""
        return self.query_text(name) in ("1", "t", "T", "true", "True", "TRUE")

    def query_int(self, name: str, default: int, maximum: int | None = None) -> int:
        """Return a number that is at least 0, the default when it is none."""
        text = self.query_text(name)
        if not (text.isascii() and text.isdigit()):
            return default
        value = int(text)
        return value if maximum is None else min(value, maximum)

    @property
    def page(self) -> int:
        """Which page was asked for."""
        return self.query_int("page", 0)

    @property
    def per_page(self) -> int:
        """How long a page was asked for."""
        return self.query_int("per_page", PER_PAGE_DEFAULT, PER_PAGE_MAX)

    @property
    def offset(self) -> int:
        """Where the page asked for begins."""
        return self.page * self.per_page

    # --- body ---

    def json(self, name: str, schema: bodies.Schema, *, strict: bool = False) -> bodies.Json:
        """Return the object in the body; `name` is what the refusal calls it.

        Old servers pass over values of the wrong type, except in some bodies (`strict`).
        """
        try:
            if strict or self.site.version.modern:
                return bodies.decode_object(self.body, schema)
            return bodies.decode_leniently(self.body, schema)
        except bodies.InvalidBodyError:
            raise api_errors.invalid_body(name) from None

    def texts(self, name: str) -> list[str]:
        """Return the list of texts in the body, refusing an empty one."""
        found = bodies.decode_texts(self.body)
        if not found:
            raise api_errors.invalid_body(name)
        return found

    def knows(self, etag: str) -> bool:
        """Tell whether the client has a copy, known by its ETag, that is still good."""
        return self.headers.get("If-None-Match") == etag

    def unless_known(self, value: Any, etag: str, headers: dict[str, str] | None = None) -> Answer:
        """Answer with a value, or only that the client's copy of it (known by its ETag) is still good."""
        if self.knows(etag):
            return Answer(304, headers={"Etag": etag})
        return json_answer(value, headers={"Etag": etag, **(headers or {})})

    # --- path ---

    def id_param(self, name: str) -> str:
        """Return an id in the path; ``me`` stands for the caller's own."""
        value = self.params[name]
        if name == "user_id" and value == "me":
            return self.user_id
        if not is_id(value):
            raise api_errors.invalid_url(name)
        return value

    def target_user(self) -> User:
        """Return the user in the path."""
        user_id = self.id_param("user_id")
        user = self.state.users.by_id.get(user_id)
        if user is None:
            raise api_errors.missing_user(user_id)
        return user

    def target_team(self) -> Team:
        """Return the team in the path."""
        team_id = self.id_param("team_id")
        team = self.state.teams.by_id.get(team_id)
        if team is None:
            raise api_errors.missing_team(team_id)
        return team

    def target_channel(self) -> Channel:
        """Return the channel in the path."""
        channel_id = self.id_param("channel_id")
        channel = self.state.channels.by_id.get(channel_id)
        if channel is None:
            raise api_errors.missing_channel(channel_id)
        return channel

    def target_post(self) -> Post:
        """Return the living post in the path."""
        return self.known_post(self.id_param("post_id"))

    def known_post(self, post_id: str) -> Post:
        """Return the living post of this id."""
        post = self.state.posts.by_id.get(post_id)
        if post is None or post.delete_at:
            raise api_errors.missing_post(post_id)
        return post

    # --- permissions ---

    def refuse(self, *permissions: str) -> api_errors.ApiRefusal:
        """Make the refusal for want of permissions."""
        return api_errors.no_permission(self.user_id, permissions)

    def may(self, permission: str) -> bool:
        """Tell whether the caller has a permission in the system."""
        return self.site.permissions.in_system(self.user_id, permission)

    def may_in_team(self, team_id: str, permission: str) -> bool:
        """Tell whether the caller has a permission in a team."""
        return self.site.permissions.in_team(self.user_id, team_id, permission)

    def may_in_channel(self, channel_id: str, permission: str) -> bool:
        """Tell whether the caller has a permission in a channel."""
        return self.site.permissions.in_channel(self.user_id, channel_id, permission)

    def need(self, permission: str) -> None:
        """Refuse unless the caller has a permission in the system."""
        if not self.may(permission):
            raise self.refuse(permission)

    def need_any(self, permissions: Sequence[str]) -> None:
        """Refuse unless the caller has one of several permissions in the system."""
        if not any(self.may(permission) for permission in permissions):
            raise self.refuse(*permissions)

    def need_in_team(self, team_id: str, permission: str) -> None:
        """Refuse unless the caller has a permission in a team."""
        if not self.may_in_team(team_id, permission):
            raise self.refuse(permission)

    def need_in_channel(self, channel_id: str, permission: str) -> None:
        """Refuse unless the caller has a permission in a channel."""
        if not self.may_in_channel(channel_id, permission):
            raise self.refuse(permission)

    def need_by_post(self, post_id: str, permission: str) -> None:
        """Refuse unless the caller has a permission in a post's channel; of an unknown post, in the system."""
        post = self.state.posts.by_id.get(post_id)
        if not (self.may(permission) if post is None else self.may_in_channel(post.channel_id, permission)):
            raise self.refuse(permission)

    def need_self_or(self, user_id: str, permission: str = "edit_other_users") -> None:
        """Refuse unless the caller is this user or may act for others."""
        if user_id != self.user_id and not self.may(permission):
            raise self.refuse(permission)

    def membership(self, channel_id: str, user_id: str) -> ChannelMember:
        """Return a channel's member."""
        member = self.state.channels.member(channel_id, user_id)
        if member is None:
            raise api_errors.not_found(
                "app.channel.get_member.missing.app_error",
                "No channel member found for that user ID and channel ID.",
                "ChannelMember",
                f"channelId={channel_id}, userId={user_id}",
            )
        return member


def page_of(items: Iterable[Item], call: Call) -> list[Item]:
    """Return the page that was asked for of some items."""
    return list(items)[call.offset : call.offset + call.per_page]


def rows_of(user_ids: Iterable[str], call: Call, show: Callable[[User], Any]) -> list[Any]:
    """Show users by their ids."""
    by_id = call.state.users.by_id
    return [show(by_id[user_id]) for user_id in user_ids]
