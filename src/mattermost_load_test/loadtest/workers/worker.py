"""A worker: the process that plays a share of an agent's entities, from its fork to its end.

It tells the parent what it measures as it happens and what it has done twice a second; it begins and stops when the
parent says so, and stops by itself when the time is up, should the parent be busy then.
"""

from __future__ import annotations

import asyncio
import socket
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mattermost_load_test.errors import LoadTestError
from mattermost_load_test.loadtest.cast import Role, Stage, entity_of, world_of
from mattermost_load_test.loadtest.clock import LoopClock
from mattermost_load_test.loadtest.entity import Entity, EntityContext
from mattermost_load_test.loadtest.failures import FailureLog
from mattermost_load_test.loadtest.logins.token_cache import UserSession
from mattermost_load_test.loadtest.machine.event_loop import run_async
from mattermost_load_test.loadtest.machine.garbage import collect_seldom
from mattermost_load_test.loadtest.measuring.measures import Measures
from mattermost_load_test.loadtest.measuring.recorder import RecordingTransport, steady_epoch_ms
from mattermost_load_test.loadtest.measuring.tally import Tally
from mattermost_load_test.loadtest.measuring.watch import RequestWatch
from mattermost_load_test.loadtest.plan import RunPlan
from mattermost_load_test.loadtest.setup.steps import SetUp
from mattermost_load_test.loadtest.user import User
from mattermost_load_test.loadtest.workers.link import Link, open_link
from mattermost_load_test.loadtest.workers.messages import (
    Begin,
    DataLine,
    Failed,
    Measured,
    Ready,
    Said,
    SessionRenewed,
    Stop,
)
from mattermost_load_test.loadtest.workers.self_watch import SelfWatch
from mattermost_load_test.logs import Log, LogLine
from mattermost_load_test.mattermost.events import EventCounters
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.source_ports import SourcePorts
from mattermost_load_test.mattermost.transport import Transport, TransportOptions
from mattermost_load_test.mattermost.websocket_connection import WebsocketOptions
from mattermost_load_test.timings.records import ResultsWriter, Sample

DRAIN_S = 10.0  # what actions under way may still take when the time is up, as in the original
REPORT_INTERVAL_S = 0.5


@dataclass(frozen=True, slots=True)
class Share:
    """What one worker plays: `roles` of the test `plan` on the server that `ready` tells of.

    `sessions` are those of the users by number, of other workers' users, too: it is one object for all of them.
    `source_address` is the address that it connects from; empty: the system's choice.
    """

    number: int
    plan: RunPlan
    ready: SetUp
    roles: Sequence[Role]
    sessions: Mapping[int, UserSession]
    source_address: str = ""


def work(share: Share, end: socket.socket) -> None:
    """Play `share` until the parent ends it; what keeps the worker from it is told to the parent."""
    run_async(_work(share, end))


async def _work(share: Share, end: socket.socket) -> None:
    link = await open_link(end)
    try:
        await Worker(share, link).run()
    except* _ParentGoneError:
        pass
    except* LoadTestError as errors:
        link.send(Failed("; ".join(str(error) for error in errors.exceptions)))
    except* Exception as errors:
        link.send(Failed(f"a defect of the agent:\n{''.join(traceback.format_exception(errors))}"))
    await link.closed()  # the parent closes when it has read the last word


class _ParentGoneError(Exception):
    """The parent has ended: there is nobody left to work for."""


class ParentSink:
    """The log of a worker: every line goes to the parent, which has the files; what it cannot take is counted."""

    vital = True

    def __init__(self, link: Link, worker: int) -> None:
        self.lost_lines = 0
        self._link = link
        self._worker = worker

    def write(self, line: LogLine) -> None:
        """Send a line for people, marked as this worker's."""
        self._link.send(Said(replace(line, fields={**line.fields, "worker": self._worker})))

    def write_data(self, line: bytes) -> None:
        """Send a line of timings."""
        if not self._link.send(DataLine(line)):
            self.lost_lines += 1

    def close(self) -> None:
        """Leave the link open: it is not the sink's."""


class Worker:
    """The entities of one worker and all that they share."""

    def __init__(self, share: Share, link: Link) -> None:
        self._share = share
        self._link = link
        self._clock = LoopClock()
        self._sink = ParentSink(link, share.number)
        log = Log([self._sink])
        self._failures = FailureLog(log, self._clock)
        self._writer = ResultsWriter([log], share.plan.instance_id, time.time)
        self._tally = Tally()
        self._counters = EventCounters()
        self._requests = RequestWatch(self._clock.now_s)
        self._watch = SelfWatch(self._clock)
        self._entities: Sequence[Entity] = ()
        self._orders: asyncio.Queue[Begin | Stop] = asyncio.Queue()

    async def run(self) -> None:
        """Make the entities, let them act when the parent says so, and stop them in order."""
        connection = self._share.plan.configuration.connection
        source = SourcePorts(self._share.source_address) if self._share.source_address else None
        options = replace(TransportOptions.of(connection), source=source)
        async with open_transport(options) as transport, asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(self._listen())
            polling = self._share.plan.configuration.entities.do_status_polling
            context = EntityContext(self._clock, self._tally, self._failures, tasks, polling=polling)
            sockets = replace(await WebsocketOptions.of(connection), source=source)
            self._entities = self._cast(transport, transport.server, sockets, context)
            collect_seldom()
            self._link.send(Ready())
            reporting = tasks.create_task(self._report())
            await self._act()
            await self._end(context)
            reporting.cancel()
            listening.cancel()
            self._writer.flush()
            self._link.send(Measured(self._measures(), final=True))  # websockets may still take a while to close

    def _cast(
        self, transport: Transport, server: str, sockets: WebsocketOptions, context: EntityContext
    ) -> Sequence[Entity]:
        """Return the entities, logged in and not begun."""
        plan, ready = self._share.plan, self._share.ready
        recorder = RecordingTransport(transport, steady_epoch_ms(), self._measured)
        world = world_of(plan.configuration, ready, recorder, self._clock, self._renewed)
        stage = Stage(world, recorder, sockets, self._counters, context, server, plan.configuration.environment.seed)
        sessions, behaviour = self._share.sessions, plan.configuration.entities
        return [entity_of(role, sessions[role.user], stage, behaviour) for role in self._share.roles]

    async def _listen(self) -> None:
        """Take the parent's orders; raises `_ParentGoneError` once there is no parent."""
        while (message := await self._link.receive()) is not None:
            assert isinstance(message, Begin | Stop)  # the parent says nothing else
            self._orders.put_nowait(message)
        raise _ParentGoneError

    async def _act(self) -> None:
        """Wait for the beginning and let the entities act until the time is up or the parent wants the end."""
        order = await self._orders.get()
        if isinstance(order, Stop):
            self._orders.put_nowait(order)
            return
        self._watch.begin()
        starting = asyncio.ensure_future(self._start())
        try:
            async with asyncio.timeout_at(order.ends_s):
                self._orders.put_nowait(await self._orders.get())
        except TimeoutError:
            self._orders.put_nowait(Stop(DRAIN_S))
        finally:
            starting.cancel()

    async def _start(self) -> None:
        """Start the entities: all at once, or at this worker's part of the rate that is set."""
        share = self._share
        per_second = share.plan.configuration.connection.connects_per_second * len(share.roles) / len(share.sessions)
        begun_s = self._clock.now_s()
        for number, entity in enumerate(self._entities):
            if per_second:
                await self._clock.sleep(max(0.0, begun_s + number / per_second - self._clock.now_s()))
            entity.start(connect_at_once=per_second > 0)

    async def _end(self, context: EntityContext) -> None:
        """Stop the entities: what is under way may end, for a while, then it is cut."""
        self._watch.end()
        for entity in self._entities:
            entity.stop()
        try:
            async with asyncio.timeout(None) as limit:
                hurrying = asyncio.ensure_future(self._hurry(limit))
                await context.drained()
        except TimeoutError:
            return
        finally:
            hurrying.cancel()
            context.cut()

    async def _hurry(self, limit: asyncio.Timeout) -> None:
        """Bring `limit` forward to what the parent allows, and again when it allows less."""
        while True:
            order = await self._orders.get()
            if isinstance(order, Stop):
                until_s = self._clock.now_s() + order.drain_s
                limit.reschedule(until_s if limit.when() is None else min(limit.when() or 0.0, until_s))

    async def _report(self) -> None:
        """Tell the parent again and again what was done so far."""
        while True:
            await asyncio.sleep(REPORT_INTERVAL_S)
            self._writer.flush_if_due()
            self._link.send(Measured(self._measures()))

    def _measures(self) -> Measures:
        """Return what was done so far."""
        requests = self._requests
        return Measures(
            self._tally,
            requests.requests,
            requests.errors,
            requests.durations,
            requests.recent_ms(),
            self._counters,
            sum(entity.user.events.connected for entity in self._entities),
            self._sink.lost_lines,
            self._watch.lag_s,
            *self._watch.spent(),
        )

    def _measured(self, sample: Sample) -> None:
        """Take a sample."""
        self._writer.add(sample)
        self._requests.add(sample)

    def _renewed(self, user: User) -> None:
        """Tell the parent of a user's new session."""
        if user.client.token is not None:
            self._link.send(SessionRenewed(user.number, UserSession(user.id, user.client.token)))
