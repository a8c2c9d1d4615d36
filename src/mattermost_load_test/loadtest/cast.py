"""The entities of a run: which user each one plays, of which kind it is, its session, its websocket, its chance."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mattermost_load_test.config import UserEntitiesConfiguration
from mattermost_load_test.loadtest.actions.sessions import log_in
from mattermost_load_test.loadtest.entity import Entity, EntityContext
from mattermost_load_test.loadtest.pacing import pacing_of
from mattermost_load_test.loadtest.population import email
from mattermost_load_test.loadtest.scenarios import KINDS, Scenario, kind_cycle
from mattermost_load_test.loadtest.user import User
from mattermost_load_test.loadtest.world import World
from mattermost_load_test.mattermost.events import EventCounters
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import Transport
from mattermost_load_test.mattermost.websocket import EventStream, WebsocketOptions
from mattermost_load_test.sampling import derived_seed


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


def entity_of(role: Role, stage: Stage, behaviour: UserEntitiesConfiguration) -> Entity:
    """Return the entity that plays `role` on `stage`, not logged in yet."""
    chance = random.Random(derived_seed(stage.seed, "entity", role.user))
    kind = KINDS[role.kind]
    client = Client(stage.transport, server=stage.server)
    events = EventStream(
        stage.sockets,
        lambda: client.token,
        chance,
        renew_token=lambda: log_in(user),
        on_connect=lambda: entity.connected(),  # noqa: PLW0108 — the entity does not exist yet
        counters=stage.counters,
        sleep=stage.world.clock.sleep,
    )
    user = User(role.user, email(role.user), client, events, chance, stage.world)
    pacing = pacing_of(
        behaviour.action_rate_milliseconds, behaviour.action_rate_max_variance_milliseconds, kind.rate_multiplier
    )
    entity = Entity(user, kind, pacing, stage.context)
    return entity
