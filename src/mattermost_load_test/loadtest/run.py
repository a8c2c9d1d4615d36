"""A test run of one agent: set-up, logins, the entities' time. Each phase can be interrupted, and ends in order.

`run_test` is what a command calls. Set-up and logins happen in this process; then it forks the workers that play the
entities, writes what they measure, and sums up what they did. What it counts is bounded; every sample is in the log as
soon as a hundred have gathered in a worker or five seconds have passed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from mattermost_load_test import __version__
from mattermost_load_test.config import redacted
from mattermost_load_test.errors import LoadTestError, OperationError, OutputError, ServerError
from mattermost_load_test.loadtest.cast import Role, even_parts, roles, world_of
from mattermost_load_test.loadtest.clock import LoopClock
from mattermost_load_test.loadtest.database.bulkload import SessionsWanted
from mattermost_load_test.loadtest.failures import FailureLog
from mattermost_load_test.loadtest.logins.pace import LoginPace
from mattermost_load_test.loadtest.logins.phase import LoginPhase
from mattermost_load_test.loadtest.logins.token_cache import TokenCache, UserSession, open_token_cache
from mattermost_load_test.loadtest.machine.limits import ensure, source_addresses
from mattermost_load_test.loadtest.measuring.metrics import Exposed, serve_metrics
from mattermost_load_test.loadtest.measuring.recorder import RecordingTransport, steady_epoch_ms
from mattermost_load_test.loadtest.output.progress import Figures, Progress, Subject
from mattermost_load_test.loadtest.output.streams import Output
from mattermost_load_test.loadtest.plan import RunPlan
from mattermost_load_test.loadtest.profiling import profiled
from mattermost_load_test.loadtest.scenarios import SCENARIOS
from mattermost_load_test.loadtest.setup.steps import SetUp, set_up
from mattermost_load_test.loadtest.stop import Stop
from mattermost_load_test.loadtest.workers.crew import Crew
from mattermost_load_test.loadtest.workers.worker import DRAIN_S, Share
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.transport import ServerTransport
from mattermost_load_test.reporting.run_summary import Lateness, RunSummary, Websockets
from mattermost_load_test.timings.health import Activity, health_line
from mattermost_load_test.timings.records import LOGIN_TAG, Origin, ResultsWriter

DRAIN_STOPPED_S = 2.0  # what actions under way may still take when the run is ended early


async def run_test(plan: RunPlan, output: Output, stop: Stop) -> RunSummary:
    """Carry out `plan` and return what came of it; `stop` ends it early, as does a log that cannot be written.

    The reason for that is raised where nothing was measured yet. Raises `ServerError` when the server cannot be set up,
    `TokenCacheError` when the plan's cache cannot be used, `PortInUseError` when metrics cannot be served,
    `ConfigurationError` when the machine does not allow what the plan needs.
    """
    output.log.on_failure = stop.request
    server = plan.configuration.connection.server_url.rstrip("/")
    address = plan.configuration.results.metrics_address
    async with contextlib.AsyncExitStack() as stack:
        cache = stack.enter_context(open_token_cache(plan.token_cache, server)) if plan.token_cache else None
        run = TestRun(plan, output, stop, server, cache)
        if address:
            url = await stack.enter_async_context(serve_metrics(address, run.exposed))
            output.log.info("Metrics for Prometheus", url=url)
        return await run.carry_out()


class TestRun:
    """One run: its phases in order, and what they share."""

    __test__ = False  # pytest takes it for a test otherwise

    def __init__(self, plan: RunPlan, output: Output, stop: Stop, server: str, cache: TokenCache | None) -> None:
        self._plan = plan
        self._output = output
        self._stop = stop
        self._server = server
        self._cache = cache
        self._clock = LoopClock()
        self._writer = ResultsWriter([output.log], plan.instance_id, time.time)
        self._crew: Crew | None = None
        self._begun_at_s: float | None = None  # since the epoch
        self._shortages = ensure(plan.needs)
        self._notes: list[str] = []  # what the summary says beside its figures
        self._failures = FailureLog(output.log, self._clock)
        subject = Subject(plan.scenario, server, len(plan.users), plan.health_limits.lateness_ms)
        self._progress = Progress(subject, output, self._clock, self._writer.flush_if_due)

    async def carry_out(self) -> RunSummary:
        """Go through the phases and return the summary."""
        ticking = asyncio.ensure_future(self._progress.run())
        try:
            async with open_transport(self._plan.configuration.connection) as transport:
                self._tell_settings(transport.notes)
                ready = await self._stop.unless(self._set_up(transport))
                self._writer.write_origin(Origin(self._plan.scenario, __version__, ready.version.with_build))
                sessions = await self._log_in(ready, transport)
            return await self._load(ready, sessions)
        finally:
            ticking.cancel()
            await asyncio.wait([ticking])
            self._writer.flush()

    def _tell_settings(self, notes: Sequence[str]) -> None:
        """Write what is run, and how, into the log."""
        log, plan = self._output.log, self._plan
        log.info(
            "Running test",
            test=plan.scenario,
            instance_id=plan.instance_id,
            agent=str(plan.place),
            entities=len(plan.users),
            processes=plan.processes,
        )
        self._writer.write_settings(redacted(plan.configuration))
        for text in (*plan.warnings, *notes, *self._shortages):
            log.warn(text)

    async def _set_up(self, transport: ServerTransport) -> SetUp:
        """Make the server ready."""
        self._progress.phase = "Setting up"

        def tell(detail: str) -> None:
            self._progress.detail = detail

        wanted = None if self._cache is None else SessionsWanted(self._cache, self._plan.users)
        return await set_up(transport, self._plan.configuration, self._clock, self._output.log, tell, wanted)

    async def _log_in(self, ready: SetUp, transport: ServerTransport) -> Mapping[int, UserSession]:
        """Give every user a session and return those there are; none when the end is wanted before."""
        self._progress.phase = "Logging in"
        self._writer.begin(LOGIN_TAG)
        recorder = RecordingTransport(transport, steady_epoch_ms(), self._writer.add)
        world = world_of(self._plan.configuration, ready, recorder, self._clock, lambda user: None)
        phase = LoginPhase(
            world, recorder, self._server, self._cache, failed=self._login_failed, progress=self._tell_logins
        )
        try:
            await self._stop.unless(self._sessions_of_all(phase))
        except LoadTestError:
            if self._stop.reason is None:
                raise
            return {}
        finally:
            self._writer.flush()  # before any worker has something to tell
        return phase.sessions

    async def _sessions_of_all(self, phase: LoginPhase) -> None:
        """Go through the login phase."""
        users, connection, log = self._plan.users, self._plan.configuration.connection, self._output.log
        if self._cache is not None:
            dead = await phase.check_kept(users)
            log.info("Checked the kept sessions", alive=len(phase.sessions), dead=dead)
        wanted = len(users) - len(phase.sessions)
        log.info("Logging in the entities", entities=wanted)
        failed = await phase.log_in(users, LoginPace(connection.max_logins_in_flight, connection.logins_per_second))
        log.info("Logged in the entities", entities=wanted - failed, failed=failed)

    def _login_failed(self, user: int, error: ServerError) -> None:
        """Tell a failed login, once per kind and minute."""
        self._failures.tell(f"log in as user {user}", f"login {error.kind}", error)

    def _tell_logins(self, done: int, failed: int, wanted: int) -> None:
        """Show how far the logins are."""
        self._progress.detail = f"{done:,} of {wanted:,}" + (f", {failed:,} failed" if failed else "")

    async def _load(self, ready: SetUp, sessions: Mapping[int, UserSession]) -> RunSummary:
        """Have workers play the users that have a session, until the time is up or the end is wanted, and sum up."""
        async with asyncio.TaskGroup() as tasks:
            crew = Crew(
                tasks,
                self._output.log,
                restart=self._plan.restart_workers,
                renewed=self._renewed,
                all_dead=self._stop.request,
            )
            self._crew = crew
            await self._start(crew, ready, sessions)
            started_s = self._clock.now_s()
            await self._act(crew, len(sessions), started_s)
            ended_s = self._clock.now_s()
            await self._end(crew)
        self._output.log.write_line(self._health_line(crew))
        return self._summary(ready, crew, len(sessions), ended_s - started_s)

    async def _start(self, crew: Crew, ready: SetUp, sessions: Mapping[int, UserSession]) -> None:
        """Start the workers and wait until they are ready, and for the time at which all agents begin."""
        if not sessions or self._stop.reason is not None:
            return
        self._progress.phase, self._progress.detail = "Starting the workers", ""
        cast = roles(SCENARIOS[self._plan.scenario], self._plan.users, self._plan.first_entity)
        playing = [role for role in cast if role.user in sessions]
        await crew.start(self._shares(playing, ready, sessions))
        with contextlib.suppress(LoadTestError):  # the end is wanted, and seen to by the next phase
            await self._stop.unless(crew.ready())
        await self._until_start()

    def _shares(self, cast: Sequence[Role], ready: SetUp, sessions: Mapping[int, UserSession]) -> list[Share]:
        """Return what each worker plays, and where it connects from."""
        plan = self._plan
        addresses = source_addresses(plan.needs, self._server)
        return [
            Share(number, plan, ready, part, sessions, addresses[number] if addresses else "")
            for number, part in enumerate(even_parts(cast, plan.processes))
        ]

    def _renewed(self, user: int, session: UserSession) -> None:
        """Keep the session of a user that logged in anew."""
        if self._cache is None:
            return
        try:
            self._cache.keep(user, session)
        except OutputError as error:
            self._cache = None
            self._output.log.error(str(error))
            self._notes.append(f"{error}.")

    async def _until_start(self) -> None:
        """Wait for the time at which all agents begin, if there is one to come and the end is not wanted."""
        wait_s = self._plan.schedule.wait_s(time.time())
        if wait_s and self._stop.reason is None:
            self._output.log.info("Waiting for the start", wait_s=round(wait_s, 1))
            self._progress.phase, self._progress.detail = "Waiting for the start", ""
            await self._stop.wait(wait_s)

    async def _act(self, crew: Crew, entities: int, started_s: float) -> None:
        """Let the entities act until the time is up or the end is wanted."""
        if not entities or self._stop.reason is not None:
            return
        length_s = self._length_s(time.time())
        if not length_s:
            self._stop.request(OperationError("the run was over before the entities were logged in; begin it later"))
            return
        self._output.log.info("Entities begin to act", entities=entities, length_s=length_s)
        self._progress.phase, self._progress.detail = "Running", ""
        self._progress.figures = Figures(started_s, length_s, crew.measures, lambda: self._health_line(crew))
        self._begun_at_s = time.time()
        crew.begin(length_s)
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

    async def _end(self, crew: Crew) -> None:
        """Stop the entities: what is under way may end, for a while, then it is cut, and the workers end."""
        self._progress.phase, self._progress.detail = "Stopping", ""
        self._output.log.info("Stopping the entities", early=self._stop.reason is not None)
        drain_s = DRAIN_S if self._stop.reason is None else DRAIN_STOPPED_S
        crew.stop(drain_s)
        ending = asyncio.ensure_future(crew.ended(drain_s))
        if self._stop.reason is None:
            with contextlib.suppress(LoadTestError):
                await self._stop.unless(asyncio.wait([ending]))
            if self._stop.reason is not None:
                crew.stop(0.0)
        await ending

    def exposed(self) -> Exposed:
        """Return what Prometheus is told now."""
        crew = self._crew
        info = {"instance_id": self._plan.instance_id, "scenario": self._plan.scenario, "server_url": self._server}
        entities, now_s = len(self._plan.users), time.monotonic()
        done, deaths = (crew.by_worker(), len(crew.deaths)) if crew else ({}, 0)
        return Exposed(now_s, info, entities, done, deaths, self._begun_at_s)

    def _health_line(self, crew: Crew) -> bytes:
        """Return the line of the log that tells how the agent kept up so far."""
        tally, limits = crew.measures().tally, self._plan.health_limits
        late_ms = tally.lateness_s.percentile(99) * 1000
        activity = Activity(tally.running, tally.achieved, tally.intended(self._clock.now_s()), tally.skipped)
        return health_line(self._plan.instance_id, time.time(), late_ms, crew.health(), limits, activity)

    def _summary(self, ready: SetUp, crew: Crew, entities_started: int, duration_s: float) -> RunSummary:
        """Return what the run came to, what was under way at its end included."""
        done = crew.measures()
        late, seen = done.tally.lateness_s, done.events
        return RunSummary(
            scenario=self._plan.scenario,
            server_url=self._server,
            server_version=str(ready.version),
            instance_id=self._plan.instance_id,
            duration_s=duration_s,
            entities_wanted=len(self._plan.users),
            entities_started=entities_started,
            actions_achieved=done.tally.achieved,
            actions_intended=done.tally.intended(self._clock.now_s()),
            requests=done.requests,
            lateness=Lateness(*(late.percentile(percent) * 1000 for percent in (50, 95, 99))),
            limits=self._plan.health_limits,
            workers=tuple(crew.health()),
            websockets=Websockets(seen.events, seen.missed, seen.dropped, seen.reconnects, done.tally.failed_connects),
            skipped={name: count.skipped for name, count in done.tally.actions.items() if count.skipped},
            failed_actions=done.tally.failures(),
            request_errors=done.errors,
            deaths=tuple(crew.deaths),
            notes=(*ready.notes, *self._notes),
            interrupted=self._stop.reason is not None,
        )
