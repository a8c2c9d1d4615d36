"""One running embedded Mattermost: its tables, its listeners, its rules; what every request is handled with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from mattermost_load_test.embedded.events import Built, Event, Events
from mattermost_load_test.embedded.jobs import JobWorker
from mattermost_load_test.embedded.permissions import Permissions
from mattermost_load_test.embedded.state import State
from mattermost_load_test.embedded.tables.posts import Post
from mattermost_load_test.embedded.tables.presence import AWAY, OFFLINE, ONLINE, Status
from mattermost_load_test.embedded.versions import Version
from mattermost_load_test.embedded.views import Views

AWAY_AFTER_MS = 5 * 60 * 1000
"""`UserStatusAwayTimeout` of both servers: idle for so long, a user is away."""


class Publisher(Protocol):
    """Who tells the connected clients what happened; the websocket hub."""

    @property
    def events(self) -> Events:
        """What builds the events of this server's version."""

    def publish(self, *events: Event) -> None:
        """Deliver events to whom they are meant for."""


class Site:
    """A server's state together with what decides and tells; it also answers what websockets ask (`sockets.Host`).

    `post_metadata` false leaves `metadata` out of posts, as servers before 5.10 do.
    """

    def __init__(self, state: State, hub: Publisher, *, post_metadata: bool = True) -> None:
        self.state = state
        self.hub = hub
        self.events = hub.events
        self.permissions = Permissions(state)
        self.views = Views(state, self.permissions, post_metadata=post_metadata)
        self.jobs = JobWorker(state)
        self.site_url = ""
        """Where the server is reached; empty until it listens."""

    def listens_at(self, url: str) -> None:
        """Note where the server is reached."""
        self.site_url = self.views.site_url = url

    @property
    def version(self) -> Version:
        """The version that is played."""
        return self.state.version

    def publish(self, built: Built) -> None:
        """Tell those concerned what happened."""
        self.hub.publish(*built)

    def version_id(self) -> str:
        """Give what ``X-Version-Id`` says."""
        version = self.state.version
        licensed = "true" if self.state.licensed else "false"
        return f"{version.number}.{version.build}.{self.state.config.client_hash()}.{licensed}"

    def server_number(self) -> str:
        """Give the version number, three parts."""
        return self.state.version.number

    def now_ms(self) -> int:
        """Give the time in ms since 1970."""
        return self.state.now_ms()

    def new_id(self) -> str:
        """Make an id."""
        return self.state.new_id()

    def user_of_session(self, token: str) -> str | None:
        """Give the id of the user whose session token this is, None when it is no good (any more)."""
        session = self.state.session_by_token(token)
        return None if session is None else session.user_id

    def may_post(self, user_id: str, channel_id: str) -> bool:
        """Tell whether a user may post to a channel."""
        return self.permissions.in_channel(user_id, channel_id, "create_post")

    def reply_count(self, post: Post) -> int:
        """Count the replies in the thread that a post belongs to."""
        thread = self.state.threads.get(post.root_id or post.id)
        return 0 if thread is None or thread.root.delete_at else len(thread.replies)

    def collapses_threads(self, user_id: str) -> bool:
        """Tell whether a user has replies in threads of their own instead of in the channel."""
        setting = self.state.config.get("ServiceSettings", "CollapsedThreads")
        if setting in ("disabled", "always_on"):
            return bool(setting == "always_on")
        chosen = self.state.preferences.get(user_id, "display_settings", "collapsed_reply_threads")
        return setting == "default_on" if chosen is None else chosen.value == "on"

    # --- statuses ---

    def status(self, user_id: str) -> Status:
        """Give a user's status, offline for a user without one."""
        return self.state.statuses.get(user_id) or Status(user_id)

    def set_status(self, user_id: str, status: str, *, manual: bool, dnd_end_time: int = 0) -> Status:
        """Set a user's status and publish it."""
        row = self.state.statuses.setdefault(user_id, Status(user_id))
        row.status, row.manual, row.dnd_end_time = status, manual, dnd_end_time
        if status in (ONLINE, OFFLINE):
            row.last_activity_at = self.state.now_ms()
        self.publish(self.events.status_change(user_id, status))
        return row

    def set_online(self, user_id: str, *, manual: bool = False) -> None:
        """Set a user's status to online, and publish it if it was another; one set by hand stays unless `manual`."""
        row = self.state.statuses.get(user_id)
        if row is not None and row.status == ONLINE:
            row.last_activity_at = self.state.now_ms()
        elif row is None or manual or not row.manual:
            self.set_status(user_id, ONLINE, manual=False)

    def set_offline(self, user_id: str) -> None:
        """Set a user's status to offline unless it was set by hand, and publish it."""
        if not self.status(user_id).manual:
            self.set_status(user_id, OFFLINE, manual=False)

    def set_away_if_idle(self, user_id: str, *, manual: bool = False) -> None:
        """Set a user's status to away if the user did nothing lately (or `manual`), and publish it."""
        row = self.status(user_id)
        idle = self.state.now_ms() - row.last_activity_at > AWAY_AFTER_MS
        if manual or (not row.manual and row.status not in (AWAY, OFFLINE) and idle):
            self.set_status(user_id, AWAY, manual=manual)

    def statuses(self) -> Mapping[str, str]:
        """Give the status of every user who has one."""
        return {user_id: row.status for user_id, row in self.state.statuses.items() if row.status != OFFLINE}

    def statuses_of(self, user_ids: list[str]) -> Mapping[str, str]:
        """Give the status of users, offline for those without one."""
        return {user_id: self.status(user_id).status for user_id in user_ids}
