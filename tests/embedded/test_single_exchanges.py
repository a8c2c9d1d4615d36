"""Single recorded exchanges of a 5.37 server that are in no session: plugins, teams, configuration, accounts."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from tests.conftest import log_in
from tests.embedded.matching import Ids, compare
from tests.embedded.recording import PNG, Exchange, multipart, read_exchanges

if TYPE_CHECKING:
    from tests.conftest import AddPerson, Person, StartServer

EXCHANGES = read_exchanges("rest-5.37-more")

MANIFEST = {
    "id": "com.mattermost.sample-plugin",
    "name": "Sample Plugin",
    "description": "This plugin serves as a starting point for writing a Mattermost plugin.",
    "version": "0.0.1",
    "webapp": {"bundle_path": "webapp/dist/main.js"},
    "settings_schema": {"header": "", "footer": "", "settings": []},
}


def bundle() -> bytes:
    """Pack the sample plugin that the recorded requests uploaded."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in (("plugin.json", json.dumps(MANIFEST).encode()), ("webapp/dist/main.js", b"")):
            entry = tarfile.TarInfo(f"com.mattermost.sample-plugin/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


class Ground:
    """A server on which the exchanges can be played one by one: its admin, and the accounts they are about."""

    def __init__(self, server: Any, admin: Person) -> None:
        self.server = server
        self.admin = admin
        self.ids = Ids()

    async def play(self, exchange: Exchange, person: Person) -> list[str]:
        """Make a recorded request; list how the answer differs."""
        body: Any = self.ids.translate(exchange.request_body)
        if body.endswith(" bytes>"):
            boundary = exchange.request_headers["Content-Type"].split("boundary=")[1]
            body = multipart(boundary, [("plugin", "plugin.tar.gz", "application/gzip", bundle())])
        headers = {**exchange.request_headers, "Authorization": f"Bearer {person.token}"}
        url = self.server.url + self.ids.translate(exchange.path)
        async with person.http.request(exchange.method, url, headers=headers, data=body) as response:
            text = await response.text()
            assert response.status == exchange.status, text
            ours = json.loads(text)
        self.ids.learn(exchange.answer, ours)
        return list(compare(self.ids, exchange.answer, ours, f"{exchange.method} {exchange.path}"))

    async def prepare(self, exchange: Exchange) -> Person:
        """Make the account that the exchange is about, as it was before it: verified, with a picture and names."""
        row = exchange.answer
        known = self.server.state.users.by_username.get(row["username"])
        if known is None:
            names = ("username", "email", "nickname", "first_name", "last_name")
            account = {name: row[name] for name in names} | {"password": "Loadtestpassword1"}
            made = await self.admin.ask("POST", "/users", account)
            await self.admin.ask("POST", f"/users/{made['id']}/email/verify/member")
            self.ids.ours[row["id"]] = made["id"]
        user_id = self.ids.ours[row["id"]]
        person = await log_in(self.server, self.admin.http, row["username"], user_id)
        form = aiohttp.FormData()
        form.add_field("image", PNG, filename="a.png", content_type="image/png")
        headers = {"Authorization": f"Bearer {person.token}"}
        url = f"{self.server.url}/api/v4/users/{user_id}/image"
        async with person.http.post(url, data=form, headers=headers) as response:
            assert response.status == 200, await response.text()
        return person


@pytest.fixture
async def ground(start_server: StartServer, add_person: AddPerson) -> Ground:
    """Give a 5.37 server on which the exchanges are played; uploads of plugins are on as they were there."""
    server = await start_server(version="5.37")
    admin = await add_person(server, "ltadmin", email="success+ltadmin@simulator.amazonses.com")
    server.state.config.sections["PluginSettings"]["EnableUploads"] = True  # not to be had over the API
    return Ground(server, admin)


async def test_plugins_are_uploaded_once_and_enabled(ground: Ground) -> None:
    """A second upload of the same plugin is refused."""
    plugins = [exchange for exchange in EXCHANGES if "/plugins" in exchange.path]
    assert len(plugins) == 3
    for exchange in plugins:
        assert await ground.play(exchange, ground.admin) == []


async def test_a_team_is_made(ground: Ground) -> None:
    """It has its maker's address."""
    (exchange,) = [exchange for exchange in EXCHANGES if exchange.path == "/api/v4/teams"]
    assert await ground.play(exchange, ground.admin) == []


async def test_an_ordinary_user_may_not_change_the_configuration(ground: Ground, add_person: AddPerson) -> None:
    """The refusal names every permission of which one would do."""
    person = await add_person(ground.server, "someone", by=ground.admin)
    (exchange,) = [exchange for exchange in EXCHANGES if exchange.path == "/api/v4/config"]
    ground.ids.ours["d1hpf4z8ppgb5myqn6kmn146cc"] = person.id
    assert await ground.play(exchange, person) == []


async def test_accounts_are_changed_by_their_owners(ground: Ground) -> None:
    """What a change names is changed; null and what the owner may not change are passed over."""
    changes = [exchange for exchange in EXCHANGES if exchange.path.startswith("/api/v4/users/")]
    assert len(changes) == 4
    for exchange in changes:
        person = await ground.prepare(exchange)
        assert await ground.play(exchange, person) == []
