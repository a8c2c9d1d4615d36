"""A test run of one agent: set-up, logins, the entities' time. Each phase can be interrupted, and ends in order.

`run_test` is what a command calls. What it counts is bounded; every sample is in the log as soon as a hundred have
gathered or five seconds have passed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from pydantic import SecretStr

from mattermost_load_test.config import redacted
from mattermost_load_test.errors import LoadTestError, OperationError, ServerError
from mattermost_load_test.loadtest.actions.sessions import log_in
from mattermost_load_test.loadtest.cast import Stage, entity_of, roles
from mattermost_load_test.loadtest.clock import LoopClock
from mattermost_load_test.loadtest.entity import Entity, EntityContext
from mattermost_load_test.loadtest.failures import FailureLog
from mattermost_load_test.loadtest.logins import LoginPace, Logins
from mattermost_load_test.loadtest.output import Output
from mattermost_load_test.loadtest.plan import RunPlan
from mattermost_load_test.loadtest.population import USER_PASSWORD
from mattermost_load_test.loadtest.profiling import profiled
from mattermost_load_test.loadtest.progress import Figures, Progress, Subject
from mattermost_load_test.loadtest.recorder import RecordingTransport, steady_epoch_ms
from mattermost_load_test.loadtest.scenarios import SCENARIOS
from mattermost_load_test.loadtest.setup import SetUp, set_up
from mattermost_load_test.loadtest.stop import Stop
from mattermost_load_test.loadtest.tally import Tally
from mattermost_load_test.loadtest.watch import RequestWatch
from mattermost_load_test.loadtest.world import World
from mattermost_load_test.mattermost.events import EventCounters
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import ServerTransport
from mattermost_load_test.mattermost.websocket import WebsocketOptions
from mattermost_load_test.reporting.run_summary import Lateness, RunSummary, Websockets
from mattermost_load_test.timings.records import LOGIN_TAG, TIMINGS_TAG, ResultsWriter, Sample

DRAIN_S = 10.0  # what actions under way may still take when the time is up, as in the original
DRAIN_STOPPED_S = 2.0  # the same when the run is ended early


async def run_test(plan: RunPlan, output: Output, stop: Stop) -> RunSummary:
    """Carry out `plan` and return what came of it; `stop` ends it early, as does a log that cannot be written.

    The reason for that is raised where nothing was measured yet. Raises `ServerError` when the server cannot be set up.
    """
    output.log.on_failure = stop.request
    async with open_transport(plan.configuration.connection) as transport:
        return await TestRun(plan, output, stop, transport).carry_out()


class TestRun:
    """One run: its phases in order, and what they share."""

    __test__ = False  # pytest takes it for a test otherwise

    def __init__(self, plan: RunPlan, output: Output, stop: Stop, transport: ServerTransport) -> None:
        self._plan = plan
        self._output = output
        self._stop = stop
        self._transport = transport
        self._clock = LoopClock()
        self._writer = ResultsWriter([output.log], plan.instance_id, time.time)
        self._tally = Tally()
        self._counters = EventCounters()
        self._requests = RequestWatch(self._clock.now_s)
        self._notes: list[str] = []  # what the summary says beside its figures
        self._failures = FailureLog(output.log, self._clock)
        subject = Subject(plan.scenario, transport.server, len(plan.users), plan.lateness_limit_ms)
        self._progress = Progress(subject, output, self._clock, self._writer.flush_if_due)

    async def carry_out(self) -> RunSummary:
        """Go through the phases and return the summary."""
        self._tell_settings()
        ticking = asyncio.ensure_future(self._progress.run())
        try:
            ready = await self._stop.unless(self._set_up())
            return await self._load(ready)
        finally:
            ticking.cancel()
            await asyncio.wait([ticking])
            self._writer.flush()

    def _tell_settings(self) -> None:
        """Write what is run, and how, into the log."""
        log, plan = self._output.log, self._plan
        log.info(
            "Running test",
            test=plan.scenario,
            instance_id=plan.instance_id,
            agent=str(plan.place),
            entities=len(plan.users),
        )
        self._writer.write_settings(redacted(plan.configuration))
        for text in (*plan.warnings, *self._transport.notes):
            log.warn(text)

    async def _set_up(self) -> SetUp:
        """Make the server ready."""
        self._progress.phase = "Setting up"

        def tell(detail: str) -> None:
            self._progress.detail = detail

        return await set_up(self._transport, self._plan.configuration, self._clock, self._output.log, tell)

    async def _load(self, ready: SetUp) -> RunSummary:
        """Log the entities in, let them act until the time is up or the end is wanted, and sum up."""
        recorder = RecordingTransport(self._transport, steady_epoch_ms(), self._writer.add)
        sockets = await WebsocketOptions.of(self._plan.configuration.connection)
        async with asyncio.TaskGroup() as tasks:
            polling = self._plan.configuration.entities.do_status_polling
            context = EntityContext(self._clock, self._tally, self._failures, tasks, polling=polling)
            entities = self._cast(ready, recorder, sockets, context)
            self._writer.begin(LOGIN_TAG)
            logged_in = await self._logged_in(entities)
            self._writer.begin(TIMINGS_TAG)
            recorder.sink = self._measured
            await self._until_start()
            started_s = self._clock.now_s()
            await self._act(logged_in, context, started_s)
            ended_s = self._clock.now_s()
            await self._end(logged_in, context)
        return self._summary(ready, len(logged_in), ended_s - started_s)

    def _cast(
        self, ready: SetUp, recorder: RecordingTransport, sockets: WebsocketOptions, context: EntityContext
    ) -> dict[int, Entity]:
        """Return the entities, by the number of the user each one plays."""
        plan = self._plan
        behaviour, environment = plan.configuration.entities, plan.configuration.environment
        server = self._transport.server
        world = World(
            behaviour,
            ready.places,
            Client(recorder, ready.admin_token, server),
            self._clock,
            SecretStr(USER_PASSWORD),
            environment.num_users,
            environment.num_emoji,
            behaviour.link_preview_url or server,
            ready.abilities,
        )
        stage = Stage(world, recorder, sockets, self._counters, context, server, environment.seed)
        cast = roles(SCENARIOS[plan.scenario], plan.users, plan.first_entity)
        return {role.user: entity_of(role, stage, behaviour) for role in cast}

    async def _logged_in(self, entities: Mapping[int, Entity]) -> Sequence[Entity]:
        """Log every entity in, each as its own user, and return those that are; none when the end is wanted before."""
        connection = self._plan.configuration.connection
        self._progress.phase = "Logging in"
        self._output.log.info("Logging in the entities", entities=len(entities))
        logins = Logins(
            lambda user: log_in(entities[user].user),
            LoginPace(connection.max_logins_in_flight, connection.logins_per_second),
            self._clock,
            failed=self._login_failed,
            progress=self._tell_logins,
        )
        try:
            failed = await self._stop.unless(logins.run(self._plan.users))
        except LoadTestError:
            if self._stop.reason is None:
                raise
            return ()
        self._output.log.info("Logged in the entities", entities=len(entities) - len(failed), failed=len(failed))
        return [entity for user, entity in entities.items() if user not in failed]

    def _login_failed(self, user: int, error: ServerError) -> None:
        """Tell a failed login, once per kind and minute."""
        self._failures.tell(f"log in as user {user}", f"login {error.kind}", error)

    def _tell_logins(self, done: int, failed: int, wanted: int) -> None:
        """Show how far the logins are."""
        self._progress.detail = f"{done:,} of {wanted:,}" + (f", {failed:,} failed" if failed else "")

    def _measured(self, sample: Sample) -> None:
        """Take a sample of the run."""
        self._writer.add(sample)
        self._requests.add(sample)

    async def _until_start(self) -> None:
        """Wait for the time at which all agents begin, if there is one to come and the end is not wanted."""
        wait_s = self._plan.schedule.wait_s(time.time())
        if wait_s and self._stop.reason is None:
            self._output.log.info("Waiting for the start", wait_s=round(wait_s, 1))
            self._progress.phase, self._progress.detail = "Waiting for the start", ""
            await self._stop.wait(wait_s)

    async def _act(self, entities: Sequence[Entity], context: EntityContext, started_s: float) -> None:
        """Let the entities act until the time is up or the end is wanted."""
        if not entities or self._stop.reason is not None:
            return
        length_s = self._length_s(time.time())
        if not length_s:
            self._stop.request(OperationError("the run was over before the entities were logged in; begin it later"))
            return
        self._output.log.info("Entities begin to act", entities=len(entities), length_s=length_s)
        self._progress.phase, self._progress.detail = "Running", ""
        self._progress.figures = Figures(
            started_s,
            length_s,
            self._requests,
            self._tally,
            self._counters,
            lambda: sum(entity.user.events.connected for entity in entities),
        )
        for entity in entities:
            entity.start()
        async with self._profiled(length_s):
            await self._stop.wait(length_s)

    def _profiled(self, length_s: float) -> AbstractAsyncContextManager[None]:
        """Take the server's profiles meanwhile: the first agent does, for a server profiles its CPU once at a time."""
        if self._plan.place.index:
            return contextlib.nullcontext()
        output = self._output
        return profiled(self._plan.configuration, length_s, output.results_path.parent, output.log, self._notes.append)

    def _length_s(self, now_s: float) -> float:
        """Return how long entities that begin now may act; one that is late says so, and acts for the rest."""
        schedule = self._plan.schedule
        remark = schedule.remark(now_s)
        if remark is not None:
            self._output.log.warn(remark)
            self._notes.append(remark)
        return schedule.rest_s(now_s)

    async def _end(self, entities: Sequence[Entity], context: EntityContext) -> None:
        """Stop the entities: what is under way may end, for a while, then it is cut."""
        self._progress.phase, self._progress.detail = "Stopping", ""
        self._output.log.info("Stopping the entities", early=self._stop.reason is not None)
        for entity in entities:
            entity.stop()
        try:
            if self._stop.reason is None:
                await self._stop.unless(context.drained(DRAIN_S))
            else:
                await context.drained(DRAIN_STOPPED_S)
        except LoadTestError:
            if self._stop.reason is None:
                raise
        finally:
            context.cut()

    def _summary(self, ready: SetUp, entities_started: int, duration_s: float) -> RunSummary:
        """Return what the run came to, what was under way at its end included."""
        late, seen = self._tally.lateness_s, self._counters
        return RunSummary(
            scenario=self._plan.scenario,
            server_url=self._transport.server,
            server_version=str(ready.version),
            instance_id=self._plan.instance_id,
            duration_s=duration_s,
            entities_wanted=len(self._plan.users),
            entities_started=entities_started,
            actions_achieved=self._tally.achieved,
            actions_intended=self._tally.intended(self._clock.now_s()),
            requests=self._requests.requests,
            lateness=Lateness(*(late.percentile(percent) * 1000 for percent in (50, 95, 99))),
            lateness_limit_ms=self._plan.lateness_limit_ms,
            websockets=Websockets(seen.events, seen.missed, seen.dropped, seen.reconnects),
            skipped={name: count.skipped for name, count in self._tally.actions.items() if count.skipped},
            failed_actions=self._tally.failures(),
            request_errors=self._requests.errors,
            notes=(*ready.notes, *self._notes),
            interrupted=self._stop.reason is not None,
        )
