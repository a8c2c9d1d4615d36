"""All that an embedded Mattermost knows, in memory: the tables, the configuration, the clock.

The tables hold rows and indices and nothing else: what may be done, and whom it is told, is decided by `site` and the
modules around it. One event loop owns a state; nothing here waits or locks.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from collections.abc import Set as AbstractSet

from mattermost_load_test.embedded.configuration import ServerConfiguration
from mattermost_load_test.embedded.defaults import default_roles
from mattermost_load_test.embedded.ids import IdMaker
from mattermost_load_test.embedded.tables.attachments import AttachmentTable
from mattermost_load_test.embedded.tables.categories import CategoryTable
from mattermost_load_test.embedded.tables.channels import ChannelTable
from mattermost_load_test.embedded.tables.drafts import DraftTable
from mattermost_load_test.embedded.tables.integrations import IntegrationTable
from mattermost_load_test.embedded.tables.posts import PendingPosts, PostTable
from mattermost_load_test.embedded.tables.presence import PreferenceTable, Status
from mattermost_load_test.embedded.tables.roles import RoleTable
from mattermost_load_test.embedded.tables.sessions import Session, SessionTable
from mattermost_load_test.embedded.tables.teams import TeamTable
from mattermost_load_test.embedded.tables.threads import ThreadTable
from mattermost_load_test.embedded.tables.users import UserTable
from mattermost_load_test.embedded.tables.work import WorkTable
from mattermost_load_test.embedded.versions import VERSIONS


def wall_clock_ms() -> int:
    """Return the time of this machine in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class State:
    """The tables of one server.

    `version` is a key of `versions.VERSIONS`; `licensed` lets it play a server with a licence. The clock (milliseconds
    since 1970) and the source of randomness can be given, so that a test has the same server twice.
    """

    def __init__(
        self,
        version: str,
        *,
        licensed: bool = False,
        clock_ms: Callable[[], int] = wall_clock_ms,
        randomness: random.Random | None = None,
    ) -> None:
        self.version = VERSIONS[version]
        self.licensed = licensed
        self.now_ms = clock_ms
        self.new_id = IdMaker(randomness or random.Random())
        self.config = ServerConfiguration(self.version.name, self.new_id(), self.now_ms())
        self.users = UserTable()
        self.sessions = SessionTable()
        self.teams = TeamTable()
        self.channels = ChannelTable()
        self.posts = PostTable()
        self.pending_posts = PendingPosts()
        self.threads = ThreadTable()
        self.drafts = DraftTable()
        self.attachments = AttachmentTable()
        self.preferences = PreferenceTable()
        self.categories = CategoryTable()
        self.statuses: dict[str, Status] = {}
        self.roles = RoleTable()
        self.integrations = IntegrationTable()
        self.work = WorkTable()
        self.keywords: dict[str, set[str]] = {}
        """Words that mention users besides their names, as those users chose, with the users' ids."""
        self.counts: Counter[str] = Counter()
        """How often something happened, for the metrics: logins, posts, searches and the like."""
        for role in default_roles(self.version.name, self.new_id, self.now_ms()):
            self.roles.add(role)

    def channel_member_ids(self, channel_id: str) -> AbstractSet[str]:
        """Return the ids of a channel's members, empty for an unknown channel."""
        return self.channels.members(channel_id).keys()

    def team_member_ids(self, team_id: str) -> AbstractSet[str]:
        """Return the ids of a team's present members, empty for an unknown team."""
        return self.teams.members(team_id).keys()

    def is_system_admin(self, user_id: str) -> bool:
        """Tell whether a user may manage the system."""
        user = self.users.by_id.get(user_id)
        return user is not None and user.is_admin

    def session_by_token(self, token: str) -> Session | None:
        """Return the living session of this token."""
        session = self.sessions.by_token.get(token)
        return None if session is None or session.expires_at <= self.now_ms() else session

    def is_live_session(self, token: str) -> bool:
        """Tell whether a session token is still good."""
        return token in self.sessions.by_token
