"""What the users of one agent share: the places of the population, the admin, what the server can.

It is handed down and never changed while a run goes on, except for what its comments name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pydantic import SecretStr

from mattermost_load_test.config import UserEntitiesConfiguration
from mattermost_load_test.loadtest.clock import Clock
from mattermost_load_test.sampling import Draw

if TYPE_CHECKING:
    from mattermost_load_test.loadtest.user import User
    from mattermost_load_test.mattermost.rest import Client


@dataclass(frozen=True, slots=True)
class Team:
    """A team as the server knows it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of a team as the server knows it."""

    id: str
    name: str


class Places(Protocol):
    """Where the users of the population belong, with the server's ids. `user` is the user's number."""

    def pick_team(self, user: int, draw: Draw) -> Team | None:
        """Return one of the user's own teams by its selection weight, or None for a user without any."""
        ...

    def pick_channel(self, user: int, team: Team, draw: Draw) -> Channel | None:
        """Return one of the user's own channels in `team` by its selection weight, or None if there is none."""
        ...

    def town_square(self, team: Team) -> Channel | None:
        """Return the channel that everybody in `team` is in, or None if it is not known."""
        ...

    def public_channel_count(self, team: Team) -> int:
        """Return how many public channels `team` has."""
        ...

    def username(self, user: int) -> str:
        """Return the name of the population's user of that number."""
        ...

    def emoji_name(self, emoji: int) -> str:
        """Return the name of the population's custom emoji of that number."""
        ...


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the server at hand can, found out once at set-up; what it cannot is left out by the actions.

    `link_previews`: ``POST /opengraph`` exists and is on (gone on 11). `deactivation`: a deactivated user can be
    reactivated (not above the user limit of 11 without a licence). `webhooks`: users may make and use them.
    `file_uploads`, `custom_emoji`: are switched on.
    """

    link_previews: bool = True
    deactivation: bool = True
    webhooks: bool = True
    file_uploads: bool = True
    custom_emoji: bool = True


def _nobody(user: User) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything that is the same for all users of an agent.

    `password` is that of every user of the population, `admin` the session of the system admin. `link_preview_url` is
    the page whose preview is asked. `logged_in` is told of a user that logged in anew. `polled` holds the member
    lists that status polling has got, by channel id: entities ask one by one and then share the list, which is what
    keeps 20,000 of them small.
    """

    behaviour: UserEntitiesConfiguration
    places: Places
    admin: Client
    clock: Clock
    password: SecretStr
    num_users: int
    num_emoji: int
    link_preview_url: str
    abilities: Abilities = Abilities()
    logged_in: Callable[[User], object] = _nobody
    polled: dict[str, tuple[str, ...]] = field(default_factory=dict)
