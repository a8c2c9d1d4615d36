"""The agent as a run makes it, pointed at a null server: entities, clients, recorder, results log, websockets.

Only the set-up, the logins and the live view are left out, and the entities have one action.
"""

from __future__ import annotations

import asyncio
import math
import random
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr

from mattermost_load_test.config import ConnectionConfiguration, UserEntitiesConfiguration
from mattermost_load_test.config.models import EnvironmentConfiguration
from mattermost_load_test.loadtest.actions.teams import team_unreads
from mattermost_load_test.loadtest.clock import LoopClock
from mattermost_load_test.loadtest.entity import Entity, EntityContext
from mattermost_load_test.loadtest.failures import FailureLog
from mattermost_load_test.loadtest.measuring.recorder import RecordingTransport, steady_epoch_ms
from mattermost_load_test.loadtest.measuring.tally import Tally
from mattermost_load_test.loadtest.measuring.watch import RequestWatch
from mattermost_load_test.loadtest.pacing import Pacing
from mattermost_load_test.loadtest.places import ServerPlaces
from mattermost_load_test.loadtest.population.population import Population, email
from mattermost_load_test.loadtest.scenarios import EntityKind
from mattermost_load_test.loadtest.user import User
from mattermost_load_test.loadtest.world import World
from mattermost_load_test.logs import Log, Wanted, open_file
from mattermost_load_test.mattermost.events import EventCounters
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.source_ports import SourcePorts
from mattermost_load_test.mattermost.transport import Transport
from mattermost_load_test.mattermost.websocket import EventStream
from mattermost_load_test.mattermost.websocket_connection import WebsocketOptions
from mattermost_load_test.timings.records import ResultsWriter, Sample

ASKING = EntityKind({team_unreads: 1})  # the original's second most frequent action: one request, a small answer
SOURCE_ADDRESS = "127.31.0.1"  # of all websockets, as a worker has one: the kernel looks for no free port then
TOKEN = SecretStr("abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True)
class Once(Pacing):
    """The rhythm of an entity that connects and acts once, within its `interval_s`, and then only listens."""

    def next_due_s(self, ended_s: float, draw: float) -> float:
        """Return a moment that no benchmark lives to see."""
        return ended_s + 1e6


@dataclass(frozen=True, slots=True)
class Settled(Pacing):
    """The rhythm of an entity that connects and acts within `ramp_s`, then at random, every `interval_s` on average.

    Waiting times are exponential, so that the rate is even from the start however short the ramp is.
    """

    ramp_s: float = 1.0

    def first_due_s(self, started_s: float, draw: float) -> float:
        """Return when the first action is due."""
        return started_s + self.ramp_s * draw

    def next_due_s(self, ended_s: float, draw: float) -> float:
        """Return when the next action is due."""
        return ended_s - self.interval_s * math.log(1.0 - draw)


class Agent:
    """An agent without a run around it; `entity` makes one more entity, `counted` is what they all did."""

    def __init__(
        self, inner: Transport, sockets: WebsocketOptions, log: Log, tasks: asyncio.TaskGroup, server: str
    ) -> None:
        self.clock = LoopClock()
        self.tally = Tally()
        self.events = EventCounters()
        self.requests = RequestWatch(self.clock.now_s)
        self.context = EntityContext(self.clock, self.tally, FailureLog(log, self.clock), tasks, polling=False)
        self.writer = ResultsWriter([log], "bench", time.time)
        self._transport = RecordingTransport(inner, steady_epoch_ms(), self._measured)
        self._sockets = sockets
        self._server = server
        places = ServerPlaces(
            Population(EnvironmentConfiguration(num_users=1, num_direct_message_channels=0)), {}, {}, {}
        )
        admin = Client(self._transport, TOKEN, server)
        self._world = World(UserEntitiesConfiguration(), places, admin, self.clock, TOKEN, 1, 0, server)

    def _measured(self, sample: Sample) -> None:
        """Take a sample as a run does."""
        self.writer.add(sample)
        self.requests.add(sample)

    @staticmethod
    def all_connected(entities: Iterable[Entity]) -> bool:
        """Say whether all these entities have their websocket open."""
        return all(entity.user.events.connected for entity in entities)

    def entity(self, number: int, pacing: Pacing) -> Entity:
        """Return an entity that is logged in, as `loadtest.cast.entity_of` makes it."""
        chance = random.Random(number)
        client = Client(self._transport, TOKEN, self._server)
        events = EventStream(self._sockets, lambda: client.token, chance, counters=self.events, sleep=self.clock.sleep)
        user = User(number, email(number), client, events, chance, self._world)
        return Entity(user, ASKING, pacing, self.context)


@asynccontextmanager
async def open_agent(url: str, keys: Mapping[str, object]) -> AsyncIterator[Agent]:
    """Give an agent for the server at `url`; `keys` are further ones of the connection's configuration."""
    connection = ConnectionConfiguration.model_validate({"ServerURL": url, **keys})
    sockets = replace(await WebsocketOptions.of(connection), source=SourcePorts(SOURCE_ADDRESS))
    with tempfile.TemporaryDirectory() as folder:
        log = Log([open_file(Path(folder) / "loadtest.log", Wanted(None, as_json=True, data=True))])
        async with open_transport(connection) as transport, asyncio.TaskGroup() as tasks:
            agent = Agent(transport, sockets, log, tasks, url)
            try:
                yield agent
            finally:
                agent.context.cut()
        log.close()
