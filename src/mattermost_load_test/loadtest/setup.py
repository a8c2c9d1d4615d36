"""The set-up of a run: a server that is there, its admin, its settings, its population, and what it can.

It is idempotent: run twice, or after a kill halfway, it ends in the same state. Its requests are no samples.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pydantic import SecretStr

from mattermost_load_test.config import Configuration
from mattermost_load_test.errors import ApiError
from mattermost_load_test.loadtest.admin import change_settings, sign_in, signed_in, wait_for_server
from mattermost_load_test.loadtest.admin_session import AdminTransport
from mattermost_load_test.loadtest.bulk.load import POLL_S, BulkLoad
from mattermost_load_test.loadtest.clock import Clock
from mattermost_load_test.loadtest.filling import Filling
from mattermost_load_test.loadtest.inventory import Inventory, take_inventory
from mattermost_load_test.loadtest.joining import Tell
from mattermost_load_test.loadtest.permissions import give, grants_needed
from mattermost_load_test.loadtest.places import ServerPlaces
from mattermost_load_test.loadtest.population import Population
from mattermost_load_test.loadtest.server_settings import changes_needed, changes_of, rate_limited
from mattermost_load_test.loadtest.world import Abilities
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.importing import ImportOptions
from mattermost_load_test.mattermost.models import Json, ServerVersion
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


async def set_up(transport: ServerTransport, configuration: Configuration, clock: Clock, log: Log, tell: Tell) -> SetUp:
    """Make the server ready for `configuration` and return what entities need to know of it.

    `tell` gets a few words on how far it is. Raises `ServerError` when the server cannot be reached or its admin is
    refused, `OperationError` when the population cannot be loaded.
    """
    connection, environment = configuration.connection, configuration.environment
    session = AdminTransport(transport)
    admin = Client(session, server=transport.server)
    tell("waiting for the server")
    status = await (wait_for_server(admin, clock, log) if connection.wait_for_server_start else admin.system.ping())
    log.info("The server answers", server_url=transport.server, version=str(status.version))
    account = await sign_in(admin, connection, clock, log)
    session.renewing(admin, lambda client: signed_in(client, connection, clock))
    assert admin.token is not None  # it has just logged in
    notes = await _settle(admin, environment.num_emoji > 0, log, tell)
    tell("computing the population")
    population = await asyncio.to_thread(Population, environment)
    tell("looking for the population")
    inventory = await take_inventory(admin, population)
    if connection.skip_bulkload:
        notes.extend(_lacks(inventory))
    else:

        async def change(settings: Json) -> None:
            await change_settings(admin, log, changes_of(await admin.system.config(), settings))

        options = ImportOptions(poll_s=POLL_S, workers=connection.bulk_load_workers)
        bulk = BulkLoad(admin, transport, connection, status.version, log, tell, change, options)
        inventory = await Filling(admin, account.id, log, tell, bulk).fill(inventory)
    notes.extend(await _allow_hooks(admin, environment.num_team_schemes, log))
    await admin.system.invalidate_caches()
    abilities = await find_abilities(admin, configuration.entities.link_preview_url or transport.server, log)
    log.info("The server is ready", teams=len(inventory.teams), channels=len(inventory.channels))
    return SetUp(status.version, admin.token, inventory.places, abilities, tuple(notes))


async def _settle(admin: Client, emoji: bool, log: Log, tell: Tell) -> list[str]:
    """Change the server's settings; return what the summary must say of those that cannot be changed."""
    tell("checking the server's settings")
    config = await admin.system.config()
    notes = [
        f"the server keeps {change.name} at {change.old}, where {change.new} is wanted."
        for change in await change_settings(admin, log, changes_needed(config, emoji=emoji))
    ]
    if rate_limited(config):
        notes.append(
            "the server limits the rate of requests (RateLimitSettings.Enable): the load runs into that limit."
        )
    return notes


async def _allow_hooks(admin: Client, team_schemes: int, log: Log) -> list[str]:
    """Let the members of teams create webhooks; return what the summary must say if the server does not allow it."""
    if await give(admin, await grants_needed(admin, team_schemes), log):
        return ["users may not create webhooks in every team of this server: webhook entities fail there."]
    return []


def _lacks(inventory: Inventory) -> list[str]:
    """Return what the summary must say of a population that was not to be loaded and is not complete."""
    counts = {
        "teams": len(inventory.missing_teams),
        "channels": len(inventory.missing_channels),
        "users": len(inventory.missing_users),
    }
    missing = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    return [f"the server lacks {missing} of the population, and SkipBulkload is set."] if missing else []


async def find_abilities(admin: Client, preview_url: str, log: Log) -> Abilities:
    """Find out what the server cannot do, and say so once."""
    link_previews = await _has_link_previews(admin, preview_url)
    if not link_previews:
        log.info("This server gives no link previews by request; entities ask for none")
    deactivation = await _takes_users_back(admin)
    if not deactivation:
        log.info("This server is at its limit of users without a licence; entities deactivate none")
    return Abilities(link_previews, deactivation)


async def _has_link_previews(admin: Client, url: str) -> bool:
    """Say whether the server looks at linked pages when asked to (not from 11 on, nor where it is switched off)."""
    try:
        await admin.links.opengraph(url)
    except ApiError:
        return False
    return True


async def _takes_users_back(admin: Client) -> bool:
    """Say whether a deactivated user can be activated again: not at the user limit of 11 without a licence."""
    try:
        limits = await admin.system.limits()
    except ApiError:
        return True  # servers before 10 have no limits, and nothing that tells them
    return limits.hard_limit_users == 0 or limits.active_users < limits.hard_limit_users
