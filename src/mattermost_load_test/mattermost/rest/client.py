"""A session with a server, as a client holds it."""

from __future__ import annotations

from pydantic import SecretStr

from mattermost_load_test.errors import ApiError, UnexpectedAnswerError
from mattermost_load_test.mattermost.models import User
from mattermost_load_test.mattermost.rest.channels import Channels
from mattermost_load_test.mattermost.rest.extras import Emojis, Hooks, Links, Plugins
from mattermost_load_test.mattermost.rest.files import Files
from mattermost_load_test.mattermost.rest.imports import Jobs, Uploads
from mattermost_load_test.mattermost.rest.posts import Posts
from mattermost_load_test.mattermost.rest.session import API, Session
from mattermost_load_test.mattermost.rest.system import Roles, Schemes, System
from mattermost_load_test.mattermost.rest.teams import Teams
from mattermost_load_test.mattermost.rest.users import Users
from mattermost_load_test.mattermost.transport import Transport

LOGIN = "POST /users/login"
LOGOUT = "POST /users/logout"


class Client:
    """One session with a Mattermost server: a transport, a token and the API's methods by subject.

    Clients share a transport; each costs a few hundred bytes. `server` is how messages name the server.
    """

    __slots__ = ("_session",)

    def __init__(self, transport: Transport, token: SecretStr | None = None, server: str = "the server") -> None:
        self._session = Session(transport, token, server)

    @property
    def token(self) -> SecretStr | None:
        """The session's token, to be kept secret; nothing before the login. The websocket needs it, too."""
        return self._session.token

    @token.setter
    def token(self, token: SecretStr | None) -> None:
        self._session.token = token

    @property
    def server(self) -> str:
        """How messages name the server."""
        return self._session.server

    async def login(self, login_id: str, password: SecretStr | str) -> User:
        """Log in by e-mail address or username, and keep the token for every later request.

        Until then the session is what it was: requests sent meanwhile, by a renewal beside them, still go with a token.
        An `ApiError` of status 401 means a wrong password or a deactivated user (`error_id` tells), of 429 that the
        server limits logins: `retry_after_s` says how long to wait.
        """
        secret = password.get_secret_value() if isinstance(password, SecretStr) else password
        answer = await self._session.send_outside(
            LOGIN, f"{API}/users/login", {"login_id": login_id, "password": secret}
        )
        try:
            user = self._session.read(LOGIN, answer, User.of)
        except ApiError:
            self._session.token = None
            raise
        token = answer.headers.get("Token")
        if not token:
            raise UnexpectedAnswerError(
                f"{self._session.server} answered {LOGIN} without a Token header; does a proxy strip it?"
            )
        self._session.token = SecretStr(token)
        return user

    async def logout(self) -> None:
        """End the session and forget its token."""
        await self._session.done(LOGOUT, "/users/logout")
        self._session.token = None

    # A subject is a view on the session, made when it is asked for: thousands of clients hold none of them.

    @property
    def system(self) -> System:
        """Ping, configuration, licence, limits, caches."""
        return System(self._session)

    @property
    def roles(self) -> Roles:
        """Roles and what they allow."""
        return Roles(self._session)

    @property
    def schemes(self) -> Schemes:
        """Permission schemes."""
        return Schemes(self._session)

    @property
    def users(self) -> Users:
        """Users, their profiles, statuses and preferences."""
        return Users(self._session)

    @property
    def teams(self) -> Teams:
        """Teams and who is in them."""
        return Teams(self._session)

    @property
    def channels(self) -> Channels:
        """Channels and who is in them."""
        return Channels(self._session)

    @property
    def posts(self) -> Posts:
        """Posts, their reactions and files, and search."""
        return Posts(self._session)

    @property
    def files(self) -> Files:
        """Files of posts."""
        return Files(self._session)

    @property
    def links(self) -> Links:
        """Previews of linked pages."""
        return Links(self._session)

    @property
    def emojis(self) -> Emojis:
        """Custom emoji."""
        return Emojis(self._session)

    @property
    def hooks(self) -> Hooks:
        """Incoming webhooks."""
        return Hooks(self._session)

    @property
    def plugins(self) -> Plugins:
        """Plugins."""
        return Plugins(self._session)

    @property
    def uploads(self) -> Uploads:
        """Uploads in parts, and the import files made of them."""
        return Uploads(self._session)

    @property
    def jobs(self) -> Jobs:
        """Jobs of the server."""
        return Jobs(self._session)
