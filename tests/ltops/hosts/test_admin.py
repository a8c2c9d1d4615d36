"""The system admin of a server on a host: made where there is no account, else said how to get one."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.errors import AdminLoginError
from mattermost_load_test.ltops.hosts.admin import admin_exists, make_admin

ADMIN = ConnectionConfiguration(AdminEmail="admin@example.com", AdminPassword="Loadtestpassword1")
HASH = "258d8dc9"
"""Of the e-mail address, so that the name is not taken."""

MMCTL = "ltops ssh app -c demo -- sudo /opt/mattermost/current/bin/mmctl --local"


async def refusal(url: str, connection: ConnectionConfiguration) -> str:
    """Return why an admin cannot be made; the exit code is that of a server that refuses."""
    with pytest.raises(AdminLoginError) as raised:
        await asyncio.to_thread(make_admin, url, connection, "demo")
    assert raised.value.exit_code == 3
    return str(raised.value)


async def test_a_server_without_accounts(embedded: Any) -> None:
    """Its admin is the first account; made again, nothing changes."""
    assert not await asyncio.to_thread(admin_exists, embedded.url, ADMIN)
    for _ in range(2):
        await asyncio.to_thread(make_admin, embedded.url, ADMIN, "demo")
        assert await asyncio.to_thread(admin_exists, embedded.url, ADMIN)


async def test_a_server_with_accounts_of_others(embedded: Any, add_person: Any) -> None:
    """The commands that make this one are told, whole; so is what to do where it has another password."""
    await add_person(embedded, "boss")
    told = await refusal(embedded.url, ADMIN)
    assert told.startswith(f"{embedded.url} has accounts already, and does not let in admin@example.com by")
    assert re.findall("`(.*?)`", told) == [
        f"{MMCTL} user create --email admin@example.com --username ltadmin-{HASH} --password PASSWORD --system-admin",
        f"{MMCTL} user change-password admin@example.com --password PASSWORD",
    ]
    assert "Loadtestpassword1" not in told


async def test_an_account_that_is_no_admin(embedded: Any, add_person: Any) -> None:
    """It is told how to make it one."""
    boss = await add_person(embedded, "boss")
    await add_person(embedded, "other", by=boss, email="admin@example.com")
    told = await refusal(embedded.url, ADMIN)
    assert told.startswith(f"admin@example.com is no system admin on {embedded.url}: make it one by `{MMCTL} roles ")
