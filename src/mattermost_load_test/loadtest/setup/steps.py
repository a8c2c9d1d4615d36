"""The set-up of a run: a server that is there, its admin, its settings, its population, and what it can.

It is idempotent: run twice, or after a kill halfway, it ends in the same state. Its requests are no samples.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pydantic import SecretStr

from mattermost_load_test.config import Configuration
from mattermost_load_test.loadtest.bulk.load import POLL_S, BulkLoad
from mattermost_load_test.loadtest.bulk.method import DATABASE
from mattermost_load_test.loadtest.clock import Clock
from mattermost_load_test.loadtest.database.bulkload import DatabaseLoad, SessionsWanted, database_of
from mattermost_load_test.loadtest.places import ServerPlaces
from mattermost_load_test.loadtest.population.population import Population
from mattermost_load_test.loadtest.setup.abilities import find_abilities
from mattermost_load_test.loadtest.setup.admin import change_settings, sign_in, signed_in, wait_for_server
from mattermost_load_test.loadtest.setup.admin_session import AdminTransport
from mattermost_load_test.loadtest.setup.filling import Filling
from mattermost_load_test.loadtest.setup.inventory import Inventory, take_inventory
from mattermost_load_test.loadtest.setup.joining import Tell
from mattermost_load_test.loadtest.setup.kept_changes import KeptChanges
from mattermost_load_test.loadtest.setup.lock import SetupLock
from mattermost_load_test.loadtest.setup.permissions import give, grants_needed
from mattermost_load_test.loadtest.setup.sample_plugin import provide_plugin
from mattermost_load_test.loadtest.setup.server_settings import changes_needed, changes_of, rate_limited
from mattermost_load_test.loadtest.world import Abilities
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.importing import ImportOptions
from mattermost_load_test.mattermost.models import Json, ServerVersion, User
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import ServerTransport


@dataclass(frozen=True, slots=True)
class SetUp:
    """A server that is ready: its version, its admin's session, where users act, what it can.

    `notes` are what the summary should carry: each lack once, in a whole sentence.
    """

    version: ServerVersion
    admin_token: SecretStr
    places: ServerPlaces
    abilities: Abilities
    notes: tuple[str, ...] = ()


async def set_up(
    transport: ServerTransport,
    configuration: Configuration,
    clock: Clock,
    log: Log,
    tell: Tell,
    sessions: SessionsWanted | None = None,
) -> SetUp:
    """Make the server ready for `configuration` and return what entities need to know of it.

    `tell` gets a few words on how far it is. Where the population goes straight into the database, `sessions` go with
    it. Raises `ServerError` when the server cannot be reached or its admin is refused, `DatabaseError` likewise,
    `OperationError` when the population cannot be loaded.
    """
    connection = configuration.connection
    database = database_of(connection) if connection.bulk_load_method == DATABASE else None
    if database is not None:
        await asyncio.to_thread(database.check)  # before anything is changed
    session = AdminTransport(transport)
    admin = Client(session, server=transport.server)
    tell("waiting for the server")
    status = await (wait_for_server(admin, clock, log) if connection.wait_for_server_start else admin.system.ping())
    log.info("The server answers", server_url=transport.server, version=str(status.version))
    account = await sign_in(admin, connection, clock, log)
    session.renewing(admin, lambda client: signed_in(client, connection, clock))
    preparation = _Preparation(transport, configuration, clock, log, tell, admin, account, status.version)
    if database is not None:
        preparation.database_load = DatabaseLoad(admin, transport, database, clock, log, tell, sessions)
    return await preparation.carry_out()


class _Preparation:
    """The steps of a set-up after the admin has logged in, and what they share."""

    def __init__(
        self,
        transport: ServerTransport,
        configuration: Configuration,
        clock: Clock,
        log: Log,
        tell: Tell,
        admin: Client,
        account: User,
        version: ServerVersion,
    ) -> None:
        self._transport = transport
        self._configuration = configuration
        self._environment = configuration.environment
        self._clock = clock
        self._log = log
        self._tell = tell
        self._admin = admin
        self._account = account
        self._version = version
        self._kept = KeptChanges(admin, account.id)
        self._notes: list[str] = []
        self.database_load: DatabaseLoad | None = None
        """What puts users straight into the database, where that is asked for."""

    async def carry_out(self) -> SetUp:
        """Take the steps in their order."""
        admin, entities = self._admin, self._configuration.entities
        await self._settle()
        if self._environment.num_plugins:
            self._note(await provide_plugin(admin, self._log))
        inventory = await self._populate()
        webhooks = await self._allow_webhooks()
        await admin.system.invalidate_caches()
        preview_url = entities.link_preview_url or self._transport.server
        abilities = await find_abilities(admin, preview_url, webhooks, self._log)
        self._log.info("The server is ready", teams=len(inventory.teams), channels=len(inventory.channels))
        assert admin.token is not None  # it has logged in
        return SetUp(self._version, admin.token, inventory.places, abilities, tuple(self._notes))

    def _note(self, sentence: str) -> None:
        """Have the summary say `sentence`, if there is one."""
        if sentence:
            self._notes.append(sentence)

    async def _settle(self) -> None:
        """Change the server's settings, and note those that cannot be changed."""
        self._tell("checking the server's settings")
        config = await self._admin.system.config()
        needed = changes_needed(config, emoji=self._environment.num_emoji > 0)
        for change in await change_settings(self._admin, self._log, needed, self._kept):
            self._note(f"the server keeps {change.name} at {change.old}, where {change.new} is wanted.")
        if rate_limited(config):
            self._note(
                "the server limits the rate of requests (RateLimitSettings.Enable): the load runs into that limit."
            )

    async def _populate(self) -> Inventory:
        """Return what of the population the server has, after loading what it lacks unless that is not wanted."""
        self._tell("computing the population")
        population = await asyncio.to_thread(Population, self._environment)
        self._tell("looking for the population")
        inventory = await take_inventory(self._admin, population)
        if self._configuration.connection.skip_bulkload:
            self._note(_lacks(inventory))
            return inventory
        services = (await self._admin.system.config()).get("ServiceSettings", {})
        lock = SetupLock(self._admin, self._account.username, self._clock, self._log, self._tell)
        emoji = bool(services.get("EnableCustomEmoji", True))
        filling = Filling(
            self._admin, self._account.id, self._log, self._tell, self._bulk_load(), lock, emoji, self.database_load
        )
        return await filling.fill(inventory)

    def _bulk_load(self) -> BulkLoad:
        """Return what loads into the server."""
        connection = self._configuration.connection
        return BulkLoad(
            self._admin,
            self._transport,
            connection,
            self._version,
            self._log,
            self._tell,
            self._change_settings,
            ImportOptions(poll_s=POLL_S, workers=connection.bulk_load_workers),
        )

    async def _change_settings(self, settings: Json) -> None:
        """Change settings, given by section."""
        changes = changes_of(await self._admin.system.config(), settings)
        await change_settings(self._admin, self._log, changes, self._kept)

    async def _allow_webhooks(self) -> bool:
        """Let the members of teams create webhooks, and say whether they may."""
        grants = await grants_needed(self._admin, self._environment.num_team_schemes)
        refused = await give(self._admin, grants, self._log, self._kept)
        if refused:
            roles = ", ".join(f"{grant.permission} of {grant.role.name}" for grant in refused)
            self._note(f"users may not create webhooks on this server ({roles}): webhook entities do nothing.")
        return not refused


def _lacks(inventory: Inventory) -> str:
    """Return what the summary must say of a population that was not to be loaded and is not complete."""
    counts = {
        "team": len(inventory.missing_teams),
        "channel": len(inventory.missing_channels),
        "user": len(inventory.missing_users),
    }
    missing = ", ".join(f"{count:,} {name}{'s' * (count != 1)}" for name, count in counts.items() if count)
    return f"the server lacks {missing} of the population, and SkipBulkload is set." if missing else ""
