"""The recorded sessions of real servers: what they answered and told is answered and told here, too."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import aiohttp
import pytest
from tests.embedded.recorded_session import Session

if TYPE_CHECKING:
    from tests.conftest import StartServer

MEANT: dict[str, str] = {
    "* body.AsymmetricSigningPublicKey: *": "each server's own key; nothing is signed here, so there is none",
    "* body*.SiteURL: *": "each server's own address",
    "* body*.ListenAddress: *": "each server's own address",
    "5.37 9 body.GfycatApiSecret: *": "a secret of somebody else's has no place here",
    "5.37 64 body: another order": "no order is asked of the database, which gives its rows as they lie on its disk",
    "5.37 65 body.categories[[][]].channel_ids: another order": "direct channels have no display name to be sorted by",
    "11.6 49 body: another order": "no order is asked of the database, which gives its rows as they lie on its disk",
    "11.6 51 body: another order": "no order is asked of the database, which gives its rows as they lie on its disk",
    "11.6 61 body: another order": "no order is asked of the database, which gives its rows as they lie on its disk",
    "5.37 63 header Etag: *": "several channels were last changed in the same millisecond, by a parallel import",
    "11.6 66 header Etag: *": "several channels were last changed in the same millisecond, by a parallel import",
    "11.6 68 body.categories[[][]].channel_ids: another order": "direct channels have no display name to be sorted by",
    "11.6 110 body.order: another order": "a post and its earlier state are of the same time",
    "11.6 126 body: another order": "the recorded server gave first what it had in its cache",
    "11.6 128 body: another order": "the recorded server gave first what it had in its cache",
}
"""Differences that are meant: patterns of their lines (version, exchange, place), each with its reason."""


@pytest.mark.parametrize("version", ["5.37", "11.6"])
async def test_a_recorded_session_goes_as_it_went_on_the_real_server(version: str, start_server: StartServer) -> None:
    """Each request has the recorded answer, and each socket is told what it was told, in the recorded shape."""
    server = await start_server(version=version)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        session = Session(server, http, version)
        try:
            found = [f"{version} {n} {line}" async for n, line in session.differences()]
        finally:
            await session.close()
    unmeant = [line for line in found if not any(fnmatchcase(line, meant) for meant in MEANT)]
    assert not unmeant, "\n".join(unmeant)
    assert session.played == len(session.replay.exchanges) > 140
    for watcher in session.watchers.values():
        assert [event["seq"] for event in watcher.socket.events] == list(range(len(watcher.socket.events)))
        assert watcher.expected == []


def test_every_meant_difference_has_a_reason() -> None:
    """No difference is let pass without saying why."""
    assert all(len(reason) > 20 for reason in MEANT.values())
