"""Set-up: by several agents at once, after a kill, what it cannot change, and putting back what it did."""

from __future__ import annotations

import asyncio
import copy
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.small_population import SMALL_POPULATION

from mattermost_load_test.config import Configuration
from mattermost_load_test.embedded.faults import Fixed
from mattermost_load_test.loadtest.clock import Clock, LoopClock
from mattermost_load_test.loadtest.setup.restore import restore
from mattermost_load_test.loadtest.setup.sample_plugin import PLUGIN_ID
from mattermost_load_test.loadtest.setup.steps import SetUp, set_up
from mattermost_load_test.logs import Log
from mattermost_load_test.logs.lines import LogLine
from mattermost_load_test.mattermost.opening import open_transport

DEADLINE_S = 90.0

IMPORTING = "Importing what the server lacks of the population"
WAITING = "Another agent loads the population; waiting for it"


def of(server: Any, **environment: object) -> Configuration:
    """Return a small configuration for a server."""
    return Configuration.model_validate(
        {
            "ConnectionConfiguration": {"ServerURL": server.url, "AdminPassword": "adminsecret1"},
            "LoadtestEnviromentConfig": SMALL_POPULATION | environment,
        }
    )


class Said:
    """A log's sink that keeps what was said."""

    vital = False

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.log = Log([self])

    def write(self, line: LogLine) -> None:
        """Keep a line."""
        self.messages.append(line.message)

    def write_data(self, line: bytes) -> None:
        """Take no data."""

    def close(self) -> None:
        """Have nothing to close."""


async def prepared(server: Any, said: Said | None = None, clock: Clock | None = None, **environment: object) -> SetUp:
    """Set a server up as an agent does."""
    configuration = of(server, **environment)
    async with open_transport(configuration.connection) as transport:
        log = (said or Said()).log
        return await set_up(transport, configuration, clock or LoopClock(), log, lambda detail: None)


def contents(embedded: Any) -> dict[str, Any]:
    """Return what a server holds, in a form to compare."""
    state = embedded.state
    return {
        "users": sorted(state.users.by_username),
        "nicknames": sorted({user.nickname for user in state.users.by_username.values()}),
        "config": copy.deepcopy(state.config.sections),
        "roles": {name: sorted(role.permissions) for name, role in state.roles.by_name.items()},
    }


@pytest.fixture(params=["5.37", "11.6"])
def version(request: pytest.FixtureRequest) -> str:
    """Give the version of the server, one after the other."""
    return str(request.param)


async def test_agents_in_the_same_second_load_once(embedded: Any) -> None:
    """On an empty server one of them makes admin and population, the others wait, and all find it complete."""
    await embedded.faults.turn(latency=Fixed(5))
    said = [Said() for _ in range(3)]
    ready = await asyncio.gather(*(prepared(embedded, each) for each in said))
    assert sorted(each.messages.count(IMPORTING) for each in said) == [0, 0, 1]
    assert sum(WAITING in each.messages for each in said) == 2
    assert len({each.admin_token.get_secret_value() for each in ready}) == 3
    held = contents(embedded)
    assert len(held["users"]) == 13
    assert held["nicknames"] == [""]


async def test_a_killed_agents_set_up_is_taken_over(embedded: Any, tmp_path: Path, impatient_clock: Clock) -> None:
    """Killed while it holds the lock, an agent leaves a server that another one finishes once the lock has expired."""
    settings = of(embedded).model_dump(mode="json", by_alias=True)
    settings["ConnectionConfiguration"] = {"ServerURL": embedded.url, "AdminPassword": "adminsecret1"}
    settings["ResultsConfiguration"] = {}
    (tmp_path / "loadtestconfig.json").write_text(json.dumps(settings))
    await embedded.faults.turn(latency=Fixed(20))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mattermost_load_test.loadtest.cli", "setup"),
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("MMLOADTEST_")},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE_S):
        async for line in process.stdout:
            if IMPORTING.encode() in line:
                break
        process.send_signal(signal.SIGKILL)
        await process.communicate()
    await embedded.faults.turn(latency=None)
    assert contents(embedded)["nicknames"] != [""]
    said = Said()
    await prepared(embedded, said, impatient_clock)
    assert WAITING in said.messages
    assert "The agent that loaded the population has shown no sign of life for 30 s" in said.messages
    held = contents(embedded)
    assert len(held["users"]) == 13
    assert held["nicknames"] == [""]


async def test_restore_puts_settings_and_roles_back(start_server: Any, version: str) -> None:
    """After two set-ups the server's settings and roles are put back as they were before the first; users stay."""
    server = await start_server(version=version)
    server.state.config.sections["TeamSettings"]["MaxUsersPerTeam"] = 50
    before = contents(server)
    for _ in range(2):
        await prepared(server)
    assert contents(server)["config"] != before["config"]
    said = Said()
    assert await restore(of(server), said.log) >= 2
    after = contents(server)
    assert after["config"] == before["config"]
    assert after["roles"] == before["roles"]
    assert len(after["users"]) == 13
    assert "Changed TeamSettings.MaxUsersPerTeam: 50000 → 50" in said.messages
    assert any(message.endswith("from the role team_user") for message in said.messages)
    assert await restore(of(server), said.log) == 0


async def test_what_a_person_changed_since_is_left(embedded: Any) -> None:
    """A setting that has neither the old nor the new value is somebody's own by now: it is told and left."""
    settings = embedded.state.config.sections["TeamSettings"]
    settings["MaxUsersPerTeam"] = 50
    await prepared(embedded)
    embedded.state.config.sections["TeamSettings"]["MaxUsersPerTeam"] = 70_000
    said = Said()
    await restore(of(embedded), said.log)
    assert embedded.state.config.sections["TeamSettings"]["MaxUsersPerTeam"] == 70_000
    assert "TeamSettings.MaxUsersPerTeam is 70000 by now, not 50000: it is left so, and was 50" in said.messages


async def test_the_sample_plugin_is_uploaded_and_enabled(start_server: Any, version: str) -> None:
    """With NumPlugins the server has our plugin afterwards, once; clients are told of it."""
    server = await start_server(version=version)
    said = Said()
    for _ in range(2):
        await prepared(server, said, NumPlugins=1)
    plugin = server.state.integrations.plugins[PLUGIN_ID]
    assert plugin.active
    assert plugin.manifest["webapp"]
    assert said.messages.count("Enabled the sample plugin") == 1


async def test_a_read_only_configuration_is_for_a_person_to_change(start_server: Any, version: str) -> None:
    """A cluster keeps its settings: each that is wanted is listed, the set-up goes on without, and nothing is kept."""
    server = await start_server(version=version)
    sections = server.state.config.sections
    sections["ClusterSettings"] |= {"Enable": True, "ReadOnlyConfig": True}
    sections["TeamSettings"]["MaxUsersPerTeam"] = 50
    sections["ServiceSettings"] |= {"EnableIncomingWebhooks": False, "EnableCustomEmoji": False}
    sections["FileSettings"]["MaxFileSize"] = 1 << 20
    said = Said()
    ready = await prepared(server, said)
    notes = [note for note in ready.notes if "EnableOnlyAdminIntegrations" not in note]
    assert notes == [
        "the server keeps TeamSettings.MaxUsersPerTeam at 50, where 50000 is wanted.",
        "the server keeps ServiceSettings.EnableIncomingWebhooks at False, where True is wanted.",
        "the server keeps ServiceSettings.EnableCustomEmoji at False, where True is wanted.",
    ]
    assert "The server's settings cannot be changed over its API; change them by hand" in said.messages
    assert not ready.abilities.webhooks
    assert not ready.abilities.custom_emoji
    assert ready.abilities.file_uploads
    assert len(contents(server)["users"]) == 13
    assert await restore(of(server), said.log) == 1  # the permission, which is no setting


async def test_what_a_server_lacks_is_found_out_once(embedded: Any) -> None:
    """Uploads of plugins, files, webhooks, emoji switched off where the API does not let one: said, and left out."""
    sections = embedded.state.config.sections
    sections["PluginSettings"]["EnableUploads"] = False
    said = Said()
    ready = await prepared(embedded, said, NumPlugins=1)
    (note,) = ready.notes
    assert "PluginSettings.EnableUploads to true" in note
    assert "the sample plugin is left out" in note
    assert not ready.abilities.link_previews  # gone from 11 on
    assert ready.abilities.webhooks
    assert said.messages.count("This server gives no link previews by request; entities ask for none") == 1
