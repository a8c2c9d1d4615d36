"""The configuration that the agents of a cluster are given, put together from all that has a say in it.

From the bottom up: the file (the one named, else the one found as `loadtest` finds it, else that of the bundle that was
deployed, else the one shipped with this toolkit), the population size from `deploy --users`, the environment,
``--set``, `loadtest --users`, and what the cluster dictates. Where a cluster's size follows from `deploy --users`, as
on Kubernetes, as many users act, shared among its agents, unless something above that says otherwise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mattermost_load_test.config import CONFIGURATION_FILE, Configuration, Flag, find, load, redacted, whole
from mattermost_load_test.counts import counted
from mattermost_load_test.errors import ConfigurationError, UsageError
from mattermost_load_test.ltops.cluster import ClusterState
from mattermost_load_test.ltops.providers.base import LOG_FILE

SHIPPED = Path(__file__).parents[1] / CONFIGURATION_FILE
"""The configuration that comes with this toolkit: a small population and five minutes."""


@dataclass(frozen=True, slots=True)
class ConfigurationOrder:
    """What the user said of the configuration: a file, settings as ``SECTION.KEY=VALUE``, workers of the import.

    `users` is how many are to act, on all agents together.
    """

    path: Path | None
    settings: Sequence[str]
    environ: Mapping[str, str]
    cwd: Path
    workers: int | None = None
    users: int | None = None


@dataclass(frozen=True, slots=True)
class AgentConfiguration:
    """A checked configuration for `agents` agents, where it came from, and what the user should know of it."""

    configuration: Configuration
    agents: int
    site_urls: tuple[str, ...]
    path: Path
    warnings: tuple[str, ...]

    @property
    def population_hash(self) -> str:
        """What tells this population from any other: a hash of all its settings, the seed included."""
        settings = self.configuration.environment.model_dump(mode="json", by_alias=True)
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()

    def files(self, *, skip_bulk_load: bool) -> list[bytes]:
        """Return the files for agents, secrets included: one for each of the site's addresses, taken in turn."""
        return [self._file(url, skip_bulk_load) for url in self.site_urls]

    def shown(self) -> str:
        """Return the configuration as it is kept with results: without secrets."""
        return json.dumps(redacted(self.configuration), indent=4) + "\n"

    def _file(self, url: str, skip_bulk_load: bool) -> bytes:
        sections = whole(self.configuration)
        addresses = {"ServerURL": url, "WebsocketURL": _websocket_url(url)}
        sections["ConnectionConfiguration"] |= addresses | {"SkipBulkload": skip_bulk_load}
        return (json.dumps(sections, indent=4) + "\n").encode()


def agent_configuration(state: ClusterState, order: ConfigurationOrder) -> AgentConfiguration:
    """Return the configuration for a cluster's agents.

    Raises `ConfigurationError` for everything wrong in it, more entities than users included.
    """
    agents = len(state.of_role("loadtest"))
    site_urls = tuple(dict.fromkeys(proxy.url for proxy in state.of_role("proxy"))) or (state.site_url,)
    path = file_of(state, order)
    sizes = []
    if state.users is not None:
        sizes.append(Flag("deploy --users", "LoadtestEnviromentConfig", "NumUsers", state.users))
    if state.acting_users is not None:
        sizes.append(_share("deploy --users", state.acting_users, agents))
    flags = [*(_setting(text) for text in order.settings), *_dictated(state, site_urls[0], agents)]
    if order.workers is not None:
        flags.append(Flag("--workers", "ConnectionConfiguration", "BulkLoadWorkers", order.workers))
    if order.users is not None:
        flags.append(_share("--users", order.users, agents))
    loaded = load(path, order.environ, order.cwd, defaults=sizes, flags=flags)
    _check_users(loaded.configuration, agents)
    return AgentConfiguration(loaded.configuration, agents, site_urls, order.cwd / path, loaded.warnings)


def file_of(state: ClusterState, order: ConfigurationOrder) -> Path:
    """Return the file that a configuration begins with."""
    return order.path or find(order.cwd) or state.configuration or SHIPPED


def _setting(text: str) -> Flag:
    """Return the key and value of ``SECTION.KEY=VALUE``; raises `UsageError`."""
    name, equals, value = text.partition("=")
    section, dot, key = name.partition(".")
    if not (equals and dot and section and key):
        raise UsageError(
            f"--set {name} must have the form SECTION.KEY=VALUE, as in "
            "--set UserEntitiesConfiguration.TestLengthMinutes=1"
        )
    return Flag(f"--set {name}", section.strip(), key.strip(), value)


def _share(by: str, users: int, agents: int) -> Flag:
    """Return the setting that lets each agent play its share of users; what cannot be divided is left out."""
    if users < agents:
        raise ConfigurationError(f"{by} {users}: there are {agents} agents, each of which plays one user at least")
    return Flag(by, "UserEntitiesConfiguration", "NumActiveEntities", users // agents)


def _dictated(state: ClusterState, site_url: str, agents: int) -> Iterator[Flag]:
    """Yield what the cluster knows better than any file."""
    by = f"the cluster {state.name}"
    connection = {"ServerURL": site_url, "WebsocketURL": _websocket_url(site_url)}
    if data_source := state.data_source.get_secret_value():
        connection |= {"DriverName": state.driver, "DataSource": data_source}
    if profiles_url := next((app.profiles_url for app in state.of_role("app") if app.profiles_url), ""):
        connection |= {"PProfURL": profiles_url}
    for key, value in connection.items():
        yield Flag(by, "ConnectionConfiguration", key, value)
    for key, setting in {
        "EnableFile": True,
        "FileJson": True,
        "FileLocation": LOG_FILE,
        "EnableConsole": False,
    }.items():
        yield Flag(by, "LogSettings", key, setting)
    yield Flag(by, "UserEntitiesConfiguration", "AgentCount", agents)
    yield Flag(by, "UserEntitiesConfiguration", "AgentIndex", 0)


def _websocket_url(site_url: str) -> str:
    return "ws" + site_url.removeprefix("http")


def _check_users(configuration: Configuration, agents: int) -> None:
    """Raise `ConfigurationError` when the agents would play more users than there are."""
    entities, users = configuration.entities.num_active_entities, configuration.environment.num_users
    if entities * agents > users:
        raise ConfigurationError(
            f"{counted(agents, 'agent')} with {entities:,} entities each (UserEntitiesConfiguration.NumActiveEntities) "
            f"need {entities * agents:,} users, and there are {users:,} (LoadtestEnviromentConfig.NumUsers, "
            f"`ltops deploy --users`): ask for at most {users // agents:,} entities, or for more users"
        )
