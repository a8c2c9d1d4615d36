"""The login phase of a run: every user gets a session, kept from an earlier run or new, before anything is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mattermost_load_test.errors import ServerError, UnexpectedAnswerError
from mattermost_load_test.loadtest.actions.sessions import open_session
from mattermost_load_test.loadtest.logins.pace import LoginPace, Logins
from mattermost_load_test.loadtest.logins.token_cache import TokenCache, UserSession
from mattermost_load_test.loadtest.population.population import email
from mattermost_load_test.loadtest.world import World
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import Transport

CHECKS_IN_FLIGHT = 50  # of kept tokens: asking who one is costs a server next to nothing


class LoginPhase:
    """The sessions of users, by number: `sessions` grows as they come, so that an early end loses none.

    `transport` carries the users' requests. `failed` is told each user that got none, `progress` how many have one, how
    many got none and how many are wanted, after each one.
    """

    def __init__(
        self,
        world: World,
        transport: Transport,
        server: str,
        cache: TokenCache | None,
        *,
        failed: Callable[[int, ServerError], object],
        progress: Callable[[int, int, int], object],
    ) -> None:
        self.sessions: dict[int, UserSession] = {}
        self._world = world
        self._transport = transport
        self._server = server
        self._cache = cache
        self._failed = failed
        self._progress = progress

    async def check_kept(self, users: Sequence[int]) -> int:
        """Take the kept sessions that the server still knows, and return how many it does not know any more."""
        kept = [user for user in users if self._kept(user) is not None]
        checks = Logins(
            self._check,
            LoginPace(CHECKS_IN_FLIGHT),
            self._world.clock,
            failed=lambda user, error: None,  # it logs in like the others
            progress=lambda done, failed, wanted: self._progress(done - failed, 0, len(users)),
        )
        return len(await checks.run(kept))

    async def log_in(self, users: Sequence[int], pace: LoginPace) -> int:
        """Log in those who have no session yet and return how many could not."""
        missing = [user for user in users if user not in self.sessions]
        there = len(self.sessions)
        logins = Logins(
            self._log_in,
            pace,
            self._world.clock,
            failed=self._failed,
            progress=lambda done, failed, wanted: self._progress(there + done - failed, failed, len(users)),
        )
        return len(await logins.run(missing))

    def _kept(self, user: int) -> UserSession | None:
        """Return the session that an earlier run kept of a user."""
        return None if self._cache is None else self._cache.session(user)

    async def _check(self, user: int) -> None:
        """Take a kept session; raises `ServerError` when the server does not know it, or knows it as another's."""
        kept = self._kept(user)
        assert kept is not None  # it was looked up before
        account = await Client(self._transport, kept.token, self._server).users.me()
        if account.id != kept.user_id:
            raise UnexpectedAnswerError(f"the token kept of user {user} is another user's")
        self.sessions[user] = kept

    async def _log_in(self, user: int) -> None:
        """Log in a user and keep its session; raises `ServerError`."""
        client = Client(self._transport, server=self._server)
        user_id = await open_session(client, email(user), self._world)
        assert client.token is not None  # it has just logged in
        session = UserSession(user_id, client.token)
        self.sessions[user] = session
        if self._cache is not None:
            self._cache.keep(user, session)
