"""`BulkLoadMethod: database`: the population straight into the server's tables, where an import costs it hours.

Teams and channels are there already. One user is made over REST; its rows are the pattern for all others. Everything
else is one transaction. Then some of the users are tried over REST; if they do not work, all is taken back.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pydantic import SecretStr

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.errors import DatabaseError, OperationError
from mattermost_load_test.loadtest.clock import Clock
from mattermost_load_test.loadtest.database import datasource
from mattermost_load_test.loadtest.database.connection import Database
from mattermost_load_test.loadtest.database.filling import Filled, SessionWish, check_database, fill
from mattermost_load_test.loadtest.database.template import make_template
from mattermost_load_test.loadtest.database.trying import Sample, SampleError
from mattermost_load_test.loadtest.database.undoing import undo
from mattermost_load_test.loadtest.logins.token_cache import TokenCache, UserSession
from mattermost_load_test.loadtest.setup.inventory import Inventory
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import ServerTransport

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SessionsWanted:
    """Which users, by number, are to have a session, and the cache that gets the tokens."""

    cache: TokenCache
    users: Sequence[int]


def database_of(connection: ConnectionConfiguration) -> Database:
    """Return the database that the configuration names; raises `ConfigurationError` if it names none."""
    return Database(datasource.parse(connection.driver_name, connection.data_source))


@dataclass(frozen=True, slots=True)
class DatabaseLoad:
    """Puts a population into the database of the server that `admin` is logged in to.

    `sessions` says who is to have one, if anybody; `tell` gets a few words on how far it is.
    """

    admin: Client
    transport: ServerTransport
    database: Database
    clock: Clock
    log: Log
    tell: Tell
    sessions: SessionsWanted | None = None

    async def run(self, inventory: Inventory) -> None:
        """Write what the server lacks of the users, memberships, direct and group channels of the population.

        `inventory` has all its teams and channels. Raises `DatabaseError`, what the client raises, and `OperationError`
        when users do not work afterwards; nothing but the one user made over REST is left then.
        """
        database = self.database
        await asyncio.to_thread(check_database, database, {team.id for team in inventory.teams.values()})
        self.tell("making a user to copy")
        login = Client(self.transport, server=self.transport.server)
        template = await make_template(self.admin, login, inventory, self.clock)
        teams = {index: team.id for index, team in inventory.teams.items()}
        channels = {index: channel.id for index, channel in inventory.channels.items()}
        wish = self._wish(inventory)
        begun_s = time.monotonic()
        filled = await self._in_thread(
            lambda progress, waiting: fill(
                database, inventory.population, teams, channels, template, wish, progress, waiting
            )
        )
        self.log.info(
            "Wrote the population into the database",
            users=len(filled.accounts.new),
            team_memberships=filled.joined.teams,
            channel_memberships=filled.joined.channels,
            direct_and_group_channels=len(filled.personal_ids),
            sessions=len(filled.tokens),
            duration_s=round(time.monotonic() - begun_s, 1),
        )
        await login.logout()
        await self.admin.system.invalidate_caches()
        if filled.anything:
            await self._try(inventory, filled, teams, channels)
        self._keep(filled)

    async def _try(
        self,
        inventory: Inventory,
        filled: Filled,
        teams: Mapping[int, str],
        channels: Mapping[int, str],
    ) -> None:
        """Try some users, and take everything back if they do not work; raises `OperationError` then."""
        self.tell("trying some of the new users")
        sample = Sample(self.transport, self.transport.server, inventory.population, teams, channels, self.clock)
        accounts = filled.accounts
        numbers = accounts.new or [n for n in range(len(accounts.ids)) if n not in accounts.inactive]
        try:
            tried = await sample.try_users(accounts.ids, numbers, filled.tokens)
        except SampleError as reason:
            self.tell("taking the load back")
            try:
                await asyncio.to_thread(undo, self.database, filled, teams)
            except DatabaseError as error:
                raise OperationError(
                    f"users who were put into the database do not work: {reason}; and it could not be taken back:"
                    f" {error}. Restore the server's database from before"
                ) from error
            await self.admin.system.invalidate_caches()
            raise OperationError(
                f"users who were put into the database do not work, so all of it was taken back: {reason}"
                "; use another BulkLoadMethod for this server"
            ) from reason
        except asyncio.CancelledError:
            self.log.warn("Interrupted before all new users were tried; what was written into the database stays")
            raise
        self.log.info("Users from the database log in, find their channels and post", tried=tried)

    def _wish(self, inventory: Inventory) -> SessionWish:
        """Return which sessions are wanted, and which of them the cache has for the users as the server knows them."""
        if self.sessions is None:
            return SessionWish()
        sessions = ((number, self.sessions.cache.session(number)) for number in self.sessions.users)
        kept = {
            number: session.token.get_secret_value()
            for number, session in sessions
            if session is not None and session.user_id == inventory.user_ids[number]
        }
        return SessionWish(self.sessions.users, kept)

    def _keep(self, filled: Filled) -> None:
        """Put the new sessions into the cache."""
        if self.sessions is not None:
            for number, token in filled.tokens.items():
                self.sessions.cache.keep(number, UserSession(filled.accounts.ids[number], SecretStr(token)))

    async def _in_thread(self, work: Callable[[Callable[[int, int], object], Callable[[], object]], Filled]) -> Filled:
        """Do blocking work in a thread, which ends, all rolled back, when this is cancelled."""
        loop = asyncio.get_running_loop()
        cancelled = threading.Event()
        pace = _Pace(time.monotonic)

        def tell(words: str) -> None:
            if cancelled.is_set():
                raise InterruptedError("the load was cancelled")
            loop.call_soon_threadsafe(self.tell, words)

        running = asyncio.ensure_future(
            asyncio.to_thread(
                work,
                lambda done, total: tell(pace.words(done, total)),
                partial(tell, "waiting: another agent loads the database"),
            )
        )
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            cancelled.set()
            await asyncio.gather(running, return_exceptions=True)
            raise


class _Pace:
    """How far a load is, in words, with its rate and what is left at it."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._begun_s: float | None = None

    def words(self, done: int, total: int) -> str:
        """Return how far it is."""
        if self._begun_s is None:
            self._begun_s = self._now_s()
        elapsed_s = self._now_s() - self._begun_s
        extent = f"into the database, {done:,} of {total:,} rows"
        if not done or elapsed_s <= 0:
            return extent
        rate = done / elapsed_s
        return f"{extent}, {rate:,.0f}/s, about {(total - done) / rate:,.0f} s left"
