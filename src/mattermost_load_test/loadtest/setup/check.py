"""What a run would find and change: asked of the server, and nothing changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from mattermost_load_test.config import Configuration
from mattermost_load_test.counts import counted
from mattermost_load_test.loadtest.bulk.cost import TYPICAL_USER_COST, UserCost, sampled_cost
from mattermost_load_test.loadtest.bulk.method import DATABASE, choose
from mattermost_load_test.loadtest.clock import LoopClock
from mattermost_load_test.loadtest.database.bulkload import database_of
from mattermost_load_test.loadtest.plan import RunPlan
from mattermost_load_test.loadtest.population.population import Population
from mattermost_load_test.loadtest.setup.admin import is_empty, signed_in
from mattermost_load_test.loadtest.setup.inventory import Inventory, take_inventory
from mattermost_load_test.loadtest.setup.permissions import grants_needed
from mattermost_load_test.loadtest.setup.sample_plugin import has_plugin
from mattermost_load_test.loadtest.setup.server_settings import changes_needed, rate_limited
from mattermost_load_test.mattermost.models import ServerVersion
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client

Line = tuple[str, str]
"""What a line is about, and what it says."""


async def check_server(plan: RunPlan) -> AsyncIterator[Line]:
    """Yield what a run of `plan` would find and change, as it is found.

    Raises `ServerError` when the server cannot be reached, `AdminLoginError` when it does not take the admin.
    """
    configuration = plan.configuration
    for line in _of_configuration(plan):
        yield line
    async with open_transport(configuration.connection) as transport:
        admin = Client(transport, server=transport.server)
        status = await admin.system.ping(with_status=True)
        health = ", ".join(f"{name} {said}" for name, said in _health(status.database, status.file_store))
        yield "Server", f"{transport.server} answers: Mattermost {status.version}{health and ', ' + health}"
        yield "Licence", await _licence(admin, status.version)
        population = await asyncio.to_thread(Population, configuration.environment)
        if await is_empty(admin):
            yield "Admin", f"the server has no account: set-up would make {configuration.connection.admin_email}"
            nothing = Inventory(population, user_ids=[""] * population.num_users)
            for line in _of_inventory(nothing, configuration, status.version, TYPICAL_USER_COST):
                yield line
            return
        await signed_in(admin, configuration.connection, LoopClock())
        yield "Admin", f"{configuration.connection.admin_email} logs in and is system admin"
        async for line in _of_server(admin, population, configuration):
            yield line
        inventory, cost = await take_inventory(admin, population), TYPICAL_USER_COST
        if inventory.missing_users:
            cost = await sampled_cost(transport, configuration.connection, transport.server)
        for line in _of_inventory(inventory, configuration, status.version, cost):
            yield line


def _of_configuration(plan: RunPlan) -> Iterator[Line]:
    """Yield what is to be loaded and who acts."""
    entities, environment = plan.configuration.entities, plan.configuration.environment
    channels = environment.num_teams * (environment.num_channels_per_team + environment.num_private_channels_per_team)
    yield (
        "Population",
        f"{counted(environment.num_users, 'user')}, {counted(environment.num_teams, 'team')}, "
        f"{counted(channels, 'channel')}, {environment.num_direct_message_channels:,} direct and "
        f"{environment.num_group_message_channels:,} group channels, {environment.num_emoji:,} emoji",
    )
    rate_per_s = 1000.0 * len(plan.users) / entities.action_rate_milliseconds
    yield (
        "Entities",
        f"{len(plan.users):,} ({plan.place}), "
        f"about {rate_per_s:,.2f} actions/s for {entities.test_length_minutes:g} min",
    )


def _health(database: str, file_store: str) -> Iterator[Line]:
    """Yield what the server says of its database and file store, where it says anything."""
    if database:
        yield "database", database
    if file_store:
        yield "file store", file_store


async def _licence(client: Client, version: ServerVersion) -> str:
    """Return what the server is licensed for."""
    if (await client.system.client_license()).get("IsLicensed") == "true":
        return "licensed"
    if version.at_least(10):
        return "none: at most 250 active users (an import passes that limit, reactivating users does not)"
    return "none"


async def _of_server(admin: Client, population: Population, configuration: Configuration) -> AsyncIterator[Line]:
    """Yield what would be changed on the server, and what of the population it lacks."""
    config = await admin.system.config()
    for change in changes_needed(config, emoji=population.num_emoji > 0):
        yield "Setting", f"{change.name} would be changed: {change.old} → {change.new}"
    if rate_limited(config):
        yield "Setting", "RateLimitSettings.Enable is on: the load would run into that limit"
    if population.environment.num_plugins and not await has_plugin(admin):
        yield "Plugin", "the sample plugin would be installed and enabled, where the server takes plugins"
    for grant in await grants_needed(admin, configuration.environment.num_team_schemes):
        yield "Role", f"{grant.role.name} would be given {grant.permission}"


def _of_inventory(
    inventory: Inventory, configuration: Configuration, version: ServerVersion, cost: UserCost
) -> Iterator[Line]:
    """Yield what of the population the server lacks, and what loading it would cost."""
    lacks = {
        "team": len(inventory.missing_teams),
        "channel": len(inventory.missing_channels),
        "user": len(inventory.missing_users),
        "custom emoji": len(inventory.missing_emoji),
    }
    missing = ", ".join(counted(count, noun) for noun, count in lacks.items() if count)
    if not missing:
        yield "Bulk load", "the server has every team, channel, user and emoji; memberships would be checked"
    elif configuration.connection.skip_bulkload:
        yield "Bulk load", f"the server lacks {missing}; SkipBulkload leaves it so"
    else:
        choice = choose(configuration.connection.bulk_load_method, version)
        way = f"by {choice.method}: {choice.reason}"
        if configuration.connection.bulk_load_method == DATABASE:
            place = database_of(configuration.connection).source.place
            yield "Bulk load", f"the server lacks {missing}: users and all they are in would go straight into {place}"
            yield "Bulk load", f"teams and channels would go {way}"
        else:
            price = cost.of(len(inventory.missing_users))
            yield "Bulk load", f"the server lacks {missing}: they would be imported, for {price}"
            yield "Bulk load", f"it would go {way}"
