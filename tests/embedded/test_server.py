"""The embedded server as a running program: ports, shared state, shutdown."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import aiohttp
import pytest

from mattermost_load_test.embedded.faults import Faults
from mattermost_load_test.embedded.server import ServerOptions, serve
from mattermost_load_test.errors import PortInUseError, UsageError

if TYPE_CHECKING:
    from tests.conftest import AddPerson, StartServer

    from mattermost_load_test.embedded.server import EmbeddedServer


async def test_a_taken_port_is_named(embedded: EmbeddedServer) -> None:
    """A second server on a port that is taken fails with an error that names the port and what to do."""
    port = int(embedded.url.rpartition(":")[2])
    with pytest.raises(PortInUseError, match=rf"Port {port} on 127.0.0.1 .*--port") as failure:
        async with serve(ServerOptions(ports=(port,))):
            pass
    assert failure.value.exit_code == 2


async def test_a_taken_port_leaves_the_free_ones_free() -> None:
    """When one of several ports is taken, the server lets go of those it had taken already."""
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
        other.close()
        with pytest.raises(PortInUseError):
            async with serve(ServerOptions(ports=(free, taken.getsockname()[1]))):
                pass
        async with serve(ServerOptions(ports=(free,))) as server:
            assert server.url.endswith(f":{free}")


async def test_a_foreign_address_is_refused() -> None:
    """An address that is not this machine's is wrong use, and the message says what to do."""
    with pytest.raises(UsageError, match="--host"):
        async with serve(ServerOptions(host="192.0.2.1")):
            pass


async def test_several_ports_are_one_server(start_server: StartServer, add_person: AddPerson) -> None:
    """What is done on one port of a server is seen on another, events included."""
    server = await start_server(ports=(0, 0, 0))
    assert len(set(server.urls)) == 3
    admin = await add_person(server, "admin")
    async with admin.socket() as watching, aiohttp.ClientSession() as http:
        await watching.news()
        account = {"username": "ann", "email": "ann@example.com", "password": "Loadtestpassword1"}
        headers = {"Authorization": f"Bearer {admin.token}"}
        async with http.post(f"{server.urls[2]}/api/v4/users", json=account, headers=headers) as response:
            assert response.status == 201
        assert await watching.names() == ["new_user"]


async def test_all_addresses_are_reached_by_loopback(start_server: StartServer, add_person: AddPerson) -> None:
    """A server that listens on all addresses gives a URL that this machine can use."""
    server = await start_server(host="0.0.0.0")
    assert server.url.startswith("http://127.0.0.1:")
    await add_person(server, "admin")


async def test_shutdown_leaves_nothing_behind(add_person: AddPerson) -> None:
    """A server stops within its deadline, sockets and hanging requests or not, and leaves no task."""
    before = asyncio.all_tasks()
    async with serve(ServerOptions()) as server:
        admin = await add_person(server, "admin")
        async with admin.socket() as watching, aiohttp.ClientSession() as http:
            await server.faults.turn(hang_rate=1.0)
            hanging = asyncio.create_task(http.get(f"{server.url}/api/v4/system/ping"))
            await watching.ask("ping")
            async with asyncio.timeout(8):
                server.sockets.close_all()
                await watching.until_closed()
                await server.faults.rest()
                hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
    assert asyncio.all_tasks() <= before | {asyncio.current_task()}


async def test_a_stopping_server_ends_its_sockets(add_person: AddPerson) -> None:
    """Clients that are connected when the server stops see their sockets end."""
    async with asyncio.timeout(10):
        async with serve(ServerOptions()) as server:
            admin = await add_person(server, "admin")
            context = admin.socket()
            watching = await context.__aenter__()
            await watching.news()
        await watching.until_closed()
        await context.__aexit__(None, None, None)


async def test_an_error_of_the_user_comes_out_as_it_is() -> None:
    """What goes wrong while a server is in use is not wrapped, and the server stops all the same."""

    async def fail() -> None:
        async with serve(ServerOptions(faults=Faults(dropped_sockets_per_minute=1))):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/team/channels/town-square", 200),
        ("POST", "/team/channels/town-square", 405),
        ("GET", "/static/main.js", 404),
        ("POST", "/static/main.js", 404),
        ("GET", "/api/v4/nosuch", 404),
    ],
)
async def test_addresses_outside_the_api_are_the_web_clients(
    method: str, path: str, status: int, embedded: EmbeddedServer
) -> None:
    """Every page is the one page of the web client, read and nothing else; its files are not there."""
    async with aiohttp.ClientSession() as http, http.request(method, f"{embedded.url}{path}") as response:
        assert response.status == status
        is_page = (response.content_type, await response.text() != "") == ("text/html", True)
        assert is_page == (status == 200)
