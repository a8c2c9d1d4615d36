"""The beginning of a run on a cluster: clocks compared, the population loaded once, agents started together."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mattermost_load_test.errors import InterruptedRunError, LoadTestError
from mattermost_load_test.ltops.chores import carry_out
from mattermost_load_test.ltops.clocks import clock_warnings
from mattermost_load_test.ltops.cluster import BulkLoad, ClusterState, RunRecord
from mattermost_load_test.ltops.configuring import AgentConfiguration
from mattermost_load_test.ltops.health import login_duration_s, server_id
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.base import Job, Provider
from mattermost_load_test.ltops.results import CONFIGURATION_COPY, begin_results, keep
from mattermost_load_test.ltops.store import Cluster

START_S = 20.0
"""How long an agent takes until its logins begin, on a small machine, beside what grows with the population."""

USERS_LOOKED_UP_PER_S = 400.0
LOGIN_S = 0.1
"""What a login takes where it cannot be measured: the time of a real server's password hash."""

LOGINS_MARGIN = 2.0
"""Logins of many take longer than logins one by one would."""


@dataclass(frozen=True, slots=True)
class RunOrder:
    """What `loadtest` was asked for.

    `start_in_s` is the time until entities begin to act; None estimates it for several agents, and lets a single one
    begin when it is ready. `abort_on` are gates that each agent ends its run by.
    """

    scenario: str
    configuration: AgentConfiguration
    force_bulk_load: bool = False
    skip_bulk_load: bool = False
    start_in_s: float | None = None
    abort_on: tuple[str, ...] = ()


class Launch:
    """Brings a run under way on a cluster that is locked for it."""

    def __init__(self, cluster: Cluster, provider: Provider, progress: Progress) -> None:
        self._cluster = cluster
        self._provider = provider
        self._agents = provider.agents(cluster)
        self._progress = progress

    def go(self, order: RunOrder) -> RunRecord:
        """Start the agents and return the run; it is in the cluster's state before, so that no agent is ever unknown.

        Raises `ServerError` when the server or an agent cannot be reached, `OperationError` when the bulk load fails,
        `InterruptedRunError` for Ctrl-C while agents are started.
        """
        self._compare_clocks()
        run_id = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        earlier = self._cluster.state.run
        if not order.skip_bulk_load:
            self._load(run_id, order)
        run = _record(run_id, order, self._start_in_s(order))
        begin_results(self._cluster.results, run, earlier)
        keep(self._cluster.results / CONFIGURATION_COPY, order.configuration.shown())
        self._remember(run)
        try:
            self._agents.start(_job(run, order))
        except LoadTestError:
            self._withdraw(run, earlier)
            raise
        except KeyboardInterrupt:
            raise InterruptedRunError(
                f"interrupted while agents were started: {_ways_on(self._cluster.name)} those that run"
            ) from None
        return run

    def _remember(self, run: RunRecord | None) -> None:
        self._cluster.state.run = run
        self._cluster.save()

    def _withdraw(self, run: RunRecord, earlier: RunRecord | None) -> None:
        """Forget a run that could not be started, unless some of its agents run, or may."""
        with suppress(LoadTestError):
            if all(state.phase == "lost" for state in self._agents.states(run.id, run.agents)):
                self._remember(earlier)
                return
        self._progress.warn(f"some agents may have been started: {_ways_on(self._cluster.name)} them")

    def _start_in_s(self, order: RunOrder) -> float | None:
        """Return after how long users are to act, None when a single agent is ready."""
        configuration = order.configuration
        if order.start_in_s is not None or not (configuration.agents > 1 or self._agents.starts_again):
            return order.start_in_s
        with self._provider.site(self._cluster) as url:
            return estimated_start_s(configuration, url)

    def _compare_clocks(self) -> None:
        if not self._agents.come_with_a_job:
            for warning in clock_warnings(self._agents.clock_offsets_ms()):
                self._progress.warn(warning)

    def _load(self, run_id: str, order: RunOrder) -> None:
        """Load the population unless the server holds it already."""
        state, configuration = self._cluster.state, order.configuration
        with self._provider.site(self._cluster) as url:
            server = server_id(url)
        if not order.force_bulk_load and is_loaded(state, configuration.population_hash, server):
            self._progress.say("The population is loaded already; --force-bulk-load loads it again")
            return
        state.bulk_load = None
        self._cluster.save()
        self._chore("setup", configuration, run_id, "load the population")
        posts = configuration.configuration.environment.num_posts
        if posts:
            self._chore("loadposts", configuration, run_id, f"write {posts:,} posts")
        state.bulk_load = BulkLoad(
            settings_hash=configuration.population_hash, server_id=server, loaded_at=datetime.now(UTC)
        )
        self._cluster.save()

    def _chore(self, command: str, configuration: AgentConfiguration, run_id: str, what: str) -> None:
        """Let the first agent run a command of `loadtest` to its end."""
        files = configuration.files(skip_bulk_load=False)
        job = Job(f"{command}-{run_id}", 1, files, lambda index: [command])
        carry_out(self._agents, job, what, self._cluster.directory / f"{command}.log", self._progress)


def _ways_on(name: str) -> str:
    return f"`ltops loadtest -c {name} --attach` follows, `--stop` ends"


def is_loaded(state: ClusterState, settings_hash: str, server: str) -> bool:
    """Say whether a server holds the population of these settings, as far as is known."""
    loaded = state.bulk_load
    return loaded is not None and (loaded.settings_hash, loaded.server_id) == (settings_hash, server)


def _record(run_id: str, order: RunOrder, start_in_s: float | None) -> RunRecord:
    """Return the run to be; the common begin of several agents is far enough off for every entity to be logged in."""
    entities, now = order.configuration.configuration.entities, datetime.now(UTC)
    return RunRecord(
        id=run_id,
        scenario=order.scenario,
        agents=order.configuration.agents,
        launched_at=now,
        begins_at=None if start_in_s is None else now + timedelta(seconds=start_in_s),
        length_s=entities.test_length_minutes * 60,
    )


def estimated_start_s(configuration: AgentConfiguration, site_url: str) -> float:
    """Return how long the agents may take until all entities are logged in; one login is measured for that.

    `site_url` is where the site is reached from here.
    """
    connection = configuration.configuration.connection
    entities = configuration.configuration.entities.num_active_entities
    if connection.logins_per_second:
        logins_s = entities / connection.logins_per_second
    else:
        here = connection.model_copy(update={"server_url": site_url})
        login_s = login_duration_s(here) or LOGIN_S
        logins_s = entities * configuration.agents * login_s * LOGINS_MARGIN
    return round(START_S + configuration.configuration.environment.num_users / USERS_LOOKED_UP_PER_S + logins_s)


def _job(run: RunRecord, order: RunOrder) -> Job:
    """Return what the agents are to do."""
    begin = [] if run.begins_at is None else ["--start-at", run.begins_at.isoformat(timespec="milliseconds")]

    def arguments(index: str) -> Sequence[str]:
        place = ["--agent-index", index, "--agent-count", str(run.agents), *begin]
        return [run.scenario, *place, *(part for gate in order.abort_on for part in ("--abort-on", gate))]

    return Job(run.id, run.agents, order.configuration.files(skip_bulk_load=True), arguments)
