"""`loadtest check`: it tells what a run would do, and does nothing."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

AgentHere = Any
"""An `Agent` of the conftest beside."""


def told(ended: Any) -> dict[str, list[str]]:
    """Return what the check says, by subject."""
    found: dict[str, list[str]] = {}
    for line in ended.stdout.splitlines():
        subject, text = line[:12].strip(), line[12:]
        found.setdefault(subject, []).append(text)
    return found


async def test_an_empty_server_stays_empty(agent_here: AgentHere, embedded: Any) -> None:
    """It says that the admin would be made and everything imported, and makes no account."""
    ended = await agent_here.run("check")
    assert ended.code == 0, ended.stderr
    said = told(ended)
    assert "Mattermost 11.6.0" in said["Server"][0]
    assert "has no account: set-up would make" in said["Admin"][0]
    assert "the server lacks 1 team, 5 channels, 12 users" in said["Bulk load"][0]
    assert said["Population"][0].startswith("12 users, 1 team, 5 channels")
    assert said["Entities"][0].startswith("10 (agent 0 of 1)")
    assert len(embedded.state.users) == 0


async def test_a_filled_server_has_nothing_to_change(agent_here: AgentHere) -> None:
    """After a run nothing is left to change: no setting, no role, no import."""
    assert (await agent_here.run("setup")).code == 0
    log = agent_here.log.read_bytes()
    said = told(await agent_here.run("check"))
    assert "logs in and is system admin" in said["Admin"][0]
    assert "has every team, channel, user and emoji" in said["Bulk load"][0]
    assert "Setting" not in said
    assert "Role" not in said
    assert agent_here.log.read_bytes() == log


async def test_each_setting_that_would_change_is_named(agent_here: AgentHere, embedded: Any) -> None:
    """Settings and roles are shown old → new, and stay as they are."""
    assert (await agent_here.run("setup")).code == 0
    sections = embedded.state.config.sections
    sections["TeamSettings"]["MaxUsersPerTeam"] = 50
    sections["ServiceSettings"]["EnableIncomingWebhooks"] = False
    before = copy.deepcopy(sections)
    said = told(await agent_here.run("check"))
    assert "TeamSettings.MaxUsersPerTeam would be changed: 50 → 50000" in said["Setting"]
    assert "ServiceSettings.EnableIncomingWebhooks would be changed: False → True" in said["Setting"]
    assert embedded.state.config.sections == before


async def test_what_is_missing_is_counted(agent_here: AgentHere) -> None:
    """A population larger than the server's is told with what loading it would cost."""
    assert (await agent_here.run("setup")).code == 0
    agent_here.set(LoadtestEnviromentConfig_NumUsers=112)
    cost, way = told(await agent_here.run("check"))["Bulk load"]
    assert re.fullmatch(
        r"the server lacks 100 users: they would be imported, for about \S+ s of its CPU, by a sample of its logins",
        cost,
    )
    assert way == "it would go by rest: servers from 5.31 on import over their API"


async def test_a_plugin_that_would_be_installed_is_named(agent_here: AgentHere) -> None:
    """With NumPlugins it is said, and on a server just installed nothing is asked that needs the admin."""
    assert (await agent_here.run("setup")).code == 0
    agent_here.set(LoadtestEnviromentConfig_NumPlugins=1)
    (text,) = told(await agent_here.run("check"))["Plugin"]
    assert text == "the sample plugin would be installed and enabled, where the server takes plugins"


@pytest.mark.parametrize(("licensed", "word"), [(True, "licensed"), (False, "none: at most 250")])
async def test_the_licence_is_told(agent: AgentHere, start_server: Any, licensed: bool, word: str) -> None:
    """A server without a licence has a limit of users that one should know."""
    server = await start_server(licensed=licensed)
    said = told(await agent.use(server).run("check"))
    assert said["Licence"][0].startswith(word)


async def test_no_log_is_begun(agent_here: AgentHere) -> None:
    """It writes no file at all."""
    before = sorted(agent_here.folder.iterdir())
    await agent_here.run("check")
    assert sorted(agent_here.folder.iterdir()) == before


async def test_more_entities_than_users_is_wrong(agent: AgentHere) -> None:
    """What would stop a run before it starts stops the check, too."""
    agent.set(UserEntitiesConfiguration_NumActiveEntities=13)
    ended = await agent.run("check")
    assert ended.code == 2
    assert "need 13 users" in ended.error
