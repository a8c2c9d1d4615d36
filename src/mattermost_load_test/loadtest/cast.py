"""The entities of a run: which user each one plays, of which kind it is, its session, its websocket, its chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from mattermost_load_test.config import Configuration, UserEntitiesConfiguration
from mattermost_load_test.loadtest.actions.sessions import renew_session
from mattermost_load_test.loadtest.clock import Clock
from mattermost_load_test.loadtest.entity import Entity, EntityContext
from mattermost_load_test.loadtest.logins.token_cache import UserSession
from mattermost_load_test.loadtest.pacing import pacing_of
from mattermost_load_test.loadtest.population.population import USER_PASSWORD, email
from mattermost_load_test.loadtest.scenarios import KINDS, Scenario, kind_cycle
from mattermost_load_test.loadtest.user import User
from mattermost_load_test.loadtest.world import World
from mattermost_load_test.mattermost.events import EventCounters
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import Transport
from mattermost_load_test.mattermost.websocket import EventStream
from mattermost_load_test.mattermost.websocket_connection import WebsocketOptions
from mattermost_load_test.sampling import derived_seed

if TYPE_CHECKING:
    from mattermost_load_test.loadtest.setup.steps import SetUp


@dataclass(frozen=True, slots=True)
class Stage:
    """What all entities of an agent act on: the recorded transport, the websockets' options and their shared counters.

    `server` names the server in messages; `seed` is where each entity's own chance is derived from.
    """

    world: World
    transport: Transport
    sockets: WebsocketOptions
    counters: EventCounters
    context: EntityContext
    server: str
    seed: int


@dataclass(frozen=True, slots=True)
class Role:
    """An entity before it has a session: the user it plays, and the kind it is."""

    user: int
    kind: str


def roles(scenario: Scenario, users: Sequence[int], first_entity: int) -> Iterator[Role]:
    """Yield the role of each entity of an agent whose first is number `first_entity` of all agents' entities."""
    cycle = kind_cycle(scenario.kinds)
    for place, user in enumerate(users):
        yield Role(user, cycle[(first_entity + place) % len(cycle)])


def even_parts(cast: Sequence[Role], number: int) -> Iterator[Sequence[Role]]:
    """Yield up to `number` parts of `cast`, none empty, whose sizes differ by one at most; each has the mix of all."""
    size, number = len(cast), min(number, len(cast))
    for part in range(number):
        yield cast[size * part // number : size * (part + 1) // number]


def world_of(
    configuration: Configuration,
    ready: SetUp,
    transport: Transport,
    clock: Clock,
    logged_in: Callable[[User], object],
) -> World:
    """Return what is the same for all users of an agent on the server that `ready` tells of.

    `transport` carries the admin's requests, `logged_in` is told of each user that logs in anew.
    """
    behaviour, environment = configuration.entities, configuration.environment
    server = configuration.connection.server_url.rstrip("/")
    return World(
        behaviour,
        ready.places,
        Client(transport, ready.admin_token, server),
        clock,
        SecretStr(USER_PASSWORD),
        environment.num_users,
        environment.num_emoji,
        behaviour.link_preview_url or server,
        ready.abilities,
        logged_in,
    )


def entity_of(role: Role, session: UserSession, stage: Stage, behaviour: UserEntitiesConfiguration) -> Entity:
    """Return the entity that plays `role` on `stage` with a session that is there already."""
    chance = random.Random(derived_seed(stage.seed, "entity", role.user))
    kind = KINDS[role.kind]
    client = Client(stage.transport, session.token, stage.server)
    events = EventStream(
        stage.sockets,
        lambda: client.token,
        chance,
        renew_token=lambda: renew_session(user),
        on_connect=lambda: entity.connected(),  # noqa: PLW0108 — the entity does not exist yet
        on_failure=lambda error: entity.socket_failed(error),  # noqa: PLW0108 — likewise
        counters=stage.counters,
        sleep=stage.world.clock.sleep,
    )
    user = User(role.user, email(role.user), client, events, chance, stage.world)
    user.id = session.user_id
    pacing = pacing_of(
        behaviour.action_rate_milliseconds, behaviour.action_rate_max_variance_milliseconds, kind.rate_multiplier
    )
    entity = Entity(user, kind, pacing, stage.context)
    return entity
