"""The server itself: health, configuration, licence, limits, roles and schemes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from mattermost_load_test.errors import UnexpectedAnswerError
from mattermost_load_test.mattermost.models import Json, Role, Scheme, ServerLimits, ServerStatus, ServerVersion
from mattermost_load_test.mattermost.rest.subject import Subject

PING = "GET /system/ping"


def _object(data: Any) -> Json:
    """Return a JSON object as it is."""
    if not isinstance(data, dict):
        raise TypeError("not an object")
    return data


class System(Subject):
    """Ping, configuration, licence, limits, caches."""

    __slots__ = ()

    async def ping(self, with_status: bool = False) -> ServerStatus:
        """Ask whether the server is there, and which version it is; `with_status` also asks for its database and files.

        An `ApiError` of status 500 means that the server itself is not well.
        """
        query = "?get_server_status=true" if with_status else ""
        answer = await self._session.send(PING, f"/system/ping{query}")
        data = self._session.read(PING, answer, _object)
        try:
            version = ServerVersion.of(answer.headers.get("X-Version-Id", ""))
        except ValueError as error:
            raise UnexpectedAnswerError(
                f"{self._session.server} answered {PING} without a Mattermost's X-Version-Id header; "
                "check ConnectionConfiguration.ServerURL, and the proxy if there is one"
            ) from error
        return ServerStatus(
            version, data.get("status", ""), data.get("database_status", ""), data.get("filestore_status", "")
        )

    async def config(self) -> Json:
        """Return the whole configuration, as system admin."""
        return await self._session.one("GET /config", "/config", _object)

    async def patch_config(self, settings: Json) -> Json:
        """Change the settings given, by section, and return the whole configuration as it is then.

        A server with read-only configuration refuses with 403 or leaves the setting as it was: compare.
        """
        return await self._session.one("PUT /config/patch", "/config/patch", _object, settings)

    async def client_config(self) -> dict[str, str]:
        """Return the part of the configuration that clients get, every value a string."""
        # Before v11 the server wants format=old, from v11 on it ignores it.
        return await self._session.one("GET /config/client", "/config/client?format=old", _object)

    async def client_license(self) -> dict[str, str]:
        """Return what clients are told of the licence; `IsLicensed` is the string true or false."""
        return await self._session.one("GET /license/client", "/license/client?format=old", _object)

    async def limits(self) -> ServerLimits:
        """Return the server's limits, as system admin (others are told zeros); 404 on servers that have none."""
        return await self._session.one("GET /limits/server", "/limits/server", ServerLimits.of)

    async def invalidate_caches(self) -> None:
        """Make the server read everything anew."""
        await self._session.done("POST /caches/invalidate", "/caches/invalidate")


class Roles(Subject):
    """Roles and what they allow."""

    __slots__ = ()

    async def by_name(self, name: str) -> Role:
        """Return the role of a name."""
        return await self._session.one("GET /roles/name/[role name]", f"/roles/name/{quote(name, safe='')}", Role.of)

    async def by_names(self, names: Sequence[str]) -> tuple[Role, ...]:
        """Return the roles of these names, unknown ones left out."""
        return await self._session.many("POST /roles/names", "/roles/names", Role.of, names)

    async def set_permissions(self, role_id: str, permissions: Sequence[str]) -> Role:
        """Set what a role allows: all of it. A permission the server does not know is refused (501 on 5.37)."""
        body = {"permissions": permissions}
        return await self._session.one("PUT /roles/[role id]/patch", f"/roles/{role_id}/patch", Role.of, body)


class Schemes(Subject):
    """Permission schemes."""

    __slots__ = ()

    async def page(self, page: int = 0, per_page: int = 60) -> tuple[Scheme, ...]:
        """Return one page of the schemes; refused (501) by servers whose licence lacks them."""
        return await self._session.many("GET /schemes", f"/schemes?page={page}&per_page={per_page}", Scheme.of)

    async def create(self, name: str, display_name: str, scope: str) -> Scheme:
        """Create a scheme of scope team or channel; refused (501) by servers whose licence lacks them."""
        body = {"name": name, "display_name": display_name, "scope": scope}
        return await self._session.one("POST /schemes", "/schemes", Scheme.of, body)
