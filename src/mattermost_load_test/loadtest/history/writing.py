"""`loadposts`: the channels' history, straight into the database where a data source is given, else by import job."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mattermost_load_test.config import Configuration
from mattermost_load_test.errors import ServerError, ServerUnreachableError
from mattermost_load_test.loadtest.clock import LoopClock
from mattermost_load_test.loadtest.database.bulkload import database_of
from mattermost_load_test.loadtest.database.loadposts import PostsLoaded, load_posts
from mattermost_load_test.loadtest.history.post_import import PostImport, PostsImported
from mattermost_load_test.loadtest.history.post_plan import PostPlan
from mattermost_load_test.loadtest.history.reading import Reading
from mattermost_load_test.loadtest.population.population import Population
from mattermost_load_test.loadtest.setup.admin import change_settings, sign_in, signed_in
from mattermost_load_test.loadtest.setup.inventory import take_inventory
from mattermost_load_test.loadtest.setup.server_settings import changes_of
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.models import Json
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client

Tell = Callable[[str, int, int], object]
"""Told what is being done, and how many of how many posts are there."""


def reading_of(configuration: Configuration) -> Reading:
    """Return who has read the history."""
    environment = configuration.environment
    return Reading(environment.percent_read_channels, environment.seed)


def write_history(configuration: Configuration, tell: Tell) -> PostsLoaded:
    """Write the history into the database that the configuration names; blocks.

    Raises `ConfigurationError`, `DatabaseError` and `OperationError`; what was written until then stays.
    """
    plan = PostPlan(configuration.environment)
    return load_posts(
        database_of(configuration.connection),
        plan,
        reading_of(configuration),
        lambda done, total: tell("Writing posts", done, total),
        lambda: tell("Waiting: another agent writes posts", 0, 0),
    )


async def forget_cached(configuration: Configuration, log: Log) -> None:
    """Let the server forget what it knew of channels and posts before they were changed in its database.

    A server that does not run knows nothing. Raises `ServerError` with what to do where it runs and does not forget.
    """
    connection = configuration.connection
    try:
        async with open_transport(connection) as transport:
            admin = Client(transport, server=transport.server)
            await signed_in(admin, connection, LoopClock())
            await admin.system.invalidate_caches()
    except ServerUnreachableError as error:
        log.info("The server does not run, so it has nothing to forget", reason=str(error))
    except ServerError as error:
        raise ServerError(
            f"all posts are written, but the server still shows what it knew before: its caches could not be emptied"
            f" ({error}); put that right and run the command again, or restart the server"
        ) from error


async def import_history(configuration: Configuration, log: Log, tell: Tell) -> PostsImported:
    """Import the history over REST; raises what client and import raise, and `OperationError` without a population."""
    plan = PostPlan(configuration.environment)
    async with open_transport(configuration.connection) as transport:
        admin = Client(transport, server=transport.server)
        await sign_in(admin, configuration.connection, LoopClock(), log)
        tell("Looking for the population", 0, 0)
        population = await asyncio.to_thread(Population, configuration.environment)
        inventory = await take_inventory(admin, population)

        async def change(settings: Json) -> None:
            await change_settings(admin, log, changes_of(await admin.system.config(), settings))

        return await PostImport(admin, inventory, plan, reading_of(configuration), change, tell).run()
