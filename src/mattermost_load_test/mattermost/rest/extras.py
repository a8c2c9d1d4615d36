"""What surrounds the posts: link previews, custom emoji, webhooks and plugins."""

from __future__ import annotations

from urllib.parse import quote

import orjson

from mattermost_load_test.mattermost.models import Emoji, IncomingWebhook, InstalledPlugins
from mattermost_load_test.mattermost.rest.multipart import CONTENT_TYPE, encode_form
from mattermost_load_test.mattermost.rest.subject import Subject

EMOJI = "POST /emoji"
EMOJI_BY_NAME = "GET /emoji/name/[emoji name]"
HOOK = "POST /hooks/[hook id]"
PLUGIN = "POST /plugins"
ENABLE_PLUGIN = "POST /plugins/[plugin id]/enable"


class Links(Subject):
    """Previews of linked pages."""

    __slots__ = ()

    async def opengraph(self, url: str) -> None:
        """Ask for the preview of a page; 404 on servers from v11, 501 where previews are off."""
        await self._session.done("POST /opengraph", "/opengraph", {"url": url})


class Emojis(Subject):
    """Custom emoji."""

    __slots__ = ()

    async def create(self, name: str, creator_id: str, image: bytes) -> Emoji:
        """Create an emoji from a PNG."""
        fields = {"emoji": orjson.dumps({"name": name, "creator_id": creator_id}).decode()}
        body = encode_form(fields, "image", f"{name}.png", image)
        answer = await self._session.send_bytes(EMOJI, "/emoji", body, CONTENT_TYPE)
        return self._session.read(EMOJI, answer, Emoji.of)

    async def page(self, page: int = 0, per_page: int = 60) -> tuple[Emoji, ...]:
        """Return one page (at most 200) of the custom emoji."""
        return await self._session.many("GET /emoji", f"/emoji?page={page}&per_page={per_page}", Emoji.of)

    async def by_name(self, name: str) -> Emoji:
        """Return the emoji of a name; 404 when there is none."""
        return await self._session.one(EMOJI_BY_NAME, f"/emoji/name/{quote(name, safe='')}", Emoji.of)


class Hooks(Subject):
    """Incoming webhooks."""

    __slots__ = ()

    async def create(self, channel_id: str, display_name: str, description: str = "") -> IncomingWebhook:
        """Create a webhook for a channel; 403 until the role team_user may, and always in direct channels."""
        body = {"channel_id": channel_id, "display_name": display_name, "description": description}
        return await self._session.one("POST /hooks/incoming", "/hooks/incoming", IncomingWebhook.of, body)

    async def page(self, page: int = 0, per_page: int = 60) -> tuple[IncomingWebhook, ...]:
        """Return one page (at most 200) of the webhooks that this session's user may manage."""
        path = f"/hooks/incoming?page={page}&per_page={per_page}"
        return await self._session.many("GET /hooks/incoming", path, IncomingWebhook.of)

    async def post(self, hook_id: str, text: str, username: str = "") -> None:
        """Post a text by a webhook, as an outside program does: without a session.

        `username` is the name to show, which the server may ignore (ServiceSettings.EnablePostUsernameOverride).
        """
        body = {"text": text, "username": username} if username else {"text": text}
        answer = await self._session.send_outside(HOOK, f"/hooks/{hook_id}", body)
        self._session.expect_success(HOOK, answer)


class Plugins(Subject):
    """Plugins."""

    __slots__ = ()

    async def installed(self) -> InstalledPlugins:
        """Return the installed plugins, as system admin."""
        return await self._session.one("GET /plugins", "/plugins", InstalledPlugins.of)

    async def upload(self, archive: bytes) -> str:
        """Install a plugin from its .tar.gz and return its id, as system admin.

        An `ApiError` with `error_id` app.plugin.install_id.app_error means that it is there already; 501 that uploads
        are switched off, which cannot be changed over the API.
        """
        body = encode_form({}, "plugin", "plugin.tar.gz", archive)
        answer = await self._session.send_bytes(PLUGIN, "/plugins", body, CONTENT_TYPE)
        return self._session.read(PLUGIN, answer, lambda data: str(data["id"]))

    async def enable(self, plugin_id: str) -> None:
        """Switch a plugin on, as system admin."""
        await self._session.done(ENABLE_PLUGIN, f"/plugins/{quote(plugin_id, safe='')}/enable")

    async def webapp(self) -> None:
        """Ask for the plugins' parts of the web client, as it does after each (re)connection of its websocket."""
        await self._session.done("GET /plugins/webapp", "/plugins/webapp")
