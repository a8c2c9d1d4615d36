"""What a server can be told to be: licensed or not, with metadata in its posts or not, on several ports."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import aiohttp
import pytest
from tests.conftest import DEADLINE_S

if TYPE_CHECKING:
    from tests.conftest import AddPerson, StartServer

USERS_MAX = 250
"""How many active users an 11.6 without a licence has at most."""


@pytest.mark.parametrize(
    ("version", "licensed", "limited"), [("11.6", False, True), ("11.6", True, False), ("5.37", False, False)]
)
async def test_only_a_new_server_without_a_licence_is_limited(
    version: str, licensed: bool, limited: bool, start_server: StartServer, add_person: AddPerson
) -> None:
    """Beyond 250 active users it makes none and activates none; who is deactivated makes room."""
    server = await start_server(version=version, licensed=licensed)
    admin = await add_person(server, "admin")
    account = {"password": "Loadtestpassword1"}
    made = [
        await admin.ask("POST", "/users", account | {"username": f"u{n}", "email": f"u{n}@example.com"})
        for n in range(1, USERS_MAX)
    ]
    one_more = account | {"username": "more", "email": "more@example.com"}
    refusal = await admin.ask("POST", "/users", one_more, status=400 if limited else 201)
    assert (refusal["id"] == "api.user.create_user.user_limits.exceeded") == limited
    gone = made[0]["id"]
    await admin.ask("PUT", f"/users/{gone}/active", {"active": False})
    if limited:
        await admin.ask("POST", "/users", one_more, status=201)
    refusal = await admin.ask("PUT", f"/users/{gone}/active", {"active": True}, status=400 if limited else 200)
    assert (refusal.get("id") == "app.user.update_active.user_limit.exceeded") == limited


@pytest.mark.parametrize("version", ["5.37", "11.6"])
@pytest.mark.parametrize("licensed", [True, False])
async def test_every_answer_tells_of_the_licence(version: str, licensed: bool, start_server: StartServer) -> None:
    """The version in the header ends in whether there is a licence, and clients can ask for it."""
    server = await start_server(version=version, licensed=licensed)
    url = f"{server.url}/api/v4/license/client?format=old"
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        assert response.headers["X-Version-Id"].rpartition(".")[2] == str(licensed).lower()
        assert await response.json() == {"IsLicensed": str(licensed).lower()}


@pytest.mark.parametrize("version", ["5.37", "11.6"])
@pytest.mark.parametrize("shown", [True, False])
async def test_metadata_can_be_left_out(
    version: str, shown: bool, start_server: StartServer, add_person: AddPerson
) -> None:
    """Posts carry metadata or do not, in answers, lists, searches and events alike."""
    server = await start_server(version=version, post_metadata=shown)
    admin = await add_person(server, "admin")
    team = await admin.ask("POST", "/teams", {"name": "team", "display_name": "Team", "type": "O"})
    channel = await admin.ask("GET", f"/teams/{team['id']}/channels/name/town-square")
    async with admin.socket() as watching:
        await watching.news()
        post = await admin.ask("POST", "/posts", {"channel_id": channel["id"], "message": "hello"})
        (told,) = [event for event in await watching.news() if event["event"] == "posted"]
    listed = await admin.ask("GET", f"/channels/{channel['id']}/posts")
    found = await admin.ask("POST", f"/teams/{team['id']}/posts/search", {"terms": "hello"})
    rows = [post, json.loads(told["data"]["post"]), *listed["posts"].values(), *found["posts"].values()]
    assert len(rows) > 3
    assert {"metadata" in row for row in rows} == {shown}


async def test_an_outage_ends_by_itself(start_server: StartServer) -> None:
    """Connections are refused for a while, again and again, and taken in between."""
    server = await start_server()
    await server.faults.turn(outage_every_s=0.05, outage_s=0.05)
    answered = [await _is_answered(server.url)]
    async with asyncio.timeout(DEADLINE_S):
        while answered[-3:] != [True, False, True]:
            now = await _is_answered(server.url)
            if now != answered[-1]:
                answered.append(now)


async def _is_answered(url: str) -> bool:
    async with aiohttp.ClientSession() as http:
        try:
            async with http.get(f"{url}/api/v4/system/ping") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False
